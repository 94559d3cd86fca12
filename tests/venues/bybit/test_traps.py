"""The traps of docs/venues/bybit.md 12, one test or more for each, by their numbers there.

Those that concern requests for orders alone (15, 21) have none yet.
"""

from decimal import Decimal
from typing import Any

import pytest

from orderloom.event import BalanceReport, Execution, Fee, OrderReport, PositionReport, Reply
from orderloom.question import About, Question
from orderloom.words import Completeness, Lifecycle, Reason, Status
from processors.orders.order import Order
from tests.builders import some_orders, take
from tests.venues.bybit.wire import (
    CANCELED,
    CASES,
    COINS,
    FILL,
    FILLED,
    NEW,
    PARTIAL,
    document_of,
    events_of,
    execution_of,
    order_of,
    translated,
)
from venues.bybit import BYBIT
from venues.document import parse
from venues.request import Context, Credentials
from venues.venue import BadFrame, Page

NOW_NS = 1_793_000_005_000_000_000
CONTEXT = Context(Credentials("key", "secret"), BYBIT.environments["production"], NOW_NS)
POST_ONLY = "orders_push: a post-only order that would have taken"
REJECTED = "orders_push: a post-only order that is rejected instead"
BOUGHT = "orders_push: coins bought at market: the quantity is what is paid"
WAITING = "orders_push: a conditional order waits"
FLAT = "positions_push: flat: no side"


def folded(*events: Any) -> Order:
    """The one order that these events make."""
    orders = some_orders(BYBIT.profiles["linear"])
    take(orders, *events)
    (order,) = orders.all()
    return order


@pytest.mark.parametrize("name", [POST_ONLY, REJECTED])
def test_trap_1_a_post_only_refusal_follows_a_good_ack(name: str) -> None:
    (ack,) = events_of("socket_replies: on a socket, an order is taken")
    assert isinstance(ack, Reply)
    assert (ack.accepted, ack.request_id) == (True, "r-000001")
    assert order_of(name).reason is Reason.POST_ONLY
    assert order_of(name).status in (Status.CANCELED, Status.REJECTED)


def test_trap_2_rejected_and_canceled_orders_may_have_fills() -> None:
    rejected = order_of("orders_push: rejected after fills: the rest was")
    assert (rejected.status, rejected.reason) == (Status.CANCELED, Reason.LIFECYCLE_REJECT)
    assert order_of("orders_push: rejected by the engine").status is Status.REJECTED
    canceled = order_of(CANCELED)
    assert (canceled.status, canceled.filled_quantity) == (Status.CANCELED, Decimal("0.012"))
    coins = order_of("orders_push: coins, canceled after a fill")
    assert (coins.status, coins.filled_quantity) == (Status.CANCELED, Decimal("0.1"))


def test_trap_3_the_second_filled_answers_a_cancel_and_is_none() -> None:
    again = order_of("orders_push: filled a second time, as a cancel came too late")
    assert (again.status, again.reason) == (Status.FILLED, None)
    for one, other in ((again, order_of(FILLED)), (order_of(FILLED), again)):
        order = folded(order_of(NEW), one, other)
        assert (order.lifecycle, order.derived.disputes) == (Lifecycle.FILLED, ())


@pytest.mark.parametrize("leaves", ["0", "", None])
def test_trap_4_leaves_quantity_says_nothing_and_a_blank_average_is_none(leaves: Any) -> None:
    order = order_of(CANCELED, leavesQty=leaves, avgPrice="")
    assert (order.filled_quantity, order.average_price) == (Decimal("0.012"), None)


@pytest.mark.parametrize(
    ("changed", "is_in_quote"),
    [
        ({}, True),
        ({"marketUnit": "quoteCoin", "side": "Sell"}, True),
        ({"marketUnit": "baseCoin"}, False),
        ({"side": "Sell"}, False),
        ({"orderType": "Limit"}, False),
        ({"category": "linear"}, False),
        ({"stopOrderType": "tpslOrder"}, True),
    ],
)
def test_trap_5_coins_bought_at_market_are_sized_in_quote(
    changed: dict[str, str], is_in_quote: bool
) -> None:
    order = order_of(BOUGHT, **changed)
    sizes = (order.quantity, order.quote_quantity)
    assert sizes == ((None, Decimal(250)) if is_in_quote else (Decimal(250), None))


@pytest.mark.parametrize(
    ("changed", "coin"),
    [
        ({"side": "Buy", "isMaker": False}, "ETH"),
        ({"side": "Sell", "isMaker": False}, "USDT"),
        ({"side": "Buy", "isMaker": True}, "ETH"),
        ({"side": "Buy", "isMaker": True, "execFee": "-0.1"}, "USDT"),
        ({"side": "Sell", "isMaker": True, "execFee": "-0.1"}, "ETH"),
        ({"feeCurrency": "MNT"}, "MNT"),
        ({"category": "linear"}, "USDT"),
        ({"category": "linear", "symbol": "ETHPERP"}, "USDC"),
        ({"category": "linear", "symbol": "ETH-27MAR26"}, "USDC"),
        ({"category": "linear", "symbol": "ETHUSDT-27MAR26"}, "USDT"),
        ({"category": "inverse", "symbol": "ETHUSD"}, "ETH"),
        ({"category": "inverse", "symbol": "ETHUSDH27"}, "ETH"),
        ({"symbol": "ETHBTC", "side": "Sell"}, "BTC"),
    ],
)
def test_trap_6_a_fee_without_a_coin_is_in_that_of_the_rule(
    changed: dict[str, Any], coin: str
) -> None:
    assert execution_of(COINS, **({"feeCurrency": ""} | changed)).fee_currency == coin


@pytest.mark.parametrize("changed", [{"symbol": "WHAT"}, {"category": "linear", "symbol": "ETH"}])
def test_trap_6_a_fee_whose_coin_nobody_can_tell_spoils_the_message(changed: Any) -> None:
    with pytest.raises(Exception, match="feeCurrency"):
        translated(document_of(COINS, feeCurrency="", **changed))


def test_trap_6_no_fee_is_none_in_the_coin_of_the_rule_and_needs_no_coin() -> None:
    free = execution_of(FILL, execFee="0", feeCurrency="", execType="AdlTrade")
    assert (free.fee, free.fee_currency) == (Decimal(0), "USDT")
    untold = execution_of(COINS, execFee="0", feeCurrency="", symbol="WHAT")
    assert (untold.fee, untold.fee_currency) == (None, None)


def test_trap_7_a_fee_in_the_coin_bought_leaves_the_quantity_as_it_was() -> None:
    fill = execution_of(COINS)
    assert (fill.last_quantity, fill.fee, fill.fee_currency) == (
        Decimal("0.1"), Decimal("0.0001"), "ETH",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["Funding", "CorporateAction", "Tomorrow", "UNKNOWN"])
def test_trap_8_what_is_no_execution_is_no_fill(kind: str) -> None:
    assert events_of(FILL, execType=kind) == ()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("AdlTrade", Reason.ADL), ("BustTrade", Reason.LIQUIDATION), ("BlockTrade", None),
        ("Delivery", Reason.SETTLEMENT), ("Settle", Reason.SETTLEMENT), ("MovePosition", None),
        ("FutureSpread", None), ("Trade", None),
    ],
)  # fmt: skip
def test_trap_8_what_moves_a_position_is_an_execution(kind: str, reason: Reason | None) -> None:
    fill = execution_of(FILL, execType=kind)
    assert fill.reason is reason
    assert (fill.venue_order_id is None) == (kind in ("Delivery", "Settle"))


def test_trap_8_an_order_of_the_venues_own_ends_with_its_last_execution() -> None:
    events = events_of(
        "executions_push: deleveraged: an order of the venue that says itself that it ended"
    )
    order = folded(*events)
    assert (order.lifecycle, order.derived.completeness) == (
        Lifecycle.FILLED, Completeness.COMPLETE,
    )  # fmt: skip
    # With more to come it lives on, and its own report stands above what is inferred.
    more = events_of("executions_push: taken over at the bankruptcy price, the order goes on")
    assert folded(*more).lifecycle is Lifecycle.ACTIVE
    forced = order_of("orders_push: a forced closure: no client id, made by the venue")
    last = events_of(
        "executions_push: taken over at the bankruptcy price, the order goes on",
        execId="b0000000-0000-4000-8000-000000000002", execQty="0.020", leavesQty="0",
    )  # fmt: skip
    for history in ((*more, *last, forced), (forced, *last, *more)):
        order = folded(*history)
        assert (order.lifecycle, order.derived.disputes) == (Lifecycle.FILLED, ())
        assert order.executed == Decimal("0.030")


def test_trap_8_a_settlement_has_no_order_and_is_a_filled_one_of_its_own() -> None:
    order = folded(*events_of("executions_push: settled, without an order", orderLinkId="desk1"))
    assert (order.lifecycle, order.executed) == (Lifecycle.FILLED, Decimal("0.012"))


def test_trap_9_the_fast_topic_is_one_execution_with_the_slow_one() -> None:
    fast = execution_of(
        "executions_push: the fast topic hides the client id of a maker, and has no fee"
    )
    slow = execution_of(FILL)
    assert (fast.exec_id, fast.client_order_id, fast.fee) == (slow.exec_id, None, None)
    for history in ((fast, slow), (slow, fast)):
        order = folded(order_of(PARTIAL), *history)
        (fill,) = order.fills()
        assert (fill.fee, order.derived.disputes) == (Decimal("0.1464"), ())


def test_trap_10_two_fills_of_one_sequence_are_two() -> None:
    fills = events_of("executions_push: two fills of one instant share a sequence")
    order = folded(*fills)
    assert len(order.fills()) == 2
    assert order.executed == Decimal("0.030")


def test_trap_11_a_position_that_is_told_again_is_the_same_report() -> None:
    name = "positions_push: long, in one-way mode"
    assert events_of(name) == events_of(name)


def test_trap_12_a_flat_position_has_no_side_and_one_with_a_size_needs_it() -> None:
    (flat,) = events_of(FLAT)
    assert isinstance(flat, PositionReport)
    assert (flat.quantity, flat.entry_price) == (Decimal(0), None)
    with pytest.raises(Exception, match="side"):
        events_of(FLAT, size="0.1")


def a_question(about: About, product: str = "linear", **fields: Any) -> Question:
    return Question(id="q", account="bybit:main", about=about, product=product, **fields)


def test_trap_13_an_order_that_is_not_among_the_recent_ones_is_asked_for_in_the_history() -> None:
    question = a_question(About.ORDER, symbol="BTCUSDT", venue_order_id="7c0d")
    first = BYBIT.ask(question, CONTEXT)
    nothing = CASES["order_rows: GET order/realtime, of an id that the venue does not know"].body
    found = CASES["order_rows: GET order/realtime"].body
    second = BYBIT.next_page(question, Page(1, first, 200, nothing), CONTEXT)
    assert second is not None
    assert (first.channel, second.channel) == ("order/realtime", "order/history")
    assert BYBIT.next_page(question, Page(1, first, 200, found), CONTEXT) is None
    assert BYBIT.next_page(question, Page(2, second, 200, nothing), CONTEXT) is None


@pytest.mark.parametrize("about", [About.OPEN_ORDERS, About.POSITIONS])
def test_trap_14_linear_contracts_are_asked_for_in_each_coin_of_settlement(about: About) -> None:
    question, empty = a_question(about), b'{"retCode":0,"result":{"list":[],"nextPageCursor":""}}'
    first = BYBIT.ask(question, CONTEXT)
    second = BYBIT.next_page(question, Page(1, first, 200, empty), CONTEXT)
    assert second is not None
    assert "settleCoin=USDT" in first.url
    assert "settleCoin=USDC" in second.url
    assert BYBIT.next_page(question, Page(2, second, 200, empty), CONTEXT) is None
    assert "settleCoin" not in BYBIT.ask(a_question(about, "inverse"), CONTEXT).url


def test_trap_16_one_symbol_is_two_instruments_told_apart_by_category() -> None:
    pushed, coins = order_of(NEW), order_of(NEW, category="spot", positionIdx=0)
    assert (pushed.symbol, coins.symbol) == ("BTCUSDT", "BTCUSDT")
    assert (pushed.product, coins.product) == ("linear", "spot")
    listed = parse(CASES["order_rows: GET order/realtime"].body)
    listed["result"]["category"] = "spot"
    (order,) = translated(listed, "linear").events
    assert isinstance(order, OrderReport)
    assert order.product == "spot"
    with pytest.raises(Exception, match="category"):
        translated(document_of(NEW, category=None), "linear")


def test_trap_17_a_batch_that_is_well_has_items_that_are_not() -> None:
    replies = events_of("replies: a batch is well, its items are not")
    assert [(r.accepted, r.venue_order_id) for r in replies if isinstance(r, Reply)] == [
        (True, "7c0d7f5e-2f0e-4c37-8d35-3f6b6d1f8a10"),
        (False, None),
    ]


def test_trap_18_a_conditional_order_is_one_order_before_and_after_its_trigger() -> None:
    steps = [
        order_of(f"orders_push: {name}")
        for name in ("a conditional order waits", "its price is reached")
    ]
    steps.append(order_of("orders_push: it is live, under the same ids"))
    assert [step.status for step in steps] == [
        Status.WAITING_TRIGGER, Status.ACTIVE, Status.ACTIVE,
    ]  # fmt: skip
    order = folded(*reversed(steps))
    assert (order.lifecycle, order.derived.disputes) == (Lifecycle.ACTIVE, ())
    assert order.term("order_type") == "STOP_MARKET"


def test_trap_19_the_price_of_a_market_order_is_a_bound_and_post_only_a_type() -> None:
    assert order_of(BOUGHT).price is None
    assert order_of("orders_push: it is live, under the same ids").price is None
    maker = order_of(POST_ONLY)
    assert (maker.order_type, maker.time_in_force) == ("LIMIT_MAKER", "GTC")
    rpi = order_of(NEW, timeInForce="RPI")
    assert (rpi.order_type, rpi.time_in_force) == ("LIMIT_MAKER", "RPI")


def test_trap_20_demo_has_the_private_socket_and_the_questions_of_production() -> None:
    (stream,) = BYBIT.streams(BYBIT.products)
    demo = Context(Credentials("key", "secret"), BYBIT.environments["demo"], NOW_NS)
    assert stream.address(demo, ()) == "wss://stream-demo.bybit.com/v5/private"
    url = BYBIT.ask(a_question(About.BALANCES), demo).url
    assert url.startswith("https://api-demo.bybit.com/v5/")


def test_trap_22_a_sequence_beyond_a_float_is_read_past_without_loss() -> None:
    body = CASES[FILL].body.replace(b'"seq":140700000001', b'"seq":9007199254740993')
    assert parse(body)["data"][0]["seq"] == 9007199254740993
    assert translated(parse(body)).events == events_of(FILL)


@pytest.mark.parametrize(
    ("extra", "fees"),
    [
        ("", None), ([], None), (None, None),
        ([{"feeCoin": "USDT", "fee": "0.1"}], (Fee("USDT", Decimal("0.1")),)),
    ],
)  # fmt: skip
def test_trap_23_extra_fees_are_a_list_or_a_blank(extra: Any, fees: tuple[Fee, ...] | None) -> None:
    (execution,) = translated(document_of(FILL, extraFees=extra)).events
    assert isinstance(execution, Execution)
    assert execution.more_fees == fees


@pytest.mark.parametrize("extra", ["more", [1], [{"fee": "1"}], [{"feeCoin": "USDT"}], {"a": 1}])
def test_trap_23_extra_fees_that_cannot_be_read_are_a_bad_frame(extra: Any) -> None:
    with pytest.raises(BadFrame):
        translated(document_of(FILL, extraFees=extra))


def test_trap_24_an_auction_refuses_a_cancel() -> None:
    (reply,) = translated({"retCode": 110095, "retMsg": "", "result": {}}).events
    assert isinstance(reply, Reply)
    assert reply.reason is Reason.MARKET_CLOSED


def test_trap_25_numbers_are_compared_and_not_their_texts() -> None:
    pushed, asked = order_of(NEW, qty="0.030"), order_of(NEW, qty="0.03000")
    assert pushed == asked
    assert folded(pushed, asked).derived.disputes == ()


def test_balances_are_ordered_by_when_they_were_sent() -> None:
    (pushed,) = events_of("wallet_push: one coin changed")
    asked, *_ = events_of("balances: GET account/wallet-balance")
    assert isinstance(pushed, BalanceReport)
    assert isinstance(asked, BalanceReport)
    assert pushed.ordinal is not None
    assert asked.ordinal is not None
    assert pushed.ordinal < asked.ordinal
    assert isinstance(execution_of(FILL), Execution)


@pytest.mark.parametrize("word", [[], {}, 5, True])
def test_a_word_that_is_no_text_is_a_bad_frame_and_no_mistake_of_ours(word: Any) -> None:
    with pytest.raises(BadFrame):
        translated(document_of(NEW, timeInForce=word))
