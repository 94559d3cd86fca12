"""Of which orders a row is known again: each thing that would make it unsafe, by itself."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from orderloom.event import OrderReport
from orderloom.words import Reason, Source, Status
from processors.orders.lists import is_plain
from processors.orders.orders import Orders
from tests.builders import a_report, an_execution, an_origin, some_orders, take, the_order
from tests.histories import SECOND_NS
from venues.venue import Profile

LAG_NS = Profile().visibility_lag_ns
ASKED_NS = 1_000 * SECOND_NS
MADE = (5 * SECOND_NS, 0)
FILLED = a_report(filled_quantity="1.5", ordinal=MADE)
ROW = a_report(filled_quantity="0", ordinal=MADE)


def listed(row: OrderReport, *before: object, is_known: bool = True) -> Orders:
    """An order that a list showed with this row, after this evidence."""
    orders = some_orders()
    take(orders, *before)
    origin = an_origin(Source.QUERY, asked_ns=ASKED_NS)
    orders.apply(row, origin)
    if is_known:
        the_order(orders).pin(Decimal(1), [])
        orders.spoke(the_order(orders), origin, 1)
    return orders


def is_kept(orders: Orders, row: OrderReport) -> bool:
    return is_plain(the_order(orders), row, ASKED_NS)


@pytest.mark.parametrize("row", [ROW, FILLED], ids=["resting", "partly filled"])
def test_a_plain_row_is_known_again(row: OrderReport) -> None:
    executions = [an_execution()] if row is FILLED else []
    assert is_kept(listed(row, *executions), row)


def and_then(*events: object, row: OrderReport = ROW) -> tuple[Orders, OrderReport]:
    """What was said after the list."""
    orders = listed(row, *([an_execution()] if row is FILLED else []))
    take(orders, *events)
    return orders, row


def absent() -> tuple[Orders, OrderReport]:
    orders = listed(ROW)
    the_order(orders).take_absence(ASKED_NS - 1, [], has_all_trades=True)
    return orders, ROW


def asked_again() -> tuple[Orders, OrderReport]:
    orders = listed(ROW)
    orders.apply(ROW, an_origin(Source.QUERY, asked_ns=ASKED_NS + 1))
    return orders, ROW


def shown_as(row: OrderReport) -> tuple[Orders, OrderReport]:
    return listed(row), row


def unmeasured() -> tuple[Orders, OrderReport]:
    orders = listed(ROW, is_known=False)
    orders.spoke(the_order(orders), an_origin(), 1)
    return orders, ROW


def never_spoken_of() -> tuple[Orders, OrderReport]:
    orders = listed(ROW, is_known=False)
    the_order(orders).pin(Decimal(1), [])
    return orders, ROW


def of_a_chain() -> tuple[Orders, OrderReport]:
    """Its former id is known by name alone."""
    row = a_report(venue_order_id="9", filled_quantity="0", ordinal=MADE)
    return listed(row, a_report(venue_order_id="9", replaces="7700123", ordinal=MADE)), row


UNSAFE: dict[str, Callable[[], tuple[Orders, OrderReport]]] = {
    "it ended": lambda: and_then(a_report(Status.CANCELED, ordinal=(6 * SECOND_NS, 0))),
    "it was proven absent": absent,
    "a dispute stands": lambda: and_then(an_execution(last_price="151"), row=FILLED),
    "an execution lacks": lambda: shown_as(FILLED),
    "it is below the executions": lambda: and_then(an_execution()),
    "a change was named": lambda: and_then(a_report(change_id="c", price="151", ordinal=MADE)),
    "something without an id is about it": lambda: and_then(
        a_report(venue_order_id=None), an_execution(venue_order_id=None, client_order_id="x")
    ),
    "it was replaced": lambda: and_then(a_report(venue_order_id="9", replaces="7700123")),
    "it replaced another": of_a_chain,
    "another question was answered since": asked_again,
    "the row is young": lambda: shown_as(
        a_report(filled_quantity="0", ordinal=(ASKED_NS - LAG_NS, 0))
    ),
    "it has no cumulative": lambda: shown_as(a_report(ordinal=MADE)),
    "it is an amendment": lambda: shown_as(
        a_report(filled_quantity="0", ordinal=MADE, is_amendment=True)
    ),
    "it gives a reason": lambda: shown_as(
        a_report(filled_quantity="0", ordinal=MADE, reason=Reason.USER_CANCEL)
    ),
    "it names another name of it": lambda: shown_as(
        a_report(filled_quantity="0", ordinal=MADE, client_alias_ids=("former",))
    ),
    "its status is unknown": lambda: shown_as(a_report(None, filled_quantity="0", ordinal=MADE)),
    "its contract's size is not known": unmeasured,
    "it was never spoken of": never_spoken_of,
}


@pytest.mark.parametrize("case", UNSAFE)
def test_a_row_is_joined_each_time_where(case: str) -> None:
    orders, row = UNSAFE[case]()
    assert not is_kept(orders, row)
