"""When each of many is due next: the earliest is known without a walk over all.

Pure. A heap with what was set formerly left in it: an entry counts only if it is the last that was
set for its name.
"""

from heapq import heapify, heappop, heappush

STALE_MAX = 64
"""So many entries that count no more may stand beside as many as there are names."""


class Timers:
    """At most one timer for each name, in ns."""

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def set(self, name: str, due_ns: int | None) -> None:
        """The name is due then, and at no other time; None: it is not due at all."""
        if self._due.get(name) == due_ns:
            return
        if due_ns is None:
            del self._due[name]
            return
        self._due[name] = due_ns
        heappush(self._heap, (due_ns, name))
        if len(self._heap) > 2 * len(self._due) + STALE_MAX:
            self._heap = [(at_ns, name) for name, at_ns in self._due.items()]
            heapify(self._heap)

    def earliest_ns(self) -> int | None:
        """When the first of them is due; None if none is."""
        heap = self._heap
        while heap and self._due.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def take_due(self, now_ns: int) -> list[str]:
        """The names that are due, in their own order, which no restart changes; set no more."""
        found: list[str] = []
        while (earliest_ns := self.earliest_ns()) is not None and earliest_ns <= now_ns:
            _, name = heappop(self._heap)
            del self._due[name]
            found.append(name)
        return sorted(found)
