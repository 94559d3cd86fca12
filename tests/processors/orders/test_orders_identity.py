"""Which order a piece of evidence is about: client ids, unattributed ones, chains."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from orderloom.event import Execution
from orderloom.words import FillKind, Lifecycle, Reason, Side, Source, Status, TriggerType
from processors.orders.effects import FillRecorded, KeyRetired, OrderChanged
from processors.orders.order import Order
from processors.orders.orders import Orders
from tests.builders import ACCOUNT, PLACE, a_report, an_execution, an_origin, some_orders
from tests.histories import content_of, evidence_of
from venues.venue import Profile

CLIENT = "osp-000017"
PREFIX = f"{ACCOUNT}/spot/SOLUSDT"


def folded(*events: Any, profile: Profile | None = None) -> Orders:
    orders = some_orders(profile)
    for event in events:
        orders.apply(event, an_origin())
    return orders


def the_only(orders: Orders) -> Order:
    (order,) = orders.all()
    return order


def every_arrival(*events: Any) -> Orders:
    """The orders, after asserting that each order of arrival gives the same."""
    first, *others = [folded(*arrival) for arrival in permutations(events)]
    for other in others:
        assert content_of(other) == content_of(first)
        assert evidence_of(other) == evidence_of(first)
    return first


NAMELESS = {"venue_order_id": None, "client_order_id": CLIENT}


def test_a_report_that_names_only_a_client_id_waits_unseen() -> None:
    orders = folded(a_report(Status.CANCELED, **NAMELESS))
    assert list(orders.all()) == []
    assert orders.state_keys() == [f"{PREFIX}/client:{CLIENT}"]


def test_it_counts_once_the_client_id_leads_to_an_order_in_any_order_of_arrival() -> None:
    orders = every_arrival(a_report(Status.CANCELED, **NAMELESS), a_report(), an_execution())
    assert the_only(orders).lifecycle is Lifecycle.CANCELED


def test_an_execution_that_names_only_a_client_id_is_never_hidden() -> None:
    order = the_only(folded(an_execution(**NAMELESS)))
    assert order.key == f"{PREFIX}/client:{CLIENT}"
    assert order.net() == Decimal("1.5")


def test_what_becomes_known_of_an_order_without_an_id_is_published() -> None:
    orders = folded(an_execution(**NAMELESS))
    version = the_only(orders).version
    terms = {"quantity": None, "price": None, "margin_mode": "cross"}
    effects = orders.apply(a_report(None, **terms, **NAMELESS), an_origin())
    assert [type(one) for one in effects] == [OrderChanged]
    assert the_only(orders).version == version + 1


def test_an_execution_without_any_order_id_has_an_order_of_its_own() -> None:
    nameless = an_execution(venue_order_id=None)
    assert the_only(folded(nameless)).key == f"{PREFIX}/execution:88120045"


def test_of_an_execution_without_any_order_id_nothing_is_left_to_execute() -> None:
    nameless = an_execution(venue_order_id=None)
    order = the_only(folded(nameless, nameless))
    assert (order.lifecycle, str(order.quantity)) == (Lifecycle.FILLED, "1.5")
    assert (order.leaves(), order.is_disputed) == (Decimal(0), False)
    assert order.net() == Decimal("1.5")


def test_it_goes_to_the_order_that_shows_the_same_execution() -> None:
    orders = every_arrival(an_execution(venue_order_id=None, fee=None), an_execution(), a_report())
    assert the_only(orders).fills()[0].fee == Decimal("0.0015")


def test_of_a_self_trade_it_goes_to_the_order_of_its_side() -> None:
    sold = {"venue_order_id": "8", "side": Side.SELL}
    bought = {"venue_order_id": "9", "side": Side.BUY}
    orders = every_arrival(
        an_execution(fee=None, **sold), an_execution(**bought),
        an_execution(venue_order_id=None, side=Side.SELL, fee="7"),
    )  # fmt: skip
    fees = {order.key: order.fills()[0].fee for order in orders.all()}
    assert fees == {f"{PREFIX}/8": Decimal(7), f"{PREFIX}/9": Decimal("0.0015")}


def test_an_execution_that_found_its_order_is_taken_back_under_the_old_key() -> None:
    orders = folded(an_execution(**NAMELESS))
    effects = orders.apply(a_report(), an_origin())
    fills = [effect for effect in effects if isinstance(effect, FillRecorded)]
    assert [(one.order.key, one.kind) for one in fills] == [
        (f"{PREFIX}/client:{CLIENT}", FillKind.BUST),
        (f"{PREFIX}/7700123", FillKind.REAL),
    ]
    retired = [effect for effect in effects if isinstance(effect, KeyRetired)]
    assert [(one.key, one.version) for one in retired] == [(f"{PREFIX}/client:{CLIENT}", 2)]


def test_a_client_id_used_again_means_the_latest_open_order() -> None:
    orders = every_arrival(
        a_report(Status.FILLED, venue_order_id="1", venue_ns=1),
        a_report(venue_order_id="2", venue_ns=2),
        a_report(Status.CANCELED, quantity="9", **NAMELESS),
    )
    states = {order.key: order.lifecycle for order in orders.all()}
    assert states == {f"{PREFIX}/1": Lifecycle.FILLED, f"{PREFIX}/2": Lifecycle.CANCELED}
    found = orders.find("spot", "SOLUSDT", client_order_id=CLIENT)
    assert found is orders.get(f"{PREFIX}/2")


def test_ids_are_scoped_by_product_and_symbol() -> None:
    orders = folded(a_report(), a_report(symbol="BTCUSDT"), a_report(product="linear"))
    assert len(list(orders.all())) == 3


def test_evidence_that_names_nothing_at_all_changes_nothing() -> None:
    nothing = Execution(**PLACE, exec_id=None, venue_order_id=None, last_quantity=Decimal(1))
    assert folded(nothing, a_report(venue_order_id=None, client_order_id=None)).state_keys() == []


FIRST = a_report(venue_order_id="1", filled_quantity="1", ordinal=(1, 0))
SECOND = a_report(venue_order_id="2", replaces="1", quantity="3", ordinal=(2, 0))
THIRD = a_report(venue_order_id="3", replaces="2", quantity="3", price="151", ordinal=(3, 0))


def test_a_chain_is_one_order_under_its_oldest_id_in_any_order_of_arrival() -> None:
    order = the_only(every_arrival(FIRST, SECOND, THIRD, an_execution(venue_order_id="1")))
    assert (order.key, order.venue_order_id) == (f"{PREFIX}/1", "3")
    assert order.view()["price"] == "151"


def test_a_terminal_word_about_a_replaced_link_closes_that_link_only() -> None:
    replaced = a_report(Status.CANCELED, venue_order_id="1")
    assert the_only(every_arrival(FIRST, SECOND, replaced)).lifecycle is Lifecycle.ACTIVE
    ended = a_report(Status.CANCELED, venue_order_id="2")
    assert the_only(every_arrival(FIRST, SECOND, ended)).lifecycle is Lifecycle.CANCELED


def test_links_are_summed_and_the_quantity_counts_from_the_new_link() -> None:
    order = the_only(folded(FIRST, SECOND, a_report(venue_order_id="2", filled_quantity="2")))
    assert (order.executed, order.quantity, order.leaves()) == (Decimal(3), Decimal(4), Decimal(1))


def test_where_the_profile_says_so_a_link_carries_the_count_on() -> None:
    second = a_report(venue_order_id="2", replaces="1", quantity="3", filled_quantity="2")
    orders = folded(FIRST, second, profile=Profile(carries_count=True))
    order = the_only(orders)
    assert (order.executed, order.quantity) == (Decimal(2), Decimal(3))


def test_joining_two_known_orders_retires_the_younger_key_and_keeps_each_fill_once() -> None:
    orders = folded(FIRST, an_execution("1", venue_order_id="1"))
    for event in (a_report(venue_order_id="2"), an_execution("2", venue_order_id="2")):
        orders.apply(event, an_origin())
    versions = [order.version for order in orders.all()]
    effects = orders.apply(SECOND, an_origin())
    order = the_only(orders)
    assert order.version > max(versions)
    assert [one.key for one in effects if isinstance(one, KeyRetired)] == [f"{PREFIX}/2"]
    fills = [one for one in effects if isinstance(one, FillRecorded)]
    assert [(one.kind, one.fill.exec_id) for one in fills] == [(FillKind.CORRECTION, "2")]
    assert order.net() == Decimal(3)
    assert orders.dump_order(f"{PREFIX}/2") is None
    assert f"{PREFIX}/2" in orders.take_dirty()


@pytest.mark.parametrize("field", ["replaces", "alias_ids"])
def test_an_algo_order_and_the_order_it_triggers_are_one(field: str) -> None:
    waiting = a_report(Status.WAITING_TRIGGER, venue_order_id="2200441")
    value: Any = "2200441" if field == "replaces" else ("2200441",)
    triggered = a_report(venue_order_id="551200399", **{field: value})
    traded = an_execution(venue_order_id="551200399")
    order = the_only(every_arrival(waiting, triggered, traded))
    assert (order.key, order.venue_order_id) == (f"{PREFIX}/2200441", "551200399")


WAITING = a_report(
    Status.WAITING_TRIGGER,
    venue_order_id="2200441",
    client_order_id="stopA1",
    trigger_price=Decimal(149),
    trigger_type=TriggerType.MARK,
    reduce_only=True,
)


def test_row_43_every_name_that_an_order_bore_is_shown_the_owners_first() -> None:
    child = a_report(
        venue_order_id="551200399",
        client_order_id="A0made-by-the-venue",
        alias_ids=("2200441",),
        client_alias_ids=("stopA1",),
        reduce_only=True,
    )
    for evidence in ((WAITING, child), (child,)):
        view = the_only(every_arrival(*evidence)).view()
        assert view["client_order_id"] == "A0made-by-the-venue"
        assert view["client_order_ids"] == ["stopA1", "A0made-by-the-venue"]


def test_an_order_says_what_it_waited_for_after_its_trigger_too() -> None:
    child = a_report(venue_order_id="551200399", alias_ids=("2200441",))
    view = the_only(every_arrival(WAITING, child)).view()
    assert (view["trigger_price"], view["trigger_type"]) == ("149", TriggerType.MARK)
    assert view["reduce_only"] is True
    assert (view["close_position"], view["callback_rate"]) == (None, None)


def test_an_order_is_asked_about_as_a_conditional_one_under_the_id_that_it_waited_under() -> None:
    assert the_only(folded(WAITING)).is_conditional
    child = a_report(venue_order_id="551200399", alias_ids=("2200441",))
    assert not the_only(every_arrival(WAITING, child)).is_conditional
    triggered_somewhere = a_report(venue_order_id="2200441")
    assert the_only(every_arrival(WAITING, triggered_somewhere)).is_conditional


def test_a_rejected_trigger_is_the_reason_and_not_that_it_was_to_be_replaced() -> None:
    replaced = a_report(Status.EXPIRED, reason=Reason.REPLACED, ordinal=(5, 0))
    refused = a_report(Status.REJECTED, reason=Reason.LIFECYCLE_REJECT, ordinal=(4, 0))
    order = the_only(every_arrival(a_report(), replaced, refused))
    assert (order.lifecycle, order.derived.reason) == (Lifecycle.EXPIRED, Reason.LIFECYCLE_REJECT)


def test_of_two_changes_at_one_time_the_later_by_the_second_ordinal_counts() -> None:
    first = a_report(is_amendment=True, quantity="8", ordinal=(5, 1))
    second = a_report(is_amendment=True, quantity="3", ordinal=(5, 2))
    assert the_only(every_arrival(a_report(), first, second)).quantity == Decimal(3)


FINISHED = a_report(
    None, venue_order_id="551200399", alias_ids=("2200441",), is_ended=True, venue_ns=5_000_000
)


@pytest.mark.parametrize("at_ms", [4, 5, 6])
def test_an_unexplained_end_is_voided_by_later_life_though_it_has_no_ordinal(at_ms: int) -> None:
    amended = a_report(
        venue_order_id="551200399", is_amendment=True, ordinal=(at_ms * 1_000_000, 0)
    )
    order = the_only(every_arrival(WAITING, FINISHED, amended))
    is_later = at_ms > 5
    assert order.lifecycle is (Lifecycle.ACTIVE if is_later else Lifecycle.CANCELED)
    assert order.derived.disputes == (("live-after-end",) if is_later else ())


def test_an_answer_that_says_it_has_ended_says_so_of_when_it_was_asked() -> None:
    orders = folded(a_report(venue_order_id="551200399", ordinal=(8_000_000, 0)))
    orders.apply(FINISHED, an_origin(Source.QUERY, asked_ns=9_000_000))
    assert the_only(orders).lifecycle is Lifecycle.CANCELED
    orders.apply(a_report(venue_order_id="551200399", ordinal=(11_000_000, 0)), an_origin())
    assert the_only(orders).lifecycle is Lifecycle.ACTIVE
