"""The clocks, and which of two that disagree is believed."""

import pytest

from runtime.clock import SteadyClock, boottime_ns, monotonic_ns, wall_ns

SECOND = 1_000_000_000


class Hands:
    """A wall clock and a steady one that a test can set."""

    def __init__(self) -> None:
        self.wall = 1_000_000 * SECOND
        self.steady = 50 * SECOND
        self.alarms: list[int] = []

    def clock(self) -> SteadyClock:
        return SteadyClock(self.alarms.append, lambda: self.wall, lambda: self.steady)

    def pass_by(self, nanoseconds: int) -> None:
        self.wall += nanoseconds
        self.steady += nanoseconds


def test_a_wall_clock_that_agrees_is_believed() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(3600 * SECOND)
    hands.wall += 2 * SECOND
    assert clock.now_ns() == hands.wall
    assert not clock.has_jumped


def test_a_wall_clock_that_jumps_is_ignored_from_then_on_and_alarmed_once() -> None:
    for jump in (3 * SECOND, -3 * SECOND):
        hands = Hands()
        clock = hands.clock()
        hands.pass_by(10 * SECOND)
        truth = hands.wall
        hands.wall += jump
        assert clock.now_ns() == truth
        hands.wall = truth
        hands.pass_by(SECOND)
        hands.wall += 5 * SECOND
        assert clock.now_ns() == truth + SECOND
        assert hands.alarms == [jump]


def test_a_suspension_is_no_jump() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(8 * 3600 * SECOND)  # both run on through it
    assert clock.now_ns() == hands.wall
    assert hands.alarms == []


def test_the_alarm_of_its_own_accord_is_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hands = Hands()
    clock = SteadyClock(None, lambda: hands.wall, lambda: hands.steady)
    hands.wall += 10 * SECOND
    clock.now_ns()
    assert "jumped by +10.000 s" in caplog.text


def test_the_real_clocks_go_forward() -> None:
    for read in (boottime_ns, monotonic_ns, wall_ns):
        first = read()
        assert isinstance(first, int)
        assert read() >= first
