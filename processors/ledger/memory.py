"""What a process remembers of a partition over the openings of its ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    survived_fold: bool = False
    timer_failures: int = 0

    def learn(self, lost: LedgerLost, records: list[InputRecord]) -> None:
        """A step over `records` failed, and this process outlived it.

        Raises PartitionStopped where nothing can be left out to get on.
        """
        self.survived_fold = True
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
            self.size.narrow(len(records) // 2, _ends(records))

    def committed(self, records: list[InputRecord], next_offsets: Mapping[str, int]) -> None:
        """A step over `records` was committed."""
        self.poison.committed(records)
        self.size.committed(next_offsets)
        self.timer_failures = 0
        self.counts.steps += 1
        self.counts.records += len(records)

    def opened(self, attempts: Attempts, step: int, *, has_work: bool) -> Attempts:
        """The count of openings at this step, this one included.

        An opening without work says nothing. A process that outlived the fold of these records
        proves that they do not kill.
        """
        if self.survived_fold or not has_work:
            self.survived_fold = False
            return Attempts(step, 0)
        return Attempts(step, 1 + (attempts.count if attempts.step == step else 0))

    def _refused(self, lost: StepRefused, records: list[InputRecord]) -> None:
        if len(records) > 1:
            self.size.narrow(len(records) // 2, _ends(records))
        elif records:
            self.size.narrow(1, _ends(records))
            self.poison.failed(records[0], Exclusion("refused", lost.trace))
        else:
            self._timers_failed(str(lost))

    def _timers_failed(self, cause: str) -> None:
        self.timer_failures += 1
        if self.timer_failures >= FAILURES_MAX:
            raise PartitionStopped(
                f"the timers fail, and no record is to blame ({cause}): this is a fault of the "
                "program; run the version before it"
            )


def _ends(records: list[InputRecord]) -> dict[str, int]:
    return {record.topic.kind: record.offset + 1 for record in records}
