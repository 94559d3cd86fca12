"""What Kraken promises, each entry with its source; and where it is reached. Pure."""

from dataclasses import replace
from typing import Final

from venues.kraken.words import INVERSE, LINEAR, SPOT
from venues.request import Endpoints
from venues.venue import SECOND_NS, Profile

PRODUCTS: Final = (SPOT, LINEAR, INVERSE)

_SPOT: Final = Profile(
    # No number is promised. A published bot measured up to 60 s between `filled` on the stream and
    # the order among the closed ones.
    visibility_lag_ns=60 * SECOND_NS,
    grace_ns=SECOND_NS,
    # "Get Open Orders", "Get Closed Orders", "Get Trades History": no filter by pair.
    trades_by_symbol=False,
    open_orders_by_symbol=False,
    history_by_symbol=False,
    # "Get Closed Orders": `closetime`; "Get Order Events": an event's own time.
    history_by_end=True,
    # "Get Extended Balance" does not say that what it leaves out is zero.
    balances_of=None,
    # "Errors": "EQuery:Unknown asset pair".
    unknown_symbol_codes=frozenset({"EQuery:Unknown asset pair"}),
    # An amendment keeps all ids: there is one link.
    carries_count=False,
    # "Add Order": unique over all accounts and all time; later reports have no symbol.
    ids_are_of_product=True,
)
_FUTURES: Final = replace(
    _SPOT,
    # Our number: the manual promises none.
    visibility_lag_ns=5 * SECOND_NS,
    has_positions=True,  # "Get Open Positions"
    unknown_symbol_codes=frozenset({"contractNotFound"}),
)
PROFILES: Final = {
    SPOT: _SPOT,
    # "Open Orders (Verbose)": one feed for all contracts, whose ids are UUIDs (decision 1102).
    LINEAR: replace(_FUTURES, ids_shared_with=(INVERSE,)),
    INVERSE: replace(_FUTURES, ids_shared_with=(LINEAR,)),
}
# Spot has no test environment that one can reach by oneself, and `beta` trades real money; that of
# Futures was closed in July 2026 (docs/venues/kraken.md 1).
ENVIRONMENTS: Final = {
    "production": Endpoints(
        rest={SPOT: "https://api.kraken.com"}
        | dict.fromkeys((LINEAR, INVERSE), "https://futures.kraken.com"),
        stream={SPOT: "wss://ws-auth.kraken.com"}
        | dict.fromkeys((LINEAR, INVERSE), "wss://futures.kraken.com"),
    )
}
CLOCK_STEPS_NS: Final = {SPOT: SECOND_NS}
"""`Time` says whole seconds; answers of Futures say milliseconds."""
