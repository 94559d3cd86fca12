"""A replay begins where the state was empty and the inputs still reach back to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from processors.ledger.commit_record import CommitRecord
from processors.repair.notes import BEGUN, FOLDING
from processors.replay.beginning import Beginning, HeldInputs, beginning

IDS = {"control": "c", "intents": "i", "raw": "r"}
EMPTY = dict.fromkeys(IDS, (0, 0))


def a_step(number: int, first: int, **fields: Any) -> tuple[int, CommitRecord]:
    inputs = EMPTY | {"raw": (first, first + 10)}
    step = CommitRecord(number, 0, inputs, "", (), 0, True, "", "", "", "")
    return 100 + 2 * number, replace(step, **fields)


def begun(number: int, first: int, epoch: int = 1, **fields: Any) -> tuple[int, CommitRecord]:
    return a_step(number, first, repair={"phase": BEGUN, "epoch": epoch}, **fields)


STEPS = [
    a_step(1, 0, topic_ids=IDS), a_step(2, 10), begun(3, 4, topic_ids=IDS),
    a_step(4, 4, repair={"phase": FOLDING, "epoch": 1}), begun(5, 8, 2, topic_ids=IDS),
    a_step(6, 8),
]  # fmt: skip


def found(
    begins: int = 0,
    wanted: int | None = None,
    steps: list[tuple[int, CommitRecord]] | None = None,
    ids: Mapping[str, str] = IDS,
) -> Beginning:
    inputs = HeldInputs(dict.fromkeys(IDS, 0) | {"raw": begins}, ids)
    return beginning(STEPS if steps is None else steps, inputs, wanted)


def test_it_begins_with_the_first_step_where_nothing_is_gone() -> None:
    assert found() == Beginning(102)


def test_where_raw_was_trimmed_it_begins_where_a_repair_began_behind_that() -> None:
    assert found(begins=4) == Beginning(106, "raw begins at offset 4, step 1 folded 0")
    assert found(begins=5) == Beginning(110, "raw begins at offset 5, step 3 folded 4")


def test_where_nothing_is_left_to_begin_with_it_says_what_is_gone() -> None:
    assert found(begins=9) == Beginning(None, "raw begins at offset 9, step 5 folded 8")
    assert found(steps=[]) == Beginning(None, "commits holds no such step")
    assert found(steps=STEPS[1:2]) == Beginning(None, "commits begins with step 2")


def test_where_commits_was_trimmed_it_begins_where_a_repair_began() -> None:
    assert found(steps=STEPS[1:]) == Beginning(106, "commits begins with step 2")


@pytest.mark.parametrize(("wanted", "offset"), [(1, 102), (2, 102), (3, 106), (4, 106), (99, 110)])
def test_a_wished_step_begins_at_the_last_place_before_it(wanted: int, offset: int) -> None:
    assert found(wanted=wanted) == Beginning(offset)


def test_what_an_older_topic_held_is_not_looked_for_in_a_newer_one() -> None:
    newer = IDS | {"raw": "another"}
    steps = [*STEPS[:4], begun(5, 8, 2, topic_ids=newer), STEPS[5]]
    assert found(steps=steps, ids=newer) == Beginning(110, "raw is not the topic that step 3 read")


def test_a_copy_of_a_log_is_folded_from_its_first_step() -> None:
    other = {kind: f"copy of {kind}" for kind in IDS}
    why = "control is not the topic that step 1 read"
    assert found(ids=other) == Beginning(102, why)


def test_steps_that_do_not_say_their_topics_are_believed() -> None:
    steps = [a_step(1, 0), a_step(2, 10)]
    assert found(steps=steps, ids=dict.fromkeys(IDS, "any")) == Beginning(102)
