"""What the messages of both systems say, beside their traps."""

from decimal import Decimal
from itertools import chain, permutations

import orjson
import pytest

from orderloom.event import OrderReport, Reply
from orderloom.words import OrderType, Reason, Status
from processors.orders.effects import UnknownStatus
from processors.orders.orders import Orders
from tests.builders import an_origin
from tests.venues.kraken.wire import (
    AMENDED,
    BY_ID,
    CASES,
    FILL,
    LIVE,
    PENDING,
    PLACED,
    document_of,
    events_of,
    execution_of,
    folded,
    folded_events,
    order_of,
    said_of,
    translated,
)
from venues.document import parse
from venues.kraken import KRAKEN


def test_two_reports_of_a_new_order_are_one_order() -> None:
    assert order_of(PENDING).status is Status.PENDING
    (order,) = folded(PENDING, LIVE)
    assert order.view()["status"] == "ACTIVE"


def test_terms_of_an_open_row_are_of_when_it_was_asked_for_and_those_of_a_closed_one_final() -> (
    None
):
    for name, is_open in (
        ("open ones, one of them executed in part", True),
        ("one that was asked for by its id: filled", False),
    ):
        (row,) = events_of(f"spot_orders: {name}")
        assert isinstance(row, OrderReport)
        assert row.is_as_asked is is_open


def test_events_of_a_history_say_how_an_order_stood_and_not_how_it_stands() -> None:
    for name in ("events of one order", "rejected, filled, and what changed no order"):
        rows = [one for one in events_of(f"history: {name}") if isinstance(one, OrderReport)]
        assert [one.is_past for one in rows] == [True] * len(rows) != []


def test_a_free_text_is_counted_and_what_it_ends_is_said_to_be_guessed() -> None:
    said = translated(document_of("executions: canceled by the engine, in free text"))
    (order,) = said.events
    assert isinstance(order, OrderReport)
    assert (order.reason, order.is_reason_inferred) == (Reason.VENUE_CANCEL, True)
    assert said.unknown == ("reason=Post only order",)


def test_an_amendment_keeps_what_it_does_not_say() -> None:
    document = document_of(AMENDED, order_id="OQ7K2A-4ZC3X-77PLMN")
    (order,) = folded_events([*events_of(PENDING), *translated(document).events])
    assert (order.quantity, order.term("price")) == (Decimal("0.4"), Decimal("90990.0"))
    assert (order.term("side"), order.term("client_order_id")) == ("SELL", "os-20261101-0001")


def test_a_snapshot_claims_no_more_than_what_it_lists() -> None:
    body = CASES["executions: a snapshot of an account without orders"].body
    orders = folded_events([*events_of(PENDING), *translated(parse(body)).events])
    assert orders[0].is_open


def test_the_numbers_of_a_subscription_begin_with_its_snapshot() -> None:
    begun = translated(document_of("executions: a snapshot: an open order and a fill")).counts
    assert [tuple(one) for one in begun] == [("executions", 1, True)]
    assert [tuple(one) for one in translated(document_of(LIVE)).counts] == [
        ("executions", 13, False)
    ]


def test_fills_of_futures_count_from_the_last_of_their_snapshot() -> None:
    document = document_of("fills: a snapshot")
    fill = document["fills"][0]
    document["fills"] = [{**fill, "seq": 36}, {**fill, "seq": 39, "fill_id": "another"}]
    assert [tuple(one) for one in translated(document).counts] == [("fills", 39, True)]
    assert [tuple(one) for one in translated(document_of(FILL)).counts] == [("fills", 101, False)]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("liquidation", Reason.LIQUIDATION),
        ("partialLiquidation", Reason.LIQUIDATION),
        ("unwindBankrupt", Reason.LIQUIDATION),
        ("unwindCounterparty", Reason.ADL),
        ("assignor", Reason.ADL),
        ("assignee", Reason.ADL),
        ("taker", None),
    ],
)
def test_a_forced_fill_says_so_and_ends_its_order_if_nothing_is_left(
    word: str, reason: Reason | None
) -> None:
    assert execution_of(FILL, fill_type=word).reason is reason
    ended = [
        event
        for event in events_of(FILL, fill_type=word, remaining_order_qty=0)
        if isinstance(event, OrderReport)
    ]
    assert [one.status for one in ended] == ([Status.FILLED] if reason else [])


def test_a_fired_trigger_ends_weakly_and_the_same_id_may_live_on() -> None:
    waiting, fired = "open_orders: a stop waits", "open_orders: its trigger fired"
    (order,) = folded(waiting, fired)
    assert not order.is_open
    live = translated(document_of(PLACED, last_update_time=1793000007000)).events
    for said in permutations((events_of(waiting), events_of(fired), live)):
        (order,) = folded_events([event for events in said for event in events])
        assert (order.is_open, order.is_disputed) == (True, False)


def test_a_removal_that_says_neither_how_nor_when_ends_no_order_that_lives() -> None:
    placed = document_of(PLACED, order_id="0b9c2d34-5e6f-4711-8a9b-abcdef012345")
    gone = {**document_of(BY_ID), "reason": "partial_fill"}
    for said in permutations((placed, gone)):
        orders = Orders("kraken:main", KRAKEN.profiles)
        events = chain(*(translated(document).events for document in said))
        effects = [
            effect
            for event in events
            if isinstance(event, OrderReport)
            for effect in orders.apply(event, an_origin())
        ]
        (order,) = orders.all()
        assert (order.is_open, order.leaves()) == (True, Decimal("0.05"))
        if said[0] is placed:
            assert [one for one in effects if isinstance(one, UnknownStatus)]


def test_a_removal_by_id_is_of_the_product_of_its_connection() -> None:
    document = document_of(BY_ID)
    products = [
        event.product
        for hint in ("linear", "inverse", None)
        for event in translated(document, hint).events
    ]
    assert products == ["linear", "inverse", "linear"]


def test_a_removal_by_id_ends_the_order_that_it_names() -> None:
    placed = document_of(PLACED, order_id="0b9c2d34-5e6f-4711-8a9b-abcdef012345")
    (order,) = folded_events([*translated(placed).events, *events_of(BY_ID)])
    assert (order.view()["status"], order.view()["reason"]) == ("CANCELED", "USER_CANCEL")


def test_a_rejected_order_with_fills_was_canceled() -> None:
    document = document_of(PLACED, qty=Decimal("0.03"), filled=Decimal("0.02"))
    (order,) = translated(
        {**document, "is_cancel": True, "reason": "would_not_reduce_position"}
    ).events
    assert isinstance(order, OrderReport)
    assert (order.status, order.reason) == (Status.CANCELED, Reason.REDUCE_ONLY)


def test_a_reason_of_tomorrow_ends_the_order_weakly_and_is_counted() -> None:
    said = translated({**document_of(PLACED), "is_cancel": True, "reason": "abducted"})
    (order,) = said.events
    assert isinstance(order, OrderReport)
    assert (order.status, order.is_ended) == (None, True)
    assert said.unknown == ("reason=abducted",)


def test_a_fee_whose_asset_is_not_said_is_counted_and_not_claimed() -> None:
    for name in ("spot_fills: fills of a span", "history: executions"):
        case = CASES[name]
        said = said_of(case.body, case.product)
        (fill,) = said.events
        assert fill.fee is None
        assert said.unknown == ("fee: its asset is not said",)


def test_answers_of_the_two_systems_say_errors_in_their_own_ways() -> None:
    (spot,) = events_of("spot_replies: an order is not known (REST)")
    (futures,) = events_of("futures_replies: an error")
    assert isinstance(spot, Reply)
    assert isinstance(futures, Reply)
    assert (spot.product, spot.reason) == ("spot", Reason.NOT_FOUND)
    assert (futures.product, futures.reason) == ("linear", Reason.THROTTLED)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("EOrder:Insufficient funds", Reason.INSUFFICIENT_BALANCE),
        ("EGeneral:Invalid arguments:cl_ord_id", Reason.BAD_REQUEST),
        ("EAPI:Invalid nonce", Reason.AUTH),
        ("EAuth:Account temporary disabled", Reason.AUTH),
        ("EAuth:Rate limit exceeded", Reason.THROTTLED),
        ("EService: Throttled: 1793000000", Reason.THROTTLED),
        ("EService:Market in post_only mode", Reason.MARKET_CLOSED),
        ("EGeneral:Internal error:1017", Reason.UNKNOWN_STATE),
        ("EOrder:Reduce only:Position is closed", Reason.UNKNOWN_STATE),
        ("EFuture:Not invented yet", Reason.UNKNOWN_STATE),
    ],
)
def test_only_the_venues_own_words_reject(said: str, reason: Reason) -> None:
    (reply,) = said_of(orjson.dumps({"error": [said]})).events
    assert (reply.accepted, reply.reason) == (False, reason)


def test_a_distance_is_no_price_and_is_counted() -> None:
    body = CASES["spot_orders: one that waits for its trigger"].body
    said = said_of(body.replace(b'"price":"0.3"', b'"price":"+5.0%"'))
    (order,) = said.events
    assert (order.trigger_price, order.order_type) == (None, OrderType.STOP_LOSS_LIMIT)
    assert said.unknown == ("price: a distance",)


def test_a_distance_on_the_stream_is_no_price() -> None:
    waiting = "executions: a conditional order waits"
    assert order_of(waiting).price == Decimal("0.31")
    assert order_of(waiting, limit_price_type="pct").price is None
    distance = {"reference": "last", "price": 5, "price_type": "pct", "status": "untriggered"}
    order = order_of(waiting, triggers=distance)
    assert (order.trigger_price, order.status) == (None, Status.WAITING_TRIGGER)
