"""Reads what a replay folds: the commit records of a partition, and the ranges that they name."""

import time
from collections import deque
from collections.abc import Iterator

from confluent_kafka import Message

from orderloom.topology import COMMITS, INPUTS
from processors.ledger.backlog import KINDS
from processors.ledger.commit_record import CommitRecord, UnknownCommitFormat, marked_commit
from processors.ledger.committed import committed_records, windows_back
from processors.ledger.input_reader import InputReader
from processors.ledger.log import LedgerLog
from processors.ledger.step import InputRecord
from processors.ledger.trouble import LedgerLost, PartitionStopped
from processors.replay.audit import fold_order, range_of
from processors.replay.beginning import HeldInputs, PlacedStep
from processors.replay.refold import CannotReplay

WAIT_SECONDS = 0.2
END_SECONDS_MAX = 5.0
"""So long an input may end before what was folded of it: a new leader may be behind a moment."""


class StepReader:
    """One partition's steps, with their records. All raise CannotReplay, KafkaException."""

    def __init__(self, ledger_log: LedgerLog, partition: int) -> None:
        self._log = ledger_log
        self._partition = partition
        self._ranges = {kind: RangeReader(ledger_log, partition, kind) for kind in KINDS}

    def held_inputs(self) -> HeldInputs:
        """What the log holds of the inputs. Raises PartitionStopped where a topic is missing."""
        begins = self._log.begins(INPUTS, self._partition)
        ids = self._log.topic_ids()
        return HeldInputs(begins, {kind: ids[kind] for kind in begins})

    def end(self) -> int:
        """Where `commits` ends for committed readers."""
        return self._log.stable_ends((COMMITS,), self._partition)[COMMITS.kind]

    def steps(self, begin: int | None = None) -> Iterator[PlacedStep]:
        """The steps from an offset of `commits` to its end. Raises LedgerLost if it stays away."""
        for message in committed_records(self._log, COMMITS, self._partition, begin):
            if (step := step_in(self._log, message)) is not None:
                yield message.offset() or 0, step

    def last(self) -> CommitRecord | None:
        """The last step; None where there is none. Raises LedgerLost if it stays away."""
        for messages in windows_back(self._log, COMMITS, self._partition):
            found = (step_in(self._log, message) for message in reversed(messages))
            if (step := next((one for one in found if one is not None), None)) is not None:
                return step
        return None

    def records(self, step: CommitRecord) -> list[InputRecord]:
        """What the step folded, in fold order; less where the log no longer has all of it.

        Raises LedgerLost where the log cannot be read.
        """
        found: list[InputRecord] = []
        for kind in fold_order(step):
            first, end = range_of(step, kind)
            if first < end:
                found += self._ranges[kind].take(first, end)
        return found

    def close(self) -> None:
        """Free the clients."""
        for reader in self._ranges.values():
            reader.close()


def step_in(ledger_log: LedgerLog, message: Message) -> CommitRecord | None:
    """The step that a record of `commits` is of; None: no ledger wrote it."""
    try:
        return marked_commit(message.value(), dict(message.headers() or ()))
    except UnknownCommitFormat as unknown:
        raise CannotReplay(
            f"{ledger_log.names[COMMITS.kind]} partition {message.partition()} offset "
            f"{message.offset()} was written by another version of this program ({unknown})"
        ) from None


class RangeReader:
    """Reads one input, range after range; what lies between two is passed."""

    def __init__(self, ledger_log: LedgerLog, partition: int, kind: str) -> None:
        self._kind = kind
        self._log, self._partition = ledger_log, partition
        self._reader: InputReader | None = None
        self._at_hand: deque[InputRecord] = deque()
        self._tail = -1

    def take(self, first: int, end: int) -> list[InputRecord]:
        """The records of [first, end) that there are; waits for them.

        Raises LedgerLost if nothing comes for too long.
        """
        reader = self._reader
        if reader is None or self._first_at_hand() != first:
            reader = self._begin(first)
        ended_at: float | None = None
        patience = self._log.settings.request_seconds_max
        tail, give_up = self._tail, time.monotonic() + patience
        while self._tail < end:
            if self._tail > tail:
                tail, give_up = self._tail, time.monotonic() + patience
            if ended_at is None and time.monotonic() > give_up:  # Kafka is away
                raise LedgerLost(f"{self._kind} stays unreadable at {tail}, and {end} was folded")
            if not self._read(reader) or ended_at is not None:
                # The client says once that it is at the end; from then on the time decides.
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > END_SECONDS_MAX:
                    break
        found = []
        while self._at_hand and self._at_hand[0].offset < end:
            record = self._at_hand.popleft()
            if record.offset >= first:
                found.append(record)
        return found

    def close(self) -> None:
        """Free the client."""
        if self._reader is not None:
            self._reader.close()

    def _first_at_hand(self) -> int:
        return self._at_hand[0].offset if self._at_hand else self._tail

    def _begin(self, first: int) -> InputReader:
        reader = self._reader = self._reader or InputReader(self._log, self._partition)
        self._at_hand.clear()
        self._tail = first
        # Else `start` would go on where it is: it changes nothing for an input that is being read.
        reader.rest()
        reader.start({self._kind: first})
        return reader

    def _read(self, reader: InputReader) -> bool:
        """Take in what has arrived; whether the end of the input was not met."""
        goes_on = True
        try:
            for item in reader.read(WAIT_SECONDS):
                if isinstance(item, tuple):
                    self._tail = max(self._tail, item[1])
                    goes_on = False
                elif item.offset >= self._tail:
                    self._at_hand.append(item)
                    self._tail = item.offset + 1
        except PartitionStopped:
            raise CannotReplay(
                f"{self._kind} no longer holds offset {self._tail}: it was trimmed meanwhile"
            ) from None
        return goes_on
