"""Intents about many orders: kills, and cancels of all that is open in a product or symbol. Pure.

Each is about what is open in its scope when it is folded, and about what turns out to be open there
until it is done: a stream may have lost an order, or have it on its way. It is done once all was
looked at that could have been open when it began.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from processors.account.venue_time import VenueTimes
from processors.intents.held import HeldIntent
from processors.orders.order import Order
from processors.orders.orders import Orders

OPEN_MAX: Final = 20
"""So many may be under way at once: each is a part of what is saved with each of its orders."""


class Scopes:
    """Those of one account that are under way, by name."""

    def __init__(self, orders: Orders, times: VenueTimes) -> None:
        self._orders = orders
        self._times = times
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

    def covers(self, held: HeldIntent, order: Order) -> bool:
        """Whether the order is in the scope.

        A kill is about whatever there is; else what was placed later is not meant, by the latest
        time of the venue's that the fold's can have been.
        """
        if held.product not in (None, order.product) or held.symbol not in (None, order.symbol):
            return False
        first_ns = order.record.first_ns
        if held.is_standing or first_ns is None:
            return True
        return first_ns <= held.at_ns + self._times.of(order.product).highest_ns(held.at_ns)

    def turned_up(self, order_keys: Iterable[str]) -> Iterator[tuple[HeldIntent, Order]]:
        """Of these orders the open ones that are in a scope, with the intent; some are known."""
        if not self._open:  # nearly always
            return
        for key in sorted(order_keys):
            order = self._orders.get(key)
            if order is None or order.is_closed:
                continue
            for held in self.open:
                # What the venue would not cancel is asked for once.
                if self.covers(held, order) and key not in held.left:
                    yield held, order

    def left(self, held: HeldIntent) -> Iterator[Order]:
        """What is open in the scope all the same, and not named as left yet."""
        for order in self._orders.open_orders():
            if self.covers(held, order) and order.key not in held.left:
                yield order

    @property
    def open(self) -> list[HeldIntent]:
        """Those that are under way."""
        return [held for _, held in sorted(self._open.items())]

    def verified(self, looked_ns: dict[str, int]) -> list[HeldIntent]:
        """Those whose scope was looked at since they began; by product, up to when (ns)."""
        return [
            held
            for held in self.open
            if looked_ns and self._looked_ns(held, looked_ns) >= held.at_ns
        ]

    @staticmethod
    def _looked_ns(held: HeldIntent, looked_ns: dict[str, int]) -> int:
        if held.product is not None:
            return looked_ns.get(held.product, 0)
        return min(looked_ns.values())
