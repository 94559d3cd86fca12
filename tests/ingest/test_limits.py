"""Rate limits: never beyond the venue's, and in the order of rank."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.instant import Instant
from ingest.limits import NEVER_NS, THROTTLED_NS_MAX, Limits, Rank, Ticket
from venues.rates import Bucket, Cost, Scope, Throttling
from venues.venue import SECOND_NS

MINUTE = Bucket(600, 60 * SECOND_NS, used_header="x-used")


def a_group(**buckets: Bucket) -> Limits:
    return Limits(buckets or {"weight": MINUTE}, 0, reserve=0.2)


def wish(limits: Limits, bucket: str, weight: float, rank: Rank) -> Ticket:
    return limits.wish((Cost(bucket, weight),), "toy:a", rank)


def answered(limits: Limits, headers: dict[str, str]) -> None:
    limits.answered((Cost("weight"),), "toy:a", headers, Instant(0, 0))


def weight_of(ticket: Ticket) -> float:
    [(_, weight)] = ticket.charges
    return weight


def test_a_full_bucket_grants_at_once_and_an_empty_one_when_it_is_refilled() -> None:
    limits = a_group(weight=Bucket(600, 60 * SECOND_NS))
    wish(limits, "weight", 600, Rank.STREAM)
    late = wish(limits, "weight", 20, Rank.STREAM)
    assert len(limits.grant(0)) == 1
    due_ns = limits.next_ns(0)
    assert due_ns == 2 * SECOND_NS
    assert limits.grant(due_ns - 1) == ()
    assert limits.grant(due_ns) == (late,)
    assert limits.next_ns(due_ns) == NEVER_NS


def test_urgent_goes_before_periodic_and_the_stream_before_both() -> None:
    limits = a_group()
    periodic = wish(limits, "weight", 1, Rank.PERIODIC)
    urgent = wish(limits, "weight", 1, Rank.URGENT)
    stream = wish(limits, "weight", 1, Rank.STREAM)
    assert limits.grant(0) == (stream, urgent, periodic)


def test_periodic_questions_leave_a_reserve() -> None:
    limits = a_group()
    wish(limits, "weight", 500, Rank.URGENT)
    limits.grant(0)
    periodic = wish(limits, "weight", 10, Rank.PERIODIC)
    assert limits.grant(0) == ()
    urgent = wish(limits, "weight", 10, Rank.URGENT)
    assert limits.grant(0) == (urgent,)
    assert limits.grant(limits.next_ns(0)) == (periodic,)


def test_what_costs_more_than_there_ever_is_waits_for_a_full_bucket_and_then_goes() -> None:
    limits = a_group()
    big = wish(limits, "weight", 5_000, Rank.PERIODIC)
    assert limits.grant(0) == (big,)


def test_the_venues_own_count_is_believed_over_ours() -> None:
    limits = a_group()
    answered(limits, {"x-used": "595"})
    wish(limits, "weight", 10, Rank.STREAM)
    assert limits.grant(0) == ()
    due_ns = limits.next_ns(0)
    assert due_ns == 62 * SECOND_NS, "who says when the venue's window began?"
    assert len(limits.grant(due_ns)) == 1


@pytest.mark.parametrize(
    "used", ["9" * 400, "9" * 5000, "-1", "1e9", "0x10", "\xb2", "", " 5", "5.5"]
)
def test_a_count_that_cannot_be_one_says_nothing(used: str) -> None:
    limits = a_group()
    answered(limits, {"x-used": used})
    ticket = wish(limits, "weight", 600, Rank.STREAM)
    assert limits.grant(0) == (ticket,)


def test_no_count_costs_more_than_a_period_of_waiting() -> None:
    limits = a_group()
    answered(limits, {"x-used": "9" * 12})
    ticket = wish(limits, "weight", 1, Rank.STREAM)
    assert limits.next_ns(0) <= 2 * MINUTE.period_ns
    assert limits.grant(limits.next_ns(0)) == (ticket,)


def test_no_answer_closes_a_bucket_for_longer_than_any_ban_lasts() -> None:
    limits = a_group()
    for is_ban in (False, True):
        limits.throttled((Cost("weight"),), "toy:a", Throttling(10**400, is_ban), 0)
    wish(limits, "weight", 1, Rank.STREAM)
    assert limits.next_ns(0) == THROTTLED_NS_MAX


def test_a_share_of_the_group_is_a_share_of_the_limit() -> None:
    limits = a_group()
    limits.share(0.25)
    for _ in range(600):
        wish(limits, "weight", 1, Rank.STREAM)
    assert len(limits.grant(1)) == 150
    limits.share(1.0)
    assert limits.grant(1) == ()


def test_a_share_that_grows_brings_its_part_of_what_is_left() -> None:
    limits = a_group()
    limits.share(0.25)
    limits.share(1.0)
    periodic = wish(limits, "weight", 100, Rank.PERIODIC)
    assert limits.grant(0) == (periodic,)


def test_a_throttled_bucket_is_closed_until_the_venues_time_and_the_others_stay_open() -> None:
    limits = a_group(one=MINUTE, two=MINUTE)
    limits.throttled((Cost("one"),), "toy:a", Throttling(5 * SECOND_NS), 0)
    first, second = wish(limits, "one", 1, Rank.URGENT), wish(limits, "two", 1, Rank.PERIODIC)
    assert limits.grant(0) == (second,)
    assert limits.next_ns(0) == 5 * SECOND_NS
    assert limits.grant(5 * SECOND_NS) == (first,)


def test_a_ban_is_for_the_whole_group() -> None:
    limits = a_group(one=MINUTE, two=MINUTE)
    limits.throttled((Cost("one"),), "toy:a", Throttling(120 * SECOND_NS, is_ban=True), 0)
    wish(limits, "two", 1, Rank.STREAM)
    assert limits.grant(119 * SECOND_NS) == ()
    assert limits.next_ns(0) == 120 * SECOND_NS
    assert len(limits.grant(120 * SECOND_NS)) == 1


def test_one_who_leaves_the_line_is_not_granted() -> None:
    limits = a_group()
    limits.withdraw(wish(limits, "weight", 1, Rank.URGENT))
    assert limits.grant(0) == ()


def test_a_request_of_no_known_bucket_is_not_limited() -> None:
    limits = a_group()
    tickets = tuple(wish(limits, "", 1, Rank.PERIODIC) for _ in range(1000))
    assert limits.grant(0) == tickets


wishes = st.lists(
    st.tuples(st.integers(1, 50), st.sampled_from(list(Rank)), st.integers(0, 3 * SECOND_NS)),
    max_size=150,
)


def test_of_a_venue_that_reports_its_count_no_window_is_filled_twice() -> None:
    limits = a_group()
    many = [wish(limits, "weight", 10, Rank.URGENT) for _ in range(200)]
    sent: list[tuple[int, float]] = []
    now_ns = 0
    while len(sent) < len(many):
        sent += [(now_ns, weight_of(ticket)) for ticket in limits.grant(now_ns)]
        now_ns = max(now_ns + 1, limits.next_ns(now_ns))
    for begin_ns, _ in sent:
        window = [w for at, w in sent if begin_ns <= at < begin_ns + MINUTE.period_ns]
        assert sum(window) <= MINUTE.capacity
    assert sum(weight for at_ns, weight in sent if at_ns == 0) >= 0.9 * MINUTE.capacity
    assert sent[-1][0] <= 4 * MINUTE.period_ns, "2000 of 600 a minute"


def test_what_other_workers_use_is_not_taken_from_our_share_of_the_window() -> None:
    limits = a_group()
    limits.share(0.5)
    answered(limits, {"x-used": "285"})
    for _ in range(40):
        wish(limits, "weight", 10, Rank.URGENT)
    assert len(limits.grant(0)) == 28
    answered(limits, {"x-used": "570"})
    assert limits.grant(0) == ()


def test_the_last_of_a_window_is_left_to_the_keeping_of_streams() -> None:
    limits = a_group()
    for _ in range(100):
        wish(limits, "weight", 10, Rank.URGENT)
    assert len(limits.grant(0)) == 57
    stream = wish(limits, "weight", 10, Rank.STREAM)
    assert limits.grant(0) == (stream,)


@given(wishes)
def test_in_no_window_is_more_granted_than_a_full_bucket_and_its_refill(
    walk: list[tuple[int, Rank, int]],
) -> None:
    limits, granted, now_ns = a_group(), list[tuple[int, float]](), 0
    for weight, rank, pause_ns in walk:
        wish(limits, "weight", weight, rank)
        now_ns += pause_ns
        granted += [(now_ns, weight_of(ticket)) for ticket in limits.grant(now_ns)]
    while (due_ns := limits.next_ns(now_ns)) != NEVER_NS:
        now_ns = max(now_ns, due_ns)
        tickets = limits.grant(now_ns)
        assert tickets, "nothing was granted when something was due"
        granted += [(now_ns, weight_of(ticket)) for ticket in tickets]
    assert len(granted) == len(walk)
    for start, (from_ns, _) in enumerate(granted):
        spent = 0.0
        for at_ns, cost in granted[start:]:
            spent += cost
            assert spent <= 600 + 600 * (at_ns - from_ns) / (60 * SECOND_NS) + 1


@given(st.integers(2, 300), st.lists(st.integers(0, 400), max_size=300))
def test_no_window_of_a_venue_that_counts_in_windows_holds_more_than_its_limit(
    capacity: int, pauses_ms: list[int]
) -> None:
    limits = a_group(trades=Bucket(capacity, 2 * SECOND_NS, burst=max(1, capacity // 4)))
    granted: list[int] = []
    for _ in range(4 * capacity):
        wish(limits, "trades", 1, Rank.URGENT)
    now_ns = 0
    for pause_ms in pauses_ms:
        granted += [now_ns] * len(limits.grant(now_ns))
        now_ns += pause_ms * SECOND_NS // 1000
    for first in granted:
        assert sum(first <= at < first + 2 * SECOND_NS for at in granted) <= capacity


def test_a_window_is_nearly_used_up_over_time() -> None:
    limits = a_group(trades=Bucket(60, 2 * SECOND_NS, burst=15))
    for _ in range(2_000):
        wish(limits, "trades", 1, Rank.URGENT)
    granted = sum(len(limits.grant(tick * SECOND_NS // 50)) for tick in range(50 * 20))
    assert 20 * 30 * 0.65 < granted <= 20 * 30 * 0.95 + 60


ASKS = Bucket(10, SECOND_NS, Scope.ACCOUNT)
ORDERS = Bucket(5, SECOND_NS, Scope.MARKET)
ADDRESS = Bucket(40, SECOND_NS)


def several(limits: Limits, account: str, *costs: Cost, rank: Rank = Rank.URGENT) -> Ticket:
    return limits.wish(costs, account, rank)


def test_what_is_counted_by_account_or_market_is_kept_for_each_and_whole() -> None:
    limits = a_group(asks=ASKS, orders=ORDERS, address=ADDRESS)
    limits.share(0.5)
    for account in ("one", "two"):
        for _ in range(20):
            several(limits, account, Cost("asks"))
            several(limits, account, Cost("orders", market="SOL"))
            several(limits, account, Cost("orders", market="BTC"))
            several(limits, account, Cost("address"))
    gone = Counter(key for ticket in limits.grant(0) for key, _ in ticket.charges)
    assert gone == {
        ("asks", "one"): 10, ("asks", "two"): 10, ("address", ""): 20,
        ("orders", "one SOL"): 5, ("orders", "one BTC"): 5,
        ("orders", "two SOL"): 5, ("orders", "two BTC"): 5,
    }  # fmt: skip


def test_a_request_waits_until_all_its_buckets_have_what_it_costs_and_pays_all_then() -> None:
    limits = a_group(asks=ASKS, address=ADDRESS)
    several(limits, "one", Cost("address", 35))
    assert len(limits.grant(0)) == 1
    both = several(limits, "two", Cost("asks", 10), Cost("address", 10))
    assert limits.grant(0) == ()
    due_ns = limits.next_ns(0)
    assert due_ns == SECOND_NS // 8, "5 of 40 a second lacked"
    assert limits.grant(due_ns) == (both,)
    again = several(limits, "two", Cost("asks", 1))
    assert limits.grant(due_ns) == ()
    assert limits.grant(due_ns + SECOND_NS // 10) == (again,)


def test_who_waits_at_a_closed_bucket_holds_up_nobody_at_one_that_both_need() -> None:
    limits = a_group(asks=ASKS, address=ADDRESS)
    limits.throttled((Cost("asks"), Cost("address")), "one", Throttling(60 * SECOND_NS), 0)
    several(limits, "one", Cost("asks"), Cost("address"))
    others = tuple(several(limits, "two", Cost("asks"), Cost("address")) for _ in range(5))
    assert limits.grant(0) == others


def test_who_is_dear_is_not_overtaken_at_the_bucket_that_he_waits_for() -> None:
    limits = a_group(asks=ASKS, address=ADDRESS)
    several(limits, "one", Cost("address", 40))
    limits.grant(0)
    dear = several(limits, "one", Cost("asks", 1), Cost("address", 40))
    cheap = [several(limits, f"{n}", Cost("asks"), Cost("address")) for n in range(5)]
    elsewhere = several(limits, "one", Cost("asks"))
    assert limits.grant(SECOND_NS // 2) == (elsewhere,)
    assert limits.next_ns(SECOND_NS // 2) == SECOND_NS
    assert limits.grant(SECOND_NS) == (dear,)
    assert not set(cheap) & set(limits.grant(SECOND_NS))


def test_a_venue_may_say_which_of_the_buckets_is_closed() -> None:
    limits = a_group(asks=ASKS, address=ADDRESS)
    costs = (Cost("asks"), Cost("address"))
    limits.throttled(costs, "one", Throttling(9 * SECOND_NS, bucket="address"), 0)
    asks = several(limits, "one", Cost("asks"))
    several(limits, "two", *costs)
    assert limits.grant(0) == (asks,)
    assert limits.next_ns(0) == 9 * SECOND_NS


def test_a_burst_of_one_lets_requests_go_one_by_one() -> None:
    hourly = Bucket(900, 3600 * SECOND_NS, Scope.ACCOUNT, burst=1)
    limits, now_ns, sent = a_group(asks=hourly), 0, list[int]()
    for _ in range(10):
        several(limits, "one", Cost("asks"))
    while (now_ns := max(now_ns, limits.next_ns(now_ns))) != NEVER_NS:
        sent += [now_ns] * len(limits.grant(now_ns))
    assert all(later - before >= 4 * SECOND_NS for before, later in pairwise(sent))


def test_what_is_full_again_is_forgotten_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.limits.LEVELS_MAX", 10)
    limits = a_group(orders=ORDERS)
    for number in range(100):
        several(limits, "one", Cost("orders", market=f"market{number}"))
    limits.grant(0)
    waiting = [several(limits, "one", Cost("orders", 5, market="market7")) for _ in range(2)]
    assert limits.grant(0) == ()
    limits.grant(SECOND_NS // 5)
    assert len(limits._levels) == 1, "what was used up a moment ago is known still"
    assert waiting


many_costs = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.lists(
            st.builds(Cost, st.sampled_from(["asks", "orders", "address"]), st.integers(1, 12),
                      st.sampled_from(["SOL", "BTC"])),
            max_size=3, unique_by=lambda cost: cost.bucket,
        ),
        st.sampled_from(list(Rank)),
        st.integers(0, SECOND_NS // 2),
    ),
    max_size=60,
)  # fmt: skip


@given(many_costs)
def test_whatever_requests_cost_no_limit_of_any_is_exceeded_and_each_has_its_turn(
    walk: list[tuple[str, list[Cost], Rank, int]],
) -> None:
    buckets = {"asks": ASKS, "orders": ORDERS, "address": replace(ADDRESS, burst=10)}
    limits, now_ns = a_group(**buckets), 0
    gone: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    turns = 0
    for account, costs, rank, pause_ns in [*walk, *[("one", [], Rank.STREAM, 0)]]:
        limits.wish(tuple(costs), account, rank)
        now_ns += pause_ns
        turns += _note(limits.grant(now_ns), now_ns, gone)
    while (due_ns := limits.next_ns(now_ns)) != NEVER_NS:
        now_ns = max(now_ns, due_ns)
        granted = _note(limits.grant(now_ns), now_ns, gone)
        assert granted, "nothing was granted when something was due"
        turns += granted
    assert turns == len(walk) + 1
    for (bucket, _), spent in gone.items():
        for start, (from_ns, _) in enumerate(spent):
            total = 0.0
            for at_ns, weight in spent[start:]:
                total += weight
                refilled = buckets[bucket].capacity * (at_ns - from_ns) / SECOND_NS
                # One that is dearer than a full bucket waits for a full one, and goes.
                assert total <= buckets[bucket].capacity + refilled + 12 + 1


def _note(
    granted: tuple[Ticket, ...], now_ns: int, gone: dict[tuple[str, str], list[tuple[int, float]]]
) -> int:
    for ticket in granted:
        for key, weight in ticket.charges:
            gone[key].append((now_ns, weight))
    return len(granted)


def test_a_cancel_may_have_what_is_kept_from_questions_and_waits_for_streams_alone() -> None:
    limits = a_group(weight=Bucket(100, 60 * SECOND_NS, used_header="x-used"))
    for _ in range(100):
        wish(limits, "weight", 1, Rank.URGENT)
    assert 0 < len(limits.grant(0)) < 100
    assert limits.grant(0) == ()
    cancel, stream = wish(limits, "weight", 1, Rank.CANCEL), wish(limits, "weight", 1, Rank.STREAM)
    assert limits.grant(0) == (stream, cancel)
