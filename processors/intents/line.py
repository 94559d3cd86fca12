"""Whose cancel is decided next: no more than the venue can take are under way at once. Pure.

What one names goes before what is one of many, and else first come, first served. Thousands that
were decided together would be late together, again and again, and would stand before the next.
"""

from heapq import heappop, heappush
from typing import Final

WINDOW: Final = 100
Place = tuple[bool, int, str]
"""Whether it is one of many; since when it waits (ns); the order's key."""


class CancelLine:
    """The orders of one account whose cancel waits for its turn, and those under way."""

    def __init__(self) -> None:
        self._waiting: dict[str, Place] = {}
        self._heap: list[Place] = []
        self._flying: set[str] = set()

    def join(self, order_key: str, since_ns: int, *, is_of_many: bool) -> None:
        """This order's cancel waits, since then."""
        self._flying.discard(order_key)
        place = is_of_many, since_ns, order_key
        if self._waiting.get(order_key) != place:
            self._waiting[order_key] = place
            heappush(self._heap, place)

    def fly(self, order_key: str) -> None:
        """This order's cancel is under way."""
        self._waiting.pop(order_key, None)
        self._flying.add(order_key)

    def leave(self, order_key: str) -> None:
        """It neither waits nor is under way."""
        self._waiting.pop(order_key, None)
        self._flying.discard(order_key)

    def next(self) -> str | None:
        """Whose turn it is; None where nobody's is."""
        if len(self._flying) >= WINDOW:
            return None
        while self._heap:
            place = heappop(self._heap)
            if self._waiting.get(place[2]) == place:
                return place[2]
        return None
