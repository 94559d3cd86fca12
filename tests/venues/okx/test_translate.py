"""What the frames' files do not show: ordinals, aliases, and rules that span messages."""

from decimal import Decimal
from typing import Any

import pytest

from orderloom.event import Event, Execution, InstrumentReport, OrderReport, Reply
from orderloom.identity import execution_key
from orderloom.words import Completeness, Lifecycle, Reason, Source, Status
from tests.builders import some_orders, take
from tests.venues.frames import cases
from venues.document import parse
from venues.okx import OKX
from venues.okx.words import CANCEL_SOURCES
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame

CASES = {case.name: case for case in cases("okx")}
MS = 1_000_000
FILL = "orders_push: a partial fill"


def translated(document: Any, product: str | None = None) -> Translation:
    return OKX.translate(Inbound(document, Source.STREAM, product))


def document_of(name: str, **changed: Any) -> Any:
    """The document of a frame, fields of its first row changed."""
    document = parse(CASES[name].body)
    if changed:
        document["data"][0].update(changed)
    return document


def events_of(name: str, **changed: Any) -> tuple[Event, ...]:
    case = CASES[name]
    inbound = Inbound(document_of(name, **changed), case.source, case.product)
    return OKX.translate(inbound).events


def order_of(name: str, **changed: Any) -> OrderReport:
    (order,) = (e for e in events_of(name, **changed) if isinstance(e, OrderReport))
    return order


def executions(*names: str) -> list[Execution]:
    return [e for name in names for e in events_of(name) if isinstance(e, Execution)]


def test_stream_and_rest_give_one_order_comparable_ordinals() -> None:
    rows = events_of("order_rows: GET trade/orders-pending")
    assert isinstance(rows[0], OrderReport)
    assert rows[0].ordinal == (1793000001202 * MS, 0)
    assert order_of(FILL).ordinal == (1793000001201 * MS, 0)  # its match, not uTime: see below


@pytest.mark.parametrize(
    "name",
    [
        FILL,
        "orders_push: a new order",
        "orders_push: an amendment is accepted",
        "orders_push: the venue cuts a reduce-only order",
    ],
)
def test_row_39_a_message_that_comes_again_with_a_later_time_is_no_later_message(name: str) -> None:
    told, again = order_of(name), order_of(name, uTime="1793000999999")
    assert again.change_id == told.change_id
    assert again.ordinal == told.ordinal or told.change_id is not None


def test_all_sources_of_one_trade_name_one_execution_and_agree() -> None:
    pushed, lean, queried = executions(
        FILL, "fills_push: a fill of one trade, without its fee", "trades: GET trade/fills"
    )
    keys = {
        execution_key(e.product, e.symbol, str(e.exec_id), str(e.venue_order_id))
        for e in (pushed, lean, queried)
    }
    assert keys == {"linear/BTC-USDT-SWAP/905000101/2710000000000000001"}
    for other in (lean, queried):
        for name in Execution.__slots__:
            mine, theirs = getattr(pushed, name), getattr(other, name)
            assert mine is None or theirs is None or mine == theirs, name
    assert (lean.fee, queried.fee) == (None, pushed.fee)


def test_a_query_reports_the_last_fill_and_a_push_its_own() -> None:
    assert executions(FILL)
    assert not executions("order_rows: GET trade/order")
    row = document_of(FILL)["data"][0]
    (order,) = OKX.translate(Inbound(row, Source.QUERY)).events
    assert isinstance(order, OrderReport)


@pytest.mark.parametrize("trade_id", ["0", "", None])
def test_a_fill_without_an_identity_is_left_to_the_cumulative_quantity(trade_id: Any) -> None:
    (only,) = events_of(FILL, tradeId=trade_id)
    assert isinstance(only, OrderReport)
    assert only.filled_quantity == Decimal("1.2")


def test_a_fee_is_charged_above_zero_and_a_rebate_below() -> None:
    (charged,) = executions(FILL)
    (rebate,) = executions("orders_push: an inverse contract, bought by a taker with a rebate")
    assert (charged.fee, rebate.fee) == (Decimal("0.146376"), Decimal("-0.0000004"))


def test_a_fee_keeps_every_digit() -> None:
    fee = "12345678.123456789012345678901234"
    told = [e.fee for e in events_of(FILL, fillFee=f"-{fee}") if isinstance(e, Execution)]
    assert told == [Decimal(fee)]


def test_amendments_are_told_from_their_failures() -> None:
    assert order_of("orders_push: an amendment is accepted").is_amendment
    assert order_of("orders_push: the venue cuts a reduce-only order").is_amendment
    assert not order_of("orders_push: a new order").is_amendment
    failed, reply = events_of("orders_push: an amendment fails and the order stays as it is")
    assert isinstance(failed, OrderReport)
    assert isinstance(reply, Reply)
    assert (failed.is_amendment, failed.status) == (False, Status.ACTIVE)
    assert (reply.request_id, reply.accepted) == ("rq18", False)


def test_a_conditional_order_has_its_algo_id_first_and_as_an_alias_after_its_trigger() -> None:
    waiting = order_of("algo_orders: a stop-loss waits")
    triggered = order_of("algo_orders: it triggers and an order takes its place")
    child = order_of("orders_push: an order of a triggered conditional order")
    assert (waiting.venue_order_id, waiting.alias_ids) == ("2650000000000000007", ())
    assert triggered.venue_order_id == child.venue_order_id
    assert triggered.alias_ids == child.alias_ids == ("2650000000000000007",)
    assert triggered.client_alias_ids == child.client_alias_ids == ("stop7",)
    assert triggered.ordinal == (1793000071000 * MS, 0)


IN_QUOTE = "algo_orders: one for coins that buys at market is sized in quote"


@pytest.mark.parametrize(
    ("changed", "is_in_quote"),
    [
        ({}, True),
        ({"tgtCcy": "base_ccy"}, False),
        ({"tgtCcy": "quote_ccy", "side": "sell"}, True),
        ({"side": "sell"}, False),
        ({"slOrdPx": "2601"}, False),
        ({"ordType": "trigger", "ordPx": "-1"}, True),
        ({"ordType": "trigger", "ordPx": "2601"}, False),
        ({"ordType": "move_order_stop"}, True),
        ({"instType": "SWAP", "instId": "ETH-USDT-SWAP"}, False),
    ],
)
def test_a_conditional_order_is_sized_in_quote_where_a_plain_one_would_be(
    changed: dict[str, str], is_in_quote: bool
) -> None:
    order = order_of(IN_QUOTE, **changed)
    sizes = (order.quantity, order.quote_quantity)
    assert sizes == ((None, Decimal(100)) if is_in_quote else (Decimal(100), None))


@pytest.mark.parametrize("size", ["", "0", "-1", "-5"])
def test_a_conditional_order_without_a_size_above_zero_has_none(size: str) -> None:
    order = order_of("algo_orders: a stop-loss waits", sz=size)
    assert (order.quantity, order.quote_quantity) == (None, None)


def test_orders_of_a_strategy_are_never_joined_by_its_id() -> None:
    order = order_of("orders_push: one of many orders of a strategy has no alias")
    assert (order.alias_ids, order.client_alias_ids) == ((), ())


def test_a_reply_names_the_request_that_it_answers() -> None:
    def request_of(name: str) -> str | None:
        (reply,) = events_of(name)
        assert isinstance(reply, Reply)
        return reply.request_id

    assert request_of("socket_replies: an order") == "rq000001"
    assert request_of("socket_replies: an amendment") == "rq17"
    assert request_of("socket_replies: a request that cannot be read") == "rq000004"
    assert request_of("request_replies: POST trade/amend-order") == "rq17"


def test_the_inverse_contract_counts_dollars() -> None:
    sizes = {
        event.symbol: (event.product, event.contract_size, event.is_inverse)
        for event in events_of("instruments: GET public/instruments of contracts")
        if isinstance(event, InstrumentReport)
    }
    assert sizes == {
        "BTC-USDT-SWAP": ("linear", Decimal("0.01"), False),
        "BTC-USD-SWAP": ("inverse", Decimal(100), True),
        "BTC-USD_UM-SWAP": ("linear", Decimal("0.01"), False),
    }


def test_every_reason_of_a_cancel_is_a_reason_of_ours() -> None:
    documented = {
        0, 1, 2, 3, 4, 6, 7, 9, 10, 13, 14, 15, 17, 20, 21, 22, 23, 27, 31, 32, 33, 36, 37, 38, 39,
        42, 43, 44, 45, 46,
    }  # fmt: skip
    assert set(CANCEL_SOURCES) == {str(code) for code in documented}
    name = "orders_push: a user cancels after a partial fill"
    for code, reason in CANCEL_SOURCES.items():
        order = order_of(name, cancelSource=code)
        assert (order.reason, order.is_reason_inferred) == (reason, False)


@pytest.mark.parametrize("code", ["47", ""])
def test_a_source_of_a_cancel_that_we_do_not_know_is_no_word_of_the_venue(code: str) -> None:
    order = order_of("orders_push: a user cancels after a partial fill", cancelSource=code)
    assert (order.reason, order.is_reason_inferred) == (Reason.VENUE_CANCEL, True)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("51400", Reason.NOT_FOUND), ("51603", Reason.NOT_FOUND), ("51016", Reason.DUPLICATE_ID),
        ("51149", Reason.UNKNOWN_STATE), ("50026", Reason.UNKNOWN_STATE),
        ("50037", Reason.REFUSED), ("51121", Reason.BAD_REQUEST), ("51022", Reason.MARKET_CLOSED),
        ("50102", Reason.AUTH), ("51169", Reason.REDUCE_ONLY), ("50061", Reason.THROTTLED),
    ],
)  # fmt: skip
def test_codes_say_why(code: str, reason: Reason) -> None:
    (reply,) = translated({"code": code, "msg": "", "data": []}).events
    assert isinstance(reply, Reply)
    assert reply.reason is reason


def test_the_code_of_an_item_decides_and_not_the_one_above_it() -> None:
    document = document_of("request_replies: a batch of which one is refused")
    replies = [event for event in translated(document).events if isinstance(event, Reply)]
    assert [reply.accepted for reply in replies] == [True, False]


@pytest.mark.parametrize(
    "changed",
    [
        {"sz": "x"}, {"accFillSz": "-1"}, {"accFillSz": ""}, {"accFillSz": None}, {"fillSz": "-2"},
        {"fillPx": "1e99"}, {"fillPx": ""}, {"fillFee": "free"}, {"fillFeeCcy": ""},
        {"fillFeeCcy": 7}, {"side": "hold"}, {"side": ""}, {"ordId": "-5"}, {"ordId": ""},
        {"instId": ""}, {"instId": "BTC"}, {"uTime": "now"}, {"uTime": "9" * 16}, {"tradeId": "x"},
        {"tradeId": 7}, {"state": ""}, {"state": 5}, {"posSide": "both"}, {"instType": 1},
    ],
)  # fmt: skip
def test_a_part_that_matters_and_cannot_be_read_spoils_the_whole(changed: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        translated(document_of(FILL, **changed))


def test_a_state_that_we_do_not_know_claims_nothing_and_keeps_its_fill() -> None:
    translation = translated(document_of(FILL, state="half_awake"))
    order, execution = translation.events
    assert isinstance(order, OrderReport)
    assert isinstance(execution, Execution)
    assert (order.status, order.reason) == (None, None)
    assert translation.unknown == ("state=half_awake",)


def test_one_row_that_cannot_be_read_spoils_its_page() -> None:
    document = document_of("order_rows: GET trade/orders-pending")
    document["data"][1]["accFillSz"] = "much"
    with pytest.raises(BadFrame, match="accFillSz"):
        translated(document)


def test_a_row_about_an_order_is_never_passed_over_for_its_time_stamp() -> None:
    with pytest.raises(UnknownFrame):
        translated({"instId": "BTC-USDT", "ordId": "7", "ts": "1793000000123"})


def test_what_is_unknown_is_bounded_however_much_there_is() -> None:
    extra = {f"new{number}": "1" for number in range(10_000)}
    translation = translated(document_of(FILL, **extra))
    assert 0 < len(translation.unknown) <= 100
    assert len(translation.events) == 2


def test_the_frames_hold_every_kind_of_event() -> None:
    kinds = {type(event).__name__ for name in CASES for event in _plain_events(name)}
    assert kinds == {
        "OrderReport", "Execution", "PositionReport", "BalanceReport", "InstrumentReport", "Reply",
    }  # fmt: skip


def _plain_events(name: str) -> tuple[Event, ...]:
    case = CASES[name]
    return OKX.translate(case.inbound(parse(case.body))).events


def test_an_order_amended_to_less_than_was_executed_is_filled_and_no_dispute() -> None:
    orders = some_orders(OKX.profiles["linear"])
    amended: dict[str, Any] = {
        "state": "filled", "sz": "1", "amendResult": "0", "amendSource": "1", "reqId": "rq1",
        "fillSz": "0", "tradeId": "", "fillTime": "", "uTime": "1793000005202",
    }  # fmt: skip
    take(orders, *events_of(FILL), *events_of(FILL, **amended))
    (order,) = orders.all()
    assert (order.lifecycle, order.derived.disputes) == (Lifecycle.FILLED, ())
    assert order.derived.completeness is Completeness.COMPLETE
    assert order.quantity == order.executed == Decimal("1.2")
