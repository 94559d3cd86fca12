"""What one order may still do to its position. Pure."""

from decimal import Decimal
from typing import Final, NamedTuple

from orderloom.quantities import EXACT, ZERO
from orderloom.words import PositionSide, Side
from processors.orders.order import Order

ADDING: Final = {PositionSide.LONG: Side.BUY, PositionSide.SHORT: Side.SELL}
"""What adds to each leg of hedge mode; Binance takes no order for it that is to close the leg."""


class Leaves(NamedTuple):
    """What one order still adds to the band of one position; `quantity` None is unbounded.

    `closes`: it has no quantity because it closes what is held by then, which is a bound.
    """

    position_key: str
    side: Side | None
    quantity: Decimal | None
    closes: bool = False


def leaves_of(order: Order, position_key: str) -> Leaves | None:
    """What the order adds to the band of the position with this key; None: nothing."""
    quantity, side = still_possible(order), order.side
    if quantity == ZERO:
        return None
    closes = quantity is None and side is not None and order.term("close_position") is True
    # To close a leg by adding to it is nothing that anybody could know the extent of.
    adds = ADDING.get(order.term("position_side")) is side
    return Leaves(position_key, side, quantity, closes and not adds)


def still_possible(order: Order) -> Decimal | None:
    """What may still be executed, or was without our seeing it, native; None is unbounded."""
    leaves = order.leaves()
    # What is claimed and not known widens the band at once (docs/state-model.md 3.7).
    return None if leaves is None else EXACT.add(leaves, order.missing_quantity)
