"""Binance USD-M futures: the private stream's events and REST rows as evidence. Pure.

Manual: "User Data Streams" and "Trade"/"Account" of USD-M futures
(https://developers.binance.com/docs/derivatives/usds-margined-futures). What to mind:

- `t` is 0 where no trade happened. `l` above 0 with a trade id is a fill, whatever `x` says.
- NEW_ADL and NEW_INSURANCE look alive and carry complete fills: quantity decides.
- TRADE_LITE is a fill without its fee; the full event completes it under the same identity.
- `c` never moves. The ids of the venue's own orders say why it placed them.
- An order's time is `o.T`, not the envelope's: it is what REST calls `updateTime`. Two amendments
  may share it: the envelope's `E` then shows which came later.
"""

from typing import Any, Final

from orderloom.event import Event, Execution, OrderReport
from orderloom.words import Reason, Side, Status
from venues.binance.conditions import REPORT, ROW, linear_conditions
from venues.binance.reading import (
    LINEAR,
    amount_above_zero,
    asked_quantity,
    by_quantity,
    closure,
    fee_of,
    given_id,
    known_quote,
    linear_symbol,
    liquidity_of,
    ordinal,
    system_reason,
    time_ns,
    waiting_or,
)
from venues.binance.words import (
    BY_QUANTITY,
    LINEAR_EXECUTION_TYPES,
    LINEAR_EXPIRY_REASONS,
    ORDER_TYPES,
    POSITION_SIDES,
    SIDES,
    STATUSES,
    TIMES_IN_FORCE,
)
from venues.document import (
    Document,
    amount,
    choice,
    fields_of,
    flag,
    lenient_choice,
    names_in,
    needed_amount,
    needed_identifier,
    needed_text,
    note_unknown,
    text,
)
from venues.venue import BadFrame

ENVELOPE_FIELDS: Final = names_in("e E T o fs st i")
REPORT_FIELDS: Final = names_in(
    "s c S o f q p ap sp x X i l z L N n T t b a m R wt ot ps cp AP cr pP si ss rp V pm gtd er M ma"
)
LITE_FIELDS: Final = names_in("e E T s q p m c S L l t i")
ORDER_FIELDS: Final = names_in(
    "clientOrderId cumQty cumQuote cumBase executedQty orderId avgPrice origQty price "
    "reduceOnly side positionSide status stopPrice closePosition symbol pair timeInForce type "
    "origType activatePrice priceRate time updateTime workingType priceProtect priceMatch "
    "modifyId selfTradePreventionMode goodTillDate"
)
TRADE_FIELDS: Final = names_in(
    "symbol id orderId side price qty realizedPnl quoteQty commission commissionAsset time "
    "positionSide buyer maker pair baseQty marginAsset"
)


def order_trade_update(event: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`ORDER_TRADE_UPDATE`: a change of an order, with its execution where there is one."""
    note_unknown(event, ENVELOPE_FIELDS, unknown)
    return order_report(fields_of(event.get("o"), "o"), unknown, time_ns(event, "E"))


def order_report(
    report: Document, unknown: list[str], sent_ns: int | None = None
) -> tuple[Event, ...]:
    """Field `o` of `ORDER_TRADE_UPDATE`; `sent_ns` is the event's `E`."""
    note_unknown(report, REPORT_FIELDS, unknown)
    is_execution = lenient_choice(report, "x", LINEAR_EXECUTION_TYPES, unknown)
    order = _reported_order(report, sent_ns, unknown)
    # By the amount and not by `x`: a deleveraging comes
    # as NEW, and a new word must not cost a fill.
    execution = _reported_execution(report, order) if is_execution or "l" in report else None
    return (order,) if execution is None else (order, execution)


def _reported_order(report: Document, sent_ns: int | None, unknown: list[str]) -> OrderReport:
    client_order_id = text(report, "c")
    order_type = lenient_choice(report, "o", ORDER_TYPES, unknown)
    time_in_force = lenient_choice(report, "f", TIMES_IN_FORCE, unknown)
    quantity, filled = amount_above_zero(report, "q"), needed_amount(report, "z")
    word = needed_text(report, "X")
    if word in BY_QUANTITY:
        status: Status | None = by_quantity(quantity, filled)
    else:
        status = lenient_choice(report, "X", STATUSES, unknown)
        # `o` is the type as it is now: still a conditional one, it has not triggered.
        status = waiting_or(status, order_type, is_waiting=True)
    said = None
    if status is Status.EXPIRED:
        said = _expiry_reason(report, word, unknown)
    venue_ns = time_ns(report, "T")
    # Nothing else changes terms here, and two amendments may share a `T` (decision 0302).
    is_amendment = report.get("x") == "AMENDMENT"
    return OrderReport(
        product=LINEAR,
        symbol=linear_symbol(report, "s"),
        venue_order_id=needed_identifier(report, "i"),
        client_order_id=client_order_id,
        status=status,
        **_closure(status, said, client_order_id, (order_type, time_in_force)),
        side=choice(report, "S", SIDES),
        order_type=order_type,
        time_in_force=time_in_force,
        price=amount_above_zero(report, "p"),
        quantity=asked_quantity(status, quantity, filled),
        filled_quantity=filled,
        average_price=amount_above_zero(report, "ap"),
        position_side=choice(report, "ps", POSITION_SIDES),
        **linear_conditions(report, REPORT, unknown),
        is_amendment=is_amendment,
        ordinal=ordinal(venue_ns, sent_ns if is_amendment else None),
        venue_ns=venue_ns,
    )


def _expiry_reason(report: Document, word: str, unknown: list[str]) -> Reason | None:
    if word == "EXPIRED_IN_MATCH":
        return Reason.SELF_TRADE_PREVENTION
    return lenient_choice(report, "er", LINEAR_EXPIRY_REASONS, unknown)


def _closure(
    status: Status | None,
    said: Reason | None,
    client_order_id: str | None,
    terms: tuple[str | None, str | None],
) -> dict[str, Any]:
    if status is Status.FILLED:
        # The venue's own orders have their reason when they are filled too: a liquidation, say.
        return {"reason": system_reason(client_order_id)}
    return closure(status, said or system_reason(client_order_id), *terms)


def _reported_execution(report: Document, order: OrderReport) -> Execution | None:
    quantity, exec_id = needed_amount(report, "l"), given_id(report, "t", 1)
    # Whatever `x` says: an auto-deleveraging comes as NEW with a complete fill, and a zero-fill
    # CALCULATED only announces a liquidation. Without a trade id a fill is cumulative evidence,
    # which the order's own `z` already is.
    if not quantity or exec_id is None:
        return None
    if order.side is None:
        raise BadFrame("S: missing")
    fee, fee_currency = fee_of(report, "n", "N")
    return Execution(
        product=LINEAR,
        symbol=needed_text(report, "s"),
        exec_id=exec_id,
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        side=order.side,
        last_price=needed_amount(report, "L"),
        last_quantity=quantity,
        fee=fee,
        fee_currency=fee_currency,
        liquidity=liquidity_of(flag(report, "m")),
        position_side=order.position_side,
        reason=system_reason(order.client_order_id),
        venue_ns=order.venue_ns,
    )


def trade_lite(event: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`TRADE_LITE`: a fill, earlier than `ORDER_TRADE_UPDATE` and without its fee."""
    note_unknown(event, LITE_FIELDS, unknown)
    client_order_id = text(event, "c")
    side = choice(event, "S", SIDES)
    if side is None:
        raise BadFrame("S: missing")
    return (
        Execution(
            product=LINEAR,
            symbol=linear_symbol(event, "s"),
            exec_id=given_id(event, "t", 1),
            venue_order_id=needed_identifier(event, "i"),
            client_order_id=client_order_id,
            side=side,
            last_price=needed_amount(event, "L"),
            last_quantity=needed_amount(event, "l"),
            liquidity=liquidity_of(flag(event, "m")),
            reason=system_reason(client_order_id),
            venue_ns=time_ns(event, "T"),
        ),
    )


def order_row(row: Document, unknown: list[str]) -> tuple[Event, ...]:
    """An order of a query, of `forceOrders`, or the reply to a placement, amendment or cancel."""
    note_unknown(row, ORDER_FIELDS, unknown)
    client_order_id = text(row, "clientOrderId")
    order_type = lenient_choice(row, "type", ORDER_TYPES, unknown)
    time_in_force = lenient_choice(row, "timeInForce", TIMES_IN_FORCE, unknown)
    quantity, filled = amount_above_zero(row, "origQty"), needed_amount(row, "executedQty")
    word = needed_text(row, "status")
    if word in BY_QUANTITY:
        status: Status | None = by_quantity(quantity, filled)
    else:
        status = lenient_choice(row, "status", STATUSES, unknown)
        status = waiting_or(status, order_type, is_waiting=True)
    # Rows have no `er`: all other reasons are inferred from the terms (docs/venues/binance.md 4.2).
    said = Reason.SELF_TRADE_PREVENTION if word == "EXPIRED_IN_MATCH" else None
    venue_ns = time_ns(row, "updateTime")
    return (
        OrderReport(
            product=LINEAR,
            symbol=linear_symbol(row, "symbol"),
            venue_order_id=needed_identifier(row, "orderId"),
            client_order_id=client_order_id,
            status=status,
            **_closure(status, said, client_order_id, (order_type, time_in_force)),
            side=choice(row, "side", SIDES),
            order_type=order_type,
            time_in_force=time_in_force,
            price=amount_above_zero(row, "price"),
            quantity=asked_quantity(status, quantity, filled),
            filled_quantity=filled,
            filled_quote=known_quote(row, "cumQuote"),
            average_price=amount_above_zero(row, "avgPrice"),
            position_side=choice(row, "positionSide", POSITION_SIDES),
            **linear_conditions(row, ROW, unknown),
            ordinal=ordinal(venue_ns, None),
            venue_ns=venue_ns,
        ),
    )


def amendment_row(row: Document, _unknown: list[str]) -> tuple[Event, ...]:
    """One row of `GET orderAmendment`: the terms before and after."""
    venue_ns = time_ns(row, "time")
    terms = fields_of(row.get("amendment"), "amendment")
    price = fields_of(terms.get("price") or {}, "amendment.price")
    quantity = fields_of(terms.get("origQty") or {}, "amendment.origQty")
    return (
        OrderReport(
            product=LINEAR,
            symbol=linear_symbol(row, "symbol"),
            venue_order_id=needed_identifier(row, "orderId"),
            client_order_id=text(row, "clientOrderId"),
            price=amount(price, "after"),
            quantity=amount(quantity, "after"),
            is_amendment=True,
            ordinal=ordinal(venue_ns, None),
            venue_ns=venue_ns,
        ),
    )


def trade_row(row: Document, unknown: list[str]) -> tuple[Event, ...]:
    """One row of `GET userTrades`."""
    note_unknown(row, TRADE_FIELDS, unknown)
    side = choice(row, "side", SIDES)
    if side is None:
        is_buyer = flag(row, "buyer")
        if is_buyer is None:
            raise BadFrame("side, buyer: both missing")
        side = Side.BUY if is_buyer else Side.SELL
    fee, fee_currency = fee_of(row, "commission", "commissionAsset")
    return (
        Execution(
            product=LINEAR,
            symbol=linear_symbol(row, "symbol"),
            exec_id=needed_identifier(row, "id"),
            venue_order_id=needed_identifier(row, "orderId"),
            side=side,
            last_price=needed_amount(row, "price"),
            last_quantity=needed_amount(row, "qty"),
            fee=fee,
            fee_currency=fee_currency,
            liquidity=liquidity_of(flag(row, "maker")),
            position_side=choice(row, "positionSide", POSITION_SIDES),
            venue_ns=time_ns(row, "time"),
        ),
    )
