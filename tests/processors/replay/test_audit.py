"""A replay of recorded steps: equal where it must be, and each difference found where it is."""

import decimal
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orderloom import topology
from orderloom.topology import ORDERS
from processors.ledger.commit_record import CommitRecord
from processors.ledger.step import InputRecord, StepChanges
from processors.partition import PartitionFold
from processors.replay.audit import Audit, Culprit, StepDifference
from processors.replay.refold import CannotReplay, Configuration
from tests.processors.partition_lab import ACCOUNT, NOW, a_record, a_registration
from tests.processors.replay.recording import (
    KEPT,
    SLOWER,
    Recorder,
    Step,
    a_life,
    audited,
    maker,
)
from tests.source_tree import ROOT

STEPS = a_life().steps
SEEDS = range(1, 6)


def differing(steps: list[Step]) -> StepDifference:
    found = audited(steps)
    assert found is not None
    return found


def with_records(number: int, records: list[InputRecord]) -> list[Step]:
    """The steps, of which this one finds other records in the log."""
    return [(step, records if step.step == number else read) for step, read in STEPS]


def with_step(at: int, **changes: Any) -> list[Step]:
    return [(replace(step, **changes) if step.step == at else step, read) for step, read in STEPS]


def flipped(record: InputRecord, bit: int) -> InputRecord:
    value = bytearray(record.value or b"")
    value[bit // 8 % len(value)] ^= 1 << bit % 8
    return replace(record, value=bytes(value))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_recorded_comes_again(seed: int) -> None:
    steps = a_life(seed).steps
    assert audited(steps) is None
    assert sum(len(records) for _, records in steps) > 100
    assert any(step.repair is None and step.ticked for step, _ in steps)


def test_how_steps_were_bounded_has_no_part_in_it() -> None:
    """The same inputs in steps of one record are other steps, and each comes again too."""
    recorder = Recorder()
    for record in [record for _, records in STEPS for record in records]:
        recorder.step([record])
    assert len(recorder.steps) > len(STEPS)
    assert audited(recorder.steps) is None


def run_in_process(word: str, file: Path, seed: str, variant: str = "") -> str:
    command = [sys.executable, "-m", "tests.processors.replay.recording", word, str(file), variant]
    places = os.pathsep.join([str(ROOT), str(ROOT / "schemas")])
    env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": places}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def test_it_comes_again_under_another_hash_seed(tmp_path: Path) -> None:
    run_in_process("record", tmp_path / "steps", "1")
    for seed in ("2", "3"):
        assert run_in_process("audit", tmp_path / "steps", seed) == ""


def test_outputs_in_the_order_of_a_set_are_found_under_another_hash_seed(tmp_path: Path) -> None:
    run_in_process("record", tmp_path / "steps", "1", "set-order")
    assert run_in_process("audit", tmp_path / "steps", "1", "set-order") == ""
    said = run_in_process("audit", tmp_path / "steps", "2", "set-order")
    assert said.startswith("step 1 differs by a rule: an output, or the order in which")
    assert "by the same version of the fold" in said


def test_it_comes_again_in_another_thread_and_decimal_context() -> None:
    found: list[StepDifference | None] = []

    def work() -> None:
        decimal.setcontext(decimal.Context(prec=4, rounding=decimal.ROUND_UP))
        found.append(audited(STEPS))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [None]


@pytest.mark.parametrize("bit", [0, 7, 100, 1_001])
def test_a_flipped_bit_in_a_raw_record_is_found_at_its_offset(bit: int) -> None:
    assert all(records for _, records in STEPS[1:8])
    for step, records in STEPS[1:8]:
        for place, record in enumerate(records):
            spoilt = [*records[:place], flipped(record, bit), *records[place + 1 :]]
            found = differing(with_records(step.step, spoilt))
            where = f"raw partition 0 offset {record.offset} does not hold what was folded there"
            assert found == StepDifference(step.step, Culprit.INPUT, where)


def test_another_append_time_is_another_input() -> None:
    step, records = STEPS[4]
    later = [*records[:-1], replace(records[-1], appended_ns=NOW + 1)]
    found = differing(with_records(step.step, later))
    assert (found.step, found.culprit) == (step.step, Culprit.INPUT)
    assert f"offset {records[-1].offset} " in found.line


def test_a_record_that_is_gone_is_missed() -> None:
    step, records = STEPS[4]
    found = differing(with_records(step.step, records[:-1]))
    assert found.culprit is Culprit.INPUT
    assert f"{len(records) - 1} of {len(records)} records are there" in found.line
    found = differing(with_records(step.step, records[1:]))
    assert f"raw partition 0 offset {records[1].offset} does not hold" in found.line


class Changed(PartitionFold):
    """Another rule: from one offset on, orders are published twice."""

    SINCE = 40

    def changes(self) -> StepChanges:
        changes = super().changes()
        if self.seen >= self.SINCE:
            changes.outputs += [one for one in changes.outputs if one.topic is ORDERS][:1]
        return changes

    seen = -1

    def fold(self, record: InputRecord, now_ns: int) -> None:
        if record.topic is topology.RAW:
            self.seen = record.offset
        super().fold(record, now_ns)


def test_a_changed_rule_is_found_at_the_first_step_that_it_changes() -> None:
    first = next(step.step for step, read in STEPS if any(r.offset >= 40 for r in read))
    found = audited(STEPS, maker("v2", Changed), "v2")
    assert found is not None
    assert (found.step, found.culprit) == (first, Culprit.RULE)
    assert "an output, or the order in which it was written" in found.line
    assert "it was folded by version v1, this is v2" in found.line


class Failing(PartitionFold):
    """Another rule: it raises at one record."""

    def fold(self, record: InputRecord, now_ns: int) -> None:
        assert record.offset != 50, "planted"
        super().fold(record, now_ns)


def test_a_fold_that_raises_now_is_a_rule_that_differs() -> None:
    number = next(step.step for step, read in STEPS if any(r.offset == 50 for r in read))
    found = audited(STEPS, maker("v2", Failing), "v2")
    assert found is not None
    assert (found.step, found.culprit) == (number, Culprit.RULE)
    assert "AssertionError: planted" in found.line


def test_what_was_left_out_is_left_out_again_with_its_verdict_and_trace() -> None:
    recorder = a_life()
    next_raw = recorder.place.next["raw"]
    records = [a_record(b"x", next_raw), a_record(b"y", next_raw + 1)]
    step, _ = recorder.step(records, left_out=1)
    assert audited(recorder.steps) is None
    for other in ("another verdict", "trace"):
        verdict = ("refused", "a trace") if other == "another verdict" else ("invariant", "no")
        said = replace(step, left_out=(("raw", next_raw + 1, *verdict),))
        found = differing([*recorder.steps[:-1], (said, records)])
        assert (found.step, found.culprit) == (step.step, Culprit.RULE)


def test_changed_settings_between_two_lives_make_no_difference() -> None:
    changed = a_life(1, at_6=SLOWER)
    assert audited(changed.steps) is None
    as_before = [(step.content_digest, step.chain) for step, _ in STEPS]
    now = [(step.content_digest, step.chain) for step, _ in changed.steps]
    assert now[:6] == as_before[:6]
    assert now != as_before, "these settings decide something"


def test_the_settings_of_today_decide_nothing_where_the_log_says_its_own() -> None:
    asked: list[Configuration | None] = []

    def make(said: Configuration | None, digest: str) -> object:
        asked.append(said)
        return maker()(said, digest)

    steps = a_life(1, at_6=SLOWER, at_9=dict(KEPT)).steps
    assert audited(steps, make) is None  # type: ignore[arg-type]  # a test's
    assert asked == [KEPT, SLOWER, KEPT]


def test_a_restart_under_the_same_settings_is_no_event_to_a_replay() -> None:
    recorder = a_life(1, at_4=dict(KEPT), at_5=dict(KEPT))
    assert [step.configuration is not None for step, _ in recorder.steps].count(True) == 3
    chains = [step.chain for step, _ in recorder.steps]
    assert chains == [step.chain for step, _ in STEPS]
    assert audited(recorder.steps) is None


def test_steps_that_do_not_follow_one_another_are_the_logs_difference() -> None:
    gone = [one for one in STEPS if one[0].step != 5]
    assert str(differing(gone)) == "step 6 differs by the log: the step before it is 4"
    found = differing(with_step(5, inputs={**STEPS[4][0].inputs, "raw": (0, 1)}))
    assert (found.step, found.culprit) == (5, Culprit.LOG)
    found = differing(with_step(5, number=1))
    assert found.line == "its transaction is 1, one before it was 12"


def test_another_clock_reading_or_tick_is_found() -> None:
    for other in ({"clock_ns": STEPS[4][0].clock_ns + 1}, {"ticked": False}):
        found = audited(
            with_step(len(STEPS), **other) if "ticked" in other else with_step(5, **other)
        )
        assert found is not None
        assert found.culprit is Culprit.RULE


def test_steps_of_the_format_before_are_compared_by_their_digests() -> None:
    def old(step: CommitRecord) -> CommitRecord:
        left_out = tuple(entry[:3] for entry in step.left_out)
        return replace(
            step,
            format=1,
            left_out=left_out,  # type: ignore[arg-type]  # as it was then
            checksums="",
            chain="",
            number=None,
            configuration=None,
        )

    steps = [(old(step), records) for step, records in STEPS]
    assert audited(steps) is None
    step, records = steps[4]
    steps[4] = (step, [*records[:-1], flipped(records[-1], 9)])
    first, end = step.inputs["raw"]
    line = f"something in it holds other bytes than were folded: raw {first} to {end - 1}"
    assert differing(steps) == StepDifference(5, Culprit.INPUT, line)


def test_only_steps_from_the_wished_one_on_are_compared() -> None:
    audit = Audit(maker(), "v1", compares_from=10)
    spoilt = with_step(5, chain="another")
    for step, records in spoilt:
        assert audit.take(step, records) is None, "step 6 is compared by the chain before it"
    assert audit.compared == len(STEPS) - 9


def test_the_state_of_now_is_a_beginning() -> None:
    recorder = a_life(1, at_8=dict(KEPT))
    begin = 12
    half = a_life(1, at_8=dict(KEPT))
    saved: dict[bytes, bytes] = {}
    for (step, _), changes in zip(half.steps, states_of(half), strict=True):
        if step.step <= begin:
            saved = changes
    audit = Audit(maker(), "v1")
    audit.refold.begin_with(saved, 0, KEPT)
    audit.begin_after(recorder.steps[begin - 1][0])
    for step, records in recorder.steps[begin:]:
        assert audit.take(step, records) is None
    assert audit.compared == len(recorder.steps) - begin


def states_of(recorder: Recorder) -> Iterator[dict[bytes, bytes]]:
    """The state records after each step."""
    audit = Audit(maker(), "v1")
    for step, records in recorder.steps:
        assert audit.take(step, records) is None
        yield dict(audit.refold._saved)


def test_a_configuration_that_nobody_says_stops_it_in_one_line() -> None:
    def make(said: Configuration | None, digest: str) -> object:
        if said is None:
            raise CannotReplay(f"nobody says {digest}")
        return maker()(said, digest)

    audit = Audit(make)  # type: ignore[arg-type]  # a test's
    step, records = STEPS[0]
    with pytest.raises(CannotReplay, match="nobody says lost"):
        audit.take(replace(step, configuration=None, config="lost"), records)


def test_registrations_are_inputs_like_any_other() -> None:
    records = [a_record(a_registration(), 0, topology.CONTROL, ACCOUNT)]
    recorder = Recorder()
    recorder.step(records)
    spoilt = [replace(records[0], value=a_registration(symbols={"spot": ("BTCUSDT",)}))]
    found = audited([(recorder.steps[0][0], spoilt)])
    assert str(found) == (
        "step 1 differs by an input: control partition 0 offset 0 does not hold what was folded "
        "there"
    )
