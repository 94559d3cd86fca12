"""What a process remembers of a partition over the openings of its ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from processors.ledger.poison import FAILURES_MAX, Exclusion, PoisonWatch
from processors.ledger.state import Attempts
from processors.ledger.step import InputRecord
from processors.ledger.step_clock import LedgerClock
from processors.ledger.step_size import StepSize
from processors.ledger.trouble import (
    LedgerFenced,
    LedgerLost,
    PartitionStopped,
    RecordPoisoned,
    StepRefused,
    StepTooSlow,
    TimersFailed,
)


@dataclass(slots=True)
class Counts:
    """What a ledger met, since its process began."""

    openings: int = 0
    fencings: int = 0
    steps: int = 0
    records: int = 0
    repeats: int = 0
    gaps: int = 0
    read_by_itself: int = 0
    left_out: int = 0
    failed_folds: int = 0
    refused_steps: int = 0
    slow_steps: int = 0


@dataclass(slots=True)
class Memory:
    """Suspicions, step size, clock and counts of one partition."""

    size: StepSize
    poison: PoisonWatch = field(default_factory=PoisonWatch)
    clock: LedgerClock = field(default_factory=LedgerClock)
    counts: Counts = field(default_factory=Counts)
    attempt: Attempts | None = None
    """What this process wrote, or tried to write, before its last fold; it has outlived that."""
    timers_before: int = 0
    timer_failures: int = 0
    timers_cause: str = ""

    def learn(self, lost: LedgerLost, records: list[InputRecord]) -> None:
        """A step over `records` failed, and this process outlived it."""
        if isinstance(lost, LedgerFenced):
            self.counts.fencings += 1
        elif isinstance(lost, RecordPoisoned):
            self.counts.failed_folds += 1
            self.poison.failed(lost.record, Exclusion("invariant", lost.trace))
        elif isinstance(lost, StepRefused):
            self.counts.refused_steps += 1
            self._refused(lost, records)
        elif isinstance(lost, TimersFailed):
            self._timers_failed(str(lost))
        elif isinstance(lost, StepTooSlow):
            self.counts.slow_steps += 1
            self.size.narrow(len(records) // 2, ends_of(records))

    def committed(self, records: list[InputRecord], next_offsets: Mapping[str, int]) -> None:
        """A step over `records` was committed."""
        self.poison.committed(records)
        self.size.committed(next_offsets)
        self.attempt = None
        self.timer_failures = 0
        self.counts.steps += 1
        self.counts.records += len(records)

    def standing(self, attempts: Attempts, step: int) -> Attempts:
        """The attempts after step `step` that nobody outlived, by what the log has of them.

        This process has outlived its own. It may not know whether that stands in the log: it does
        if the count there is as high.
        """
        # A commit since then has ended them.
        if attempts.step != step:
            return Attempts(step)
        mine = self.attempt
        if mine is None or mine.step != step or attempts.count < mine.count:
            return attempts
        # Its own and no more: to clear the count would hide a record that kills behind one that
        # raises, as each process outlives that one anew (decision 0201).
        return replace(attempts, count=attempts.count - 1, timers=self.timers_before)

    def check_timers(self) -> None:
        """Raise PartitionStopped where timers failed twice: nothing can be left out to get on."""
        if self.timer_failures >= FAILURES_MAX:
            raise PartitionStopped(
                f"the timers fail, and no record is to blame ({self.timers_cause}): this is a "
                "fault of the program; run the version before it"
            )

    def _refused(self, lost: StepRefused, records: list[InputRecord]) -> None:
        if len(records) > 1:
            self.size.narrow(len(records) // 2, ends_of(records))
        elif records:
            # It stands alone again until its second failure, which gives it the verdict.
            self.size.narrow(1, ends_of(records))
            self.poison.failed(records[0], Exclusion("refused", lost.trace))
        else:
            self._timers_failed(str(lost))

    def _timers_failed(self, cause: str) -> None:
        self.timer_failures += 1
        self.timers_cause = cause


def ends_of(records: list[InputRecord]) -> dict[str, int]:
    """Where these records end, by kind."""
    return {record.topic.kind: record.offset + 1 for record in records}
