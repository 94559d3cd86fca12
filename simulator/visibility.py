"""What a look-up may see: usually everything, now and then only what is old enough.

Venues answer questions from copies of their books that run behind the streams. While a view is
late, orders and executions younger than its lag are not there; an order that is hidden, and what
was executed of it, is not there for some time. Pure.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulator.accounts import Fill
from simulator.conditional import Conditional
from simulator.journal import Key
from simulator.matching import Order


@dataclass(slots=True)
class View:
    """How far the present look-up runs behind, in ms; zero for not at all."""

    lag_ms: int = 0
    is_cut: bool = False
    """Whether a page ends before it is full."""
    now_ms: Callable[[], int] = lambda: 0
    """The venue's clock."""
    _hidden: dict[Key, int] = field(default_factory=dict)
    """Until when look-ups do not show an order."""
    _coming: dict[Key, int] = field(default_factory=dict)
    """Until when the book itself does not have it yet."""
    _is_of_the_book: bool = False

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

    @contextmanager
    def of_the_book(self, *, is_so: bool = True) -> Iterator[None]:
        """Meanwhile it is the book itself that looks, from which nothing is hidden."""
        before, self._is_of_the_book = self._is_of_the_book, is_so
        try:
            yield
        finally:
            self._is_of_the_book = before

    def hide(self, key: Key, for_ms: int, *, from_book: bool = False) -> None:
        """From now on, for so long, look-ups do not show this order, nor does the book find it."""
        rows = self._coming if from_book else self._hidden
        rows[key] = self.now_ms() + for_ms

    def hides(self, row: Order | Fill | Conditional, now_ms: int) -> bool:
        """Whether this order, or an execution of it, is hidden."""
        if not (self._hidden or self._coming):
            return False
        owner = row.account if isinstance(row, Fill) else row.owner
        key = (owner, row.symbol, row.order_id)
        until_ms = self._coming.get(key, 0)
        if not self._is_of_the_book:
            until_ms = max(until_ms, self._hidden.get(key, 0))
        return now_ms < until_ms

    def has(self, row: Order | Fill | Conditional, now_ms: int) -> bool:
        """Whether an order or execution is there already, and not hidden."""
        made_ms = row.venue_ms if isinstance(row, Fill) else row.created_ms
        return self.shows(made_ms, now_ms) and not self.hides(row, now_ms)

    def shows(self, made_ms: int, now_ms: int) -> bool:
        """Whether something made then is there already."""
        return not self.lag_ms or made_ms <= now_ms - self.lag_ms

    def page_limit(self, limit: int) -> int:
        """How many rows a page of `limit` holds: half of them where it is cut."""
        return max(limit // 2, 1) if self.is_cut else limit
