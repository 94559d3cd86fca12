"""Folds recorded steps again: each over its records, by what its commit record says.

Pure. Bounds of steps, settings of today and the wall clock have no part in it. A repair's steps are
folded as the repair did: its beginning empties the state, its end folds what it found.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from processors.ledger.commit_record import CommitRecord
from processors.ledger.step import InputRecord, PartitionState, StepChanges
from processors.partition import PartitionFold
from processors.repair.notes import BEGUN, TOO_LARGE, apply_found, without_dispatches

Configuration = Mapping[str, Any]
MakeConfigured = Callable[[Configuration | None, str], PartitionState]
"""Makes an empty state under what a step said of its configuration, and the digest of that.

None where no step has said any. May raise CannotReplay.
"""


class CannotReplay(Exception):
    """The log does not hold what is needed; `str()` is one line: what, and where."""


class FoldRaised(Exception):
    """Folding a step raised, which it did not when the step was written; `str()` is one line."""


class Refold:
    """One partition's state, as recorded steps make it."""

    def __init__(self, make_state: MakeConfigured) -> None:
        self._make_state = make_state
        self._configuration: Configuration | None = None
        self._config = ""
        self._epoch = 0
        self._saved: dict[bytes, bytes] = {}
        self._state: PartitionState | None = None

    @property
    def state(self) -> PartitionState:
        """What the steps so far came to."""
        assert self._state is not None, "no step is folded yet"
        return self._state

    def begin_with(
        self, saved: Mapping[bytes, bytes], epoch: int, configuration: Configuration | None
    ) -> None:
        """Go on from these state records, with the next step."""
        self._saved, self._epoch, self._configuration = dict(saved), epoch, configuration

    def fold(self, step: CommitRecord, records: Sequence[InputRecord]) -> StepChanges:
        """What this step writes. Raises CannotReplay, FoldRaised."""
        try:
            return self._fold(step, records)
        except CannotReplay:
            raise
        except Exception as error:  # the fold guard: here it is a finding
            raise FoldRaised(f"{type(error).__name__}: {error}") from error

    def _fold(self, step: CommitRecord, records: Sequence[InputRecord]) -> StepChanges:
        note = step.repair
        if note is not None and note["phase"] == BEGUN:
            self._saved, self._epoch, self._state = {}, note["epoch"], None
            self._configuration = step.configuration
            # The chain begins anew behind the marker, and what that removes is in none.
            return StepChanges()
        self._configure(step)
        self._fold_records(step, records)
        if note is not None and step.format == 1 and not (records or step.ticked):
            raise CannotReplay(
                f"step {step.step} is of the end of a repair by the version before, which did not "
                "say what it found"
            )
        if note is not None and (found := note.get("found")) is not None:
            self._fold_found(step, found)
        changes = self.state.changes()
        # What a ledger would have saved: an opening under another configuration restores from it.
        changes.bring_up_to_date(self._saved)
        return changes if note is None else without_dispatches(changes)

    def _configure(self, step: CommitRecord) -> None:
        """Restore the state under another configuration, as the opening did that changed it."""
        said = step.configuration
        is_other = step.config != self._config or said not in (None, self._configuration)
        if is_other or self._state is None:
            self._config = step.config
            self._configuration = said or self._configuration
            self._state = self._restored()

    def _restored(self) -> PartitionState:
        state = self._make_state(self._configuration, self._config)
        # Before any record is taken back, as a ledger does.
        if self._epoch:
            state.begin_epoch(self._epoch)
        for key, value in self._saved.items():
            state.restore(key, value)
        return state

    def _fold_records(self, step: CommitRecord, records: Sequence[InputRecord]) -> None:
        state, now_ns = self.state, step.clock_ns
        # As it was decided then, also where it would fold now.
        left_out = {
            (kind, offset): (reason, trace) for kind, offset, reason, trace in step.left_out
        }
        for record in records:
            verdict = left_out.get((record.topic.kind, record.offset)) if left_out else None
            if verdict is None:
                state.fold(record, now_ns)
            else:
                state.leave_out(record, *verdict, now_ns)
        if step.ticked:
            state.tick(now_ns)

    def _fold_found(self, step: CommitRecord, found: str) -> None:
        if found == TOO_LARGE:
            raise CannotReplay(
                f"what the repair found at step {step.step} was too large for its commit record"
            )
        apply_found(cast(PartitionFold, self.state), found, step.clock_ns)
