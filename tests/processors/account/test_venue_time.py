"""Bounds of the venue's clock: a span of our times becomes one of the venue's that holds it."""

import random

import orjson
import pytest

from orderloom import topology
from orderloom.raw import ClockSample
from processors.account.venue_time import APART_NS_MAX, CLOCK, DRIFT_NS, KEPT, VenueTime, VenueTimes
from tests.processors.partition_lab import (
    NOW,
    Run,
    a_partition,
    a_raw_record,
    a_record,
    a_registration,
    live,
)

SECOND = 1_000_000_000


def a_sample(at: float, offset: float, way: float = 0, product: str = "spot") -> ClockSample:
    """The venue's clock is `offset` s ahead of ours at second `at`; each way takes `way` s."""
    numbers = (at + offset, at - way, at + way)
    return ClockSample(product, *(int(number * SECOND) for number in numbers))


def taken(*samples: ClockSample, generation: int = 1) -> VenueTime:
    time = VenueTime()
    for sample in samples:
        time.take(sample, generation, sample.received_ns)
    return time


def test_the_way_of_a_sample_bounds_what_is_known() -> None:
    time = taken(a_sample(100, 5, way=0.5))
    assert time.lowest_ns(100 * SECOND) == 4.5 * SECOND - DRIFT_NS
    assert time.highest_ns(100 * SECOND) == 5.5 * SECOND + DRIFT_NS


def test_a_time_is_bounded_by_the_sample_before_it_and_all_that_follow() -> None:
    time = taken(a_sample(100, 9), a_sample(110, 1), a_sample(120, 2))
    assert time.lowest_ns(115 * SECOND) == 1 * SECOND - DRIFT_NS
    assert time.highest_ns(115 * SECOND) == 2 * SECOND + DRIFT_NS
    assert time.highest_ns(109 * SECOND) == 9 * SECOND + DRIFT_NS
    assert time.highest_ns(90 * SECOND) == 9 * SECOND + DRIFT_NS


def test_a_time_that_came_twice_is_placed_where_it_came_first() -> None:
    time = taken(a_sample(100, 0), a_sample(130, 0), a_sample(90, 50), a_sample(100, 50))
    assert time.lowest_ns(95 * SECOND) == -DRIFT_NS
    assert time.highest_ns(95 * SECOND) == 50 * SECOND + DRIFT_NS


def test_bounds_hold_every_offset_of_any_clock_however_many_are_joined() -> None:
    for seed in range(50):
        chance = random.Random(seed)
        offset, at, sampled, time = 0.0, 100.0, [], VenueTime()
        for _ in range(3 * KEPT):
            offset += chance.choice([0, 0, 0, chance.uniform(-20, 20)])
            way = chance.uniform(0, 2)
            at += chance.uniform(3, 12)
            time.take(a_sample(at, offset + chance.uniform(-way, way), way), 1, int(at * SECOND))
            sampled.append((int(at * SECOND), int(offset * SECOND)))
        assert len(time.bounds) == KEPT
        for place, (since_ns, _) in enumerate(sampled):
            offsets = [one for _, one in sampled[place:]]
            assert time.lowest_ns(since_ns) <= min(offsets)
            assert time.highest_ns(since_ns) >= max(offsets)


def test_a_sample_that_does_not_meet_the_one_before_doubts_what_lies_between() -> None:
    time = taken(a_sample(100, 0))
    assert time.take(a_sample(110, 0.05), 1, 110 * SECOND) is None
    assert time.take(a_sample(120, 1), 1, 120 * SECOND) == 110 * SECOND
    assert time.leap_ns(100 * SECOND) == 1 * SECOND
    assert time.leap_ns(125 * SECOND) == 0


def test_after_another_worker_took_over_the_clock_is_not_known_until_its_own_sample() -> None:
    time = taken(a_sample(100, 0), generation=7)
    assert time.is_known(7)
    assert not time.is_known(8)
    time.take(a_sample(90, 20), 8, 110 * SECOND)
    assert time.is_known(8)
    assert time.take(a_sample(120, 0), 7, 120 * SECOND) is None
    assert time.bounds[-1].low_ns == 20 * SECOND


@pytest.mark.parametrize(
    "sample",
    [
        a_sample(130, 601),
        a_sample(130, -601),
        a_sample(130 + 601, 0),
        ClockSample("spot", 130 * SECOND, 131 * SECOND, 130 * SECOND),
    ],
)
def test_a_sample_that_cannot_be_right_makes_the_clock_unknown(sample: ClockSample) -> None:
    time = taken(a_sample(100, 0))
    assert time.take(sample, 1, 130 * SECOND) == 100 * SECOND
    assert not time.is_known(1)
    time.take(a_sample(140, 0), 1, 140 * SECOND)
    assert time.is_known(1)
    assert APART_NS_MAX == 600 * SECOND


def test_before_any_sample_nothing_is_known() -> None:
    assert not VenueTime().is_known(-1)
    assert VenueTime().earliest_ns(5) == 5


def test_what_is_known_is_saved_and_taken_back() -> None:
    times = VenueTimes()
    times.take(a_sample(100, 5, way=0.2), 3, 100 * SECOND)
    ((_, document),) = times.state()
    again = VenueTimes()
    again.restore(CLOCK, orjson.loads(orjson.dumps(document)))
    assert again.by_product == times.by_product
    assert not list(times.state())


def test_each_product_is_asked_about_in_the_time_of_its_own_clock() -> None:
    run = Run(a_partition(), has_clock=False)
    run.step(
        a_record(a_registration(symbols={"spot": ("A",), "linear": ("A",)}), topic=topology.CONTROL)
    )
    samples = [
        ClockSample("spot", NOW - 10 * SECOND, NOW, NOW),
        ClockSample("linear", NOW, NOW, NOW),
    ]
    run.step(a_raw_record(*samples, account="venue"))
    run.partition.account("binance:main").streams.owner.liveness_ns = NOW + 5 * SECOND
    run.step(a_raw_record(live("spot"), live("linear")), NOW + 5 * SECOND)
    questions = [
        orjson.loads(one.value)["question"]
        for one in run.outputs
        if one.topic is topology.DISPATCHES and one.value is not None
    ]
    until = {one["product"]: one["until_ns"] for one in questions if one["about"] == "TRADES"}
    assert until["linear"] == NOW + 3 * SECOND + DRIFT_NS
    assert until["spot"] == until["linear"] - 10 * SECOND


def test_a_set_clock_is_a_blind_interval_of_its_product() -> None:
    run = Run(a_partition())
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    account = run.partition.account("binance:main")
    account.streams.blind.clear()
    run.step(a_raw_record(ClockSample("spot", NOW, NOW, NOW), account="venue"))
    assert not account.streams.blind
    later = NOW + 10 * SECOND
    run.step(
        a_raw_record(ClockSample("spot", later + SECOND, later, later), account="venue"), later
    )
    (interval,) = account.streams.blind
    assert (interval.product, interval.start_ns, interval.reason) == (
        "spot",
        NOW,
        "a clock was set",
    )
