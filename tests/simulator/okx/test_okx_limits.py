"""OKX's counters: by endpoint, account and instrument, in windows of two seconds."""

import pytest

from simulator.clock import LogicalClock
from simulator.okx.limits import ORDERS_MAX, Limits, Rate
from simulator.okx.refusals import Refusal

RATE = Rate(60, "user+instrument")


def refused(limits: Limits, key: tuple[str, ...], count: int = 1) -> str:
    try:
        limits.take(RATE, key, count)
    except Refusal as refusal:
        return refusal.code
    return ""


def test_a_window_holds_its_limit_and_the_next_one_begins_anew() -> None:
    clock = LogicalClock()
    limits = Limits(clock.now_ms, 1)
    assert [refused(limits, ("a", "order", "X")) for _ in range(61)] == [""] * 60 + ["50011"]
    assert refused(limits, ("a", "order", "Y")) == ""
    assert refused(limits, ("b", "order", "X")) == ""
    clock.advance(2000)
    assert refused(limits, ("a", "order", "X")) == ""


def test_a_batch_uses_as_much_as_it_has_orders() -> None:
    limits = Limits(LogicalClock().now_ms, 1)
    assert refused(limits, ("a", "batch", "X"), 60) == ""
    assert refused(limits, ("a", "batch", "X")) == "50011"


def test_limits_may_be_scaled() -> None:
    limits = Limits(LogicalClock().now_ms, 2)
    assert refused(limits, ("a", "order", "X"), 120) == ""


def test_orders_of_an_account_are_limited_over_all_its_contracts() -> None:
    limits = Limits(LogicalClock().now_ms, 1)
    limits.take_orders("a", ORDERS_MAX)
    with pytest.raises(Refusal, match="50061"):
        limits.take_orders("a", 1)


def test_a_ban_is_over_after_its_time() -> None:
    clock = LogicalClock()
    limits = Limits(clock.now_ms, 1)
    limits.ban("here", 1.5)
    assert limits.is_banned("here")
    assert not limits.is_banned("there")
    clock.advance(1500)
    assert not limits.is_banned("here")
