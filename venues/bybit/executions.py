"""Bybit: executions as evidence, pushed or asked for. Pure.

Manual: "Execution", "Fast Execution" (private stream), "Get Trade History". The rules:

- The same topic and list hold funding, settlement and splits: `execType` tells.
- What is no match of the book (liquidation, ADL, blocks, moved positions) is made by the venue, and
  nobody promises a report of its order: one that has nothing left says itself that it ended.
- A settlement is recorded without any order.
- `execFee` above zero was paid, below zero is a rebate. Its coin may be missing, of contracts in
  answers as a rule, and follows from the product, the side and who made.
- Several executions share a `seq`: only `execId` tells them apart.
"""

from decimal import Decimal
from typing import Any, Final

from orderloom.event import Event, Execution, Fee, OrderReport
from orderloom.quantities import ZERO
from orderloom.words import Side
from venues.bybit.reading import Message, above_zero, fee_coin, product_of, unit_of
from venues.bybit.words import (
    CREATE_TYPES,
    EXECUTION_TYPES,
    LIQUIDITIES,
    NO_EXECUTIONS,
    SIDES,
    TRADE,
    WITHOUT_ORDER,
)
from venues.document import (
    Document,
    amount,
    blank_decimal,
    choice,
    flag,
    lenient_choice,
    names_in,
    needed_amount,
    needed_text,
    note_unknown,
    text,
    time_ns,
)
from venues.venue import BadFrame

EXECUTION_FIELDS: Final = names_in(
    "blockTradeId category closedSize createType execFee execFeeV2 execId execPnl execPrice "
    "execQty execTime execType execValue extraFees feeCurrency feeRate indexPrice isLeverage "
    "isMaker leavesQty markIv markPrice marketUnit orderId orderLinkId orderPrice orderQty "
    "orderType seq side stopOrderType symbol tradeIv underlyingPrice"
)


def execution_row(row: Document, reading: Message) -> tuple[Event, ...]:
    """One execution: an item of `execution` or `execution.fast`, or a row of the list."""
    product = product_of(row, reading)
    if product is None:
        return ()
    note_unknown(row, EXECUTION_FIELDS, reading.unknown)
    # The fast topic has nothing but trades, and does not say so.
    kind = text(row, "execType") or TRADE
    if kind in NO_EXECUTIONS:
        return reading.ignore(f"{kind}: {NO_EXECUTIONS[kind]}")
    if kind not in EXECUTION_TYPES:
        # No guess: the order's quantity and the position show what was missed (decision 1003).
        reading.unknown.append(f"execType={kind}")
        return reading.ignore("an execution of a kind that we do not know")
    execution = _execution(row, product, kind, reading)
    ended = None if kind == TRADE else _ended(row, execution)
    return (execution,) if ended is None else (execution, ended)


def _execution(row: Document, product: str, kind: str, reading: Message) -> Execution:
    side = choice(row, "side", SIDES)
    if side is None:
        raise BadFrame("side: missing")
    symbol, is_maker = needed_text(row, "symbol"), flag(row, "isMaker")
    made = lenient_choice(row, "createType", CREATE_TYPES, reading.unknown)
    fee, currency = _fee(row, product, symbol, side)
    has_order = kind not in WITHOUT_ORDER
    return Execution(
        product=product,
        symbol=symbol,
        exec_id=needed_text(row, "execId"),
        venue_order_id=text(row, "orderId") if has_order else None,
        # Of makers the fast topic leaves it blank.
        client_order_id=text(row, "orderLinkId") if has_order else None,
        side=side,
        last_price=needed_amount(row, "execPrice"),
        last_quantity=needed_amount(row, "execQty"),
        quantity_unit=unit_of(product),
        fee=fee,
        fee_currency=currency,
        more_fees=_more_fees(row, reading),
        liquidity=None if is_maker is None else LIQUIDITIES[is_maker],
        reason=EXECUTION_TYPES[kind] or made,
        venue_ns=time_ns(row, "execTime"),
    )


def _ended(row: Document, execution: Execution) -> OrderReport | None:
    """That the order of an execution which is no trade has nothing left, where it says so."""
    if execution.venue_order_id is None or amount(row, "leavesQty") != ZERO:
        return None
    return OrderReport(
        product=execution.product,
        symbol=execution.symbol,
        venue_order_id=execution.venue_order_id,
        client_order_id=execution.client_order_id,
        side=execution.side,
        quantity=above_zero(row, "orderQty"),
        quantity_unit=execution.quantity_unit,
        # Weak: what the order's own report says stands above it (decision 1002).
        is_ended=True,
        venue_ns=execution.venue_ns,
    )


def _fee(row: Document, product: str, symbol: str, side: Side) -> tuple[Decimal | None, str | None]:
    """What it cost and in which coin; the fast topic says neither."""
    fee, currency = blank_decimal(row, "execFee"), text(row, "feeCurrency")
    if fee is None:
        return None, None
    if currency is None:
        is_rebate = fee < ZERO and flag(row, "isMaker") is True
        currency = fee_coin(product, symbol, side, is_rebate_of_maker=is_rebate)
        if currency is None and fee:
            raise BadFrame(f"feeCurrency: missing, and {symbol!r:.80} does not tell it")
    # Nothing is lost with nothing; deleveraging is free, and its row of a list has no coin.
    return (None, None) if currency is None else (fee, currency)


def _more_fees(row: Document, reading: Message) -> tuple[Fee, ...] | None:
    """The taxes of some countries, beside the fee; None where the row does not speak of them."""
    if blank_decimal(row, "execFeeV2"):  # in which coin, the manual does not say
        reading.unknown.append("execFeeV2: the fee of a spread's leg")
    extra: Any = row.get("extraFees")
    if extra in (None, "", []):
        return None
    if type(extra) is not list or not all(type(one) is dict for one in extra):
        raise BadFrame(f"extraFees: not a list of fees: {extra!r:.80}")
    return tuple(Fee(needed_text(one, "feeCoin"), needed_amount(one, "fee")) for one in extra)
