"""The trust track beyond its disputes, which the induction compares with an oracle."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from orderloom.event import OrderReport
from orderloom.words import FillKind, Lifecycle, Reason, Source, Status, Trust
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.orders.tracks.amounts import Amounts
from processors.orders.tracks.trust import provisional
from tests.builders import (
    ORDER_KEY,
    a_bust,
    a_report,
    after,
    an_execution,
    some_orders,
    take,
    the_order,
)


def amounts(executed: int, missing: int) -> Amounts:
    real = Decimal(executed - missing)
    return Amounts(Decimal(9), real, Decimal(executed), Decimal(missing), is_full=False)


@pytest.mark.parametrize(
    ("graced", "executed", "missing", "expected"),
    [(0, 3, 2, 0), (3, 3, 2, 2), (2, 3, 2, 1), (3, 5, 1, 0), (5, 3, 0, 0)],
)
def test_only_what_had_its_time_of_grace_is_provisional(
    graced: int, executed: int, missing: int, expected: int
) -> None:
    assert provisional(Decimal(graced), amounts(executed, missing)) == expected


@pytest.mark.parametrize(
    ("sources", "trust"),
    [
        ([Source.STREAM], Trust.OBSERVED),
        ([Source.STREAM, Source.STREAM], Trust.OBSERVED),
        ([Source.STREAM, Source.QUERY], Trust.CORROBORATED),
        ([Source.REPLY, Source.STREAM], Trust.CORROBORATED),
    ],
)
def test_an_end_is_corroborated_by_two_ways_that_say_it(
    sources: list[Source], trust: Trust
) -> None:
    orders = some_orders()
    for source in sources:
        take(orders, a_report(Status.CANCELED), source=source)
    assert the_order(orders).trust is trust


@pytest.mark.parametrize("change", [a_bust(), an_execution(kind=FillKind.CORRECTION, fee="1")])
def test_a_bust_or_correction_after_settling_makes_the_order_corrected(change: object) -> None:
    orders = settled()
    take(orders, change)
    assert the_order(orders).trust is Trust.CORRECTED


def settled() -> Orders:
    orders = some_orders()
    take(orders, a_report(Status.CANCELED, filled_quantity="1.5"), an_execution())
    orders.settle(ORDER_KEY)
    assert the_order(orders).trust is Trust.SETTLED
    return orders


def test_an_order_with_a_gap_is_not_settled() -> None:
    orders = some_orders()
    take(orders, a_report(Status.CANCELED, filled_quantity="1.5"))
    orders.settle(ORDER_KEY)
    assert the_order(orders).trust is Trust.OBSERVED
    take(orders, an_execution())
    assert the_order(orders).trust is Trust.SETTLED


def test_disputes_are_named_in_order_and_once() -> None:
    order = after(
        a_report(Status.EXPIRED, quantity="1"),
        a_report(Status.REJECTED, quantity="1"),
        an_execution(),
    )
    assert order.view()["disputes"] == ["overfilled", "rejected-with-fills", "terminals-differ"]
    assert order.view()["disputed"] is True


ENDS = ("CANCELED", "EXPIRED", "FILLED", "REJECTED")


def ended(**fields: Any) -> OrderReport:
    return a_report(None, is_ended=True, **fields)


def folded_in_every_order(*events: Any) -> Order:
    """The order, after asserting that each order of arrival gives the same."""
    folded = []
    for arrival in permutations(events):
        orders = some_orders()
        take(orders, *arrival)
        folded.append(the_order(orders))
    assert len({order.content() for order in folded}) == 1
    return folded[0]


def test_an_end_of_which_is_not_said_how_closes_the_order_and_gives_no_reason() -> None:
    order = folded_in_every_order(a_report(), ended(filled_quantity=2), an_execution())
    assert (order.lifecycle, order.derived.reason) == (Lifecycle.CANCELED, None)
    assert (order.executed, order.leaves(), order.is_disputed) == (Decimal(2), Decimal(0), False)


@pytest.mark.parametrize("end", ENDS)
def test_the_orders_own_word_stands_above_it_and_is_no_contradiction(end: str) -> None:
    own = a_report(Status(end), reason=Reason.EXPIRY)
    order = folded_in_every_order(a_report(), ended(), own)
    assert (order.lifecycle, order.derived.reason) == (Lifecycle(end), Reason.EXPIRY)
    assert not order.is_disputed


def test_executions_that_reach_the_quantity_fill_an_order_that_ended_nobody_said_how() -> None:
    order = folded_in_every_order(ended(), an_execution(quantity=4))
    assert (order.lifecycle, order.is_disputed) == (Lifecycle.FILLED, False)


def test_an_order_reported_as_expired_and_as_refused_shows_why_it_was_refused() -> None:
    expired = a_report(Status.EXPIRED, reason=Reason.REPLACED)
    refused = a_report(Status.REJECTED, reason=Reason.LIFECYCLE_REJECT)
    order = folded_in_every_order(a_report(), expired, refused)
    assert (order.lifecycle, order.derived.reason) == (Lifecycle.EXPIRED, Reason.LIFECYCLE_REJECT)
