"""Which items go into the next record of one account. Pure.

1. One record of an account is under way at a time, so order in the log is order of arrival.
2. Nothing waits for company: with no record under way, one item goes alone and at once. What comes
   meanwhile goes together, as in Nagle's algorithm (RFC 896): no delay at low load, and 10 to 100
   messages a record under load.
3. A record holds items of one generation, and no more of them than the bounds allow.
4. Items leave only once they are acknowledged; a refused record is tried again, smaller if its size
   was the reason.
5. An item larger than a record may be is replaced by what can be said of it.
"""

import hashlib
from collections import deque
from dataclasses import dataclass

from orderloom.raw import Answer, Failure, Frame, Item, Oversize
from orderloom.topology import RAW_MESSAGE_BYTES_MAX

HEADER_BYTES = 600  # an item's fields as JSON: more than any of ours takes
# The rest of what the topic takes is for the record's header.
BODY_BYTES_MAX = RAW_MESSAGE_BYTES_MAX - 64 * 1024
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one record may hold; a single item may be larger than `bytes_max`."""

    items_max: int = 100
    bytes_max: int = 1024 * 1024


def size_of(item: Item) -> int:
    """About how many bytes `item` takes, in memory and in a record."""
    return HEADER_BYTES + len(getattr(item, "body", b""))


def time_of(item: Item) -> int:
    """When `item` came about, ns UTC on our clock."""
    return item.at_ns if hasattr(item, "at_ns") else item.received_ns


def fitted(item: Item, body_bytes_max: int = BODY_BYTES_MAX) -> Item:
    """`item` itself, or, if no record can hold it, what can be said of it (rule 5)."""
    body: bytes = getattr(item, "body", b"")
    if len(body) <= body_bytes_max:
        return item
    # Its number goes along: without it the connection would seem to have lost a frame unseen.
    if isinstance(item, Frame):
        return Oversize(
            item.connection,
            item.number,
            item.product,
            item.received_ns,
            len(body),
            hashlib.sha256(body).hexdigest(),
            body[:HEAD_BYTES],
        )
    # No part of a page: half a list would look like a whole one (docs/state-model.md INV-3).
    assert isinstance(item, Answer), "only frames and answers bring bodies of any size"
    reason = f"the answer's {len(body)} bytes are more than a record holds"
    return Failure(
        item.question, reason, item.asked_ns, item.received_ns, item.status, body[:HEAD_BYTES]
    )


@dataclass(frozen=True, slots=True)
class ItemBatch:
    """What goes into one record."""

    generation: int
    items: tuple[Item, ...]


class Packer:
    """The items of one account on their way into the log."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._items_max = bounds.items_max
        self._waiting: deque[tuple[int, Item]] = deque()
        self._under_way: ItemBatch | None = None
        self.bytes_held = 0
        self.items_held = 0
        self.items_added = 0

    @property
    def items_written(self) -> int:
        """How many of the items added, in their order, stand in the log."""
        return self.items_added - self.items_held

    def oldest(self) -> Item | None:
        """The first item that does not stand in the log yet."""
        if self._under_way is not None:
            return self._under_way.items[0]
        return self._waiting[0][1] if self._waiting else None

    @property
    def is_idle(self) -> bool:
        """Whether everything that was added has been acknowledged."""
        return not self._waiting and self._under_way is None

    def add(self, generation: int, item: Item) -> None:
        """Take `item` up, after all that came before."""
        self._waiting.append((generation, item))
        self.bytes_held += size_of(item)
        self.items_held += 1
        self.items_added += 1

    def take(self) -> ItemBatch | None:
        """What to write now: None while a record is under way, or nothing waits."""
        if self._under_way is not None or not self._waiting:
            return None
        generation = self._waiting[0][0]
        items: list[Item] = []
        size = 0
        while self._waiting and len(items) < self._items_max:
            item_generation, item = self._waiting[0]
            size += size_of(item)
            # A record names one generation: what came before
            # a partition was taken up anew stays apart.
            if item_generation != generation or (items and size > self._bounds.bytes_max):
                break
            items.append(item)
            self._waiting.popleft()
        self._under_way = ItemBatch(generation, tuple(items))
        return self._under_way

    def acknowledged(self) -> None:
        """The record under way stands in the log."""
        assert self._under_way is not None, "an acknowledgement without a record under way"
        self.bytes_held -= sum(size_of(item) for item in self._under_way.items)
        self.items_held -= len(self._under_way.items)
        self._under_way = None
        self._items_max = self._bounds.items_max

    def refused(self, *, is_too_large: bool = False) -> None:
        """The record under way is not in the log: its items go back to the front."""
        assert self._under_way is not None, "a refusal without a record under way"
        batch, self._under_way = self._under_way, None
        items = batch.items
        if is_too_large:
            # The broker's limit may be lower than we think: halved
            # until it fits, then no more of the item than its head.
            self._items_max = max(1, len(items) // 2)
            if len(items) == 1:
                items = (self._shrunk(items[0]),)
        self._waiting.extendleft((batch.generation, item) for item in reversed(items))

    def _shrunk(self, item: Item) -> Item:
        # One record of an account is under way at a time:
        # what never fits would hold up all after it.
        smaller = fitted(item, HEAD_BYTES)
        assert smaller is not item, "the topic refuses even a record without a body"
        self.bytes_held += size_of(smaller) - size_of(item)
        return smaller
