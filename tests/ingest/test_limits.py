"""Rate limits: never beyond the venue's, and in the order of rank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.limits import NEVER_NS, THROTTLED_NS_MAX, Limits, Rank
from venues.venue import SECOND_NS, Bucket, Throttling

MINUTE = Bucket(600, 60 * SECOND_NS, "x-used")


def a_group(**buckets: Bucket) -> Limits:
    return Limits(buckets or {"weight": MINUTE}, 0, reserve=0.2)


def test_a_full_bucket_grants_at_once_and_an_empty_one_when_it_is_refilled() -> None:
    limits = a_group(weight=Bucket(600, 60 * SECOND_NS))
    limits.wish("weight", 600, Rank.STREAM)
    late = limits.wish("weight", 20, Rank.STREAM)
    assert len(limits.grant(0)) == 1
    due_ns = limits.next_ns(0)
    assert due_ns == 2 * SECOND_NS
    assert limits.grant(due_ns - 1) == ()
    assert limits.grant(due_ns) == (late,)
    assert limits.next_ns(due_ns) == NEVER_NS


def test_urgent_goes_before_periodic_and_the_stream_before_both() -> None:
    limits = a_group()
    periodic = limits.wish("weight", 1, Rank.PERIODIC)
    urgent = limits.wish("weight", 1, Rank.URGENT)
    stream = limits.wish("weight", 1, Rank.STREAM)
    assert limits.grant(0) == (stream, urgent, periodic)


def test_periodic_questions_leave_a_reserve() -> None:
    limits = a_group()
    limits.wish("weight", 500, Rank.URGENT)
    limits.grant(0)
    periodic = limits.wish("weight", 10, Rank.PERIODIC)
    assert limits.grant(0) == ()
    urgent = limits.wish("weight", 10, Rank.URGENT)
    assert limits.grant(0) == (urgent,)
    assert limits.grant(limits.next_ns(0)) == (periodic,)


def test_what_costs_more_than_there_ever_is_waits_for_a_full_bucket_and_then_goes() -> None:
    limits = a_group()
    big = limits.wish("weight", 5_000, Rank.PERIODIC)
    assert limits.grant(0) == (big,)


def test_the_venues_own_count_is_believed_over_ours() -> None:
    limits = a_group()
    limits.answered("weight", {"x-used": "595"})
    limits.wish("weight", 10, Rank.STREAM)
    assert limits.grant(0) == ()
    due_ns = limits.next_ns(0)
    assert due_ns == 62 * SECOND_NS, "who says when the venue's window began?"
    assert len(limits.grant(due_ns)) == 1


@pytest.mark.parametrize(
    "used", ["9" * 400, "9" * 5000, "-1", "1e9", "0x10", "\xb2", "", " 5", "5.5"]
)
def test_a_count_that_cannot_be_one_says_nothing(used: str) -> None:
    limits = a_group()
    limits.answered("weight", {"x-used": used})
    ticket = limits.wish("weight", 600, Rank.STREAM)
    assert limits.grant(0) == (ticket,)


def test_no_count_costs_more_than_a_period_of_waiting() -> None:
    limits = a_group()
    limits.answered("weight", {"x-used": "9" * 12})
    ticket = limits.wish("weight", 1, Rank.STREAM)
    assert limits.next_ns(0) <= 2 * MINUTE.period_ns
    assert limits.grant(limits.next_ns(0)) == (ticket,)


def test_no_answer_closes_a_bucket_for_longer_than_any_ban_lasts() -> None:
    limits = a_group()
    for is_ban in (False, True):
        limits.throttled("weight", Throttling(10**400, is_ban), 0)
    limits.wish("weight", 1, Rank.STREAM)
    assert limits.next_ns(0) == THROTTLED_NS_MAX


def test_a_share_of_the_group_is_a_share_of_the_limit() -> None:
    limits = a_group()
    limits.share(0.25)
    for _ in range(600):
        limits.wish("weight", 1, Rank.STREAM)
    assert len(limits.grant(1)) == 150
    limits.share(1.0)
    assert limits.grant(1) == ()


def test_a_share_that_grows_brings_its_part_of_what_is_left() -> None:
    limits = a_group()
    limits.share(0.25)
    limits.share(1.0)
    periodic = limits.wish("weight", 100, Rank.PERIODIC)
    assert limits.grant(0) == (periodic,)


def test_a_throttled_bucket_is_closed_until_the_venues_time_and_the_others_stay_open() -> None:
    limits = a_group(one=MINUTE, two=MINUTE)
    limits.throttled("one", Throttling(5 * SECOND_NS), 0)
    first, second = limits.wish("one", 1, Rank.URGENT), limits.wish("two", 1, Rank.PERIODIC)
    assert limits.grant(0) == (second,)
    assert limits.next_ns(0) == 5 * SECOND_NS
    assert limits.grant(5 * SECOND_NS) == (first,)


def test_a_ban_is_for_the_whole_group() -> None:
    limits = a_group(one=MINUTE, two=MINUTE)
    limits.throttled("one", Throttling(120 * SECOND_NS, is_ban=True), 0)
    limits.wish("two", 1, Rank.STREAM)
    assert limits.grant(119 * SECOND_NS) == ()
    assert limits.next_ns(0) == 120 * SECOND_NS
    assert len(limits.grant(120 * SECOND_NS)) == 1


def test_one_who_leaves_the_line_is_not_granted() -> None:
    limits = a_group()
    limits.withdraw(limits.wish("weight", 1, Rank.URGENT))
    assert limits.grant(0) == ()


def test_a_request_of_no_known_bucket_is_not_limited() -> None:
    limits = a_group()
    tickets = tuple(limits.wish("", 1, Rank.PERIODIC) for _ in range(1000))
    assert limits.grant(0) == tickets


wishes = st.lists(
    st.tuples(st.integers(1, 50), st.sampled_from(list(Rank)), st.integers(0, 3 * SECOND_NS)),
    max_size=150,
)


def test_of_a_venue_that_reports_its_count_no_window_is_filled_twice() -> None:
    limits = a_group()
    many = [limits.wish("weight", 10, Rank.URGENT) for _ in range(200)]
    sent: list[tuple[int, int]] = []
    now_ns = 0
    while len(sent) < len(many):
        sent += [(now_ns, ticket.weight) for ticket in limits.grant(now_ns)]
        now_ns = max(now_ns + 1, limits.next_ns(now_ns))
    for begin_ns, _ in sent:
        window = [w for at, w in sent if begin_ns <= at < begin_ns + MINUTE.period_ns]
        assert sum(window) <= MINUTE.capacity
    assert sum(weight for at_ns, weight in sent if at_ns == 0) >= 0.9 * MINUTE.capacity
    assert sent[-1][0] <= 4 * MINUTE.period_ns, "2000 of 600 a minute"


def test_what_other_workers_use_is_not_taken_from_our_share_of_the_window() -> None:
    limits = a_group()
    limits.share(0.5)
    limits.answered("weight", {"x-used": "285"})
    for _ in range(40):
        limits.wish("weight", 10, Rank.URGENT)
    assert len(limits.grant(0)) == 28
    limits.answered("weight", {"x-used": "570"})
    assert limits.grant(0) == ()


def test_the_last_of_a_window_is_left_to_the_keeping_of_streams() -> None:
    limits = a_group()
    for _ in range(100):
        limits.wish("weight", 10, Rank.URGENT)
    assert len(limits.grant(0)) == 57
    stream = limits.wish("weight", 10, Rank.STREAM)
    assert limits.grant(0) == (stream,)


@given(wishes)
def test_in_no_window_is_more_granted_than_a_full_bucket_and_its_refill(
    walk: list[tuple[int, Rank, int]],
) -> None:
    limits, granted, now_ns = a_group(), list[tuple[int, int]](), 0
    for weight, rank, pause_ns in walk:
        limits.wish("weight", weight, rank)
        now_ns += pause_ns
        granted += [(now_ns, ticket.weight) for ticket in limits.grant(now_ns)]
    while (due_ns := limits.next_ns(now_ns)) != NEVER_NS:
        now_ns = max(now_ns, due_ns)
        tickets = limits.grant(now_ns)
        assert tickets, "nothing was granted when something was due"
        granted += [(now_ns, ticket.weight) for ticket in tickets]
    assert len(granted) == len(walk)
    for start, (from_ns, _) in enumerate(granted):
        spent = 0
        for at_ns, weight in granted[start:]:
            spent += weight
            assert spent <= 600 + 600 * (at_ns - from_ns) / (60 * SECOND_NS) + 1


@given(st.integers(2, 300), st.lists(st.integers(0, 400), max_size=300))
def test_no_window_of_a_venue_that_counts_in_windows_holds_more_than_its_limit(
    capacity: int, pauses_ms: list[int]
) -> None:
    limits = a_group(trades=Bucket(capacity, 2 * SECOND_NS, is_window=True))
    granted: list[int] = []
    for _ in range(4 * capacity):
        limits.wish("trades", 1, Rank.URGENT)
    now_ns = 0
    for pause_ms in pauses_ms:
        granted += [now_ns] * len(limits.grant(now_ns))
        now_ns += pause_ms * SECOND_NS // 1000
    for first in granted:
        assert sum(first <= at < first + 2 * SECOND_NS for at in granted) <= capacity


def test_a_window_is_nearly_used_up_over_time() -> None:
    limits = a_group(trades=Bucket(60, 2 * SECOND_NS, is_window=True))
    for _ in range(2_000):
        limits.wish("trades", 1, Rank.URGENT)
    granted = sum(len(limits.grant(tick * SECOND_NS // 50)) for tick in range(50 * 20))
    assert 20 * 30 * 0.65 < granted <= 20 * 30 * 0.95 + 60
