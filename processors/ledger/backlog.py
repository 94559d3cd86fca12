"""The records of the inputs that a ledger has at hand and has not folded yet.

Pure. Records enter in the order of their offsets, each once; a step takes them in the order
control, claims, raw, intents. While an input is behind the end that was noted for it, a step takes
only what was appended before anything it has not read yet: the inputs move through time together.

A broker's clock may be set back, so append times need not rise. What is compared are their running
maxima: a record counts as appended no earlier than those before it in its input. A maximum begins
where a process began to read, so steps may be cut otherwise after a restart; each cut is valid
(docs/decisions/0202).
"""

import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from operator import attrgetter, itemgetter

from orderloom.topology import INPUTS
from processors.ledger.step import InputRecord

KINDS = tuple(topic.kind for topic in INPUTS)
_appended = attrgetter("appended_ns")


@dataclass(slots=True)
class StepBatch:
    """What one step shall fold, in fold order. `is_at_ends`: nothing noted stays behind it."""

    records: list[InputRecord]
    is_at_ends: bool

    def newest_append_ns(self) -> int:
        """The newest append time in the batch; 0 for an empty one."""
        return max(map(_appended, self.records), default=0)


@dataclass(slots=True)
class Queue:
    """One input: `next` is the first offset not folded, `tail` the first not at hand.

    `noted_end` is the end of the input when it was last asked for. `times` are the running maxima
    of the records' append times, `newest_ns` that of all that were ever at hand.
    """

    next: int
    tail: int
    noted_end: int
    records: deque[InputRecord] = field(default_factory=deque)
    times: deque[int] = field(default_factory=deque)
    newest_ns: int = 0

    @property
    def lacks(self) -> bool:
        """Whether records before the noted end are not at hand."""
        return self.tail < self.noted_end


class Backlog:
    """The queues of one ledger's inputs."""

    def __init__(self, next_offsets: Mapping[str, int]) -> None:
        self.queues = {
            kind: Queue(next_offsets[kind], next_offsets[kind], next_offsets[kind])
            for kind in KINDS
        }
        self.records = 0
        self.bytes = 0

    def note_end(self, kind: str, end: int) -> None:
        """The input was seen to end at `end`."""
        queue = self.queues[kind]
        queue.noted_end = max(queue.noted_end, end)

    def append(self, record: InputRecord) -> None:
        """Take a record in, at or above the tail; offsets between are holes in the log."""
        queue = self.queues[record.topic.kind]
        assert record.offset >= queue.tail
        queue.newest_ns = max(queue.newest_ns, record.appended_ns)
        queue.records.append(record)
        # The maximum, not its own time: after a clock was set back the last record at hand would
        # lie before the first, and no step would be taken (decision 0202).
        queue.times.append(queue.newest_ns)
        queue.tail = record.offset + 1
        self.records += 1
        self.bytes += size_of(record)

    def pass_hole(self, kind: str, end: int) -> None:
        """The log holds nothing from the tail to `end`."""
        queue = self.queues[kind]
        queue.tail = max(queue.tail, end)
        # With records at hand the place passes the hole when those are folded (`folded`).
        if not queue.records:
            queue.next = queue.tail

    def lacking(self) -> list[str]:
        """The inputs whose records before the noted end are not all at hand."""
        return [kind for kind, queue in self.queues.items() if queue.lacks]

    @property
    def is_behind(self) -> bool:
        """Whether anything before the noted ends is not folded."""
        return any(queue.next < queue.noted_end for queue in self.queues.values())

    def lag(self) -> dict[str, int]:
        """How many records before the noted end are not folded, by kind."""
        return {kind: max(0, at.noted_end - at.next) for kind, at in self.queues.items()}

    def next_offsets(self) -> dict[str, int]:
        """The first offset not folded, by kind."""
        return {kind: queue.next for kind, queue in self.queues.items()}

    def batch(self, messages_max: int, bytes_max: int) -> StepBatch:
        """What the next step shall fold; nothing is removed before `folded`.

        It is empty only where nothing is at hand, or where an input that lacks records has none at
        hand: else that input's own first is at or before the horizon, which is one of their last.
        So whoever reads such an input first, however full it is here, never stands still.
        """
        horizon = self._horizon_ns()
        # One more than fits says that there is more, without counting a long queue.
        runs = [_up_to(queue, horizon, messages_max + 1) for queue in self.queues.values()]
        if sum(map(len, runs)) > messages_max or self.bytes > bytes_max:
            runs = self._earliest(runs, messages_max, bytes_max)
        records = [record for run in runs for record in run]
        # With all of it the step may take the wall clock, and timers fire by that.
        takes_all = len(records) == self.records and not self.lacking()
        return StepBatch(records, takes_all)

    def folded(self, records: list[InputRecord]) -> dict[str, tuple[int, int]]:
        """Remove what a step folded, the heads of their queues; gives each input's range."""
        starts = self.next_offsets()
        for record in records:
            queue = self.queues[record.topic.kind]
            head = queue.records.popleft()
            queue.times.popleft()
            assert head is record
            queue.next = record.offset + 1
            self.bytes -= size_of(record)
        self.records -= len(records)
        for queue in self.queues.values():
            if not queue.records:
                queue.next = queue.tail
        return {kind: (starts[kind], queue.next) for kind, queue in self.queues.items()}

    def _horizon_ns(self) -> int | None:
        """Up to which append time every input has been read; None where all are at their ends."""
        return min((queue.newest_ns for queue in self.queues.values() if queue.lacks), default=None)

    def _earliest(
        self, runs: list[list[InputRecord]], messages_max: int, bytes_max: int
    ) -> list[list[InputRecord]]:
        """The earliest records of all runs by append time, within the bounds; at least one."""
        timed = (
            zip(queue.times, run, strict=False)
            for queue, run in zip(self.queues.values(), runs, strict=True)
        )
        merged = heapq.merge(*timed, key=itemgetter(0))
        taken: dict[str, list[InputRecord]] = {kind: [] for kind in KINDS}
        size = 0
        for _, record in islice(merged, messages_max):
            size += size_of(record)
            # A smaller one behind it is not looked for: what a step takes of an input has no holes.
            if size > bytes_max and any(taken.values()):
                break
            taken[record.topic.kind].append(record)
        return list(taken.values())


def _up_to(queue: Queue, horizon_ns: int | None, count: int) -> list[InputRecord]:
    """The queue's first records, not appended after the horizon."""
    head = list(islice(queue.records, count))
    if horizon_ns is None or queue.newest_ns <= horizon_ns:
        return head
    within = takewhile(lambda time_ns: time_ns <= horizon_ns, islice(queue.times, count))
    return head[: sum(1 for _ in within)]


def size_of(record: InputRecord) -> int:
    """How many bytes it holds."""
    return len(record.value or b"") + len(record.key or b"")
