"""Pages, newest first: `after` is older than, `before` newer than (docs/venues/okx.md 7). Pure."""

from collections.abc import Sequence
from typing import TypeVar

from simulator.okx.fields import Fields
from simulator.visibility import View
from simulator.wire.pages import Paging, Place, down

__all__ = ["Paging", "page"]

Row = TypeVar("Row")


def page(rows: Sequence[Row], fields: Fields, paging: Paging[Row], view: View) -> list[Row]:
    """The rows asked for.

    A page that a fault cuts short ends where the next one, asked for by its last row, goes on.
    """
    names = ("after", "before", "begin", "end")
    place = Place(*(fields.whole(name) for name in names))
    return down(rows, paging, place, view.page_limit(fields.limit()))
