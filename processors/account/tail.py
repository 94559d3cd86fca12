"""How the tail of a position is saved: its youngest executions, in segments that are closed.

Pure. A step that adds one execution writes the segment that is open, of at most `ROWS_MAX`, and not
all of the tail. An execution that comes late stands in the open segment as well: the tail is put in
order when it is loaded, and what the position has forgotten by then is left out. So a segment is
never written again once it is closed, and it goes when all of it is forgotten.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

ROWS_MAX: Final = 8
Row = tuple[int, str, str, str]
"""One execution as state records show it: venue time (ns), key, quantity, price."""


class Segments:
    """The segments of one position, by number; `dirty` are those that changed since saved."""

    __slots__ = ("_last", "by_number", "dirty")

    def __init__(self) -> None:
        self.by_number: dict[int, list[Row]] = {}
        self.dirty: set[int] = set()
        self._last = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segments) and self.by_number == other.by_number

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, row: Row) -> None:
        """One execution more, wherever its place in the tail is."""
        held = self.by_number.get(self._last)
        if held is None or len(held) >= ROWS_MAX:
            self._last += 1
            held = self.by_number[self._last] = []
        held.append(row)
        self.dirty.add(self._last)

    def forget(self, until: tuple[int, str]) -> None:
        """The position holds all up to this venue time and key in its sums."""
        for number in list(self.by_number):
            if all(row[:2] <= until for row in self.by_number[number]):
                del self.by_number[number]
                self.dirty.add(number)
        # As after a restart, which knows those alone that are there; the last of them is full.
        self._last = max(self.by_number, default=0)

    def begin(self, rows: Iterable[Row]) -> None:
        """These are all that the tail holds."""
        self.dirty.update(self.by_number)
        self.by_number.clear()
        self._last = 0
        for row in rows:
            self.add(row)

    def rows(self) -> Iterator[Row]:
        """All of them, in no order."""
        for held in self.by_number.values():
            yield from held

    def state(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Those that changed since the last call; None: it is no more."""
        for number in sorted(self.dirty):
            held = self.by_number.get(number)
            yield number, None if held is None else {"number": number, "rows": held.copy()}
        self.dirty.clear()

    def restore(self, document: dict[str, Any]) -> None:
        """Take back one."""
        rows = [(at_ns, key, quantity, price) for at_ns, key, quantity, price in document["rows"]]
        self.by_number[document["number"]] = rows
        self._last = max(self._last, document["number"])
