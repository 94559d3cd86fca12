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
            if first < begin:
                return f"{kind} begins at offset {begin}, step {step.step} folded {first}"
        return ""

    def are_others(self, step: CommitRecord) -> str:
        """Which input is not the topic that this step read; "" if all are, or it does not say."""
        named = step.topic_ids or {}
        wrong = [kind for kind, known in self.ids.items() if named.get(kind, known) != known]
        return f"{wrong[0]} is not the topic that step {step.step} read" if wrong else ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The offset in `commits` to begin at; None where there is none. Why no earlier one is."""

    offset: int | None
    why: str = ""


def beginning(
    steps: Iterable[PlacedStep], inputs: HeldInputs, wanted: int | None = None
) -> Beginning:
    """The last place to begin that is not after the step `wanted`; or the first of all.

    Where all are of other topics (made again, or this is a copy of a log), the first of those: what
    they hold is looked at step by step anyway.
    """
    found: int | None = None
    copied: Beginning | None = None
    why = ""
    for place, (offset, step) in enumerate(steps):
        if wanted is not None and step.step > wanted:
            break
        if not (is_begun(step) or step.step == 1):
            why = why if place else f"commits begins with step {step.step}"
        elif lacking := inputs.lacks(step):
            why = lacking
        elif other := inputs.are_others(step):
            copied, why = copied or Beginning(offset, other), other
        else:
            found = offset
            if wanted is None:
                break
    if found is None and copied is not None:
        return copied
    return Beginning(found, why or ("" if found is not None else "commits holds no such step"))
