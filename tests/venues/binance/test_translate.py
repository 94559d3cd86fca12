"""What the frames' files do not show: ordinals, chains, and rules that span messages."""

from decimal import Decimal
from typing import Any

import pytest

from orderloom.event import Event, Execution, OrderReport, Reply
from orderloom.identity import execution_key
from orderloom.words import Completeness, Lifecycle, Reason, Source, Status
from tests.builders import some_orders, take
from tests.venues.frames import Case, cases
from venues.binance import BINANCE
from venues.document import parse
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame

CASES = {case.name: case for case in cases("binance")}
MS = 1_000_000


def translated(document: Any, product: str | None = None) -> Translation:
    return BINANCE.translate(Inbound(document, Source.STREAM, product))


def document_of(name: str, **changed: Any) -> Any:
    """The document of a frame, fields of its order changed."""
    document = parse(CASES[name].body)
    if changed:
        document.get("event", document.get("o", document)).update(changed)
    return document


def events_of(name: str, **changed: Any) -> tuple[Event, ...]:
    return translated(document_of(name, **changed), CASES[name].product).events


def order_of(name: str, **changed: Any) -> OrderReport:
    (order,) = (e for e in events_of(name, **changed) if isinstance(e, OrderReport))
    return order


def executions(*names: str) -> list[Execution]:
    return [e for name in names for e in events_of(name) if isinstance(e, Execution)]


def why(*events: Event) -> list[tuple[Reason | None, bool]]:
    orders = (event for event in events if isinstance(event, OrderReport))
    return [(order.reason, order.is_reason_inferred) for order in orders]


SPOT_FILL = "spot_execution_report: a partial fill"
LINEAR_FILL = "linear_order_trade_update: a partial fill"


def test_stream_and_rest_give_one_order_comparable_ordinals() -> None:
    stream = order_of(SPOT_FILL)
    row = order_of("spot_order_rows: GET order")
    assert stream.ordinal == (1793000002204 * MS, 15501077)
    assert row.ordinal == (1793000002204 * MS, 0)
    assert order_of(LINEAR_FILL).ordinal == (1793000012008 * MS, 0)
    assert order_of("linear_order_rows: GET order").ordinal == (1793000012008 * MS, 0)


def test_an_order_without_the_envelope_has_the_same_ordinal() -> None:
    assert order_of("linear_order_trade_update: the bare order of the event") == order_of(
        LINEAR_FILL
    )


def test_all_sources_of_one_trade_name_one_execution() -> None:
    def keys(*names: str) -> set[str]:
        return {
            execution_key(e.product, e.symbol, str(e.exec_id), str(e.venue_order_id))
            for e in executions(*names)
        }

    linear = keys(LINEAR_FILL, "linear_trade_lite: a fill without its fee")
    assert linear == {"linear/BTCUSDT/6610020031/551200341"}
    assert linear < keys("linear_trades: GET userTrades")
    full = "spot_place_reply: FULL: its fills have an identity, no time and no liquidity"
    assert keys(full) == keys("spot_trades: one bare row")


def test_fields_that_two_sources_of_a_trade_both_have_agree() -> None:
    names = (LINEAR_FILL, "linear_trade_lite: a fill without its fee")
    (full, lite) = executions(*names)
    row = executions("linear_trades: GET userTrades")[0]
    for other in (lite, row):
        for name in Execution.__slots__:
            mine, theirs = getattr(full, name), getattr(other, name)
            assert mine is None or theirs is None or mine == theirs, name
    assert lite.fee is None
    assert row.fee == full.fee == Decimal("0.182")


def test_a_fill_of_a_full_reply_leaves_out_what_it_does_not_say() -> None:
    full = "spot_place_reply: FULL: its fills have an identity, no time and no liquidity"
    (fill,) = executions(full)
    assert (fill.venue_ns, fill.liquidity) == (None, None)
    assert fill.exec_id == "88120040"


def test_a_cancel_requests_own_id_is_nowhere() -> None:
    for name in (
        "spot_execution_report: a cancel names itself in c and the order in C",
        "spot_cancel_reply: the order's own id is origClientOrderId",
    ):
        assert "wK3pQm0zR7xYt2LhVb9sAe" not in repr(order_of(name))


def test_an_amendment_keeps_the_former_name_as_an_alias() -> None:
    order = order_of("spot_execution_report: an amendment renames the order")
    assert order.is_amendment
    assert (order.client_order_id, order.client_alias_ids) == ("osp-000020b", ("osp-000020",))
    assert order.alias_ids == ()
    assert order.quantity == 3
    assert order_of("linear_order_trade_update: an amendment").is_amendment
    row = order_of("linear_order_rows: GET orderAmendment")
    assert (row.is_amendment, row.status, row.quantity) == (True, None, Decimal("0.025"))


def test_an_algo_order_has_its_algo_id_first_and_as_an_alias_after_its_trigger() -> None:
    waiting = order_of("linear_algo_update: a conditional order waits")
    triggered = order_of("linear_algo_update: it triggers and gets an order of its own")
    assert (waiting.venue_order_id, waiting.alias_ids) == ("2200441", ())
    assert (triggered.venue_order_id, triggered.alias_ids) == ("551200399", ("2200441",))


def test_a_fill_without_any_identity_is_left_to_the_cumulative_quantity() -> None:
    for name, changed in ((SPOT_FILL, {"t": -1}), (LINEAR_FILL, {"t": 0})):
        (only,) = events_of(name, **changed)
        assert isinstance(only, OrderReport)
        assert only.filled_quantity


@pytest.mark.parametrize(
    "changed",
    [
        {"q": "x"}, {"z": "-1"}, {"z": None}, {"l": ""}, {"L": "1e99"}, {"n": "free"}, {"N": None},
        {"N": 7}, {"S": "HOLD"}, {"S": None}, {"i": -5}, {"i": "x"}, {"i": None}, {"s": ""},
        {"s": None}, {"T": "now"}, {"T": 10**18}, {"t": "x"}, {"m": "yes"}, {"X": ""}, {"X": 5},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [SPOT_FILL, LINEAR_FILL])
def test_a_part_that_matters_and_cannot_be_read_spoils_the_whole(
    name: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(BadFrame):
        translated(document_of(name, **changed))


@pytest.mark.parametrize("name", [SPOT_FILL, LINEAR_FILL])
def test_a_status_that_we_do_not_know_claims_nothing_and_keeps_its_fill(name: str) -> None:
    translation = translated(document_of(name, X="HALF_AWAKE"))
    order, execution = translation.events
    assert isinstance(order, OrderReport)
    assert isinstance(execution, Execution)
    assert (order.status, order.reason) == (None, None)
    assert translation.unknown == ("X=HALF_AWAKE",)


def test_one_row_that_cannot_be_read_spoils_its_page() -> None:
    rows = parse(CASES["spot_trades: GET myTrades"].body)
    rows[1]["qty"] = "much"
    with pytest.raises(BadFrame, match="qty"):
        translated(rows, "spot")


def test_a_row_that_both_products_could_have_written_needs_the_products_hint() -> None:
    row = {
        "symbol": "BTCUSDT", "orderId": 7, "clientOrderId": "a", "status": "NEW", "price": "1",
        "origQty": "1", "executedQty": "0", "type": "LIMIT", "side": "BUY", "timeInForce": "GTC",
    }  # fmt: skip
    for product, said in (("spot", "spot"), ("linear", "linear"), ("swap", "linear")):
        (order,) = translated(row, product).events
        assert order.product == said
    for hint in (None, "inverse", "nonsense"):
        with pytest.raises(UnknownFrame):
            translated(row, hint)


def test_refusals_whose_number_means_two_things_are_told_apart() -> None:
    def reason(product: str, code: int, text: str) -> Reason | None:
        (reply,) = translated({"code": code, "msg": text}, product).events
        assert isinstance(reply, Reply)
        assert not reply.accepted
        return reply.reason

    assert reason("spot", -2026, "Order was archived.") is Reason.NOT_FOUND
    assert reason("linear", -2026, "not supported when reduceOnly") is Reason.REDUCE_ONLY
    assert reason("linear", -2022, "ReduceOnly Order is rejected.") is Reason.REDUCE_ONLY
    assert reason("spot", -2022, "Order cancel-replace failed.") is Reason.REFUSED
    assert reason("linear", -1000, "Service Unavailable.") is Reason.THROTTLED
    assert reason("linear", -1000, "Unknown error, please check") is Reason.UNKNOWN_STATE
    assert reason("spot", -77_777, "something new") is Reason.UNKNOWN_STATE


def test_a_reply_names_the_request_that_it_answers() -> None:
    (reply,) = events_of("websocket_replies: a refusal")
    assert isinstance(reply, Reply)
    assert reply.request_id == "rq-78"
    (reply,) = events_of("websocket_replies: too many orders")
    assert isinstance(reply, Reply)
    assert reply.request_id == "79"


def test_a_conditional_order_is_live_once_it_is_on_the_book() -> None:
    name = "spot_execution_report: a stop order waits for its trigger"
    assert order_of(name).status is Status.WAITING_TRIGGER
    assert order_of(name, w=True).status is Status.ACTIVE


def test_messages_within_messages_end() -> None:
    document: Any = {"e": "TRADE_LITE"}
    for _ in range(50):
        document = {"event": document}
    with pytest.raises(UnknownFrame):
        translated(document)


def test_what_is_unknown_is_bounded_however_much_there_is() -> None:
    extra = {f"new{number}": 1 for number in range(10_000)}
    translation = translated(document_of(SPOT_FILL, **extra))
    assert 0 < len(translation.unknown) <= 100
    assert len(translation.events) == 2


def every_word_of(case: Case) -> set[str]:
    return {event.__class__.__name__ for event in translated(parse(case.body), case.product).events}


def test_the_frames_hold_every_kind_of_event() -> None:
    kinds = set().union(*(every_word_of(case) for case in CASES.values()))
    assert kinds == {
        "OrderReport", "Execution", "PositionReport", "BalanceReport", "InstrumentReport", "Reply",
    }  # fmt: skip


def test_a_conditional_order_says_what_was_executed_only_once_it_has_finished() -> None:
    name = "linear_algo_update: its order was canceled after a part: no claim, but a quantity"
    document = document_of(name)
    finished, triggered = document["o"], document["o"] | {"X": "TRIGGERED", "aq": "0"}
    (order,) = translated(document | {"o": finished}).events
    assert isinstance(order, OrderReport)
    assert (order.is_ended, bool(order.filled_quantity)) == (True, True)
    (order,) = translated(document | {"o": triggered}).events
    assert isinstance(order, OrderReport)
    assert (order.status, order.filled_quantity) == (Status.ACTIVE, None)


def test_every_source_says_what_self_trade_prevention_took() -> None:
    name = "spot_execution_report: self-trade prevention left the order alive"
    assert order_of(name).prevented_quantity == 1
    row = order_of("spot_order_rows: GET order", preventedQuantity="1.000")
    assert row.prevented_quantity == 1
    reply = document_of("spot_amend: the reply")
    reply["amendedOrder"]["preventedQty"] = "1.000"
    (order,) = translated(reply).events
    assert isinstance(order, OrderReport)
    assert order.prevented_quantity == 1


def test_a_conditional_order_that_is_amended_while_it_waits_waits_on() -> None:
    reply = document_of("spot_amend: the reply")
    reply["amendedOrder"] |= {"type": "STOP_LOSS_LIMIT", "status": "NEW", "workingTime": -1}
    reply["amendedOrder"] |= {"stopPrice": "7.50000"}
    (order,) = translated(reply).events
    assert isinstance(order, OrderReport)
    assert (order.status, order.trigger_price) == (Status.WAITING_TRIGGER, Decimal("7.5"))


def test_what_the_terms_say_of_an_expiry_is_told_from_the_venues_own_word() -> None:
    name = "linear_order_trade_update: the rest of an IOC order expired"
    assert why(*events_of(name, er="3")) == [(Reason.SELF_TRADE_PREVENTION, False)]
    assert why(*events_of(name, er="0")) == [(Reason.TIME_IN_FORCE, True)]
    row: dict[str, str] = {"status": "EXPIRED", "timeInForce": "IOC"}
    assert why(*events_of("linear_order_rows: GET order", **row)) == [(Reason.TIME_IN_FORCE, True)]
    assert why(*events_of("spot_order_rows: GET order", **row)) == [(Reason.TIME_IN_FORCE, True)]
    said = row | {"expiryReason": "EXCHANGE_CANCELED"}
    assert why(*events_of("spot_order_rows: GET order", **said)) == [(Reason.VENUE_CANCEL, False)]


def test_of_an_order_amended_up_after_its_trigger_finished_does_not_say_filled() -> None:
    orders = some_orders(BINANCE.profiles["linear"])
    name = "linear_algo_update: its order filled: its quantity says so"
    fill = {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.040", "z": "0.040"}
    take(
        orders,
        *events_of(LINEAR_FILL, i=551200399, q="0.050", s="BTCUSDT", **fill),
        *events_of(LINEAR_FILL, i=551200399, q="0.050", s="BTCUSDT", **CANCELED, z="0.040"),
        *events_of(name, aq="0.040"),
    )
    (order,) = orders.all()
    assert (order.lifecycle, order.derived.disputes) == (Lifecycle.CANCELED, ())


CANCELED: dict[str, Any] = {"x": "CANCELED", "X": "CANCELED", "l": "0", "t": 0}


@pytest.mark.parametrize(("name", "ended"), [(LINEAR_FILL, "CANCELED"), (SPOT_FILL, "EXPIRED")])
@pytest.mark.parametrize("less", [1, Decimal("0.5")])
def test_an_amendment_to_at_most_what_was_executed_ends_the_order_by_its_own_word(
    name: str, ended: str, less: Decimal
) -> None:
    orders = some_orders(BINANCE.profiles["linear"])
    filled = order_of(name).filled_quantity
    assert filled is not None
    end = {"x": ended, "X": ended, "l": "0", "t": 0 if name == LINEAR_FILL else -1, "r": "NONE"}
    take(orders, *events_of(name), *events_of(name, **end, q=str(filled * less)))
    (order,) = orders.all()
    assert (order.lifecycle, order.derived.disputes) == (Lifecycle(ended), ())
    assert order.derived.completeness is Completeness.COMPLETE
    assert order.quantity == order_of(name).quantity
