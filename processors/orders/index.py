"""Where the orders of one account are found: by key, by each of their ids, and those that are open.

Pure. Orders that ended stay for long, and nothing that is done often may walk over them: who is
open is noted when an order changes. An order that changed is looked at once more, in `look`, which
is called with the names of all state records that changed.
"""

from collections.abc import Iterable, Set

from processors.orders.order import Order

Place = tuple[str, str, str]
"""Product, symbol, and an id that the venue gave."""


class OrderIndex:
    """The orders of one account."""

    __slots__ = ("_by_key", "_by_place", "_open")

    def __init__(self) -> None:
        self._by_key: dict[str, Order] = {}
        self._by_place: dict[Place, Order] = {}
        self._open: set[str] = set()

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def get(self, key: str) -> Order | None:
        """The order with this key."""
        return self._by_key.get(key)

    def at(self, place: Place) -> Order | None:
        """The order to which an id leads."""
        return self._by_place.get(place)

    def all(self) -> Iterable[Order]:
        """Every order."""
        return self._by_key.values()

    def keys(self) -> Iterable[str]:
        """Their keys."""
        return self._by_key.keys()

    def put(self, order: Order) -> None:
        """The order stands under its key."""
        self._by_key[order.key] = order

    def name(self, order: Order, venue_order_id: str) -> None:
        """This id leads to the order, whose own evidence does not hold it yet."""
        self._by_place[order.product, order.symbol, venue_order_id] = order

    def follow(self, order: Order) -> None:
        """Each of its ids leads to it."""
        for place in places_of(order):
            self._by_place[place] = order

    def drop(self, key: str) -> Order | None:
        """Nothing stands under this key any more; what did."""
        # Its ids lead to it still: an order whose key goes is renamed or
        # joined, and `follow` is next.
        self._open.discard(key)
        return self._by_key.pop(key, None)

    def know(self, order: Order) -> None:
        """The order stands under its key, and each of its ids leads to it."""
        self.put(order)
        self.follow(order)

    def look(self, keys: Iterable[str]) -> None:
        """What has these keys may have changed: note whether it is open."""
        for key in keys:
            order = self._by_key.get(key)
            if order is not None and order.is_open:
                self._open.add(key)
            else:
                self._open.discard(key)

    def open(self, but: Set[str] = frozenset()) -> list[Order]:
        """The orders that are open, but these, by key: in an order that no restart changes."""
        return [self._by_key[key] for key in sorted(self._open - but)]


def places_of(order: Order) -> list[Place]:
    """Every id that leads to the order."""
    return [(order.product, order.symbol, name) for name in sorted(order.own.ids())]
