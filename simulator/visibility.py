"""What a look-up may see: usually everything, now and then only what is old enough.

Venues answer questions from copies of their books that run behind the streams. While a view is
late, orders and executions younger than its lag are not there. Pure.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(slots=True)
class View:
    """How far the present look-up runs behind, in ms; zero for not at all."""

    lag_ms: int = 0
    is_cut: bool = False
    """Whether a page ends before it is full."""

    @contextmanager
    def behind(self, lag_ms: int) -> Iterator[None]:
        """Answer one question from books that are so old."""
        self.lag_ms = lag_ms
        try:
            yield
        finally:
            self.lag_ms = 0

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Answer one question with a part of its page."""
        self.is_cut = True
        try:
            yield
        finally:
            self.is_cut = False

    def shows(self, made_ms: int, now_ms: int) -> bool:
        """Whether something made then is there already."""
        return not self.lag_ms or made_ms <= now_ms - self.lag_ms

    def seen(self, rows: Iterable[Row], made_ms: Callable[[Row], int], now_ms: int) -> list[Row]:
        """The rows that are there already."""
        return [row for row in rows if self.shows(made_ms(row), now_ms)]

    def page_limit(self, limit: int) -> int:
        """How many rows a page of `limit` holds: half of them where it is cut."""
        return max(limit // 2, 1) if self.is_cut else limit
