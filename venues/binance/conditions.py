"""What a conditional order waits for, in the venue's four spellings. Pure.

Manual: "New Algo Order" and "Event: Algo Order Update" of USD-M futures, "Conditional orders" and
"Trailing stop" of Spot. An order of USD-M that has triggered writes 0 for its trigger and
CONTRACT_PRICE whatever triggered it: that is no word on what the order waited for.
"""

from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderloom.quantities import EXACT
from orderloom.words import TriggerType
from venues.binance.reading import amount_above_zero
from venues.binance.words import WORKING_TYPES
from venues.document import Document, amount, flag, lenient_choice

BASIS_POINTS_PER_PERCENT: Final = Decimal(100)


class Names(NamedTuple):
    """What USD-M calls these fields where a row comes from; the callback rate is in percent."""

    trigger: str
    working: str
    activation: str
    callback: str
    reduce_only: str
    close_position: str


REPORT: Final = Names("sp", "wt", "AP", "cr", "R", "cp")
ROW: Final = Names(
    "stopPrice", "workingType", "activatePrice", "priceRate", "reduceOnly", "closePosition"
)
ALGO_REPORT: Final = Names("tp", "wt", "AP", "cr", "R", "cp")
ALGO_ROW: Final = Names(
    "triggerPrice", "workingType", "activatePrice", "callbackRate", "reduceOnly", "closePosition"
)


def linear_conditions(row: Document, names: Names, unknown: list[str]) -> dict[str, Any]:
    """The fields of `OrderReport` that say what an order of USD-M waits for, or waited for."""
    trigger_price = amount(row, names.trigger) or None
    callback_rate = amount(row, names.callback) or None
    is_conditional = trigger_price is not None or callback_rate is not None
    working = lenient_choice(row, names.working, WORKING_TYPES, unknown)
    return {
        "trigger_price": trigger_price,
        # A plain or a triggered order writes CONTRACT_PRICE as well.
        "trigger_type": working if is_conditional else None,
        "activation_price": amount(row, names.activation) or None,
        "callback_rate": callback_rate,
        "reduce_only": flag(row, names.reduce_only),
        "close_position": flag(row, names.close_position),
    }


def spot_conditions(row: Document, stop: str, trailing: str) -> dict[str, Any]:
    """The same of Spot: a trailing order begins at its stop price and follows in basis points."""
    price, delta = amount_above_zero(row, stop), amount_above_zero(row, trailing)
    return {
        "trigger_price": price if delta is None else None,
        "trigger_type": TriggerType.LAST if price or delta else None,
        "activation_price": None if delta is None else price,
        "callback_rate": delta and EXACT.divide(delta, BASIS_POINTS_PER_PERCENT),
    }
