"""When a commit record says what the orders are (decision 0214)."""

from typing import Any

from processors.ledger.folded import CONTENT_STEPS, Folded, FoldedBy, commit_record_of
from processors.ledger.state import LedgerPlace
from processors.ledger.step import StepChanges

SECOND_NS = 1_000_000_000
AT_NS = 1_793_000_000 * SECOND_NS


class Counted:
    """A digest, and how often it was computed."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return "what the orders are"


def said(step: int, former_ns: int, clock_ns: int, repair: dict[str, Any] | None = None) -> bool:
    """Whether the step's record says it; where it does not, it is not computed."""
    digest = Counted()
    place = LedgerPlace(step, clock_ns, {}, {})
    by = FoldedBy(0, 1, "v", "c", repair, None, None)
    changes = StepChanges(digest_content=digest)
    record = commit_record_of(former_ns, place, Folded([], [], clock_ns), changes, by)
    assert digest.asked == bool(record.content_digest)
    return bool(record.content_digest)


def test_the_first_step_of_a_second_says_it_and_the_others_do_not() -> None:
    assert said(7, AT_NS - 1, AT_NS)
    assert not said(8, AT_NS, AT_NS + 1)
    assert not said(9, AT_NS + 1, AT_NS + SECOND_NS - 1)
    assert said(10, AT_NS + SECOND_NS - 1, AT_NS + SECOND_NS)


def test_of_many_steps_within_a_second_some_say_it() -> None:
    steps = [step for step in range(1, 2 * CONTENT_STEPS + 1) if said(step, AT_NS, AT_NS)]
    assert steps == [CONTENT_STEPS, 2 * CONTENT_STEPS]


def test_each_step_of_a_repair_says_it() -> None:
    assert said(8, AT_NS, AT_NS + 1, {"phase": "folding"})
