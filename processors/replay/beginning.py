"""Where a replay may begin: where the state was empty, and the inputs still reach back to there.

Pure. The state was empty before step 1, and where a repair began.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from processors.ledger.commit_record import CommitRecord
from processors.replay.audit import is_begun, range_of

PlacedStep = tuple[int, CommitRecord]
"""A step, after the offset of its record in `commits`."""


@dataclass(frozen=True, slots=True)
class HeldInputs:
    """What the log holds of the inputs: by kind, the first offset that is left, and the ids."""

    begins: Mapping[str, int]
    ids: Mapping[str, str]

    def lacks(self, step: CommitRecord) -> str:
        """Why the inputs from this step on are not all there; "" if they are."""
        for kind, begin in self.begins.items():
            first = range_of(step, kind)[0]
            known = (step.topic_ids or {}).get(kind, self.ids[kind])
            if known != self.ids[kind]:
                return f"{kind} was deleted and created again after step {step.step}"
            if first < begin:
                return f"{kind} begins at offset {begin}, step {step.step} folded {first}"
        return ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The offset in `commits` to begin at; None where there is none, and why no earlier one is."""

    offset: int | None
    why: str = ""


def beginning(
    steps: Iterable[PlacedStep], inputs: HeldInputs, wanted: int | None = None
) -> Beginning:
    """The last place to begin that is not after the step `wanted`; or the first of all."""
    found: int | None = None
    why = ""
    for offset, step in steps:
        if wanted is not None and step.step > wanted:
            break
        if not (is_begun(step) or step.step == 1):
            why = why or f"commits begins with step {step.step}"
        elif lacking := inputs.lacks(step):
            why = lacking
        else:
            found = offset
            if wanted is None:
                break
    return Beginning(found, why or ("" if found is not None else "commits holds no such step"))
