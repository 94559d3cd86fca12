"""Reports that name an order by the venue's id alone, kept until something says its symbol. Pure.

Some venues say an order's symbol once and then its id alone (`Profile.ids_are_of_product`). Where
that first message was lost, what follows is kept here, and joined to the order with the first
message that says both: the order is the same as if it had come in the venue's order. It may be an
order of another product that shares its ids (`Profile.ids_shared_with`). Such a report says nothing
of a chain.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from orderloom.event import Cause, OrderReport, Origin
from processors.orders.record import Record
from venues.venue import Profiles

FORMAT: Final = 1
"""Version of what `dumped` gives out."""
Name = tuple[str, str]
"""Product, and the venue's id of an order."""


class Sparse(NamedTuple):
    """What is known of one id: the evidence, and the record that first spoke of it."""

    key: str
    own: Record
    cause: Cause


class SparseReports:
    """Those of one account."""

    def __init__(self, account: str, profiles: Profiles) -> None:
        self._account = account
        self._profiles = profiles
        self._by_name: dict[Name, Sparse] = {}
        self._names: dict[str, Name] = {}

    def take(self, report: OrderReport, origin: Origin) -> str:
        """Join one report; the key of its state record."""
        assert report.venue_order_id is not None
        name = (report.product, report.venue_order_id)
        sparse = self._by_name.get(name)
        if sparse is None:
            # Without a symbol, and so no order's key.
            key = f"{self._account}/{report.product}//{report.venue_order_id}"
            sparse = self._put(name, Sparse(key, Record(), origin.cause))
        sparse.own.take_report(report, origin, self._profiles[report.product].visibility_lag_ns)
        return sparse.key

    def _put(self, name: Name, sparse: Sparse) -> Sparse:
        self._names[sparse.key] = name
        self._by_name[name] = sparse
        return sparse

    def pop(self, product: str, venue_order_id: str) -> list[Sparse]:
        """What was kept of an id whose symbol is known now, under each product that shares it; it
        is kept no longer."""
        if not self._by_name:
            return []
        products = (product, *self._profiles[product].ids_shared_with)
        popped = [self._by_name.pop((one, venue_order_id), None) for one in products]
        found = [sparse for sparse in popped if sparse is not None]
        for sparse in found:
            del self._names[sparse.key]
        return found

    def keys(self) -> Iterable[str]:
        """The keys of the state records."""
        return self._names

    def dumped(self, key: str) -> dict[str, Any] | None:
        """One state record, JSON-ready; None if nothing is kept under this key."""
        name = self._names.get(key)
        if name is None:
            return None
        _, own, cause = self._by_name[name]
        return {
            "sparse": FORMAT,
            "key": key,
            "name": name,
            "cause": cause.document(),
            "evidence": own.dump(),
        }

    def load(self, document: dict[str, Any]) -> None:
        """Take back what `dumped` gave out."""
        product, venue_order_id = document["name"]
        own, cause = Record.load(document["evidence"]), Cause(**document["cause"])
        self._put((product, venue_order_id), Sparse(document["key"], own, cause))
