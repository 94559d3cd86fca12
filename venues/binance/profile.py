"""What Binance promises, each entry with its source; and where it is reached. Pure."""

from dataclasses import replace
from typing import Final

from venues.binance.reading import LINEAR, SPOT
from venues.request import Endpoints
from venues.venue import MILLISECOND_NS, SECOND_NS, Profile

DAY_NS: Final = 24 * 3600 * SECOND_NS

_BOTH: Final = Profile(
    # "Data sources" of Spot REST: matching engine < memory < database; the lists of trades and
    # history come from the database and "can lag". No number is promised.
    visibility_lag_ns=2 * SECOND_NS,
    # Just after placing, "GET order" may answer -2013; the stream and the reply race each other.
    grace_ns=700 * MILLISECOND_NS,
    # "Account Trade List" of both products: `symbol` is mandatory.
    trades_by_symbol=True,
    # "Current Open Orders" of both: `symbol` is optional (and the weight higher without).
    open_orders_by_symbol=False,
    # "All Orders" of both: `symbol` is mandatory.
    history_by_symbol=True,
    # "Error codes" of both products: "Invalid symbol."
    unknown_symbol_codes=frozenset({"-1121"}),
    # Amendments keep the order id, so there is one link; a cancel-replace is a new order.
    carries_count=False,
)
PROFILES: Final = {
    SPOT: replace(
        _BOTH,
        # "Account information" lists every balance (`omitZeroBalances`: every one that is not
        # zero); "balanceUpdate": deposits, withdrawals, transfers.
        balances_of=SPOT,
        balances_add_up=True,
    ),
    LINEAR: replace(
        _BOTH,
        # "Position Information V3": rows with a position or open order only. "Futures Account
        # Balance V3" does not say which assets it lists.
        has_positions=True,
        # "Query Algo Order": not found are those CANCELED or EXPIRED without an execution and made
        # more than 3 days ago, and all made more than 90 days ago; well before that is sure. Spot
        # keeps its own as all orders, and promises nothing of the kind.
        conditional_ages_ns=(3 * DAY_NS, 60 * DAY_NS),
        # A conditional order that the engine refused is reported as EXPIRED and as rejected.
        normal_pairs=frozenset({frozenset({"EXPIRED", "REJECTED"})}),
    ),
}

ENVIRONMENTS: Final = {
    "production": Endpoints(
        rest={SPOT: "https://api.binance.com", LINEAR: "https://fapi.binance.com"},
        stream={SPOT: "wss://ws-api.binance.com:443", LINEAR: "wss://fstream.binance.com"},
    ),
    "demo": Endpoints(
        rest={SPOT: "https://demo-api.binance.com", LINEAR: "https://demo-fapi.binance.com"},
        stream={SPOT: "wss://demo-ws-api.binance.com", LINEAR: "wss://demo-fstream.binance.com"},
    ),
    "testnet": Endpoints(
        rest={
            SPOT: "https://testnet.binance.vision",
            LINEAR: "https://testnet.binancefuture.com",
        },
        stream={
            SPOT: "wss://ws-api.testnet.binance.vision",
            LINEAR: "wss://fstream.binancefuture.com",
        },
    ),
}
