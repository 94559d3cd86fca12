"""The step's time never runs backwards, nor ahead of the backlog, nor with a clock that jumps."""

import pytest

from processors.ledger.step_clock import LedgerClock, StepClock
from runtime.clock import SteadyClock

SECOND = 1_000_000_000


def test_behind_the_ends_it_is_the_append_time_and_at_them_the_wall_clock() -> None:
    clock = StepClock(0)
    assert clock.reading(newest_append_ns=5, wall_ns=100) == 5
    assert clock.reading(newest_append_ns=None, wall_ns=100) == 100


def test_it_never_runs_backwards_also_not_over_an_opening() -> None:
    clock = StepClock(50)
    assert clock.reading(newest_append_ns=5, wall_ns=100) == 50
    assert clock.reading(newest_append_ns=None, wall_ns=40) == 50


@pytest.mark.parametrize("off_ns", [-3 * SECOND, 3 * SECOND])
def test_a_clock_over_two_seconds_off_the_brokers_is_corrected(off_ns: int) -> None:
    clock = LedgerClock(SteadyClock(wall=lambda: 100 * SECOND, steady=lambda: 0))
    clock.compare(100 * SECOND + off_ns, before_ns=100 * SECOND)
    assert clock.now_ns() == 100 * SECOND + off_ns


def test_a_slow_answer_is_no_difference() -> None:
    """The record was appended somewhen between the asking and the answer."""
    clock = LedgerClock(SteadyClock(wall=lambda: 100 * SECOND, steady=lambda: 0))
    clock.compare(95 * SECOND, before_ns=90 * SECOND)
    assert clock.now_ns() == 100 * SECOND
