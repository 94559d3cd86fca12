"""What the frames' files do not show: ordinals, words, codes, and rules that span messages."""

from typing import Any

import pytest

from orderloom.event import BalanceReport, Event, Execution, OrderReport, PositionReport, Reply
from orderloom.words import PositionSide, Reason, Source, Status
from tests.venues.bybit.wire import (
    CANCELED,
    CASES,
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
from venues.bybit.replies import REASONS
from venues.bybit.words import CANCEL_TYPES, CREATE_TYPES, REJECT_REASONS, STATUSES, STOP_TYPES
from venues.document import parse
from venues.venue import BadFrame, Inbound, UnknownFrame

MS = 1_000_000
WAITING = "orders_push: a conditional order waits"
LONG = "positions_push: long, in one-way mode"


def test_stream_and_rest_give_one_order_comparable_ordinals() -> None:
    _, waiting = events_of("order_rows: GET order/realtime, with a conditional order")
    pushed = order_of(PARTIAL)
    (asked,) = events_of("order_rows: one row alone")
    assert pushed.ordinal == (1793000001201 * MS, 0)
    assert asked == pushed
    assert waiting == order_of(WAITING)


def test_pushed_and_listed_an_execution_is_the_same_and_agrees() -> None:
    pushed, listed = execution_of(FILL), execution_of("trades: GET execution/list")
    assert pushed == listed


@pytest.mark.parametrize(("word", "status"), STATUSES.items())
def test_every_status_is_one_of_ours(word: str, status: Status) -> None:
    assert order_of(NEW, orderStatus=word).status is status


@pytest.mark.parametrize(("word", "reason"), [(w, r) for w, r in CANCEL_TYPES.items() if r])
def test_what_canceled_an_order_comes_before_why_the_engine_did(word: str, reason: Reason) -> None:
    order = order_of(CANCELED, cancelType=word, rejectReason="EC_PostOnlyWillTakeLiquidity")
    assert (order.reason, order.is_reason_inferred) == (reason, False)


@pytest.mark.parametrize(("word", "reason"), [(w, r) for w, r in REJECT_REASONS.items() if r])
@pytest.mark.parametrize("status", ["Cancelled", "PartiallyFilledCanceled", "Rejected"])
def test_the_engines_reason_counts_where_nobody_canceled(
    word: str, reason: Reason, status: str
) -> None:
    order = order_of(CANCELED, orderStatus=status, cancelType="UNKNOWN", rejectReason=word)
    is_rejected_for_it = status == "Rejected" and reason is Reason.VENUE_CANCEL
    assert order.reason is (Reason.LIFECYCLE_REJECT if is_rejected_for_it else reason)
    assert not order.is_reason_inferred


@pytest.mark.parametrize("word", ["", "EC_NoError", "EC_TooLateToCancel", "EC_OfTomorrow"])
def test_a_cancel_without_a_reason_is_taken_for_the_venues(word: str) -> None:
    order = order_of(CANCELED, cancelType="UNKNOWN", rejectReason=word)
    assert (order.reason, order.is_reason_inferred) == (Reason.VENUE_CANCEL, True)


@pytest.mark.parametrize(("word", "reason"), CREATE_TYPES.items())
def test_who_made_an_order_is_why_it_was_filled(word: str, reason: Reason | None) -> None:
    order = order_of(FILLED, createType=word)
    assert order.reason is reason
    assert execution_of(FILL, createType=word).reason is reason


@pytest.mark.parametrize(
    ("stop", "kind", "ours"),
    [
        ("Stop", "Market", "STOP_MARKET"),
        ("Stop", "Limit", "STOP"),
        ("PartialStopLoss", "Market", "STOP_MARKET"),
        ("TakeProfit", "Market", "TAKE_PROFIT_MARKET"),
        ("PartialTakeProfit", "Limit", "TAKE_PROFIT"),
        ("TrailingStop", "Market", "TRAILING_STOP_MARKET"),
        ("OcoOrder", "Limit", "OCO"),
        ("UNKNOWN", "Limit", "LIMIT"),
        ("", "Market", "MARKET"),
    ],
)
def test_a_conditional_order_has_its_type_and_that_of_its_price(
    stop: str, kind: str, ours: str
) -> None:
    assert order_of(WAITING, stopOrderType=stop, orderType=kind).order_type == ours
    assert stop in STOP_TYPES or not stop


def test_blanks_of_conditional_parts_are_none() -> None:
    for blank in ("", "0", "0.00"):
        order = order_of(NEW, triggerPrice=blank, triggerBy="UNKNOWN")
        assert (order.trigger_price, order.trigger_type) == (None, None)


def test_an_order_that_closes_when_it_triggers_only_reduces() -> None:
    closing = order_of(WAITING, closeOnTrigger=True, reduceOnly=False)
    assert (closing.reduce_only, closing.close_position) == (True, None)
    whole = order_of(WAITING, closeOnTrigger=True, qty="0")
    assert (whole.reduce_only, whole.close_position, whole.quantity) == (True, True, None)
    assert order_of(NEW).reduce_only is False


@pytest.mark.parametrize(
    ("index", "side", "leg", "quantity"),
    [
        (0, "Buy", PositionSide.NET, "0.012"),
        (0, "Sell", PositionSide.NET, "-0.012"),
        (1, "Buy", PositionSide.LONG, "0.012"),
        (2, "Sell", PositionSide.SHORT, "-0.012"),
    ],
)
def test_a_position_index_is_a_leg(index: int, side: str, leg: PositionSide, quantity: str) -> None:
    (position,) = events_of(LONG, positionIdx=index, side=side)
    assert isinstance(position, PositionReport)
    assert (position.position_side, str(position.quantity)) == (leg, quantity)
    assert order_of(NEW, positionIdx=index).position_side is leg
    assert order_of(NEW, positionIdx=index, category="spot").position_side is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (110001, Reason.NOT_FOUND), (170213, Reason.NOT_FOUND), (110072, Reason.DUPLICATE_ID),
        (10016, Reason.UNKNOWN_STATE), (170035, Reason.UNKNOWN_STATE), (10001, Reason.BAD_REQUEST),
        (10003, Reason.AUTH), (-1, Reason.AUTH), (170218, Reason.POST_ONLY),
        (10006, Reason.THROTTLED), (110063, Reason.MARKET_CLOSED), (10019, Reason.REFUSED),
        (110007, Reason.INSUFFICIENT_BALANCE), (999999, Reason.UNKNOWN_STATE),
    ],
)  # fmt: skip
def test_codes_say_why(code: int, reason: Reason) -> None:
    translation = translated({"retCode": code, "retMsg": "no", "result": {}, "time": 1})
    (reply,) = translation.events
    assert isinstance(reply, Reply)
    assert (reply.accepted, reply.reason) == (False, reason)
    assert bool(translation.unknown) == (str(code) not in REASONS)


@pytest.mark.parametrize("code", [34040, 110025, 110026, 110043])
def test_nothing_modified_is_no_refusal(code: int) -> None:
    (reply,) = translated({"retCode": code, "retMsg": "not modified", "result": {}}).events
    assert isinstance(reply, Reply)
    assert (reply.accepted, reply.reason) == (True, None)


def test_a_reply_on_a_socket_names_the_request_that_it_answers() -> None:
    for says, name in (
        ("an order is taken", "r-000001"),
        ("a cancel finds no order", "r-000003"),
        ("too many sessions", "r-000005"),
    ):
        (reply,) = events_of(f"socket_replies: on a socket, {says}")
        assert isinstance(reply, Reply)
        assert reply.request_id == name


def test_a_batch_whose_verdicts_do_not_fit_its_items_is_not_guessed_at() -> None:
    document = parse(CASES["replies: a batch is well, its items are not"].body)
    document["retExtInfo"]["list"].pop()
    with pytest.raises(BadFrame, match="verdicts"):
        translated(document)


@pytest.mark.parametrize(
    "changed",
    [
        {"qty": "x"}, {"cumExecQty": "-1"}, {"cumExecQty": ""}, {"cumExecQty": None},
        {"side": "hold"}, {"orderId": ""}, {"orderId": 5}, {"symbol": ""}, {"updatedTime": "now"},
        {"orderStatus": ""}, {"orderStatus": 5}, {"positionIdx": 3}, {"positionIdx": True},
        {"positionIdx": "0"}, {"reduceOnly": "false"}, {"price": "1e99"}, {"category": 7},
        {"category": None},
    ],
)  # fmt: skip
def test_a_part_of_an_order_that_matters_and_cannot_be_read_spoils_the_whole(
    changed: dict[str, Any],
) -> None:
    with pytest.raises(BadFrame):
        translated(document_of(PARTIAL, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"execId": ""}, {"execPrice": ""}, {"execQty": "-1"}, {"execFee": "free"}, {"side": ""},
        {"feeCurrency": 7}, {"execTime": "9" * 16}, {"execType": 7}, {"isMaker": "true"},
        {"extraFees": {"fee": "1"}}, {"symbol": None},
    ],
)  # fmt: skip
def test_a_part_of_an_execution_that_matters_and_cannot_be_read_spoils_the_whole(
    changed: dict[str, Any],
) -> None:
    with pytest.raises(BadFrame):
        translated(document_of(FILL, **changed))


def test_one_row_that_cannot_be_read_spoils_its_page() -> None:
    document = parse(CASES["order_rows: GET order/realtime, with a conditional order"].body)
    document["result"]["list"][1]["cumExecQty"] = "much"
    with pytest.raises(BadFrame, match="cumExecQty"):
        translated(document)


def test_what_is_unknown_is_counted_bounded_and_changes_nothing() -> None:
    extra = {f"new{number}": "1" for number in range(10_000)}
    translation = translated(document_of(NEW, **extra))
    assert 0 < len(translation.unknown) <= 100
    assert translation.events == events_of(NEW)


@pytest.mark.parametrize(
    "document",
    [
        {"topic": 7, "data": []},
        {"topic": "order", "data": {}},
        {"topic": "order", "data": ["row"]},
        {"op": 7},
        {"retCode": "0", "result": {}},
        {"retCode": 10001, "retMsg": 7, "result": {}},
        {"retCode": 0, "result": {"list": {}}},
        {"op": "order.create", "reqId": "r-1", "data": {}},
        {"topic": "position", "data": [{"category": "linear", "symbol": "BTCUSDT", "size": "1"}]},
    ],
)
def test_a_message_of_a_known_kind_and_an_unknown_shape_is_refused(document: Any) -> None:
    with pytest.raises(BadFrame):
        translated(document)


def test_rows_in_a_bare_list_are_read_one_by_one() -> None:
    row = parse(CASES["order_rows: one row alone"].body)
    inbound = Inbound([row, {**row, "orderId": "another"}], Source.QUERY, "linear")
    orders = [event for event in BYBIT.translate(inbound).events if isinstance(event, OrderReport)]
    assert [order.venue_order_id for order in orders] == [row["orderId"], "another"]
    assert BYBIT.translate(Inbound([], Source.QUERY, "linear")).ignored == "an empty answer"


@pytest.mark.parametrize("name", [LONG, FILL, NEW])
def test_a_row_of_an_option_is_left_out_and_counted(name: str) -> None:
    translation = translated(document_of(name, category="option"))
    assert (translation.events, translation.unknown) == ((), ("category=option",))
    assert translation.ignored is not None


@pytest.mark.parametrize(
    "document",
    [
        {"topic": "order.of.tomorrow", "data": []},
        {"topic": "positions", "data": []},
        {"op": "negotiate", "success": True},
        {"symbol": "BTCUSDT", "price": "61000"},
        {"retCode": 0, "result": {"category": "perpetual", "list": []}},
        "pong",
        7,
    ],
)
def test_a_message_of_an_unknown_kind_is_refused(document: Any) -> None:
    with pytest.raises(UnknownFrame):
        translated(document)


@pytest.mark.parametrize(
    ("hint", "symbol", "product"),
    [
        ("swap", "BTCUSDT", "linear"), ("swap", "BTCPERP", "linear"), ("swap", "BTCUSD", "inverse"),
        ("swap", "BTCUSDH27", "inverse"), ("linear", "BTCUSD", "linear"),
        ("spot", "BTCUSD", "spot"),
    ],
)  # fmt: skip
def test_a_row_alone_is_of_the_product_that_is_given_with_it(
    hint: str, symbol: str, product: str
) -> None:
    row = parse(CASES["order_rows: one row alone"].body) | {"symbol": symbol}
    (order,) = BYBIT.translate(Inbound(row, Source.QUERY, hint)).events
    assert isinstance(order, OrderReport)
    assert order.product == product
    with pytest.raises(BadFrame, match="category"):
        BYBIT.translate(Inbound(row, Source.QUERY, None))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("trades: GET execution/list, of coins", "Execution"),
        ("order_rows: GET order/history, of coins", "OrderReport"),
        ("positions: GET position/list", "PositionReport"),
        ("balances: GET account/wallet-balance", "BalanceReport"),
        ("instruments: inverse contracts", "InstrumentReport"),
    ],
)
def test_a_row_says_itself_what_it_is(name: str, kind: str) -> None:
    case = CASES[name]
    row = parse(case.body)["result"]["list"][0]
    said = BYBIT.translate(Inbound(row, Source.QUERY, case.product)).events
    assert {type(event).__name__ for event in said} == {kind}
    assert said[0].product == events_of(name)[0].product


def test_a_coin_alone_is_a_balance() -> None:
    (told,) = translated({"coin": "USDT", "walletBalance": "9000.46", "locked": "0"}).events
    assert isinstance(told, BalanceReport)
    assert (told.product, told.asset, told.venue_ns) == ("spot", "USDT", None)


def test_the_fee_of_a_spreads_leg_is_counted_and_not_lost_in_silence() -> None:
    translation = translated(document_of(FILL, execType="FutureSpread", execFeeV2="0.01"))
    assert translation.unknown == ("execFeeV2: the fee of a spread's leg",)
    assert translated(document_of(FILL, execFeeV2="")).unknown == ()


def test_the_frames_hold_every_kind_of_event() -> None:
    def events() -> list[Event]:
        cases = CASES.values()
        return [e for one in cases for e in BYBIT.translate(one.inbound(parse(one.body))).events]

    assert {type(event).__name__ for event in events()} == {
        "OrderReport", "Execution", "PositionReport", "BalanceReport", "InstrumentReport", "Reply",
    }  # fmt: skip
    assert [e for e in events() if isinstance(e, Execution) and e.exec_id is None] == []
