"""Faults come when the seed says so, as often as the schedule says, and are counted."""

from pathlib import Path

import pytest

import simulator
from simulator.config import FaultConfig, ScheduledFault
from simulator.faults import FAULTS, FRAME_FAULTS, Faults
from simulator.trouble import ORDER_FAULTS, PAGE_FAULTS


def schedule(**counts: int) -> FaultConfig:
    rows = {kind: ScheduledFault(count=count, frames=1000) for kind, count in counts.items()}
    return FaultConfig(schedule=rows)


def drawn(faults: Faults, frames: int) -> list[str]:
    return [faults.for_frame() for _ in range(frames)]


def test_a_schedule_brings_each_kind_exactly_as_often_as_it_says() -> None:
    faults = Faults(schedule(drop=50, duplicate=200, reorder=200, disconnect=10), seed=1)
    drawn(faults, 1000 + 460)  # those that meet at one frame wait for the next
    assert faults.injected == {"drop": 50, "duplicate": 200, "reorder": 200, "disconnect": 10}


def test_the_same_seed_gives_the_same_faults_and_another_gives_others() -> None:
    config = FaultConfig(probability={"drop": 0.1, "delay": 0.1})
    first, again, other = (drawn(Faults(config, seed), 500) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_without_configuration_there_is_no_fault() -> None:
    assert set(drawn(Faults(FaultConfig(), 1), 1000)) == {""}


def test_stopping_forgets_what_was_planned() -> None:
    faults = Faults(schedule(drop=500), seed=1)
    faults.stop()
    assert set(drawn(faults, 1000)) == {""}


def test_requests_have_a_schedule_of_their_own() -> None:
    faults = Faults(schedule(http_5xx=3, http_429=2), seed=1)
    for _ in range(1005):
        faults.for_request()
    assert faults.injected == {"http_5xx": 3, "http_429": 2}


def test_an_unknown_kind_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="unknown fault dropp; known are drop"):
        Faults(FaultConfig(probability={"dropp": 1.0}), 1)


def test_every_fault_stands_in_the_readers_guide() -> None:
    guide = (Path(simulator.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [kind for kind in FAULTS if f"| `{kind}` |" not in guide] == []


def test_a_fault_that_does_not_fit_waits_for_the_next_place() -> None:
    faults = Faults(schedule(http_partial_page=1), seed=1)
    assert [faults.for_request(ORDER_FAULTS) for _ in range(1000)] == [""] * 1000
    assert faults.for_request(PAGE_FAULTS) == "http_partial_page"


def test_an_act_that_could_not_be_done_is_due_again_and_not_counted() -> None:
    faults = Faults(schedule(adl=1), seed=1)
    while not (kind := faults.for_step()):
        pass
    faults.steps.again(kind)
    assert not faults.injected
    assert faults.done(faults.for_step()) == "adl"
    assert faults.injected == {"adl": 1}


def test_every_fault_has_a_line_that_says_what_it_does() -> None:
    assert all(len(line) > 20 for line in FAULTS.values())
    assert set(FRAME_FAULTS) >= {"drop", "duplicate", "delay", "reorder", "disconnect"}
