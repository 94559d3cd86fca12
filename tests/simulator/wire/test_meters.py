"""What is used is counted by key, and comes back with time as each meter says."""

from simulator.clock import LogicalClock
from simulator.wire.meters import Bans, Decay, Tokens, Windows


def test_a_window_counts_by_key_and_begins_anew() -> None:
    clock = LogicalClock(10_000)
    windows = Windows(clock.now_ms, 2000)
    assert [windows.take("a", 2), windows.take("a", 3), windows.take("b", 1)] == [2, 5, 1]
    assert windows.end_ms() == 12_000
    clock.advance(1999)
    assert windows.used("a") == 5
    clock.advance(1)
    assert (windows.used("a"), windows.take("a", 1)) == (0, 1)


def test_what_is_given_back_never_makes_less_than_nothing() -> None:
    windows = Windows(LogicalClock().now_ms, 2000)
    windows.take("a", 2)
    assert windows.take("a", -5) == 0


def test_tokens_come_back_up_to_the_capacity() -> None:
    clock = LogicalClock()
    tokens = Tokens(clock.now_ms, capacity=3, per_second=2)
    assert [tokens.take("a", 1) for _ in range(4)] == [True, True, True, False]
    assert tokens.take("b", 3)
    clock.advance(500)
    assert (tokens.take("a", 1), tokens.take("a", 1)) == (True, False)
    clock.advance(60_000)
    assert tokens.left("a") == 3


def test_a_sum_decays_to_zero_and_takes_nothing_above_its_limit() -> None:
    clock = LogicalClock()
    decay = Decay(clock.now_ms, limit=10, per_second=1)
    assert decay.take("a", 8)
    assert not decay.take("a", 3)
    assert decay.value("a") == 8
    clock.advance(1000)
    assert decay.take("a", 3)
    clock.advance(60_000)
    assert decay.value("a") == 0


def test_a_ban_ends_after_its_time_and_counts_for_its_key_alone() -> None:
    clock = LogicalClock(5000)
    bans = Bans(clock.now_ms)
    assert bans.ban("a", 1.5) == 6500
    assert (bans.is_banned("a"), bans.is_banned("b")) == (True, False)
    clock.advance(1500)
    assert not bans.is_banned("a")
    assert (bans.until_ms("a"), bans.until_ms("b")) == (6500, 0)
