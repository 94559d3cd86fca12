"""Pages, newest first: `after` is older than, `before` newer than (docs/venues/okx.md 7). Pure."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from simulator.okx.fields import Fields
from simulator.visibility import View

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Paging(Generic[Row]):
    """How rows are numbered and timed, and which of them are meant."""

    number: Callable[[Row], int]
    time_ms: Callable[[Row], int]
    is_meant: Callable[[Row], bool]


def page(rows: Sequence[Row], fields: Fields, paging: Paging[Row], view: View) -> list[Row]:
    """The rows asked for; `rows` stand in the order of their numbers, oldest first.

    With `before` alone the page is the one nearest to it. A page that a fault cuts short ends
    where the next one, asked for by its last row, goes on.
    """
    after, before = fields.whole("after"), fields.whole("before")
    begin, end = fields.whole("begin"), fields.whole("end")
    first = 0 if before is None else bisect_left(rows, before + 1, key=paging.number)
    last = len(rows) if after is None else bisect_left(rows, after, key=paging.number)
    upwards = before is not None and after is None
    places = range(first, last) if upwards else range(last - 1, first - 1, -1)
    found = (
        rows[place]
        for place in places
        if paging.is_meant(rows[place])
        and (begin is None or paging.time_ms(rows[place]) >= begin)
        and (end is None or paging.time_ms(rows[place]) <= end)
    )
    taken = list(islice(found, view.page_limit(fields.limit())))
    return taken[::-1] if upwards else taken
