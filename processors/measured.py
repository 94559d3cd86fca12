"""Books that tell the process's metrics what they hold: blind, disputed, quarantined, unread.

The books themselves are pure; this rim looks at them after each step, in the ledger's own thread,
and only at the accounts that the step touched.
"""

from collections import Counter

from orderloom import topology
from orderloom.trouble import DeadLetter
from processors.account_book import AccountBook
from processors.book import PartitionBook, Tally
from processors.step import Changes, InputRecord, Output
from runtime import metrics

NS_PER_SECOND = 1_000_000_000
LETTER_KINDS = ("bad frame", "unknown frame", "frame of", "raw", "control", "invariant", "killed")
METRICS = {"unknown": metrics.UNKNOWN_FIELDS, "ignored": metrics.IGNORED}


class MeasuredBook(PartitionBook):
    """A partition's books, with metrics."""

    told: Counter[Tally] | None = None

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold one record; note how long it stood in the log."""
        super().fold(record, now_ns)
        waited = max(0, now_ns - record.appended_ns) / NS_PER_SECOND
        metrics.HOP_LATENCY_SECONDS.labels(self.venue, "log_to_step").observe(waited)

    def changes(self) -> Changes:
        """What changed; and what that means for the metrics."""
        touched = [book for book in self.accounts.values() if book.is_dirty]
        changes = super().changes()
        for book in touched:
            show(book)
        for output in changes.outputs:
            count(output, self.venue)
        self._tell()
        return changes

    def _tell(self) -> None:
        told = self.told or Counter()
        for (kind, name), number in (self.tallies - told).items():
            METRICS[kind].labels(self.venue, name).inc(number)
        self.told = self.tallies.copy()


def show(book: AccountBook) -> None:
    """The gauges of one account."""
    account = book.account
    metrics.DISABLED.labels(account).set(not book.is_enabled)
    # Nobody shall be woken for an account that a person has switched off.
    metrics.BLIND.labels(account).set(len(book.streams.blind) if book.is_enabled else 0)
    metrics.CATCHING_UP.labels(account).set(book.is_enabled and not book.is_synced)
    metrics.DISPUTED.labels(account).set(len(book.disputed))
    metrics.QUARANTINED.labels(account).set(book.quarantine is not None)


def count(output: Output, venue: str) -> None:
    """The counters of one message."""
    if output.topic is topology.DEAD_LETTERS and output.value is not None:
        reason = DeadLetter.model_validate_json(output.value).reason
        kind = next((kind for kind in LETTER_KINDS if reason.startswith(kind)), "other")
        metrics.DEAD_LETTERS.labels(venue, kind).inc()
    elif output.topic is topology.DIFFERENCES:
        metrics.DIFFERENCES.labels(output.key.decode(), "evidence").inc()
