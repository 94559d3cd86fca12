"""Named changes: each counts once, at its earliest time, whatever comes first and however often."""

from itertools import permutations
from typing import Any

from orderloom.event import Execution, OrderReport
from orderloom.words import Lifecycle, Source, Status
from processors.orders.order import Order
from processors.orders.record import Record
from processors.orders.tracks.changes import CHANGES_MAX
from processors.orders.tracks.trust import LIVE_AFTER_END
from tests.builders import ORDER_KEY, a_report, an_execution, an_origin, some_orders, take
from tests.histories import evidence_of

S = 1_000_000_000


def a_change(name: str, at: int, quantity: str, **fields: Any) -> OrderReport:
    return a_report(
        is_amendment=True, quantity=quantity, change_id=name, ordinal=(at * S, 0), **fields
    )


def after_any(*events: OrderReport | Execution, answered: tuple[OrderReport, ...] = ()) -> Order:
    """The order, the same in evidence and content after each order of arrival.

    `answered` are answers to questions that were asked at 60 s.
    """
    every = []
    origin = an_origin(Source.QUERY, asked_ns=60 * S)
    pieces = [(one, an_origin()) for one in events] + [(one, origin) for one in answered]
    for arrival in permutations(pieces):
        orders = some_orders()
        for event, told in (*arrival, *arrival[:1]):
            orders.apply(event, told)
        (order,) = orders.all()
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


LIVE = a_report(Status.PARTIALLY_FILLED, quantity="5", filled_quantity="4", ordinal=(21 * S, 0))


def test_an_answer_outranks_a_change_of_which_only_the_copy_came() -> None:
    fill = an_execution("f", "4", venue_ns=21 * S)
    assert after_any(NEW, SECOND, a_change("a", 40, "4"), fill).lifecycle is Lifecycle.FILLED
    order = after_any(NEW, SECOND, a_change("a", 40, "4"), fill, answered=(LIVE,))
    assert (order.lifecycle, str(order.quantity)) == (Lifecycle.ACTIVE, "5")
    assert not order.is_disputed


def test_an_answer_that_says_the_end_explains_a_copy_after_it() -> None:
    end = a_report(Status.CANCELED, quantity="5", filled_quantity="0", ordinal=(30 * S, 0))
    copy = a_change("a", 40, "8")
    assert after_any(NEW, SECOND, copy, end).derived.disputes == (LIVE_AFTER_END,)
    order = after_any(NEW, SECOND, copy, answered=(end,))
    assert (order.lifecycle, order.is_disputed) == (Lifecycle.CANCELED, False)


def test_a_change_that_an_answer_may_not_show_yet_counts() -> None:
    assert str(after_any(NEW, a_change("c", 59, "6"), answered=(LIVE,)).quantity) == "6"
    assert str(after_any(NEW, a_change("c", 57, "6"), answered=(LIVE,)).quantity) == "5"


def test_what_a_conditional_order_says_of_its_child_is_no_answer_about_its_terms() -> None:
    told = a_report(quantity="9", alias_ids=("algo",), ordinal=(1 * S, 0))
    assert str(after_any(NEW, SECOND, answered=(told,)).quantity) == "5"


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
