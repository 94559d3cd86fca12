"""What an answer's headers say of a limit: believed as far as it can be true."""

import pytest

from ingest.instant import Instant
from ingest.level import Level
from venues.rates import Bucket
from venues.venue import SECOND_NS

WALL_NS = 1_793_000_000_250_000_000
LEFT = Bucket(100, 10 * SECOND_NS, left_header="x-left", reset_header="x-reset")


def heard(headers: dict[str, str], bucket: Bucket = LEFT) -> Level:
    """A full level that was told this at its beginning."""
    level = Level(bucket, 0, 1.0)
    level.hear(headers, Instant(WALL_NS, 0))
    return level


def wait_ns(level: Level, weight: float = 1) -> int:
    return level.ready_ns(weight, 0.0, 1.0)


def test_what_the_venue_leaves_is_all_that_goes() -> None:
    level = heard({"x-left": "7"})
    assert wait_ns(level, 7) == 0
    assert wait_ns(level, 8) > 0


def test_more_than_we_count_with_is_not_taken() -> None:
    """An account of a higher tier; the settings may say so."""
    level = heard({"x-left": "5000"})
    assert wait_ns(level, 100) == 0
    level.spend(100)
    assert wait_ns(level) > 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3000", 3.0),
        ("1793000003", 2.75),
        ("1793000003250", 3.0),
        ("1792999999000", 0.0),
        ("1893000000000", 20.0),
        ("999999999", 20.0),
        ("", 0.0), ("-5", 0.0), ("soon", 0.0), ("9" * 400, 0.0), ("\u0663", 0.003),
    ],
    ids=["ms from now", "a time in s", "a time in ms", "gone by", "in years", "in days",
         "nothing", "negative", "no number", "400 digits", "a digit of elsewhere"],
)  # fmt: skip
def test_where_nothing_is_left_nothing_goes_before_the_venues_time_and_never_for_long(
    text: str, seconds: float
) -> None:
    level = heard({"x-left": "0", "x-reset": text})
    assert level.closed_until_ns == pytest.approx(seconds * SECOND_NS)


def test_while_something_is_left_the_time_of_the_next_window_closes_nothing() -> None:
    """Bybit's says about now then, KuCoin's when the window ends."""
    assert heard({"x-left": "1", "x-reset": "9000"}).closed_until_ns == 0


@pytest.mark.parametrize("text", ["9" * 400, "-1", "1e9", "", " 5", "5.5", "none"])
def test_a_count_that_is_none_says_nothing(text: str) -> None:
    assert wait_ns(heard({"x-left": text, "x-reset": "9000"}), 100) == 0


def test_nothing_left_is_waited_out_for_a_window() -> None:
    level = heard({"x-left": "0"})
    assert wait_ns(level) >= LEFT.period_ns
    level.refill(wait_ns(level))
    assert wait_ns(level) == level.at_ns
