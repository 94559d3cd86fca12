"""One partition's inputs: what is at hand, what is missing, and where they end."""

import time
from collections.abc import Iterable, Mapping

from orderloom.topology import INPUTS
from processors.ledger.backlog import Backlog
from processors.ledger.input_reader import InputReader
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Counts
from processors.ledger.opening import check_end
from processors.ledger.state import LedgerPlace
from processors.ledger.step import InputRecord
from processors.ledger.trouble import LedgerLost

SILENT_SECONDS_MAX = 30.0
"""So long its reader may bring nothing of what is there: a client can be stuck, and not say it."""


class Inputs:
    """Feeds a ledger's backlog: with delivered records, and by its own reader where some lack."""

    def __init__(
        self,
        ledger_log: LedgerLog,
        partition: int,
        place: LedgerPlace,
        ends: Mapping[str, int],
        counts: Counts,
    ) -> None:
        self.backlog = Backlog(place.next)
        self._log = ledger_log
        self._partition = partition
        self._counts = counts
        self._reader = InputReader(ledger_log, partition)
        self._silent_seconds = 0.0
        # Faust delivers from the group's offsets, which are not the truth: up to the ends that are
        # there at an opening the ledger reads by itself (decision 0208).
        self._wanted = dict(ends)
        self._ends_before = dict(ends)
        self._checked_at = time.monotonic()
        self._note(ends)

    def take(self, records: Iterable[InputRecord]) -> None:
        """Take delivered records: a repeat is skipped; a gap will be read, its far side too."""
        queues = self.backlog.queues
        for record in records:
            queue = queues[record.topic.kind]
            if record.offset == queue.tail:
                self.backlog.append(record)
            elif record.offset < queue.tail:
                self._counts.repeats += 1
            elif record.offset >= self._wanted[record.topic.kind]:
                # The record is not kept: what lies before it comes first, and the reader brings
                # both. It counts as an end at once, so that no other input runs ahead of it
                # (decision 0202).
                self._counts.gaps += 1
                self._wanted[record.topic.kind] = record.offset + 1
                self.backlog.note_end(record.topic.kind, record.offset + 1)

    def read_on(self, wait_seconds: float) -> None:
        """Read what is wanted and not at hand; waits at most so long for some of it.

        Raises PartitionStopped, KafkaException; LedgerLost where nothing comes for too long.
        """
        tails = {
            kind: queue.tail
            for kind, queue in self.backlog.queues.items()
            if queue.tail < self._wanted[kind]
        }
        if not tails:
            self._reader.rest()
            self._silent_seconds = 0.0
        elif self.has_room:
            self._reader.start(tails)
            self._read(wait_seconds)
        elif starved := {kind: at for kind, at in tails.items() if self._is_starved(kind)}:
            # What is at hand waits for these, so there will be no room before they come.
            self._reader.start_only(starved)
            self._read(wait_seconds)

    def check_if_due(self) -> None:
        """Compare each input's end with what is at hand. Raises PartitionStopped, KafkaException.

        What was already there at the check before and is still not at hand was not delivered, and
        will be read; what came since may be on its way.
        """
        now = time.monotonic()
        if now < self.next_check_at:
            return
        ends = self._log.ends(INPUTS, self._partition)
        for kind, queue in self.backlog.queues.items():
            check_end(self._log, self._partition, kind, ends[kind], queue.next)
            if queue.tail < self._ends_before[kind]:
                self._wanted[kind] = ends[kind]
        self._note(ends)
        self._ends_before, self._checked_at = ends, now

    @property
    def next_check_at(self) -> float:
        """When the ends are to be compared again, on the monotonic clock."""
        return self._checked_at + self._log.settings.tail_check_seconds

    @property
    def is_reading(self) -> bool:
        """Whether the ledger reads by itself what was not delivered."""
        return any(queue.tail < self._wanted[kind] for kind, queue in self.backlog.queues.items())

    @property
    def has_room(self) -> bool:
        """Whether more should be taken; else it waits in the log."""
        settings = self._log.settings.step
        backlog = self.backlog
        return backlog.records < 2 * settings.messages and backlog.bytes < 2 * settings.bytes

    @property
    def wants_more(self) -> bool:
        """Whether delivered records should be taken: there is room, or what is here waits."""
        queues = self.backlog.queues.values()
        return self.has_room or any(queue.lacks and not queue.records for queue in queues)

    def close(self) -> None:
        """Free the reader."""
        self._reader.close()

    def _is_starved(self, kind: str) -> bool:
        return not self.backlog.queues[kind].records

    def _note(self, ends: Mapping[str, int]) -> None:
        for kind, end in ends.items():
            self.backlog.note_end(kind, end)

    def _read(self, wait_seconds: float) -> None:
        queues, began = self.backlog.queues, time.monotonic()
        for item in self._reader.read(wait_seconds):
            began, self._silent_seconds = time.monotonic(), 0.0
            if isinstance(item, tuple):
                self.backlog.pass_hole(*item)
            elif item.offset >= queues[item.topic.kind].tail:
                self.backlog.append(item)
                self._counts.read_by_itself += 1
        # Only what was spent in waiting: a long step is no silence.
        self._silent_seconds += time.monotonic() - began
        if self._silent_seconds > SILENT_SECONDS_MAX:
            lacking = {kind: queues[kind].tail for kind in self.backlog.lacking()}
            raise LedgerLost(
                f"nothing is brought of what the inputs hold from {lacking}, for "
                f"{self._silent_seconds:.0f} s: it is opened again with other clients"
            )
