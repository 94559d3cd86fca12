"""Tells people how far an account is that catches up: lines in the log, and metrics.

The first look at a large account takes minutes at the venue's rate limits; the books themselves are
pure, so their rim looks at them after each step and says it here.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from processors.account.book import AccountBook
from processors.account.state import progress_of
from runtime import metrics

EVERY_SECONDS = 5.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ProgressLog:
    """One line for each account that catches up, every few seconds; one when it is in sync.

    `clock` is in seconds and never leaps.
    """

    clock: Callable[[], float] = time.monotonic
    _told: dict[str, float] = field(default_factory=dict)

    def look(self, book: AccountBook) -> None:
        """The account's books may have changed."""
        for product, cycles in book.reconciliation.cycles.items():
            progress = cycles.progress()
            metrics.CYCLE_ASKED.labels(book.account, product).set(progress["asked"])
            metrics.CYCLE_ANSWERED.labels(book.account, product).set(progress["answered"])
        metrics.ORDERS_KNOWN.labels(book.account).set(book.orders.count)
        now = self.clock()
        if book.is_synced:
            if self._told.pop(book.account, None) is not None:
                self._say(book, f"in sync, {book.orders.count} orders")
        elif now - self._told.setdefault(book.account, now) >= EVERY_SECONDS:
            self._told[book.account] = now
            for line in lines_of(book):
                self._say(book, line)

    @staticmethod
    def _say(book: AccountBook, line: str) -> None:
        extra = {"account": book.account, "venue": book.setting.venue}
        log.info("%s %s", book.account, line, extra=extra)


def lines_of(book: AccountBook) -> list[str]:
    """How far each product's cycle is, as a person reads it."""
    return [
        f"{product}: {one['answered']} of {one['asked']} questions answered, {one['pages']} pages; "
        f"{book.orders.count} orders"
        for product, one in progress_of(book).items()
    ]
