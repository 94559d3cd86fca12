"""What one native unit of an order or position is: base units, or contracts of a known size.

Pure. An order keeps the size that its instrument had when both were first known
(docs/state-model.md 4.10): a venue that changes a contract's size changes no history. Evidence is
folded in native units and never waits for an instrument; what waits is only what is shown in base
units (decision 0008).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from orderloom.event import Origin
from orderloom.quantities import Unit
from processors.account.positions import HeldPosition
from processors.instruments import Instruments
from processors.orders.effects import Effect
from processors.orders.fill_effects import recorded
from processors.orders.order import Order
from processors.orders.orders import Orders

ONE: Final = Decimal(1)


@dataclass(slots=True)
class Sizes:
    """The sizes of one account's orders and positions; those without one wait, by their keys."""

    instruments: Instruments
    orders: Orders
    waiting: set[str] = field(default_factory=set)
    waiting_positions: set[str] = field(default_factory=set)

    @property
    def is_lacking(self) -> bool:
        """Whether anything waits for an instrument."""
        return bool(self.waiting or self.waiting_positions)

    def wait_for(self, orders: Iterable[Order], positions: Iterable[HeldPosition]) -> None:
        """Of those that were restored, the ones that are shown without a size wait."""
        self.waiting.update(one.key for one in orders if one.contract_size is None)
        self.waiting_positions.update(
            one.key for one in positions if one.contract_size is None and one.version
        )

    def pin(self, order: Order, now_ns: int) -> list[Effect]:
        """Give the order its size if it has none; what that changed."""
        effects: list[Effect] = []
        if order.contract_size is None:
            size = self._size_of(order.product, order.symbol, order.quantity_unit, now_ns)
            if size is None:
                self.waiting.add(order.key)
            else:
                self.waiting.discard(order.key)
                effects += self.orders.pin(order, size)
        return effects

    def pin_waiting(self, origin: Origin, now_ns: int) -> list[Effect]:
        """Instruments became known: give the orders that wait their sizes; what that changed.

        Their fills are published anew, as base units are known now.
        """
        effects: list[Effect] = []
        for key in sorted(self.waiting):
            order = self.orders.get(key)
            if order is None:
                self.waiting.discard(key)
            elif pinned := self.pin(order, now_ns):
                effects += pinned
                for fill in order.fills():
                    # A busted one was taken back: nothing of it stands to be corrected.
                    if not fill.is_busted:
                        effects += recorded(order, fill, fill, origin)
        return effects

    def measure(self, position: HeldPosition, now_ns: int) -> bool:
        """Give the position its size if it has none; returns whether that changed it."""
        if position.contract_size is not None:
            return False
        size = self._size_of(position.product, position.symbol, position.quantity_unit, now_ns)
        if size is None:
            self.waiting_positions.add(position.key)
            return False
        self.waiting_positions.discard(position.key)
        position.contract_size = size
        return True

    def _size_of(self, product: str, symbol: str, unit: str, now_ns: int) -> Decimal | None:
        # Whatever the unit: an instrument that evidence names is asked for (decision 0008).
        if not self.instruments.is_known(product, symbol):
            self.instruments.want(product, symbol, now_ns)
        if unit == Unit.BASE:
            return ONE
        return self.instruments.contract_size(product, symbol)
