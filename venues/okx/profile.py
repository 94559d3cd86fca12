"""What OKX promises, each entry with its source; and where it is reached. Pure."""

from dataclasses import replace
from typing import Final

from venues.okx.reading import INVERSE, LINEAR, SPOT
from venues.request import Endpoints
from venues.venue import MILLISECOND_NS, SECOND_NS, Profile

PRODUCTS: Final = (SPOT, LINEAR, INVERSE)

_ALL: Final = Profile(
    # "acks come before the matching engine"; the history lists lag by more. No number is promised.
    visibility_lag_ns=2 * SECOND_NS,
    # "GET order" right after the ack may answer 51603 for some milliseconds.
    grace_ns=700 * MILLISECOND_NS,
    # "GET Transaction details", "Order List", "Order history": `instId` is optional in all three.
    trades_by_symbol=False,
    open_orders_by_symbol=False,
    history_by_symbol=False,
    # "GET Balance": "a list of assets (with non-zero balance)"; coins are held once, whoever asks.
    balances_of=SPOT,
    # "Error Code": "Instrument ID ... doesn't exist".
    unknown_symbol_codes=frozenset({"51001"}),
    # An amendment keeps the order's id: there is one link.
    carries_count=False,
)
# "GET Positions". Loans against coins (MARGIN) are positions there, and not here.
_CONTRACTS: Final = replace(_ALL, has_positions=True)
PROFILES: Final = {SPOT: _ALL, LINEAR: _CONTRACTS, INVERSE: _CONTRACTS}


def _endpoints(rest: str, stream: str, headers: dict[str, str] | None = None) -> Endpoints:
    return Endpoints(dict.fromkeys(PRODUCTS, rest), dict.fromkeys(PRODUCTS, stream), headers or {})


# "Production Trading URL", "Demo Trading Services". A key lives in one region and in one of the two
# environments; elsewhere it does not exist. Demo has hosts of its own for sockets only.
_DEMO: Final = {"x-simulated-trading": "1"}
ENVIRONMENTS: Final = {
    "production": _endpoints("https://openapi.okx.com", "wss://ws.okx.com:8443"),
    "eea": _endpoints("https://eea.okx.com", "wss://wseea.okx.com:8443"),
    "us": _endpoints("https://us.okx.com", "wss://wsus.okx.com:8443"),
    "demo": _endpoints("https://openapi.okx.com", "wss://wspap.okx.com:8443", _DEMO),
    "demo-eea": _endpoints("https://eea.okx.com", "wss://wseeapap.okx.com:8443", _DEMO),
    "demo-us": _endpoints("https://us.okx.com", "wss://wsuspap.okx.com:8443", _DEMO),
}
