"""Intents about many orders: kills, and cancels of all that is open in a product or symbol. Pure.

Each is about what is open in its scope when it is folded, and about what turns out to be open there
until it is done: a stream may have lost an order, or have it on its way. It is done once all was
looked at that could have been open when it began.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from processors.intents.held import HeldIntent
from processors.intents.register import IntentRegister
from processors.orders.order import Order
from processors.orders.orders import Orders

OPEN_MAX: Final = 20
"""So many may be under way at once: each is a part of what is saved with each of its orders."""


class Scopes:
    """Those of one account that are under way, by name."""

    def __init__(self, register: IntentRegister, orders: Orders) -> None:
        self._register = register
        self._orders = orders
        self._open: dict[str, HeldIntent] = {}

    def begin(self, held: HeldIntent) -> str:
        """One more; why not, "" if it is."""
        under_way = sum(not one.is_standing for one in self._open.values())
        if not held.is_standing and under_way >= OPEN_MAX:
            return f"{under_way} cancels of many orders are under way already"
        self._open[held.name] = held
        return ""

    def end(self, held: HeldIntent) -> None:
        """It is over."""
        self._open.pop(held.name, None)

    def restore(self, held: HeldIntent) -> None:
        """One was taken back."""
        if held.is_of_many and not held.is_final:
            self._open[held.name] = held

    @staticmethod
    def covers(held: HeldIntent, order: Order) -> bool:
        """Whether the order is in the scope."""
        is_of_product = held.product in (None, order.product)
        return is_of_product and held.symbol in (None, order.symbol)

    def turned_up(self, order_keys: Iterable[str]) -> Iterator[tuple[HeldIntent, Order]]:
        """Of these orders the open ones that are in a scope, with the intent; some are known."""
        if not self._open:  # nearly always
            return
        for key in sorted(order_keys):
            order = self._orders.get(key)
            if order is None or order.is_closed:
                continue
            for _, held in sorted(self._open.items()):
                # What the venue would not cancel is asked for once.
                if self.covers(held, order) and key not in held.left:
                    yield held, order

    def verified(self, looked_ns: dict[str, int]) -> list[HeldIntent]:
        """Those whose scope was looked at since they began; by product, up to when (ns)."""
        return [
            held
            for _, held in sorted(self._open.items())
            if looked_ns and self._looked_ns(held, looked_ns) >= held.at_ns
        ]

    @staticmethod
    def _looked_ns(held: HeldIntent, looked_ns: dict[str, int]) -> int:
        if held.product is not None:
            return looked_ns.get(held.product, 0)
        return min(looked_ns.values())
