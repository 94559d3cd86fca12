"""Orders: executions, what the venue claims in sum, gaps, busts, average prices."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from orderloom.words import (
    Completeness,
    FillKind,
    Lifecycle,
    PositionSide,
    Source,
    Status,
    Trust,
)
from processors.orders.effects import Effect, FillRecorded, GapClosed, GapOpened, OrderChanged
from processors.orders.fill_document import fill_document
from processors.orders.stored_order import dumped, loaded
from tests.builders import (
    ORDER_KEY,
    a_bust,
    a_report,
    after,
    an_execution,
    an_origin,
    everywhere,
    some_orders,
    take,
    the_order,
)
from venues.venue import SECOND_NS


def recorded(effects: Iterable[Effect]) -> list[FillKind]:
    return [effect.kind for effect in effects if isinstance(effect, FillRecorded)]


def test_a_claim_above_the_executions_is_a_gap_until_they_come() -> None:
    orders = some_orders()
    effects = take(orders, a_report(Status.PARTIALLY_FILLED, filled_quantity="1.5"))
    assert GapOpened(the_order(orders)) in effects
    assert the_order(orders).derived.completeness is Completeness.GAP
    assert GapClosed(the_order(orders)) in take(orders, an_execution())
    assert the_order(orders).derived.completeness is Completeness.COMPLETE


def test_filled_without_an_amount_claims_all_that_its_executions_do_not_explain() -> None:
    filled = a_report(Status.FILLED, quantity=None)
    for events in permutations((a_report(), filled, an_execution())):
        order = after(*events)
        assert (order.executed, order.missing_quantity) == (Decimal(4), Decimal("2.5"))
        assert order.derived.completeness is Completeness.GAP
        again = loaded(dumped(order), everywhere(order.profile))
        assert again.content() == order.content()
        orders = some_orders()
        take(orders, *events)
        (closed,) = (
            one for one in take(orders, an_execution("2", "2.5")) if type(one) is GapClosed
        )
        assert (closed.order.executed, closed.order.missing_quantity) == (Decimal(4), Decimal(0))
    lowered = after(filled, an_execution(quantity=3), a_report(ordinal=(9, 0), quantity=3))
    assert (lowered.executed, lowered.is_disputed) == (Decimal(3), False)


def test_what_is_missing_counts_as_provisional_only_after_its_time_of_grace() -> None:
    orders = some_orders()
    take(orders, a_report(filled_quantity="1.5"))
    assert the_order(orders).provisional_quantity == 0
    effects = orders.grace_over(ORDER_KEY)
    assert OrderChanged(the_order(orders)) in effects
    assert the_order(orders).view()["provisional_quantity"] == "1.5"
    assert orders.grace_over(ORDER_KEY) == []


def test_a_later_gap_has_a_grace_time_of_its_own() -> None:
    orders = some_orders()
    take(orders, a_report(filled_quantity="1.5"))
    orders.grace_over(ORDER_KEY)
    take(orders, a_report(filled_quantity="2"))
    assert the_order(orders).provisional_quantity == Decimal("1.5")


def test_provisional_quantity_is_taken_back_as_executions_come() -> None:
    orders = some_orders()
    take(orders, a_report(filled_quantity="2"))
    orders.grace_over(ORDER_KEY)
    take(orders, an_execution("1", "1.5"))
    assert the_order(orders).provisional_quantity == Decimal("0.5")
    take(orders, an_execution("2", "0.5"))
    assert the_order(orders).provisional_quantity == 0


def test_an_execution_is_real_once_then_corrected() -> None:
    orders = some_orders()
    lite = an_execution(fee=None, fee_currency=None, venue_ns=1)
    assert recorded(take(orders, lite)) == [FillKind.REAL]
    assert recorded(take(orders, an_execution(venue_ns=1))) == [FillKind.CORRECTION]
    assert recorded(take(orders, lite)) == []


def test_an_execution_is_corrected_once_its_order_says_what_it_is_shown_with() -> None:
    orders = some_orders()
    take(orders, an_execution("1", side=None))
    assert recorded(take(orders, a_report(client_order_id=None))) == [FillKind.CORRECTION]
    take(orders, an_execution("2"))
    effects = take(orders, a_report())
    fills = [one for one in effects if isinstance(one, FillRecorded)]
    assert [(one.kind, one.fill.exec_id) for one in fills] == [
        (FillKind.CORRECTION, "1"),
        (FillKind.CORRECTION, "2"),
    ]
    assert recorded(take(orders, a_report(Status.PARTIALLY_FILLED))) == []


def test_executions_of_the_message_that_names_their_order_are_published_once() -> None:
    orders = some_orders()
    take(orders, an_execution("1"))
    effects = orders.apply(a_report(), an_origin(), (an_execution("2"),))
    found = {one.fill.exec_id: one.kind for one in effects if isinstance(one, FillRecorded)}
    assert found == {"1": FillKind.CORRECTION, "2": FillKind.REAL}
    assert len(recorded(effects)) == 2


def test_an_execution_that_is_known_is_corrected_by_the_message_that_names_its_order() -> None:
    orders = some_orders()
    take(orders, an_execution("1"))
    effects = orders.apply(a_report(), an_origin(), (an_execution("1"),))
    assert recorded(effects) == [FillKind.CORRECTION]


def shown_after(events: Iterable[Any]) -> dict[str, tuple[Any, Any]]:
    """With which client order id and leg each execution was published last."""
    orders, shown = some_orders(), dict[str, tuple[Any, Any]]()
    for event in events:
        for effect in take(orders, event):
            if isinstance(effect, FillRecorded):
                fill = fill_document(effect.order, effect, an_origin())
                shown[fill["exec_id"]] = (fill["client_order_id"], fill["position_side"])
    return shown


def test_one_execution_says_of_the_order_what_the_others_are_shown_with() -> None:
    leg = an_execution("1", position_side=PositionSide.LONG)
    named = an_execution("2", client_order_id="mine")
    for events in permutations((leg, named, an_execution("3"))):
        assert shown_after(events) == dict.fromkeys("123", ("mine", PositionSide.LONG))


def test_an_execution_bears_the_name_that_the_owner_gave_its_order() -> None:
    """Also where the order was amended, or became another one at its trigger."""
    owned = a_report(Status.WAITING_TRIGGER, venue_order_id="1", client_order_id="mine")
    became = a_report(venue_order_id="2", client_order_id="made", alias_ids=("1",), ordinal=(5, 0))
    fills = [an_execution("1", venue_order_id="2"), an_execution("2", venue_order_id="2")]
    for events in permutations((owned, became, *fills)):
        assert shown_after(events) == dict.fromkeys("12", ("mine", None))


def test_an_execution_is_corrected_where_its_order_is_joined_with_one_of_another_size() -> None:
    orders = some_orders()
    for name, size in (("1", 10), ("2", 5)):
        take(orders, an_execution(name, venue_order_id=name))
        order = orders.find("spot", "SOLUSDT", name)
        assert order is not None
        orders.pin(order, Decimal(size))
    effects = take(orders, a_report(venue_order_id="2", replaces="1", client_order_id=None))
    sizes = {
        one.fill.exec_id: one.order.contract_size
        for one in effects
        if isinstance(one, FillRecorded)
    }
    assert sizes == {"1": Decimal(5), "2": Decimal(5)}


def test_a_bust_takes_the_execution_back_and_the_order_is_corrected() -> None:
    orders = some_orders()
    take(orders, a_report(quantity="1.5"), an_execution())
    assert the_order(orders).lifecycle is Lifecycle.FILLED
    assert recorded(take(orders, a_bust())) == [FillKind.BUST]
    order = the_order(orders)
    assert (order.lifecycle, order.trust) == (Lifecycle.ACTIVE, Trust.CORRECTED)
    assert order.net() == 0


def test_what_a_venue_claimed_before_a_bust_is_not_missing_afterwards() -> None:
    order = after(a_report(filled_quantity="1.5"), an_execution(), a_bust())
    assert order.missing_quantity == 0


def test_an_execution_without_identity_is_only_a_claim_of_its_quantity() -> None:
    order = after(a_report(), an_execution(None, "1.5"))
    assert (order.executed, order.fills(), order.missing_quantity) == (
        Decimal("1.5"),
        [],
        Decimal("1.5"),
    )


def test_more_executed_than_ordered_is_a_dispute() -> None:
    order = after(a_report(quantity="1"), an_execution())
    assert order.derived.disputes == ("overfilled",)
    assert order.derived.completeness is Completeness.EXCESS


def test_sources_that_differ_on_an_execution_are_a_dispute() -> None:
    assert after(an_execution(), an_execution(fee="9")).derived.disputes == ("fills-differ",)


def test_a_late_question_below_the_executions_is_a_dispute() -> None:
    orders = some_orders()
    take(orders, a_report(), an_execution(venue_ns=SECOND_NS))
    row = a_report(filled_quantity="1")
    orders.apply(row, an_origin(Source.QUERY, asked_ns=2 * SECOND_NS))
    assert not the_order(orders).is_disputed  # within the visibility lag
    orders.apply(row, an_origin(Source.QUERY, asked_ns=9 * SECOND_NS))
    assert the_order(orders).derived.disputes == ("query-below-fills",)
    whole = a_report(filled_quantity="1.5")
    orders.apply(whole, an_origin(Source.QUERY, asked_ns=10 * SECOND_NS))
    assert not the_order(orders).is_disputed


def test_an_order_sized_in_quote_closes_by_the_venues_word() -> None:
    sized: dict[str, Any] = {"quantity": None, "quote_quantity": "600", "price": None}
    order = after(a_report(**sized), an_execution("1", "3.9"))
    assert (order.lifecycle, order.leaves()) == (Lifecycle.ACTIVE, None)
    assert after(a_report(Status.FILLED, **sized)).lifecycle is Lifecycle.FILLED


def test_an_order_sized_in_quote_closes_by_its_quote_amount() -> None:
    sized: dict[str, Any] = {"quantity": None, "quote_quantity": "600", "filled_quantity": "4"}
    assert after(a_report(filled_quote="600", **sized)).lifecycle is Lifecycle.FILLED


def test_the_average_price_comes_from_executions_where_they_are_complete() -> None:
    order = after(
        a_report(filled_quantity="4", average_price="999"),
        an_execution("1", "1", last_price="100"),
        an_execution("2", "3", last_price="104"),
    )
    assert order.view()["average_price"] == "103"


@pytest.mark.parametrize(
    "claim", [{"average_price": "149.5"}, {"filled_quote": "299"}], ids=["average", "quote"]
)
def test_else_the_average_price_is_what_the_venue_claims(claim: dict[str, Any]) -> None:
    assert after(a_report(filled_quantity="2", **claim)).view()["average_price"] == "149.5"


def test_a_gap_is_published_when_it_opens_and_not_at_every_report() -> None:
    orders = some_orders()
    effects = take(orders, a_report(filled_quantity="1"), a_report(filled_quantity="2"))
    assert sum(isinstance(effect, GapOpened) for effect in effects) == 1


def test_what_self_trade_prevention_took_is_not_open_any_more() -> None:
    live = a_report(quantity="4", filled_quantity="0", prevented_quantity=Decimal("1.5"))
    older = a_report(quantity="4", filled_quantity="0", prevented_quantity=Decimal(1))
    for events in ((older, live), (live, older), (live, older, live)):
        order = after(*events)
        assert order.leaves() == Decimal("2.5")
        assert loaded(dumped(order), everywhere(order.profile)).own.dump() == order.own.dump()
    order = after(live, an_execution(quantity="2"))
    assert (order.leaves(), order.is_closed, order.is_disputed) == (Decimal("0.5"), False, False)


def test_an_execution_that_is_taken_back_under_one_name_is_corrected_under_another() -> None:
    leg = a_report(
        venue_order_id="103", client_order_id="c", position_side=PositionSide.SHORT,
        ordinal=(9, 0), venue_ns=9,
    )  # fmt: skip
    events = (
        an_execution("e1", venue_order_id="102", client_order_id="c"),
        leg,
        an_execution("e1", venue_order_id=None, client_order_id="c"),
        replace(leg, replaces="102"),
    )
    shown: dict[str, str | None] = {}
    orders = some_orders()
    for event in events:
        for effect in take(orders, event):
            if isinstance(effect, FillRecorded):
                document = fill_document(effect.order, effect, an_origin())
                shown[document["execution_key"]] = document["position_side"]
    assert shown["spot/SOLUSDT/e1/102"] == "SHORT"
