"""Pages of lists, in the styles in which venues ask for them. Pure.

`rows` always stand in the order of their numbers, oldest first.

- up: from a number on, oldest first, or the newest where none is named.
- down: newest first, older than one number and newer than another.
- time: between two moments, both inclusive; goes with up and down.
- offset: newest first, without so many of the first.
- cursor: newest first, with a text that names where the next page goes on.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Paging(Generic[Row]):
    """How rows are numbered and timed, and which of them are meant."""

    number: Callable[[Row], int]
    time_ms: Callable[[Row], int]
    is_meant: Callable[[Row], bool] = lambda row: True


def between(
    rows: Iterable[Row], paging: Paging[Row], begin: int | None, end: int | None
) -> Iterator[Row]:
    """Those that are meant, of these moments."""
    for row in rows:
        if paging.is_meant(row):
            time_ms = paging.time_ms(row)
            if (begin is None or time_ms >= begin) and (end is None or time_ms <= end):
                yield row


def up(rows: Sequence[Row], paging: Paging[Row], start: int | None, limit: int) -> list[Row]:
    """From `start` on, or from the oldest.

    Both sides of a self-trade have one number: a page that ended between them would lose one for
    who goes on from the last number plus one. So such a page is longer.
    """
    first = 0 if start is None else bisect_left(rows, start, key=paging.number)
    end = first + limit
    while first < end < len(rows) and paging.number(rows[end]) == paging.number(rows[end - 1]):
        end += 1
    return list(rows[first:end])


def newest(rows: Sequence[Row], limit: int) -> list[Row]:
    """The last ones, oldest first."""
    return list(rows[max(len(rows) - limit, 0) :])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page that goes down lies: numbers exclusive, moments inclusive."""

    older_than: int | None = None
    newer_than: int | None = None
    begin: int | None = None
    end: int | None = None


def down(rows: Sequence[Row], paging: Paging[Row], place: Place, limit: int) -> list[Row]:
    """Newest first; with `newer_than` alone the page is the one nearest to it."""
    older, newer = place.older_than, place.newer_than
    first = 0 if newer is None else bisect_left(rows, newer + 1, key=paging.number)
    last = len(rows) if older is None else bisect_left(rows, older, key=paging.number)
    is_upward = newer is not None and older is None
    places = range(first, last) if is_upward else range(last - 1, first - 1, -1)
    found = between((rows[index] for index in places), paging, place.begin, place.end)
    taken = list(islice(found, limit))
    return taken[::-1] if is_upward else taken


def offset(rows: Sequence[Row], paging: Paging[Row], skipped: int, limit: int) -> list[Row]:
    """Newest first, without the first `skipped` that are meant."""
    return list(islice(between(reversed(rows), paging, None, None), skipped, skipped + limit))


def cursor(
    rows: Sequence[Row], paging: Paging[Row], named: str, limit: int
) -> tuple[list[Row], str]:
    """Newest first from where `named` says; the text for the next page, empty at the end."""
    older = int(named) if named else None
    found = down(rows, paging, Place(older_than=older), limit + 1)
    page = found[:limit]
    return page, str(paging.number(page[-1])) if len(found) > limit and page else ""
