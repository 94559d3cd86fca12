"""Named changes: each counts once, at its earliest time, whatever comes first and however often."""

from itertools import permutations
from typing import Any

from orderloom.event import OrderReport
from orderloom.words import Status
from processors.orders.order import Order
from processors.orders.record import Record
from processors.orders.tracks.changes import CHANGES_MAX
from processors.orders.tracks.trust import LIVE_AFTER_END
from tests.builders import ORDER_KEY, a_report, an_origin, some_orders, take
from tests.histories import evidence_of

S = 1_000_000_000


def a_change(name: str, at: int, quantity: str, **fields: Any) -> OrderReport:
    return a_report(
        is_amendment=True, quantity=quantity, change_id=name, ordinal=(at * S, 0), **fields
    )


def after_any(*events: OrderReport) -> Order:
    """The order, the same in evidence and content after each order of arrival."""
    every = []
    for arrival in permutations(events):
        orders = some_orders()
        take(orders, *arrival, *arrival[:1])
        order = orders.get(ORDER_KEY)
        assert order is not None
        every.append((order, order.content(), evidence_of(orders)))
    assert all(one[1:] == every[0][1:] for one in every)
    return every[0][0]


NEW = a_report(quantity="9", ordinal=(1 * S, 0))
FIRST, SECOND = a_change("a", 8, "8"), a_change("b", 20, "5")
AGAIN = a_change("a", 40, "8")


def test_a_change_told_again_later_is_no_later_change() -> None:
    assert str(after_any(NEW, FIRST, SECOND, AGAIN).quantity) == "5"


def test_what_else_is_said_later_than_all_changes_counts() -> None:
    assert str(after_any(NEW, FIRST, a_report(quantity="7", ordinal=(30 * S, 0))).quantity) == "7"
    assert str(after_any(NEW, SECOND, a_report(quantity="7", ordinal=(10 * S, 0))).quantity) == "5"


def test_a_change_told_again_after_the_end_raises_no_dispute() -> None:
    end = a_report(Status.CANCELED, quantity=None, ordinal=(30 * S, 0))
    assert not after_any(NEW, FIRST, AGAIN, end).is_disputed
    later = a_change("c", 40, "3")
    assert after_any(NEW, FIRST, end, later).derived.disputes == (LIVE_AFTER_END,)


def test_changes_of_which_only_the_copy_came_count_at_its_time() -> None:
    assert str(after_any(NEW, SECOND, AGAIN).quantity) == "8"


def test_they_are_kept_over_a_restart_and_joined_with_those_of_another_record() -> None:
    one, other = Record(), Record()
    one.take_report(FIRST, an_origin())
    other.take_report(SECOND, an_origin())
    for event in (NEW, AGAIN):
        other.take_report(event, an_origin())
    loaded = Record.load(one.dump())
    loaded.join(Record.load(other.dump()))
    mirrored = other.copy()
    mirrored.join(one)
    assert loaded.dump() == mirrored.dump()
    (link,) = loaded.links.values()
    assert link.terms["quantity"][1] == 5


def test_no_more_than_a_bound_is_kept_and_the_newest_terms_stay() -> None:
    orders = some_orders()
    take(orders, NEW)
    for number in range(3 * CHANGES_MAX):
        take(orders, a_change(f"n{number}", 10 + number, str(5 + number)))
    order = orders.get(ORDER_KEY)
    assert order is not None
    assert order.quantity == 4 + 3 * CHANGES_MAX
    (link,) = order.record.links.values()
    assert link.changes is not None
    assert len(link.changes.named) == CHANGES_MAX
    assert link.live_ordinal() == ((9 + 3 * CHANGES_MAX) * S, 0)
