"""Which orders of one account are in doubt.

Pure. What stands here follows from the orders and is no state of its own; `reconciliation` decides
what is asked because of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from processors.account.suspects import Suspect
from processors.orders.order import Order
from processors.orders.tracks.parts import split_of


@dataclass(slots=True)
class Doubts:
    """By order key: whose evidence is `disputed`; of whom executions lack."""

    disputed: set[str] = field(default_factory=set)
    gaps: set[str] = field(default_factory=set)

    def changed(self, order: Order) -> None:
        """The order's evidence changed."""
        (self.disputed.add if order.is_disputed else self.disputed.discard)(order.key)
        (self.gaps.add if order.missing_quantity else self.gaps.discard)(order.key)

    def retire(self, key: str) -> None:
        """The key is used no more."""
        self.disputed.discard(key)
        self.gaps.discard(key)

    def is_idle(self, orders: Iterable[Order], since_ns: int) -> bool:
        """Whether none of the orders is open or doubted, or was spoken of since then (ns)."""
        for order in orders:
            is_doubted = order.key in self.disputed or order.key in self.gaps
            if order.seen is None or order.is_open or is_doubted:
                return False
            if order.seen.newest_ns > since_ns:
                return False
        return True

    def suspects(self, orders: Iterable[Order], product: str) -> Iterator[Suspect]:
        """The open ones among the orders of a product that were spoken of."""
        for order in orders:
            seen = order.seen
            if order.product == product and seen is not None:
                # The venue's time, by which its lists of ended orders go.
                made_ns = order.record.first_ns or seen.first_ns
                # One part in the list must not hide that another is absent from it.
                listed_ns = 0 if _lacks_a_part(order) else seen.listed_ns
                yield Suspect(order.key, product, seen.first_ns, seen.last_ns, listed_ns, made_ns)


def _lacks_a_part(order: Order) -> bool:
    """Whether a list shows the order alive, but not each part of it that should be open."""
    split = split_of(order.record)
    return split is not None and split.has_unlisted(order.profile.visibility_lag_ns)
