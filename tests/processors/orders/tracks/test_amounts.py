"""How much is executed, of how much: units, claims, chains."""

from decimal import Decimal
from typing import Any

import pytest

from orderloom.quantities import Unit
from orderloom.words import Lifecycle, Side, Status
from processors.orders.order import Order
from tests.builders import a_bust, a_report, after, an_execution, some_orders, take


def test_executed_is_the_larger_of_executions_and_claim() -> None:
    assert after(a_report(filled_quantity="1"), an_execution()).executed == Decimal("1.5")
    assert after(a_report(filled_quantity="2"), an_execution()).executed == Decimal(2)


def test_an_order_never_closes_by_executions_in_another_unit_than_its_quantity() -> None:
    ordered = a_report(quantity="1", quantity_unit=Unit.CONTRACTS)
    order = after(ordered, an_execution(quantity_unit=Unit.BASE))
    assert (order.lifecycle, order.leaves()) == (Lifecycle.ACTIVE, None)


def test_an_order_sized_in_quote_units_never_closes_by_its_quantity() -> None:
    order = after(a_report(quantity="1", quantity_unit=Unit.QUOTE, filled_quantity="1"))
    assert (order.lifecycle, order.leaves()) == (Lifecycle.ACTIVE, None)


@pytest.mark.parametrize("quantity", [None, "0"])
def test_an_order_without_a_quantity_never_closes_by_it(quantity: str | None) -> None:
    order = after(a_report(quantity=quantity, filled_quantity="9"))
    assert (order.lifecycle, order.leaves()) == (Lifecycle.ACTIVE, None)


def test_an_average_needs_the_price_of_every_execution() -> None:
    bare = an_execution("2", "1", last_price=None)
    assert after(an_execution("1", "1"), bare).view()["average_price"] is None
    priced = an_execution("2", "1", last_price="152")
    assert after(an_execution("1", "1"), bare, priced).view()["average_price"] == "151"


def test_an_average_that_is_no_finite_decimal_has_28_digits() -> None:
    order = after(an_execution("1", "1", last_price="1"), an_execution("2", "2", last_price="2"))
    assert order.view()["average_price"] == "1.666666666666666666666666667"


def test_a_busted_execution_leaves_no_average_and_no_fee() -> None:
    view = after(an_execution(), a_bust()).view()
    assert (view["average_price"], view["fees"], view["filled_quantity"]) == (None, {}, "0")


def test_late_fills_on_an_earlier_link_move_quantity_and_executed_alike() -> None:
    chain = (
        a_report(venue_order_id="1", filled_quantity="1"),
        a_report(venue_order_id="2", replaces="1", quantity="3"),
    )
    late = an_execution("late", "1.5", venue_order_id="1", side=Side.BUY)
    assert after_chain(*chain).leaves() == after_chain(*chain, late).leaves() == Decimal(3)


def after_chain(*events: Any) -> Order:
    orders = some_orders()
    take(orders, *events)
    (order,) = orders.all()
    return order


def test_a_filled_word_closes_whatever_the_amounts_say() -> None:
    assert after(a_report(Status.FILLED, quantity=None)).lifecycle is Lifecycle.FILLED
