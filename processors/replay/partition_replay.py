"""The replay of one partition: where it begins, and on to the end of what is recorded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from confluent_kafka import KafkaException

from processors.ledger.commit_record import CommitRecord
from processors.ledger.ledger import MakeState
from processors.ledger.log import LedgerLog
from processors.ledger.step import InputRecord, StepChanges
from processors.ledger.trouble import LedgerLost, PartitionStopped
from processors.replay.audit import Audit, Culprit, StepDifference
from processors.replay.beginning import beginning
from processors.replay.present import present
from processors.replay.reading import StepReader
from processors.replay.refold import CannotReplay, MakeConfigured


class Beside(Protocol):
    """Folds the same steps by another fold, and compares what is published."""

    def take(
        self, step: CommitRecord, records: list[InputRecord], ours: StepChanges | None
    ) -> None:
        """One step; `ours` is what this fold wrote, None where it raised or is not compared.

        Raises CannotReplay.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """How to fold, and where to begin.

    `make_state` makes a state under what a step said, `make_present` under the settings of now.
    `from_step` None is the first place to begin, `from_now` the state as the ledger holds it.
    """

    make_state: MakeConfigured
    make_present: MakeState
    version: str
    from_step: int | None = None
    from_now: bool = False


@dataclass(slots=True)
class ReplayCounts:
    """What was folded so far: steps, records, and the number of the last step."""

    steps: int = 0
    records: int = 0
    step: int = 0


@dataclass(slots=True)
class PartitionReplay:
    """One partition; `difference` is set where a step differs, and then nothing more is folded."""

    ledger_log: LedgerLog
    partition: int
    plan: ReplayPlan
    beside: Beside | None = None
    counts: ReplayCounts = field(default_factory=ReplayCounts)
    difference: StepDifference | None = None
    _audit: Audit = field(init=False)
    _reader: StepReader = field(init=False)
    _next: int = 0

    def __post_init__(self) -> None:
        plan = self.plan
        self._audit = Audit(plan.make_state, plan.version, plan.from_step or 0)
        self._reader = StepReader(self.ledger_log, self.partition)

    def begin(self) -> str:
        """Find where to begin; says it. Raises CannotReplay, LedgerLost, KafkaException."""
        if self.plan.from_now:
            return self._begin_now()
        try:
            inputs = self._reader.held_inputs()
        except PartitionStopped as missing:
            raise CannotReplay(str(missing)) from None
        if self.last_step() == 0:
            return "no step is recorded yet"
        found = beginning(self._reader.steps(), inputs, self.plan.from_step)
        if found.offset is None:
            raise CannotReplay(
                f"there is no place to begin: {found.why}; `--from now --follow` begins with the "
                "state as it is"
            )
        self._next = found.offset
        return f"does not begin with the first step that was: {found.why}" if found.why else ""

    def _begin_now(self) -> str:
        plan = self.plan
        now = present(self.ledger_log, self.partition, plan.make_present)
        self._audit.refold.begin_with(now.saved, now.epoch, now.configuration)
        self._audit.begin_after(now.step)
        self._next, self.counts.step = now.offset + 1, now.step.step
        return f"begins with the state that step {now.step.step} left"

    def last_step(self) -> int:
        """The number of the last step that is recorded now; 0 for none."""
        found = self._reader.last()
        return 0 if found is None else found.step

    @property
    def compared(self) -> int:
        """How many steps were compared."""
        return self._audit.compared

    def advance(self, note: Callable[[], None] = lambda: None) -> None:
        """Fold what is recorded by now, up to a difference; `note` is called after each step.

        Raises CannotReplay; LedgerLost and KafkaException where it may be tried again.
        """
        end = self._reader.end()
        if self.difference is not None or end <= self._next:
            return
        for offset, step in self._reader.steps(self._next):
            self._take(step, self._reader.records(step))
            self._next = offset + 1
            note()
            if self.difference is not None and not self._goes_on():
                return
        self._next = max(self._next, end)  # past markers and what was aborted

    def _take(self, step: CommitRecord, records: list[InputRecord]) -> None:
        found = self._audit.take(step, records)
        self.difference = self.difference or found
        # Over an input that is not what was folded, a comparison of two folds says nothing.
        if self.beside is not None and (found is None or found.culprit is Culprit.RULE):
            is_compared = step.step >= (self.plan.from_step or 0)
            # What is compared later rests on it: it is folded there too, as it is here.
            self.beside.take(step, records, self._audit.changes if is_compared else None)
        self.counts.steps += 1
        self.counts.records += len(records)
        self.counts.step = step.step

    def _goes_on(self) -> bool:
        """Beside another fold a rule's difference is expected: it says what it changes."""
        assert self.difference is not None
        # Where folding raised there is no state to go on with.
        return (
            self.beside is not None
            and self.difference.culprit is Culprit.RULE
            and self._audit.changes is not None
        )

    def close(self) -> None:
        """Free the clients."""
        self._reader.close()


TRY_AGAIN = (LedgerLost, KafkaException)
"""What a replay that follows may meet and outlive."""
