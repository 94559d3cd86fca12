"""Orders whose position side nobody said yet: LONG and SHORT of their symbol have no bounds.

Pure. In hedge mode a symbol has two positions, LONG and SHORT, in one-way mode one, NET. An early
fill of USD-M (`TRADE_LITE`) says neither the side nor the mode. It counts at NET until a report or
an answer names the side; so until then it may be missing in LONG or SHORT, where these are there
(docs/state-model.md 4.5). All of this follows from the orders, so nothing of it is saved.
"""

from dataclasses import dataclass, field
from typing import Final

from orderloom.quantities import ZERO
from orderloom.words import PositionSide
from processors.account.positions import HeldPosition
from processors.orders.order import Order

Place = tuple[str, str]
"""Product and symbol."""
NONE: Final[list[HeldPosition]] = []


@dataclass(slots=True)
class UnknownSides:
    """The orders of one account whose side is not known. `sided`: products that have sides."""

    sided: frozenset[str] = frozenset()
    orders: dict[str, Place] = field(default_factory=dict)
    """Where they are, by order key."""
    counts: dict[Place, int] = field(default_factory=dict)
    """How many they are there."""
    positions: dict[Place, dict[str, HeldPosition]] = field(default_factory=dict)
    """LONG and SHORT of each symbol, by key: else a message would walk all positions."""

    def add(self, position: HeldPosition) -> None:
        """A position that there is from now on."""
        if position.position_side != PositionSide.NET:
            place = (position.product, position.symbol)
            self.positions.setdefault(place, {})[position.key] = position

    def lacks(self, position: HeldPosition) -> bool:
        """Whether an execution may be missing in a position, as its side is not known."""
        if position.position_side == PositionSide.NET:
            return False
        return (position.product, position.symbol) in self.counts

    def look(self, order: Order) -> list[HeldPosition]:
        """An order changed; the positions that `lacks` says otherwise of since."""
        was, is_unknown = self.orders.get(order.key), self._is_unknown(order)
        if is_unknown == (was is not None):
            return NONE
        if was is not None:
            return self.retire(order.key)
        place = (order.product, order.symbol)
        self.orders[order.key] = place
        self.counts[place] = self.counts.get(place, 0) + 1
        return self._positions(place) if self.counts[place] == 1 else NONE

    def retire(self, key: str) -> list[HeldPosition]:
        """An order's side is known, or its key is used no more; as `look`."""
        place = self.orders.pop(key, None)
        if place is None:
            return NONE
        self.counts[place] -= 1
        if self.counts[place]:
            return NONE
        del self.counts[place]
        return self._positions(place)

    def _positions(self, place: Place) -> list[HeldPosition]:
        return list(self.positions.get(place, {}).values())

    def _is_unknown(self, order: Order) -> bool:
        """Whether an order moved a position, or still may, and nobody said which."""
        if order.product not in self.sided or order.term("position_side") is not None:
            return False
        return bool(order.executed) or order.leaves() != ZERO or bool(order.missing_quantity)
