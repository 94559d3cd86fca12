"""Spot documents: user events and REST rows (docs/venues/binance.md 3.1 and 7.1). Pure."""

from dataclasses import dataclass

from simulator.accounts import Account, Fill
from simulator.instrument import Instrument, stepped
from simulator.matching import Order, Prevented
from simulator.message import Document

EXPIRY_REASONS = {
    "IOC": "UNFILLED_IOC_QUANTITY_EXPIRED",
    "FOK": "UNFILLED_FOK_ORDER_EXPIRED",
    "MARKET": "INSUFFICIENT_LIQUIDITY",
    "VENUE": "EXCHANGE_CANCELED",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What one executionReport adds to the order: why, when, and the ids it shows."""

    execution_type: str
    execution_id: int
    now_ms: int
    client_order_id: str
    original_client_order_id: str = ""
    fill: Fill | None = None
    is_on_book: bool = False


def money(value: object) -> str:
    """An amount of an asset: eight decimal places."""
    return f"{value:.8f}"


def execution_report(order: Order, instrument: Instrument, report: Report) -> Document:
    """One report of one order."""
    fill = report.fill
    zero_price, zero_quantity = stepped(0 * order.price, instrument.tick), _no(instrument)
    document: Document = {
        "e": "executionReport",
        "E": report.now_ms,
        "s": order.symbol,
        "c": report.client_order_id,
        "S": order.side,
        "o": order.order_type,
        "f": order.time_in_force,
        "q": stepped(order.quantity, instrument.lot),
        "p": stepped(order.price, instrument.tick),
        "P": zero_price,
        "F": zero_quantity,
        "g": -1,
        "C": report.original_client_order_id,
        "x": report.execution_type,
        "X": order.status,
        "r": order.reason if order.status == "REJECTED" else "NONE",
        "i": order.order_id,
        "l": stepped(fill.quantity, instrument.lot) if fill else zero_quantity,
        "z": stepped(order.filled, instrument.lot),
        "L": stepped(fill.price, instrument.tick) if fill else zero_price,
        "n": money(fill.fee) if fill else "0",
        "N": fill.fee_currency if fill else None,
        "T": order.updated_ms,
        "t": fill.trade_id if fill else -1,
        "I": report.execution_id,
        "w": report.is_on_book,
        "m": fill is not None and fill.is_maker,
        "M": fill is not None,
        "O": order.created_ms,
        "Z": money(order.notional),
        "Y": money(fill.quantity * fill.price if fill else 0 * order.price),
        "Q": zero_price,
    }
    if report.execution_type in ("NEW", "TRADE", "REPLACED") and not order.is_market:
        document["W"] = order.created_ms
    document["V"] = order.self_trade_mode
    if order.prevented:
        document["A"] = stepped(order.prevented, instrument.lot)
    if report.execution_type == "EXPIRED":
        document["eR"] = EXPIRY_REASONS[order.reason]
    return document


def prevention_fields(event: Prevented, instrument: Instrument, match_id: int) -> Document:
    """What a report of self-trade prevention adds."""
    return {
        "v": match_id,
        "A": stepped(event.order.prevented, instrument.lot),
        "B": stepped(event.quantity, instrument.lot),
        "u": -1,
        "U": event.counter.order_id,
        "Cs": event.counter.symbol,
        "pl": stepped(event.match_quantity, instrument.lot),
        "pL": stepped(event.price, instrument.tick),
        "pY": money(event.match_quantity * event.price),
    }


def account_position(account: Account, assets: tuple[str, ...], now_ms: int) -> Document:
    """outboundAccountPosition: absolute balances of the assets possibly touched."""
    rows = [(asset, account.balance("spot", asset)) for asset in dict.fromkeys(assets)]
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": now_ms,
        "B": [{"a": asset, "f": money(row.free), "l": money(row.locked)} for asset, row in rows],
    }


def balance_update(asset: str, delta: object, now_ms: int) -> Document:
    """balanceUpdate: a deposit, withdrawal or transfer."""
    return {"e": "balanceUpdate", "E": now_ms, "a": asset, "d": money(delta), "T": now_ms}


def place_reply(order: Order, instrument: Instrument, form: str, fills: list[Fill]) -> Document:
    """The reply to a placement as ACK, RESULT or FULL."""
    document: Document = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.created_ms,
    }
    if form == "ACK":
        return document
    document |= _terms(order, instrument)
    document["workingTime"] = order.created_ms
    if form == "FULL":
        document["fills"] = [_reply_fill(fill, instrument) for fill in fills]
    document["selfTradePreventionMode"] = order.self_trade_mode
    return document


def cancel_reply(order: Order, instrument: Instrument, cancel_id: str) -> Document:
    """The reply to a cancel: `clientOrderId` is the cancel's own (docs/venues/binance.md 5)."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_terms(order, instrument),
        "selfTradePreventionMode": order.self_trade_mode,
    }


def query_row(order: Order, instrument: Instrument) -> Document:
    """One order as `order`, `openOrders` and `allOrders` show it."""
    document = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        **_terms(order, instrument),
        "stopPrice": stepped(0 * order.price, instrument.tick),
        "icebergQty": _no(instrument),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": order.self_trade_mode,
    }
    if order.prevented:
        document["preventedQuantity"] = stepped(order.prevented, instrument.lot)
    if order.status == "EXPIRED":
        document["expiryReason"] = EXPIRY_REASONS[order.reason]
    return document


def amend_reply(order: Order, instrument: Instrument, original: str, execution: int) -> Document:
    """The reply to a keep-priority amend; it spells `cumulativeQuoteQty` with one m."""
    return {
        "transactTime": order.updated_ms,
        "executionId": execution,
        "amendedOrder": {
            "symbol": order.symbol,
            "orderId": order.order_id,
            "orderListId": -1,
            "origClientOrderId": original,
            "clientOrderId": order.client_order_id,
            "price": stepped(order.price, instrument.tick),
            "qty": stepped(order.quantity, instrument.lot),
            "executedQty": stepped(order.filled, instrument.lot),
            "preventedQty": stepped(order.prevented, instrument.lot),
            "quoteOrderQty": stepped(0 * order.price, instrument.tick),
            "cumulativeQuoteQty": money(order.notional),
            "status": order.status,
            "timeInForce": order.time_in_force,
            "type": order.order_type,
            "side": order.side,
            "workingTime": order.created_ms,
            "selfTradePreventionMode": order.self_trade_mode,
        },
    }


def trade_row(fill: Fill, instrument: Instrument) -> Document:
    """One row of `myTrades`."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": stepped(fill.price, instrument.tick),
        "qty": stepped(fill.quantity, instrument.lot),
        "quoteQty": money(fill.price * fill.quantity),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.venue_ms,
        "isBuyer": fill.side == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def _no(instrument: Instrument) -> str:
    return stepped(0 * instrument.lot, instrument.lot)


def _terms(order: Order, instrument: Instrument) -> Document:
    return {
        "price": stepped(order.price, instrument.tick),
        "origQty": stepped(order.quantity, instrument.lot),
        "executedQty": stepped(order.filled, instrument.lot),
        "origQuoteOrderQty": stepped(0 * order.price, instrument.tick),
        "cummulativeQuoteQty": money(order.notional),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.order_type,
        "side": order.side,
    }


def _reply_fill(fill: Fill, instrument: Instrument) -> Document:
    return {
        "price": stepped(fill.price, instrument.tick),
        "qty": stepped(fill.quantity, instrument.lot),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_currency,
        "tradeId": fill.trade_id,
    }
