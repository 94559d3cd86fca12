"""Which orders of one account are in doubt, and when each was last spoken of.

Pure. What stands here follows from the orders and from what was heard of them; `reconciliation`
decides what is asked because of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orderloom.event import Origin
from orderloom.words import Source
from processors.account.reconciliation import Suspect
from processors.orders.order import Order
from processors.orders.tracks.parts import split_of


@dataclass(slots=True)
class Seen:
    """When an order was first spoken of, and last on the stream (ns, received; 0: never there).

    `listed_ns` is the beginning of the last cycle of questions whose answers showed it alive.
    """

    first_ns: int
    last_ns: int = 0
    listed_ns: int = 0


@dataclass(slots=True)
class Doubts:
    """By order key: when it was `seen`; whose evidence is `disputed`; of whom executions lack."""

    seen: dict[str, Seen] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    gaps: set[str] = field(default_factory=set)

    def changed(self, order: Order) -> None:
        """The order's evidence changed."""
        _put(self.disputed, order.key, order.is_disputed)
        _put(self.gaps, order.key, bool(order.missing_quantity))

    def retire(self, key: str) -> None:
        """The key is used no more."""
        self.seen.pop(key, None)
        self.disputed.discard(key)
        self.gaps.discard(key)

    def is_idle(self, orders: Iterable[Order], since_ns: int) -> bool:
        """Whether none of the orders is open or doubted, or was spoken of since then (ns)."""
        for order in orders:
            seen = self.seen.get(order.key)
            is_doubted = order.key in self.disputed or order.key in self.gaps
            if seen is None or order.is_open or is_doubted:
                return False
            if max(seen.first_ns, seen.last_ns) > since_ns:
                return False
        return True

    def spoke(self, key: str, origin: Origin, now_ns: int) -> None:
        """A message spoke of an order."""
        at_ns = origin.received_ns or now_ns
        seen = self.seen.setdefault(key, Seen(at_ns))
        if origin.source is Source.STREAM:
            seen.last_ns = max(seen.last_ns, at_ns)

    def listed(self, keys: Iterable[str], began_ns: int) -> Iterator[str]:
        """A list of the cycle that began then shows these orders alive; those that it changed."""
        for key in keys:
            if (seen := self.seen.get(key)) is not None:
                seen.listed_ns = max(seen.listed_ns, began_ns)  # OKX lists two products together
                yield key

    def suspects(self, orders: Iterable[Order], product: str) -> Iterator[Suspect]:
        """The open ones among the orders of a product that were spoken of."""
        for order in orders:
            seen = self.seen.get(order.key)
            if order.product == product and seen is not None:
                made_ns = order.record.first_ns or seen.first_ns
                listed_ns = 0 if _lacks_a_part(order) else seen.listed_ns
                yield Suspect(order.key, product, seen.first_ns, seen.last_ns, listed_ns, made_ns)


def _lacks_a_part(order: Order) -> bool:
    """Whether a list shows the order alive, but not each part of it that should be open."""
    split = split_of(order.record)
    return split is not None and split.has_unlisted(order.profile.visibility_lag_ns)


def _put(keys: set[str], key: str, is_member: bool) -> None:
    if is_member:
        keys.add(key)
    else:
        keys.discard(key)
