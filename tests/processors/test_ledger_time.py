"""The time of steps on a real broker: no timer fires before the evidence in the backlog."""

import time
from typing import Any

import pytest

from orderloom.topology import CONTROL, RAW
from processors.ledger.ledger import Ledger
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, drain, small_steps

pytestmark = pytest.mark.broker
MS = 1_000_000


class WallClockOnly(Ledger):
    """The broken variant: reads the wall clock, also while it is behind."""

    def _reading(self, batch: Any, wall_ns: int) -> int:
        return self._clock.reading(None, wall_ns)


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    lab = Lab(broker.bootstrap, namespace)
    lab.configure(step=small_steps(1))
    return lab


@pytest.mark.parametrize("make", [Ledger, WallClockOnly])
def test_a_timer_fires_after_the_evidence_that_came_before_it(lab: Lab, make: type[Ledger]) -> None:
    """Set for 300 ms after the first record; the second came 100 ms after it, both long ago."""
    lab.feed(RAW, [b"timer:%d" % (300 * MS)])
    time.sleep(0.1)
    lab.feed(RAW, [b"evidence"])
    time.sleep(0.5)
    drain(lab.open(make=make))
    order = [value.split(b",")[1] for value in lab.values_in_order()]
    assert (order == [b"a", b"a", b"timer"]) is (make is Ledger)


def test_the_inputs_move_through_time_together(lab: Lab) -> None:
    for number in range(3):
        lab.feed(RAW, [b"raw %d" % number])
        time.sleep(0.02)
        lab.feed(CONTROL, [b"control %d" % number])
        time.sleep(0.02)
    drain(lab.open())
    assert [(kind, at) for kind, at, _ in lab.book.folded] == [
        (kind, at) for at in range(3) for kind in ("raw", "control")
    ]


def test_behind_the_ends_the_clock_is_the_append_time_and_never_runs_backwards(lab: Lab) -> None:
    lab.feed(RAW, [b"%d" % number for number in range(5)])
    appended = [record.appended_ns for record in lab.inputs()["raw"]]
    drain(lab.open())
    clocks = [commit["clock_ns"] for commit in lab.commits()]
    assert clocks[:4] == appended[:4]
    assert clocks == sorted(clocks)


def test_an_idle_ledger_steps_only_when_a_timer_is_due(lab: Lab) -> None:
    lab.feed(RAW, [b"timer:%d" % (400 * MS)])
    ledger = lab.open()
    drain(ledger)
    assert len(lab.commits()) == 1
    give_up = time.monotonic() + 10
    while not ledger.advance() and time.monotonic() < give_up:
        time.sleep(ledger.wait_seconds())
    (first, second) = lab.commits()
    assert second["clock_ns"] >= first["clock_ns"] + 400 * MS
    assert second["inputs"]["raw"] == [1, 1]
    assert lab.faults() == []


def test_after_an_opening_the_clock_goes_on_where_it_was(lab: Lab) -> None:
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    lab.memory.clock._correction_ns = -3_600_000 * MS  # this machine's clock is an hour behind
    lab.memory.clock.compare = lambda *_: None  # type: ignore[method-assign]  # and not found out
    lab.feed(RAW, [b"two"])
    drain(lab.open())
    clocks = [commit["clock_ns"] for commit in lab.commits()]
    assert clocks == sorted(clocks)


def test_a_clock_that_is_off_is_found_at_opening(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    lab.memory.clock._correction_ns = -10_000 * MS
    lab.open()
    assert "off the broker's" in caplog.text
    assert abs(lab.memory.clock.now_ns() - time.time_ns()) < 2_000 * MS
