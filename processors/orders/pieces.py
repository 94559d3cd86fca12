"""Orders that stand in several state records, while those come back in any order. Pure."""

from typing import Any

from processors.orders import fill_records
from processors.orders.order import Order


class Pieces:
    """Executions that came back before their order's record, and orders that got some apart."""

    def __init__(self) -> None:
        self._early: dict[str, list[dict[str, Any]]] = {}
        self._in_pieces: dict[str, Order] = {}

    def take(self, order_key: str, order: Order | None, document: dict[str, Any]) -> None:
        """One execution's record; the order is None where its own record comes later."""
        if order is None:
            self._early.setdefault(order_key, []).append(document)
            return
        order.own.put_fill(fill_records.loaded(document))
        # Derived in `finish`, once: a large order has thousands of records.
        self._in_pieces[order.key] = order

    def join(self, order: Order) -> None:
        """The order's own record came."""
        for document in self._early.pop(order.key, ()):
            self.take(order.key, order, document)

    def finish(self) -> list[Order]:
        """All records are back: the orders of several, derived anew.

        Raises ValueError where an order's own record has not come: what it lacks cannot be known.
        """
        if self._early:
            raise ValueError(f"executions of orders without a record: {sorted(self._early)[:3]}")
        orders = list(self._in_pieces.values())
        self._in_pieces.clear()
        for order in orders:
            order.rebuild()
        return orders
