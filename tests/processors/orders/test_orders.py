"""Orders: evidence in, one record per order out. Lifecycle and terms."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson
import pytest

from orderloom.event import Reply
from orderloom.words import Lifecycle, Reason, Side, Source, Status, Trust
from processors.orders.effects import DisputeRaised, Effect, OrderChanged, UnknownStatus
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.orders.stored_order import UnknownOrderFormat, dumped
from tests.builders import (
    ACCOUNT,
    ORDER_ID,
    ORDER_KEY,
    PLACE,
    a_bust,
    a_report,
    after,
    an_execution,
    an_origin,
    some_orders,
    take,
    the_order,
)
from venues.venue import SECOND_NS, Profile


def kinds(effects: Iterable[Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def test_a_report_of_an_unknown_order_makes_an_adopted_one() -> None:
    view = after(a_report()).view()
    assert (view["key"], view["adopted"], view["status"]) == (ORDER_KEY, True, "ACTIVE")
    assert (view["side"], view["price"], view["quantity"]) == ("BUY", "150", "4")


def test_an_execution_of_an_unknown_order_makes_an_active_one() -> None:
    order = after(an_execution())
    assert order.lifecycle is Lifecycle.ACTIVE
    assert order.view()["status"] == Status.PARTIALLY_FILLED
    assert order.side is Side.BUY


def test_a_repetition_changes_nothing_and_publishes_nothing() -> None:
    orders = some_orders()
    events = (a_report(filled_quantity="1.5"), an_execution())
    take(orders, *events)
    before, _ = orjson.dumps(dumped(the_order(orders))), orders.take_dirty()
    assert take(orders, *events) == []
    assert orjson.dumps(dumped(the_order(orders))) == before
    assert orders.take_dirty() == []


def test_the_version_rises_only_with_what_consumers_see() -> None:
    orders = some_orders()
    seen: tuple[int, str] = (0, "")
    events = [
        a_report(venue_ns=1, ordinal=(1, 0)),
        a_report(venue_ns=1, ordinal=(1, 5)),
        a_report(filled_quantity="1.5", venue_ns=1),
        an_execution(venue_ns=1),
        an_execution(venue_ns=1, fee=None, fee_currency=None),
        a_report(Status.FILLED, filled_quantity="4", venue_ns=2),
        a_report(Status.CANCELED, venue_ns=2),
    ]
    for event in events:
        take(orders, event)
        order = the_order(orders)
        view = order.view()
        shown = str({name: value for name, value in view.items() if name != "version"})
        assert (order.version > seen[0]) == (shown + str(order.fills()) != seen[1]), event
        seen = (order.version, shown + str(order.fills()))


def test_terms_follow_the_venues_ordinal_and_not_arrival() -> None:
    newer = a_report(price="151", ordinal=(2, 0))
    older = a_report(price="150", ordinal=(1, 0))
    assert after(newer, older).view()["price"] == after(older, newer).view()["price"] == "151"


def test_evidence_without_ordinal_sorts_lowest() -> None:
    stamped, bare = a_report(price="150", ordinal=(1, 0)), a_report(price="151")
    assert after(stamped, bare).view()["price"] == "150"


def test_an_older_cumulative_quantity_lowers_nothing() -> None:
    order = after(a_report(filled_quantity="3"), a_report(filled_quantity="1"))
    assert order.executed == Decimal(3)


def test_an_amendment_replaces_quantity_and_price() -> None:
    amended = a_report(is_amendment=True, quantity="3", price="149", ordinal=(5, 0))
    order = after(amended, a_report(ordinal=(1, 0)))
    assert (order.quantity, order.view()["price"], order.leaves()) == (
        Decimal(3),
        "149",
        Decimal(3),
    )


def test_reaching_the_quantity_fills_the_order_without_a_word_of_the_venue() -> None:
    order = after(a_report(), an_execution("1", "1.5"), an_execution("2", "2.5"))
    assert order.lifecycle is Lifecycle.FILLED
    assert order.is_closed
    assert order.leaves() == 0


def test_a_late_fill_counts_but_does_not_reopen_a_canceled_order() -> None:
    order = after(a_report(Status.CANCELED), an_execution())
    assert order.lifecycle is Lifecycle.CANCELED
    assert order.net() == Decimal("1.5")


def test_a_late_fill_that_completes_a_canceled_order_fills_it_and_is_a_dispute() -> None:
    order = after(a_report(Status.CANCELED), an_execution("1", "1.5"), an_execution("2", "2.5"))
    assert order.lifecycle is Lifecycle.FILLED
    assert order.derived.disputes == ("terminals-differ",)
    assert order.leaves() == 0


def test_two_terminal_words_are_a_dispute_unless_the_profile_calls_them_normal() -> None:
    words = (a_report(Status.EXPIRED), a_report(Status.CANCELED))
    assert after(*words).derived.disputes == ("terminals-differ",)
    normal = Profile(normal_pairs=frozenset({frozenset({"EXPIRED", "CANCELED"})}))
    assert not after(*words, profile=normal).is_disputed


def test_a_live_report_of_a_later_time_disputes_the_end() -> None:
    end = a_report(Status.CANCELED, ordinal=(2 * SECOND_NS, 0))
    live = a_report(ordinal=(3 * SECOND_NS, 0))
    assert after(end, live).derived.disputes == ("live-after-end",)
    assert after(live, end).derived.disputes == ("live-after-end",)


def test_a_live_report_of_the_same_millisecond_disputes_nothing() -> None:
    end = a_report(Status.CANCELED, ordinal=(2 * SECOND_NS, 0))
    assert not after(end, a_report(ordinal=(2 * SECOND_NS + 999, 7))).is_disputed


def test_a_dispute_is_raised_once() -> None:
    orders = some_orders()
    take(orders, a_report(Status.EXPIRED))
    effects = take(orders, a_report(Status.CANCELED), a_report(Status.CANCELED, price="1"))
    raised = [effect.code for effect in effects if isinstance(effect, DisputeRaised)]
    assert raised == ["terminals-differ"]


def test_the_reason_is_that_of_the_word_that_counts() -> None:
    order = after(
        a_report(Status.EXPIRED, reason=Reason.EXPIRY, ordinal=(9, 0)),
        a_report(Status.CANCELED, reason=Reason.USER_CANCEL, ordinal=(1, 0)),
    )
    assert order.derived.reason is Reason.USER_CANCEL


def test_a_liquidation_refines_every_other_reason() -> None:
    forced = an_execution(reason=Reason.LIQUIDATION)
    closed = a_report(Status.CANCELED, reason=Reason.USER_CANCEL, ordinal=(9, 0))
    assert after(closed, forced).derived.reason is Reason.LIQUIDATION


def test_two_ways_that_agree_corroborate() -> None:
    orders = some_orders()
    take(orders, a_report())
    assert the_order(orders).trust is Trust.OBSERVED
    take(orders, a_report(Status.PARTIALLY_FILLED), source=Source.QUERY)
    assert the_order(orders).trust is Trust.CORROBORATED
    take(orders, a_report(Status.CANCELED))
    assert the_order(orders).trust is Trust.OBSERVED


def test_an_order_is_settled_only_when_closed_complete_and_undisputed() -> None:
    orders = some_orders()
    take(orders, a_report(Status.CANCELED))
    assert OrderChanged(the_order(orders)) in orders.settle(ORDER_KEY)
    assert the_order(orders).trust is Trust.SETTLED
    take(orders, a_report(Status.EXPIRED))
    assert the_order(orders).trust is Trust.OBSERVED


def test_proof_of_absence_closes_an_order_under_dispute_until_its_trades_are_known() -> None:
    orders = some_orders()
    take(orders, a_report(venue_ns=1))
    orders.absent(ORDER_KEY, 10)
    order = the_order(orders)
    assert (order.lifecycle, order.derived.reason) == (Lifecycle.CANCELED, Reason.VENUE_DROPPED)
    assert order.derived.disputes == ("absence-unproven",)
    assert order.leaves() == Decimal(4)  # its end is not proven
    orders.absent(ORDER_KEY, 11, has_all_trades=True)
    order = the_order(orders)
    assert (order.derived.disputes, order.leaves()) == ((), Decimal(0))


def test_a_question_shows_how_things_were_when_it_was_asked() -> None:
    orders = some_orders()
    take(orders, a_report())
    orders.absent(ORDER_KEY, 10)
    orders.apply(a_report(), an_origin(Source.QUERY, asked_ns=9))
    assert the_order(orders).lifecycle is Lifecycle.CANCELED
    orders.apply(a_report(), an_origin(Source.QUERY, asked_ns=11))
    assert the_order(orders).lifecycle is Lifecycle.ACTIVE
    assert the_order(orders).derived.disputes == ("absence-voided",)


def test_absence_of_an_unknown_order_is_nothing() -> None:
    assert some_orders().absent(ORDER_KEY, 1) == []


@pytest.mark.parametrize("accepted", [True, False])
def test_a_reply_makes_no_order_and_changes_none(accepted: bool) -> None:
    orders = some_orders()
    reply = Reply(accepted=accepted, client_order_id="osp-000017", venue_order_id="1", **PLACE)
    assert take(orders, reply) == []
    assert list(orders.all()) == []


def test_a_status_that_could_not_be_read_asks_about_the_order() -> None:
    orders = some_orders()
    assert UnknownStatus(the_order_after(orders, a_report(None))) in take(orders, a_report(None))
    assert "UnknownStatus" not in kinds(take(orders, a_report(None), source=Source.REPLY))


def the_order_after(orders: Orders, event: Any) -> Order:
    take(orders, event)
    return the_order(orders)


def test_the_leaves_quantity_of_an_order_without_known_quantity_is_unknown() -> None:
    assert after(an_execution()).leaves() is None


def test_net_is_signed_and_takes_the_orders_side_where_a_fill_has_none() -> None:
    sold = an_execution("1", "1", side=None)
    assert after(sold, a_report(side=Side.SELL)).net() == Decimal(-1)


def test_an_order_comes_back_from_its_record() -> None:
    orders = some_orders()
    take(orders, a_report(filled_quantity="2"), an_execution(), a_bust("9"))
    orders.grace_over(ORDER_KEY)
    document = orjson.loads(orjson.dumps(orders.dump_order(ORDER_KEY)))
    again = some_orders()
    again.load_order(document)
    again.finish_load()
    assert the_order(again).view() == the_order(orders).view()
    assert again.dump_order(ORDER_KEY) == orders.dump_order(ORDER_KEY)
    assert the_order(again).first_seen_cause == an_origin().cause


def test_a_record_of_another_format_is_refused() -> None:
    with pytest.raises(UnknownOrderFormat):
        some_orders().load_order({"format": 99, "key": ORDER_KEY})


def test_the_index_finds_an_order_by_every_id() -> None:
    orders = some_orders()
    take(orders, a_report(client_alias_ids=("old-name",)))
    order = the_order(orders)
    place = (PLACE["product"], PLACE["symbol"])
    assert orders.find(*place, venue_order_id=ORDER_ID) is order
    assert orders.find(*place, client_order_id="osp-000017") is order
    assert orders.find(*place, client_order_id="old-name") is order
    assert orders.find("linear", PLACE["symbol"], ORDER_ID) is None
    assert orders.find(*place) is None
    assert list(orders.open_orders()) == [order]
    assert orders.account == ACCOUNT
