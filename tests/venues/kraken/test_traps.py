"""The traps of Kraken, each by its number on the page (docs/venues/kraken.md 12)."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from orderloom.event import BalanceReport, Cause, Execution, OrderReport, Origin, Reply
from orderloom.question import About, Question
from orderloom.words import Reason, Source, Status
from processors.orders.orders import Orders
from tests.venues.kraken.wire import (
    AMENDED,
    BY_ID,
    CANCELED,
    CASES,
    FILL,
    FILLED,
    GONE,
    LAST_FILL,
    LIVE,
    NOW_NS,
    PARTIAL,
    PENDING,
    PLACED,
    REST_GONE,
    document_of,
    events_of,
    folded,
    folded_events,
    order_of,
    said_of,
    translated,
)
from venues.document import parse
from venues.kraken import KRAKEN
from venues.request import Context, Credentials, HttpRequest
from venues.venue import BadFrame, Page

CONTEXT = Context(
    Credentials("key", "c2VjcmV0"), KRAKEN.environments["production"], NOW_NS, NOW_NS // 1000
)


def asked(about: About, product: str = "spot", **fields: Any) -> HttpRequest:
    question = Question(id="q", account="kraken:main", about=about, product=product, **fields)
    return KRAKEN.ask(question, CONTEXT)


def test_trap_1_what_follows_names_the_order_alone_and_leads_to_it_in_any_order() -> None:
    assert order_of(LIVE).symbol is order_of(FILLED).symbol is None
    assert all(profile.ids_are_of_product for profile in KRAKEN.profiles.values())
    names = [PENDING, LIVE, PARTIAL, LAST_FILL, FILLED]
    (order,) = folded(*names)
    assert (order.symbol, order.view()["status"], order.executed) == (
        "BTC/USD", "FILLED", Decimal("0.5"),
    )  # fmt: skip
    for seed in range(6):
        shuffled = names * 2
        Random(seed).shuffle(shuffled)
        (other,) = folded(*shuffled)
        assert other.view()["status"] == "FILLED"
        assert len(list(other.fills())) == 2


def test_trap_1_an_execution_without_a_symbol_spoils_the_message() -> None:
    with pytest.raises(BadFrame, match="symbol"):
        translated(document_of(PARTIAL, symbol=None))


def test_trap_2_the_last_fill_is_not_the_end_and_filled_is_no_fill() -> None:
    assert order_of(LAST_FILL).status is Status.PARTIALLY_FILLED
    assert not [event for event in events_of(FILLED) if isinstance(event, Execution)]
    (order,) = folded(PENDING, PARTIAL, LAST_FILL, FILLED)
    assert (order.executed, order.view()["disputed"]) == (Decimal("0.5"), False)


def test_trap_3_fills_of_a_taker_are_never_asked_for_merged() -> None:
    for request in (
        asked(About.TRADES, since_ns=NOW_NS - 10**12),
        asked(About.TRADES, venue_order_id="OQ7K2A-4ZC3X-77PLMN"),
        asked(About.ORDER_HISTORY, since_ns=NOW_NS - 10**12),
        asked(About.ORDER, venue_order_id="OQ7K2A-4ZC3X-77PLMN"),
    ):
        assert dict(parse_qsl(request.body.decode()))["consolidate_taker"] == "false"


def test_trap_4_a_removal_by_a_full_fill_is_a_fill() -> None:
    order = order_of(GONE)
    assert (order.status, order.quantity, order.filled_quantity) == (
        Status.FILLED, Decimal("0.05"), Decimal("0.05"),
    )  # fmt: skip
    assert order_of("open_orders: filled, by its id alone").status is Status.FILLED


def test_trap_4_what_goes_with_a_partial_fill_is_filled_if_nothing_is_left() -> None:
    assert order_of(REST_GONE).status is Status.CANCELED
    assert order_of(REST_GONE, qty=0, filled=Decimal("0.05")).status is Status.FILLED
    alone = translated({**document_of(BY_ID), "reason": "partial_fill"}, "linear").events[0]
    assert isinstance(alone, OrderReport)
    assert (alone.status, alone.is_ended) == (None, True)


def test_trap_5_the_quantity_is_what_is_left_and_what_is_filled() -> None:
    partial = order_of("open_orders: a partial fill")
    assert (partial.quantity, partial.filled_quantity) == (Decimal("0.05"), Decimal("0.02"))
    stop = order_of("open_orders: a stop waits")
    assert (stop.price, stop.trigger_price) == (None, Decimal("80000.5"))
    assert order_of(PLACED).trigger_price is None


def test_trap_5_what_is_gone_with_nothing_left_does_not_say_its_quantity() -> None:
    document = document_of(PLACED, qty=0, filled=Decimal("0.02"))
    (gone,) = translated({**document, "is_cancel": True, "reason": "cancelled_by_user"}).events
    assert isinstance(gone, OrderReport)
    assert (gone.status, gone.quantity, gone.filled_quantity) == (
        Status.CANCELED, None, Decimal("0.02"),
    )  # fmt: skip


def test_trap_6_a_success_may_be_a_refusal() -> None:
    events = events_of("futures_replies: an order is refused, and the answer a success")
    order, reply = events
    assert isinstance(order, OrderReport)
    assert isinstance(reply, Reply)
    assert (order.status, order.reason) == (Status.REJECTED, Reason.POST_ONLY)
    assert (reply.accepted, reply.reason) == (False, Reason.POST_ONLY)
    failed = order_of("open_orders: a post-only order failed as it came")
    assert (failed.status, failed.reason) == (Status.REJECTED, Reason.POST_ONLY)


def test_trap_6_an_order_that_was_filled_at_once_is_placed_and_has_its_fill() -> None:
    fill, reply = events_of("futures_replies: an order is placed and filled at once")
    assert isinstance(fill, Execution)
    assert isinstance(reply, Reply)
    assert (fill.last_quantity, reply.accepted) == (Decimal("0.05"), True)


def test_trap_7_an_order_is_looked_for_in_the_history_once_it_is_not_open() -> None:
    question = Question(
        id="q", account="kraken:main", about=About.ORDER, product="linear", venue_order_id="x-1"
    )
    first = KRAKEN.ask(question, CONTEXT)
    assert urlsplit(first.url).path == "/derivatives/api/v3/openorders"
    gone = Page(1, first, 200, b'{"result":"success","openOrders":[]}')
    following = KRAKEN.next_page(question, gone, CONTEXT)
    assert following is not None
    assert urlsplit(following.url).path == "/api/history/v3/orders"


def test_trap_8_fills_are_read_forward_from_the_history() -> None:
    request = asked(About.TRADES, "linear", since_ns=NOW_NS - 10**12, until_ns=NOW_NS)
    address = urlsplit(request.url)
    assert address.path == "/api/history/v3/executions"
    assert dict(parse_qsl(address.query)) == {
        "sort": "asc", "since": "1793598999999", "before": "1793600000001",
    }  # fmt: skip


def test_trap_8_a_past_event_of_the_history_denies_no_execution_since() -> None:
    document = parse(CASES["history: events of one order"].body)
    placed = document | {"elements": document["elements"][:1]}
    events = translated(placed).events
    assert [one.filled_quantity for one in events if isinstance(one, OrderReport)] == [None]
    orders = Orders("kraken:main", KRAKEN.profiles)
    said: list[Any] = [*events_of(FILL), *events]
    for number, event in enumerate(said):
        cause, at_ns = Cause("raw", 0, number), NOW_NS + 600_000_000_000
        source = Source.QUERY if isinstance(event, OrderReport) else Source.STREAM
        orders.apply(event, Origin("kraken:main", source, cause, at_ns, at_ns))
    (order,) = orders.all()
    assert (order.executed, order.is_disputed) == (Decimal("0.02"), False)


def test_trap_9_an_edit_gives_the_whole_and_not_what_is_open() -> None:
    document = document_of(PLACED, qty=Decimal("0.03"), filled=Decimal("0.02"))
    (edited,) = translated({**document, "reason": "edited_by_user"}).events
    assert isinstance(edited, OrderReport)
    assert (edited.quantity, edited.is_amendment) == (Decimal("0.05"), True)


def test_trap_10_a_market_order_by_what_is_paid_has_no_quantity() -> None:
    order = order_of("executions: a market order by what is paid")
    assert (order.quantity, order.quote_quantity) == (None, Decimal(250))
    _, listed = events_of("spot_orders: closed ones: canceled after a fill, and sized in quote")
    assert isinstance(listed, OrderReport)
    assert (listed.quantity, listed.quote_quantity) == (None, Decimal(250))


def test_trap_11_the_stream_says_what_is_held_and_not_what_is_free() -> None:
    (held,) = events_of("spot_balances: an entry of the ledger")
    assert isinstance(held, BalanceReport)
    assert (held.total, held.free) == (Decimal(1), None)
    (snapshot,) = events_of("spot_balances: a snapshot")
    assert isinstance(snapshot, BalanceReport)
    assert snapshot.total == Decimal("1.2")  # what is earned on is not traded from
    answer = events_of("spot_balances: balances in an answer")[0]
    assert isinstance(answer, BalanceReport)
    assert (answer.asset, answer.free) == ("BTC", Decimal("0.7"))


def test_trap_12_one_market_has_one_name_and_its_others_are_aliases() -> None:
    names = {}
    for event in events_of("spot_instruments: pairs"):
        names[event.symbol] = event.aliases  # type: ignore[union-attr]  # instruments alone
    assert names == {
        "BTC/USD": ("XBT/USD", "XBTUSD", "XXBTZUSD"),
        "DOGE/USD": ("XDG/USD", "XDGUSD"),
    }
    assert KRAKEN.names_vary == {"spot"}


def test_trap_13_an_id_of_ours_may_be_used_twice_and_is_two_orders() -> None:
    again = replace(order_of(PENDING), venue_order_id="OZ7K2A-4ZC3X-77PLMZ")
    orders = folded_events([*events_of(PENDING), *events_of(FILLED), again])
    assert {order.venue_order_id for order in orders} == {
        "OQ7K2A-4ZC3X-77PLMN", "OZ7K2A-4ZC3X-77PLMZ",
    }  # fmt: skip


def test_trap_14_maintenance_ends_no_order() -> None:
    for system in ("maintenance", "cancel_only", "post_only", "online"):
        push = {"channel": "status", "type": "update", "data": [{"system": system}]}
        assert translated(push).events == ()


@pytest.mark.parametrize("word", ["unknown", "Unknown"])
def test_trap_15_the_word_for_what_cannot_be_read_claims_nothing(word: str) -> None:
    document = document_of(PLACED, type=word)
    said = translated({**document, "reason": "unknown"})
    (order,) = said.events
    assert isinstance(order, OrderReport)
    assert order.order_type is None
    assert f"type={word}" in said.unknown
    body = CASES["history: executions"].body.replace(b'"Buy"', f'"{word}"'.encode())
    (fill,) = said_of(body, "linear").events
    assert (fill.side, fill.last_quantity) == (None, Decimal("0.02"))


def test_trap_16_each_of_several_cancels_has_its_own_reply() -> None:
    (reply,) = events_of("spot_replies: one of several cancels is taken")
    assert isinstance(reply, Reply)
    assert (reply.request_id, reply.client_order_id) == ("44", "os-20261101-0001")
    accepted = [
        event.accepted
        for event in events_of("spot_replies: a batch in part, as a client has it")
        if isinstance(event, Reply)
    ]
    assert accepted == [True, False]


@pytest.mark.parametrize("end", ["canceled", "filled"])
def test_trap_17_an_amendment_below_what_is_filled_ends_the_order(end: str) -> None:
    document = document_of(AMENDED, order_id="OQ7K2A-4ZC3X-77PLMN", order_qty=Decimal("0.1"))
    ending = document_of(CANCELED, order_id="OQ7K2A-4ZC3X-77PLMN", exec_type=end,
        order_status=end, cum_qty=Decimal("0.2"))  # fmt: skip
    events = [*events_of(PENDING), *events_of(PARTIAL)]
    events += [*translated(document).events, *translated(ending).events]
    (order,) = folded_events(events)
    assert not order.is_open
    assert order.executed == Decimal("0.2")


def test_trap_18_no_two_requests_have_one_nonce_and_futures_need_none() -> None:
    first, later = (
        asked(About.BALANCES),
        KRAKEN.ask(
            Question(id="q", account="kraken:main", about=About.BALANCES, product="spot"),
            replace(CONTEXT, nonce=CONTEXT.nonce + 1),
        ),
    )
    nonces = [int(dict(parse_qsl(one.body.decode()))["nonce"]) for one in (first, later)]
    assert nonces == [CONTEXT.nonce, CONTEXT.nonce + 1]
    assert "Nonce" not in asked(About.BALANCES, "linear").headers
