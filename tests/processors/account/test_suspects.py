"""How far back a list of ended orders must reach to hold many that are missing."""

from orderloom.raw import ClockSample
from processors.account.suspects import Suspect, listed_since
from processors.account.venue_time import VenueTime, VenueTimes
from venues.venue import Profile

SECOND = 1_000_000_000
BY_MAKING = Profile(visibility_lag_ns=2 * SECOND)
BY_END = Profile(visibility_lag_ns=2 * SECOND, history_by_end=True)


def venue_time(*, ahead_s: int = 0) -> VenueTime:
    """The venue's clock is exactly so far ahead."""
    times = VenueTimes()
    venue_ns = (90 + ahead_s) * SECOND
    times.take(ClockSample("spot", venue_ns, 90 * SECOND, 90 * SECOND), 1, 90 * SECOND)
    return times.of("spot")


def ghost(*, made_s: int, first_s: int, last_s: int, listed_s: int = 0) -> Suspect:
    seconds = (first_s, last_s, listed_s, made_s)
    return Suspect("a-key", "spot", *(one * SECOND for one in seconds))


GHOSTS = (
    ghost(made_s=40, first_s=60, last_s=60, listed_s=152),
    ghost(made_s=45, first_s=60, last_s=150),
    ghost(made_s=41, first_s=151, last_s=60),
)


def test_a_list_by_the_making_reaches_back_to_the_oldest() -> None:
    assert listed_since(GHOSTS, BY_MAKING, venue_time()) == (40 - 2) * SECOND


def test_a_list_by_the_end_reaches_back_to_when_all_were_alive() -> None:
    """To the oldest it would be all of the past once more: at Kraken Spot ten minutes of pages."""
    time = venue_time()
    alive_ns = (150 - 2) * SECOND
    assert listed_since(GHOSTS, BY_END, time) == alive_ns + time.lowest_ns(alive_ns)


def test_what_we_heard_by_our_clock_is_asked_for_by_the_venues() -> None:
    later, now = venue_time(ahead_s=30), venue_time()
    assert listed_since(GHOSTS, BY_END, later) - listed_since(GHOSTS, BY_END, now) == 30 * SECOND
