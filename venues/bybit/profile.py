"""What Bybit promises, each entry with its source; and where it is reached. Pure."""

from dataclasses import replace
from typing import Final

from venues.bybit.words import INVERSE, LINEAR, SPOT
from venues.request import Endpoints
from venues.venue import SECOND_NS, Profile

PRODUCTS: Final = (SPOT, LINEAR, INVERSE)

_ALL: Final = Profile(
    # "Place Order": asynchronous; "Get Open & Closed Orders", "Get Order History" and "Get Wallet
    # Balance" may lag. No number is promised: published adapters ask again for several seconds.
    visibility_lag_ns=5 * SECOND_NS,
    grace_ns=SECOND_NS,
    # "Get Trade History", "Get Open & Closed Orders", "Get Order History": all three go by
    # category, of linear open orders by settle coin.
    trades_by_symbol=False,
    open_orders_by_symbol=False,
    history_by_symbol=False,
    # "Get Wallet Balance": what has neither assets nor liabilities is not returned.
    balances_of=SPOT,
    # "Error Codes": "Invalid symbol"; "The requested symbol is invalid".
    unknown_symbol_codes=frozenset({"170121", "10029"}),
    # An amendment keeps both ids: there is one link.
    carries_count=False,
)
# "Get Position Info".
_CONTRACTS: Final = replace(_ALL, has_positions=True)
PROFILES: Final = {SPOT: _ALL, LINEAR: _CONTRACTS, INVERSE: _CONTRACTS}


def _endpoints(rest: str, stream: str) -> Endpoints:
    return Endpoints(dict.fromkeys(PRODUCTS, rest), dict.fromkeys(PRODUCTS, stream))


# "Integration Guidance", "Demo Trading Service". Each has keys of its own. Regional sites whose
# host of sockets nobody names (EEA, Netherlands, UAE) are reached by settings.
ENVIRONMENTS: Final = {
    "production": _endpoints("https://api.bybit.com", "wss://stream.bybit.com"),
    "testnet": _endpoints("https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com"),
    "demo": _endpoints("https://api-demo.bybit.com", "wss://stream-demo.bybit.com"),
    "georgia": _endpoints("https://api.bybitgeorgia.ge", "wss://stream.bybitgeorgia.ge"),
    "indonesia": _endpoints("https://api.bybit.id", "wss://stream.bybit.id"),
    "japan": _endpoints("https://api.manepa.jp", "wss://stream.manepa.jp"),
    "kazakhstan": _endpoints("https://api.bybit.kz", "wss://stream.bybit.kz"),
    "turkey": _endpoints("https://api.bybit.tr", "wss://stream.bybit.tr"),
}
