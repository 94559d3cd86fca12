"""Compares recorded steps with what the same inputs come to now.

Pure. An input is looked at before it is folded: bytes that are not those that were hashed are an
input's difference, found at its offset; the same bytes with another chain are a rule's. Each step
is linked to the chain that was recorded before it, so what is found of a step is of that step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orderloom.topology import CLAIMS, CONTROL, INTENTS, RAW
from processors.ledger.backlog import KINDS
from processors.ledger.commit_record import (
    CommitRecord,
    bytes_hash,
    chained,
    checksum_count,
    checksums,
    first_difference,
)
from processors.ledger.step import InputRecord, StepChanges
from processors.repair.notes import BEGUN
from processors.replay.refold import FoldRaised, MakeConfigured, Refold

_BEFORE_CLAIMS = tuple(topic.kind for topic in (CONTROL, INTENTS, RAW))


class Culprit(StrEnum):
    """What made a difference."""

    INPUT = "an input"
    RULE = "a rule"
    LOG = "the log"


@dataclass(frozen=True, slots=True)
class StepDifference:
    """The first step that is not what was recorded: what made it, and what was seen, in a line."""

    step: int
    culprit: Culprit
    line: str

    def __str__(self) -> str:
        return f"step {self.step} differs by {self.culprit}: {self.line}"


class Audit:
    """Folds recorded steps one after the other; `compares_from` is the first that is compared."""

    def __init__(
        self, make_state: MakeConfigured, version: str = "", compares_from: int = 0
    ) -> None:
        self.refold = Refold(make_state)
        self._version = version
        self._compares_from = compares_from
        self._former: CommitRecord | None = None
        self._number = 0
        self.compared = 0
        self.changes: StepChanges | None = None
        """What the step taken last wrote here; None where folding it raised."""

    def begin_after(self, step: CommitRecord) -> None:
        """This step and those before it are taken as they are."""
        self._former = step
        self._number = step.number or 0

    def take(self, step: CommitRecord, records: Sequence[InputRecord]) -> StepDifference | None:
        """Fold one step; how it differs, and then nothing more may be taken.

        Raises CannotReplay.
        """
        if line := self._out_of_line(step):
            return StepDifference(step.step, Culprit.LOG, line)
        if line := _other_input(step, records):
            return StepDifference(step.step, Culprit.INPUT, line)
        former, self._former = self._former, step
        self._number = step.number or self._number
        self.changes = None
        try:
            changes = self.changes = self.refold.fold(step, records)
        except FoldRaised as raised:
            return StepDifference(step.step, Culprit.RULE, f"{raised}; {self._versions(step)}")
        # It is folded all the same: what is compared later rests on it.
        if step.step < self._compares_from or is_begun(step):
            return None
        self.compared += 1
        line = self._other_result(step, "" if former is None else former.chain, changes)
        return StepDifference(step.step, Culprit.RULE, line) if line else None

    def _out_of_line(self, step: CommitRecord) -> str:
        """How this step does not follow the one before it; "" if it does."""
        former = self._former
        if former is None:
            return ""
        if step.step != former.step + 1:
            return f"the step before it is {former.step}"
        # They rise and are not dense: attempts, notes and proofs leave no commit record.
        if step.number is not None and step.number <= self._number:
            return f"its transaction is {step.number}, one before it was {self._number}"
        # A repair begins where the inputs do, however far the step before it was.
        if is_begun(step):
            return ""
        for kind in KINDS:
            read, (first, _) = range_of(former, kind)[1], range_of(step, kind)
            if first != read:
                return f"it folds {kind} from {first} on, and up to {read} it was folded"
        return ""

    def _other_result(self, step: CommitRecord, former_chain: str, changes: StepChanges) -> str:
        found: list[str] = []
        if step.content_digest and step.content_digest != changes.content_digest:
            found.append("what its orders are")
        if step.exact_digest != changes.exact_digest:
            found.append("the state")
        # The chain is over the state records too: where those differ it says nothing more.
        if not found and step.chain and step.chain != chained(former_chain, changes):
            found = ["an output, or the order in which it was written"]
        return f"{' and '.join(found)}; {self._versions(step)}" if found else ""

    def _versions(self, step: CommitRecord) -> str:
        if step.fold != self._version:
            return f"it was folded by version {step.fold}, this is {self._version}"
        return (
            f"by the same version of the fold ({step.fold}): it follows something that it must "
            "not, or the state was not saved or restored as it was"
        )


def is_begun(step: CommitRecord) -> bool:
    """Whether it is the beginning of a repair, which empties the state."""
    return step.repair is not None and step.repair["phase"] == BEGUN


def fold_order(step: CommitRecord) -> tuple[str, ...]:
    """The kinds of the inputs, in the order in which the step folded them."""
    return KINDS if CLAIMS.kind in step.inputs else _BEFORE_CLAIMS


def range_of(step: CommitRecord, kind: str) -> tuple[int, int]:
    """What of an input the step folds, from the first offset to the one after the last."""
    return step.inputs.get(kind, (0, 0))


def _other_input(step: CommitRecord, records: Sequence[InputRecord]) -> str:
    """Which records are not those that were folded; "" if all are."""
    found = checksums(records)
    is_same = found == step.checksums or not step.checksums
    if is_same and bytes_hash(records) == step.bytes_hash:
        return ""
    if not step.checksums:
        return f"something in it holds other bytes than were folded: {_spans(step)}"
    count = checksum_count(step.checksums)
    line = "" if len(records) == count else f"{len(records)} of {count} records are there; "
    place = first_difference(step.checksums, found)
    if place is None or place >= len(records):
        return f"{line}{_spans(step)}"
    at = records[place]
    where = f"{at.topic.kind} partition {at.partition} offset {at.offset}"
    return f"{line}{where} does not hold what was folded there"


def _spans(step: CommitRecord) -> str:
    spans = ((kind, *range_of(step, kind)) for kind in KINDS)
    return ", ".join(f"{kind} {first} to {end - 1}" for kind, first, end in spans if first < end)
