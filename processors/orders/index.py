"""Where the orders of one account are found: by key, by each of their ids, and those that are open.

Pure. Orders that ended stay for long, and nothing that is done often may walk over them: who is
open is noted when an order changes. An order that changed is looked at once more, in `look`, which
is called with the names of all state records that changed.
"""

from collections.abc import Iterable, Mapping, Set

from processors.orders.order import Order

Place = tuple[str, str]
"""Product and symbol (none where an id says it), in which the venue gives ids."""


class OrderIndex:
    """The orders of one account.

    `id_products`: in which an id is of one order, whatever symbol; and of those, with which others
    each shares its ids.
    """

    __slots__ = ("_by_key", "_by_place", "_id_products", "_open")

    def __init__(self, id_products: Mapping[str, tuple[str, ...]]) -> None:
        self._id_products = id_products
        self._by_key: dict[str, Order] = {}
        self._by_place: dict[Place, dict[str, Order]] = {}
        self._open: dict[str, None] = {}  # of many a set is two or three times as large

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def get(self, key: str) -> Order | None:
        """The order with this key."""
        return self._by_key.get(key)

    def at(self, product: str, symbol: str | None, venue_order_id: str) -> Order | None:
        """The order to which an id leads; said without a symbol, it may be another product's."""
        place = self._place(product, symbol)
        found = self._by_place.get(place, {}).get(venue_order_id)
        if found is None and not symbol:
            for other in self._id_products.get(product, ()):
                found = found or self._by_place.get((other, ""), {}).get(venue_order_id)
        return found

    def led_to(self, order: Order) -> list[Order]:
        """The orders to which this one's ids lead, each once, in the order of the ids."""
        found = (self.at(order.product, order.symbol, name) for name in sorted(order.own.ids()))
        return list(dict.fromkeys(one for one in found if one is not None))

    def _place(self, product: str, symbol: str | None) -> Place:
        if symbol is None or product in self._id_products:
            symbol = ""
        return (product, symbol)

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
        place = self._place(order.product, order.symbol)
        self._by_place.setdefault(place, {})[venue_order_id] = order

    def follow(self, order: Order) -> None:
        """Each of its ids leads to it."""
        for name in order.own.ids():
            self.name(order, name)

    def drop(self, key: str) -> Order | None:
        """Nothing stands under this key any more; what did."""
        # Its ids lead to it still: an order whose key goes is renamed or
        # joined, and `follow` is next.
        self._open.pop(key, None)
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
                self._open[key] = None
            else:
                self._open.pop(key, None)

    def open(self, but: Set[str] = frozenset()) -> list[Order]:
        """The orders that are open, but these, by key: in an order that no restart changes."""
        return [self._by_key[key] for key in sorted(self._open.keys() - but)]
