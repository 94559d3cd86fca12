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


def test_an_append_time_that_is_yet_to_come_is_not_believed() -> None:
    """The broker's clock was an hour ahead; a reading that took it would stand for an hour."""
    clock = StepClock(0)
    assert clock.reading(3_600 * SECOND, wall_ns=100 * SECOND) == 102 * SECOND
    assert clock.reading(101 * SECOND, wall_ns=100 * SECOND) == 102 * SECOND


def test_a_reading_that_is_ahead_runs_at_half_the_pace_until_the_wall_clock_has_caught_up() -> None:
    clock = StepClock(160 * SECOND)
    readings = [clock.reading(None, wall * SECOND) // SECOND for wall in range(100, 300, 20)]
    assert readings == [160, 170, 180, 190, 200, 210, 220, 240, 260, 280]


def test_no_timer_waits_longer_than_twice_its_time_where_the_reading_is_ahead() -> None:
    clock = StepClock(0)
    clock.reading(None, 1_000 * SECOND)
    due_ns = clock.reading(None, 10 * SECOND) + 5 * SECOND  # the wall clock was set right
    assert clock.ns_until(due_ns, 10 * SECOND) == 10 * SECOND
    assert clock.at_ends(20 * SECOND - 2) < due_ns
    assert clock.at_ends(20 * SECOND) == due_ns


def test_a_wall_clock_that_is_set_right_backwards_does_not_stop_the_reading() -> None:
    clock = StepClock(0)
    clock.reading(None, 1_000 * SECOND)
    clock.at_ends(10 * SECOND)
    assert clock.reading(None, 12 * SECOND) == 1_001 * SECOND
    assert clock.lead_ns(12 * SECOND) == 989 * SECOND


def test_a_reading_that_is_not_ahead_is_the_wall_clock_at_its_full_pace() -> None:
    clock = StepClock(50 * SECOND)
    assert [clock.at_ends(wall * SECOND) // SECOND for wall in (60, 61, 62)] == [60, 61, 62]
    assert clock.ns_until(65 * SECOND, 62 * SECOND) == 3 * SECOND
    assert clock.lead_ns(62 * SECOND) == 0


class Clocks:
    """A ledger's clock on a machine whose own says `own` seconds, and a broker's beside it."""

    def __init__(self) -> None:
        self.own = 1_000
        self.clock = LedgerClock(SteadyClock(lambda _jump: None, self._now, self._now))

    def _now(self) -> int:
        return self.own * SECOND

    def compare(self, ahead: int) -> int:
        """The broker's clock is so far ahead of the machine's; how far the ledger's then is."""
        self.clock.compare((self.own + ahead) * SECOND, self.clock.now_ns())
        return self.clock.now_ns() // SECOND - self.own


def test_a_clock_over_two_seconds_ahead_of_the_brokers_is_corrected_at_once() -> None:
    clocks = Clocks()
    assert clocks.compare(-3) == -3
    assert clocks.compare(-2) == -3  # as close as two clocks need to be
    assert clocks.compare(-60) == -60


def test_a_brokers_clock_that_is_ahead_is_used_when_it_has_stayed_so_for_a_minute() -> None:
    clocks = Clocks()
    found = []
    for _ in range(4):
        found.append(clocks.compare(3))
        clocks.own += 20
    assert found == [0, 0, 0, 3]
    assert not clocks.clock.is_in_doubt


def test_a_brokers_clock_that_is_ahead_for_some_seconds_changes_nothing() -> None:
    """What the clock once said stands in a reading for good."""
    clocks = Clocks()
    for ahead in (3_600, 0, 3_600, 7_200, 0, 0):
        assert clocks.compare(ahead) == 0
        clocks.own += 40


@pytest.mark.parametrize("off", [-3_600, 3_600])
def test_a_broker_that_agrees_with_the_machine_again_is_believed_at_once(off: int) -> None:
    clocks = Clocks()
    for _ in range(2):
        clocks.compare(off)
        clocks.own += 60
    assert clocks.compare(off) == off
    assert clocks.compare(1) == 0


def test_a_slow_answer_is_no_difference() -> None:
    """The record was appended somewhen between the asking and the answer."""
    clock = LedgerClock(SteadyClock(wall=lambda: 100 * SECOND, steady=lambda: 0))
    clock.compare(95 * SECOND, before_ns=90 * SECOND)
    assert clock.now_ns() == 100 * SECOND
