"""OKX: orders and executions as evidence. Pure.

Manual: "Order channel", "Fills channel", "GET Order details", "GET Transaction details". The rules
that cost others money:

- On the stream `fillSz`, `fillPx`, `tradeId` and `fillFee` are of *this push*; in REST they are of
  the last fill. So only a push reports an execution; `accFillSz` is cumulative in both.
- A trade id is unique per instrument. A liquidation's is "0" on the stream, and negative in REST:
  "0" is no identity, and such a fill is cumulative evidence until REST names it.
- Fees below zero were charged.
- A failed amendment comes as a push of the unchanged order with `amendResult` -1 and a `code`: it
  answers the request and is no failure of the order. The venue amends by itself too.
- A market order for coins is sized in quote where `tgtCcy` says so, by default when it buys; it may
  close with a push that has neither fill nor trade id.
- A block trade has no order: its row names none, and its trade id may be that of another's match,
  so its bill names it.
- The `fills` channel sums trades of a price under the id of the last: only a sum of one is a fill.
"""

from typing import Any, Final

from orderloom.event import Event, Execution, OrderReport, Reply
from orderloom.words import Reason, Side, Status
from venues.document import (
    Document,
    amount,
    choice,
    identifier,
    lenient_choice,
    names_in,
    needed_amount,
    needed_identifier,
    needed_text,
    note_unknown,
    text,
    time_ns,
)
from venues.okx.reading import (
    SPOT,
    amount_above_zero,
    change_id,
    fee_of,
    flag,
    is_sized_in_quote,
    margin_mode_of,
    ordinal,
    position_side_of,
    product_of,
    push_time_ns,
    trade_id,
    unit_of,
)
from venues.okx.replies import reason_of, text_of_refusal
from venues.okx.words import (
    CANCEL_SOURCES,
    CATEGORIES,
    FILL_REASONS,
    LIQUIDITIES,
    ORDER_TYPES,
    PARENT_SOURCES,
    SIDES,
    SPLIT_SOURCES,
    STATES,
)
from venues.reading import Reading
from venues.venue import BadFrame

ORDER_FIELDS: Final = names_in(
    "accFillSz algoClOrdId algoId amendResult amendSource attachAlgoClOrdId attachAlgoOrds avgPx "
    "cTime cancelSource cancelSourceReason category ccy clOrdId code execType fee feeCcy fillFee "
    "fillFeeCcy fillFwdPx fillIdxPx fillMarkPx fillMarkVol fillNotionalUsd fillPnl fillPx "
    "fillPxUsd fillPxVol fillSz fillTime instId instType isTpLimit lastPx lever linkedAlgoOrd msg "
    "notionalUsd ordId ordType outcome pnl posSide px pxType pxUsd pxVol quickMgnType rebate "
    "rebateCcy reduceOnly reqId side slOrdPx slTriggerPx slTriggerPxType source state stpId "
    "stpMode sz tag tdMode tgtCcy tpOrdPx tpTriggerPx tpTriggerPxType tradeId tradeQuoteCcy uTime "
    "instIdCode"
)
TRADE_FIELDS: Final = names_in(
    "instType instId tradeId ordId clOrdId billId subType tag fillPx fillSz fillIdxPx fillPnl "
    "fillPxVol fillPxUsd fillMarkVol fillFwdPx fillMarkPx side posSide execType feeCcy fee ts "
    "fillTime feeRate tradeQuoteCcy instIdCode"
)
LEAN_FIELDS: Final = names_in("instId fillSz fillPx side ts ordId clOrdId tradeId execType count")
# Fields that only a push has: they tell a bare row of the stream from a row of a query.
PUSH_MARKS: Final = frozenset({"fillFee", "execType", "amendResult", "reqId"})
AMENDED: Final = frozenset({"0", "2"})
AMEND_FAILED: Final = frozenset({"-1", "1"})
NO_TRADE: Final = "0"


def order_row(row: Document, reading: Reading, *, is_push: bool | None = None) -> tuple[Event, ...]:
    """An order: pushed, or the row of a query; known by its fields where it comes alone."""
    product = product_of(row, reading)
    if product is None:
        return ()
    if is_push is None:
        is_push = not reading.is_query and not PUSH_MARKS.isdisjoint(row)
    note_unknown(row, ORDER_FIELDS, reading.unknown)
    order = _order(row, product, reading, is_push=is_push)
    if not is_push:
        return (order,)
    execution, refusal = _execution(row, order, reading), _amend_refusal(row, order, reading)
    return tuple(event for event in (order, execution, refusal) if event is not None)


def _order(row: Document, product: str, reading: Reading, *, is_push: bool) -> OrderReport:
    order_type, time_in_force = lenient_choice(
        row, "ordType", ORDER_TYPES, reading.unknown
    ) or (None, None)  # fmt: skip
    # A state that we do not know claims nothing; none at all spoils the message (decision 0303).
    needed_text(row, "state")
    status = lenient_choice(row, "state", STATES, reading.unknown)
    side = choice(row, "side", SIDES)
    is_in_quote = product == SPOT and is_sized_in_quote(row, side, is_market=order_type == "MARKET")
    size, filled = amount_above_zero(row, "sz"), needed_amount(row, "accFillSz")
    venue_ns = time_ns(row, "uTime") or time_ns(row, "cTime")
    if status is Status.FILLED and size is not None and not is_in_quote:
        size = max(size, filled)  # amended to less than was executed: that much was to be done
    algo_ids, algo_client_ids = _algo_names(row)
    # Nothing in its row says whether there are others:
    # a part alone is not the whole (decision 0406).
    is_part = bool(algo_ids) and text(row, "source") in SPLIT_SOURCES
    return OrderReport(
        product=product,
        symbol=needed_text(row, "instId"),
        venue_order_id=needed_identifier(row, "ordId"),
        client_order_id=text(row, "clOrdId"),
        status=status,
        **_closure(row, status, reading),
        side=side,
        order_type=order_type,
        time_in_force=time_in_force,
        price=amount_above_zero(row, "px"),
        quantity=None if is_in_quote else size,
        quantity_unit=unit_of(product),
        quote_quantity=size if is_in_quote else None,
        filled_quantity=filled,
        # Unfilled: 0 on the stream, blank in REST.
        average_price=amount_above_zero(row, "avgPx"),
        position_side=position_side_of(row, product),
        margin_mode=margin_mode_of(row, product),
        reduce_only=None if product == SPOT else flag(row, "reduceOnly"),
        is_amendment=_is_amended(row),
        alias_ids=algo_ids,
        client_alias_ids=algo_client_ids,
        is_part=is_part,
        change_id=change_id(row) if is_push else None,
        ordinal=ordinal(push_time_ns(row) if is_push else venue_ns),
        venue_ns=venue_ns,
    )


def _algo_names(row: Document) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of the conditional order that became this one, or this one among others."""
    algo_id = identifier(row, "algoId")
    # A strategy has many children: joined by its id, they would be one order.
    if algo_id is None or text(row, "source") not in PARENT_SOURCES:
        return (), ()
    client_id = text(row, "algoClOrdId")
    return (algo_id,), () if client_id is None else (client_id,)


def _is_amended(row: Document) -> bool:
    result = text(row, "amendResult")
    return result in AMENDED or (result is None and text(row, "amendSource") is not None)


def _closure(row: Document, status: Status | None, reading: Reading) -> dict[str, Any]:
    """Why it closed; a cancel without a source that we know is taken for the venue's."""
    category = lenient_choice(row, "category", CATEGORIES, reading.unknown)
    if status is Status.FILLED:
        return {"reason": category}
    if status is not Status.CANCELED:
        return {}
    said = lenient_choice(row, "cancelSource", CANCEL_SOURCES, reading.unknown)
    reason = said or category
    # Inferred: it yields to a number that another message
    # of this cancel has (docs/venues/okx.md 4.2).
    return {"reason": reason or Reason.VENUE_CANCEL, "is_reason_inferred": reason is None}


def _execution(row: Document, order: OrderReport, reading: Reading) -> Execution | None:
    """The fill of this push; None without one, or without an identity (a liquidation's "0")."""
    quantity, exec_id = amount(row, "fillSz"), trade_id(row)
    if not quantity or exec_id is None or exec_id == NO_TRADE:
        return None
    if order.side is None:
        raise BadFrame("side: missing")
    fee, fee_currency = fee_of(row, "fillFee", "fillFeeCcy")
    return Execution(
        product=order.product,
        symbol=needed_text(row, "instId"),
        exec_id=exec_id,
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        side=order.side,
        last_price=needed_amount(row, "fillPx"),
        last_quantity=quantity,
        quantity_unit=order.quantity_unit,
        fee=fee,
        fee_currency=fee_currency,
        liquidity=lenient_choice(row, "execType", LIQUIDITIES, reading.unknown),
        position_side=order.position_side,
        margin_mode=order.margin_mode,
        # A new word is counted already, by `_closure` where it matters.
        reason=lenient_choice(row, "category", CATEGORIES, []),
        venue_ns=time_ns(row, "fillTime"),
    )


def _amend_refusal(row: Document, order: OrderReport, reading: Reading) -> Reply | None:
    # It answers a request: no failure of the order, which goes on unchanged.
    if text(row, "amendResult") not in AMEND_FAILED:
        return None
    code = text(row, "code") or ""
    return Reply(
        product=order.product,
        accepted=False,
        symbol=order.symbol,
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        reason=reason_of(code, reading.unknown, Reason.REFUSED),
        code=code or None,
        text=text_of_refusal(row, "msg"),
        request_id=text(row, "reqId"),
        venue_ns=order.venue_ns,
    )


def trade_row(row: Document, reading: Reading) -> tuple[Event, ...]:
    """One row of `trade/fills` or `trade/fills-history`; `fee` is of this fill."""
    product = product_of(row, reading)
    if product is None:
        return ()
    note_unknown(row, TRADE_FIELDS, reading.unknown)
    order_id = identifier(row, "ordId")
    fee, fee_currency = fee_of(row, "fee", "feeCcy")
    return (
        Execution(
            product=product,
            symbol=needed_text(row, "instId"),
            # A block trade names no order, and its trade id
            # may be another match's too (decision 0803).
            exec_id=_bill_id(row) if order_id is None else _queried_id(row),
            venue_order_id=order_id,
            client_order_id=text(row, "clOrdId"),
            side=_needed_side(row),
            last_price=needed_amount(row, "fillPx"),
            last_quantity=needed_amount(row, "fillSz"),
            quantity_unit=unit_of(product),
            fee=fee,
            fee_currency=fee_currency,
            liquidity=lenient_choice(row, "execType", LIQUIDITIES, reading.unknown),
            position_side=position_side_of(row, product),
            reason=FILL_REASONS.get(text(row, "subType") or ""),
            # Of the match; `ts` is when the row was made.
            venue_ns=time_ns(row, "fillTime") or time_ns(row, "ts"),
        ),
    )


def _queried_id(row: Document) -> str:
    """The trade id, which is negative for a liquidation; else the bill's, unique everywhere."""
    exec_id = trade_id(row)
    if exec_id is not None and exec_id != NO_TRADE:
        return exec_id
    return _bill_id(row)


def _bill_id(row: Document) -> str:
    return f"bill-{needed_identifier(row, 'billId')}"


def _needed_side(row: Document) -> Side:
    side = choice(row, "side", SIDES)
    if side is None:
        raise BadFrame("side: missing")
    return side


def lean_fill(row: Document, reading: Reading) -> tuple[Event, ...]:
    """One row of the `fills` channel: early, without its fee; only a sum of one is a fill."""
    product = product_of(row, reading)
    if product is None:
        return ()
    note_unknown(row, LEAN_FIELDS, reading.unknown)
    if needed_text(row, "count") != "1":
        return reading.ignore("a sum of several trades: the orders channel has each of them")
    exec_id, client_id = trade_id(row), text(row, "clOrdId")
    if exec_id is None or exec_id == NO_TRADE:
        return reading.ignore("a fill without identity: the order's quantity holds it")
    return (
        Execution(
            product=product,
            symbol=needed_text(row, "instId"),
            exec_id=exec_id,
            venue_order_id=needed_identifier(row, "ordId"),
            # This channel writes "0" for an id that is no number (docs/venues/okx.md 3.2).
            client_order_id=None if client_id == "0" else client_id,
            side=_needed_side(row),
            last_price=needed_amount(row, "fillPx"),
            last_quantity=needed_amount(row, "fillSz"),
            quantity_unit=unit_of(product),
            liquidity=lenient_choice(row, "execType", LIQUIDITIES, reading.unknown),
            venue_ns=time_ns(row, "ts"),
        ),
    )
