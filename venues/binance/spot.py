"""Binance Spot: the private stream's events and REST rows as evidence. Pure.

Manual: "User Data Stream", "Account endpoints" and "Trading endpoints" of Spot
(https://developers.binance.com/docs/binance-spot-api-docs). The rules that cost others money:

- A cancel report carries the *cancel's* id in `c` and the order's own in `C` (REST: `clientOrderId`
  and `origClientOrderId`). An amendment renames the order: `c` is the new name, `C` the old one.
- `t` is -1 where no trade happened. Trade ids are unique per symbol, and both sides of a self-trade
  share one, so the order's id belongs to an execution's identity.
- EXPIRED with a filled quantity is normal; TRADE_PREVENTION may leave the order alive, and what it
  took (`A`, in sum) is neither filled nor open any more.
- Fill rows of a FULL reply have no time and no liquidity, but the trade's identity.
"""

from typing import Any, Final

from orderloom.event import Event, Execution, OrderReport
from orderloom.words import Reason, Side, Status
from venues.binance.conditions import spot_conditions
from venues.binance.reading import (
    SPOT,
    amount_above_zero,
    asked_quantity,
    closure,
    fee_of,
    given_id,
    known_quote,
    liquidity_of,
    ordinal,
    time_ns,
    waiting_or,
)
from venues.binance.words import (
    ORDER_TYPES,
    SIDES,
    SPOT_EXECUTION_TYPES,
    SPOT_EXPIRY_REASONS,
    SPOT_REJECT_REASONS,
    STATUSES,
    TIMES_IN_FORCE,
)
from venues.document import (
    Document,
    amount,
    choice,
    fields_of,
    flag,
    identifier,
    integer,
    lenient_choice,
    names_in,
    needed_amount,
    needed_identifier,
    needed_text,
    note_unknown,
    rows_of,
    text,
)
from venues.venue import BadFrame

REPORT_FIELDS: Final = names_in(
    "e E s c C S o f q p P F g x X r i l L Y z Z n N T t I w m M O Q W V eR d D j J v A B u U "
    "Cs pl pL pY b a k uS gP gOT gOV gp"
)
ORDER_FIELDS: Final = names_in(
    "symbol orderId orderListId clientOrderId origClientOrderId transactTime price origQty "
    "executedQty origQuoteOrderQty cummulativeQuoteQty status timeInForce type side stopPrice "
    "icebergQty time updateTime isWorking workingTime fills selfTradePreventionMode "
    "expiryReason preventedMatchId preventedQuantity preventedMatches strategyId strategyType "
    "trailingDelta trailingTime usedSor workingFloor pegPriceType pegOffsetType "
    "pegOffsetValue peggedPrice qty preventedQty quoteOrderQty cumulativeQuoteQty"
)
TRADE_FIELDS: Final = names_in(
    "symbol id orderId orderListId price qty quoteQty commission commissionAsset time isBuyer "
    "isMaker isBestMatch allocationId allocationType isAllocator"
)
FILL_FIELDS: Final = names_in("price qty commission commissionAsset tradeId matchType allocId")


def execution_report(report: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`executionReport`: one per change of an order and one per trade."""
    note_unknown(report, REPORT_FIELDS, unknown)
    is_trade = lenient_choice(report, "x", SPOT_EXECUTION_TYPES, unknown)
    order = _reported_order(report, unknown)
    # By the amount and not by `x`: a word that we do not know must not cost a fill.
    execution = _reported_trade(report, order) if is_trade or "l" in report else None
    return (order,) if execution is None else (order, execution)


def _reported_order(report: Document, unknown: list[str]) -> OrderReport:
    name, other_name = text(report, "c"), text(report, "C")
    is_amendment = report.get("x") == "REPLACED"
    order_type = lenient_choice(report, "o", ORDER_TYPES, unknown)
    time_in_force = lenient_choice(report, "f", TIMES_IN_FORCE, unknown)
    # A status that we do not know claims nothing; none at all spoils the message (decision 0303).
    needed_text(report, "X")
    status = lenient_choice(report, "X", STATUSES, unknown)
    status = waiting_or(status, order_type, flag(report, "w") is False)
    venue_ns, filled = time_ns(report, "T"), needed_amount(report, "z")
    return OrderReport(
        product=SPOT,
        symbol=needed_text(report, "s"),
        venue_order_id=needed_identifier(report, "i"),
        # On a cancel `c` is the cancel's own id, on an
        # expiry `C` is empty (docs/venues/binance.md 5).
        client_order_id=name if is_amendment else other_name or name,
        status=status,
        **_reported_closure(report, status, (order_type, time_in_force), unknown),
        side=choice(report, "S", SIDES),
        order_type=order_type,
        time_in_force=time_in_force,
        price=amount_above_zero(report, "p"),
        quantity=asked_quantity(status, amount_above_zero(report, "q"), filled),
        # Of a market order by quote, whose `q` is 0: none.
        quote_quantity=amount_above_zero(report, "Q"),
        filled_quantity=filled,
        filled_quote=known_quote(report, "Z"),
        prevented_quantity=amount(report, "A"),
        **spot_conditions(report, "P", "d"),
        is_amendment=is_amendment,
        client_alias_ids=(other_name,) if is_amendment and other_name else (),
        ordinal=ordinal(venue_ns, identifier(report, "I")),
        venue_ns=venue_ns,
    )


def _reported_closure(
    report: Document,
    status: Status | None,
    terms: tuple[str | None, str | None],
    unknown: list[str],
) -> dict[str, Any]:
    if status is Status.REJECTED:
        said = lenient_choice(report, "r", SPOT_REJECT_REASONS, unknown)
    elif report["X"] == "EXPIRED_IN_MATCH":
        said = Reason.SELF_TRADE_PREVENTION
    elif status is Status.EXPIRED:
        said = lenient_choice(report, "eR", SPOT_EXPIRY_REASONS, unknown)
    else:
        said = None
    return closure(status, said, *terms)


def _reported_trade(report: Document, order: OrderReport) -> Execution | None:
    quantity = needed_amount(report, "l")
    exec_id = _trade_id(report, "t", "a")
    # Without an identity a fill is cumulative evidence, which the order's own `z` already is.
    if not quantity or exec_id is None:
        return None
    if order.side is None:
        raise BadFrame("S: missing")
    fee, fee_currency = fee_of(report, "n", "N")
    return Execution(
        product=SPOT,
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
        venue_ns=order.venue_ns,
    )


def _trade_id(document: Document, name: str, allocation: str) -> str | None:
    # Smart order routing fills by allocation: no trade id, an allocation id of its own.
    number = given_id(document, name, 0)
    if number is not None:
        return number
    number = given_id(document, allocation, 0)
    return None if number is None else f"allocation-{number}"


def order_row(row: Document, unknown: list[str]) -> tuple[Event, ...]:
    """An order of a query, or the RESULT or FULL reply to a placement or cancel."""
    note_unknown(row, ORDER_FIELDS, unknown)
    order = _order_of_row(row, unknown)
    fills = rows_of(row.get("fills") or [], "fills")
    return (order, *(_fill_of_reply(fields_of(fill, "fills"), order, unknown) for fill in fills))


def _order_of_row(row: Document, unknown: list[str]) -> OrderReport:
    order_type = lenient_choice(row, "type", ORDER_TYPES, unknown)
    time_in_force = lenient_choice(row, "timeInForce", TIMES_IN_FORCE, unknown)
    needed_text(row, "status")
    status = lenient_choice(row, "status", STATUSES, unknown)
    status = waiting_or(status, order_type, _is_off_book(row))
    said = lenient_choice(row, "expiryReason", SPOT_EXPIRY_REASONS, unknown)
    if row["status"] == "EXPIRED_IN_MATCH":
        said = Reason.SELF_TRADE_PREVENTION
    # Questions have the first, replies the second: one stamp of one change (decision 0302).
    venue_ns = time_ns(row, "updateTime") or time_ns(row, "transactTime")
    filled = needed_amount(row, "executedQty")
    return OrderReport(
        product=SPOT,
        symbol=needed_text(row, "symbol"),
        venue_order_id=needed_identifier(row, "orderId"),
        # In the reply to a cancel the second is the cancel's id, as `c` on the stream.
        client_order_id=text(row, "origClientOrderId") or text(row, "clientOrderId"),
        status=status,
        **closure(status, said, order_type, time_in_force),
        side=choice(row, "side", SIDES),
        order_type=order_type,
        time_in_force=time_in_force,
        price=amount_above_zero(row, "price"),
        quantity=asked_quantity(status, amount_above_zero(row, "origQty"), filled),
        quote_quantity=amount_above_zero(row, "origQuoteOrderQty"),
        filled_quantity=filled,
        # Two m here, one in the reply to an amendment (docs/venues/binance.md 7.1).
        filled_quote=known_quote(row, "cummulativeQuoteQty"),
        prevented_quantity=amount(row, "preventedQuantity"),
        **spot_conditions(row, "stopPrice", "trailingDelta"),
        ordinal=ordinal(venue_ns, None),
        venue_ns=venue_ns,
    )


def _is_off_book(row: Document) -> bool:
    # Queries say isWorking; replies say workingTime, -1 while the order is not on the book.
    return flag(row, "isWorking") is False or integer(row, "workingTime") == -1


def _fill_of_reply(fill: Document, order: OrderReport, unknown: list[str]) -> Execution:
    note_unknown(fill, FILL_FIELDS, unknown)
    exec_id = _trade_id(fill, "tradeId", "allocId")
    if exec_id is None or order.side is None or order.symbol is None:
        raise BadFrame("fills: a fill without trade id, side or symbol")
    fee, fee_currency = fee_of(fill, "commission", "commissionAsset")
    return Execution(
        product=SPOT,
        symbol=order.symbol,
        exec_id=exec_id,
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        side=order.side,
        last_price=needed_amount(fill, "price"),
        last_quantity=needed_amount(fill, "qty"),
        fee=fee,
        fee_currency=fee_currency,
    )


def amend_reply(reply: Document, unknown: list[str]) -> tuple[Event, ...]:
    """The reply to a keep-priority amendment: the order under its new name and quantity."""
    order = fields_of(reply.get("amendedOrder"), "amendedOrder")
    note_unknown(order, ORDER_FIELDS, unknown)
    venue_ns = time_ns(reply, "transactTime")
    order_type = lenient_choice(order, "type", ORDER_TYPES, unknown)
    time_in_force = lenient_choice(order, "timeInForce", TIMES_IN_FORCE, unknown)
    status = lenient_choice(order, "status", STATUSES, unknown)
    status = waiting_or(status, order_type, _is_off_book(order))
    filled = needed_amount(order, "executedQty")
    name, old_name = text(order, "clientOrderId"), text(order, "origClientOrderId")
    return (
        OrderReport(
            product=SPOT,
            symbol=needed_text(order, "symbol"),
            venue_order_id=needed_identifier(order, "orderId"),
            client_order_id=name,
            status=status,
            **closure(status, None, order_type, time_in_force),
            side=choice(order, "side", SIDES),
            order_type=order_type,
            time_in_force=time_in_force,
            price=amount_above_zero(order, "price"),
            quantity=asked_quantity(status, needed_amount(order, "qty"), filled),
            quote_quantity=amount_above_zero(order, "quoteOrderQty"),
            filled_quantity=filled,
            filled_quote=known_quote(order, "cumulativeQuoteQty"),
            prevented_quantity=amount(order, "preventedQty"),
            **spot_conditions(order, "stopPrice", "trailingDelta"),
            is_amendment=True,
            client_alias_ids=(old_name,) if old_name and old_name != name else (),
            ordinal=ordinal(venue_ns, identifier(reply, "executionId")),
            venue_ns=venue_ns,
        ),
    )


def amendment_row(row: Document, _unknown: list[str]) -> tuple[Event, ...]:
    """One row of `GET order/amendments`."""
    venue_ns = time_ns(row, "time")
    name, old_name = text(row, "newClientOrderId"), text(row, "origClientOrderId")
    return (
        OrderReport(
            product=SPOT,
            symbol=needed_text(row, "symbol"),
            venue_order_id=needed_identifier(row, "orderId"),
            client_order_id=name,
            quantity=needed_amount(row, "newQty"),
            is_amendment=True,
            client_alias_ids=(old_name,) if old_name and old_name != name else (),
            ordinal=ordinal(venue_ns, identifier(row, "executionId")),
            venue_ns=venue_ns,
        ),
    )


def trade_row(row: Document, unknown: list[str]) -> tuple[Event, ...]:
    """One row of `GET myTrades`, or of `GET myAllocations`, which has no trade id."""
    note_unknown(row, TRADE_FIELDS, unknown)
    # Both sides of a self-trade share the id: the order's
    # id tells them apart (docs/state-model.md 4.1).
    is_buyer, exec_id = flag(row, "isBuyer"), _trade_id(row, "id", "allocationId")
    if is_buyer is None or exec_id is None:
        raise BadFrame("isBuyer, id: an execution needs both")
    fee, fee_currency = fee_of(row, "commission", "commissionAsset")
    return (
        Execution(
            product=SPOT,
            symbol=needed_text(row, "symbol"),
            exec_id=exec_id,
            venue_order_id=needed_identifier(row, "orderId"),
            side=Side.BUY if is_buyer else Side.SELL,
            last_price=needed_amount(row, "price"),
            last_quantity=needed_amount(row, "qty"),
            fee=fee,
            fee_currency=fee_currency,
            liquidity=liquidity_of(flag(row, "isMaker")),
            venue_ns=time_ns(row, "time"),
        ),
    )
