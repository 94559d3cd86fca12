"""Kraken's limits as buckets of ours, beside counters as the venue keeps them."""

import pytest

from ingest.level import Level
from simulator.kraken.limits import CALLS, HISTORY
from simulator.wire.meters import Decay, Tokens
from venues.kraken.limits import BUCKET_LIMITS
from venues.kraken.requests import HISTORY_BUCKET, SPOT_BUCKET
from venues.venue import SECOND_NS

LATE_NS = 2 * SECOND_NS
"""By so much what goes first takes longer on its way than what follows."""
WHO = "account"


class Counter:
    """The venue's own count of one account, by its clock."""

    def __init__(self, name: str) -> None:
        self.at_ms = 0
        self.count: Decay | Tokens
        if name == SPOT_BUCKET:
            self.count = Decay(self.now_ms, *CALLS["starter"])
        else:
            self.count = Tokens(self.now_ms, HISTORY[0], HISTORY[0] / HISTORY[1])

    def now_ms(self) -> int:
        return self.at_ms

    def takes(self, at_ns: int, cost: float) -> bool:
        self.at_ms = max(self.at_ms, at_ns // 1_000_000)
        return self.count.take(WHO, cost)


def sent_ns(level: Level, weight: float) -> int:
    """When the next request leaves."""
    at_ns = level.ready_ns(weight, 0, 1)
    level.refill(at_ns)
    level.spend(weight)
    return at_ns


@pytest.mark.parametrize(
    ("name", "weights"), [(SPOT_BUCKET, (4, 1)), (SPOT_BUCKET, (1,)), (HISTORY_BUCKET, (1,))]
)
def test_what_came_late_at_first_brings_no_refusal_later(
    name: str, weights: tuple[float, ...]
) -> None:
    level, venue = Level(BUCKET_LIMITS[name], 0, 1.0), Counter(name)
    for number in range(300):
        weight = weights[number % len(weights)]
        at_ns = sent_ns(level, weight)
        assert venue.takes(max(at_ns, LATE_NS), weight), f"request {number} at {at_ns / 1e9:.1f} s"


def test_a_long_history_of_futures_is_read_at_once() -> None:
    """At one in twelve seconds a first look at 10,000 orders took minutes longer."""
    level = Level(BUCKET_LIMITS[HISTORY_BUCKET], 0, 1.0)
    assert {sent_ns(level, 1) for _ in range(90)} == {0}


def test_a_history_of_futures_may_be_asked_as_often_as_the_venue_gives_back() -> None:
    level = Level(BUCKET_LIMITS[HISTORY_BUCKET], 0, 1.0)
    sent = [sent_ns(level, 1) for _ in range(200)]
    assert sent[-1] - sent[-101] <= 600 * SECOND_NS
