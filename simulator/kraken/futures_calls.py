"""Every call of Futures' REST (docs/venues/kraken.md 7.2), each with what it costs.

Orders that are not taken are answered with status 200 and a success: `status` alone says it.
"""

from collections.abc import Iterable
from typing import Any

from simulator.accounts import Account
from simulator.instrument import ZERO
from simulator.kraken import futures_documents as documents
from simulator.kraken import futures_queries as queries
from simulator.kraken.fields import FuturesFields
from simulator.kraken.futures import KrakenFutures
from simulator.kraken.futures_queries import success
from simulator.kraken.refusals import KrakenRefusal, futures_refused
from simulator.kraken.system import KrakenSystem
from simulator.kraken.words import at_ms, number_of_uuid, uuid
from simulator.market import Request
from simulator.matching import Order
from simulator.message import Document
from simulator.wire.calls import Call, costs_by


def send_order(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """One order."""
    status = {
        "receivedTime": at_ms(system.venue.now_ms),
        "cliOrdId": fields.text("cliOrdId") or None,
    }
    try:
        symbol = fields.needed("symbol")
        market = system.venue.market_of(symbol)
        order = market.place(account, _wanted(symbol, fields))
    except KrakenRefusal as refusal:
        return success(system, sendStatus=status | {"status": refusal.message, "orderEvents": []})
    ids = {"order_id": uuid(order.order_id)}
    return success(system, sendStatus=ids | status | _sent(account, order))


def _wanted(symbol: str, fields: FuturesFields) -> Request:
    order_type, time_in_force = fields.order_type()
    is_market = order_type == "MARKET"
    if not is_market:
        fields.needed("limitPrice")
    return Request(
        symbol=symbol,
        side=fields.side(),
        quantity=fields.size(),
        price=ZERO if is_market else fields.decimal("limitPrice"),
        order_type=order_type,
        time_in_force=time_in_force,
        client_order_id=fields.text("cliOrdId"),
        self_trade_mode="EXPIRE_TAKER",
        reduce_only=fields.flag("reduceOnly"),
    )


def _sent(account: Account, order: Order) -> Document:
    """`placed` for all that was taken, even where it is filled; the events say the rest."""
    if order.status == "REJECTED":
        reason = documents.STATUSES[order.reason]
        event = {
            "type": "REJECT", "uid": uuid(order.order_id),
            "reason": documents.ERRORS[order.reason], "order": documents.replied_order(order),
        }  # fmt: skip
        return {"status": reason, "orderEvents": [event]}
    return {"status": "placed", "orderEvents": list(_events(account, order))}


def _events(account: Account, order: Order) -> Iterable[Document]:
    """What became of a new order at once: its executions, or its place on the book."""
    fills = account.fills[_product(account, order), order.symbol]
    done = ZERO
    for fill in fills:
        if fill.order_id == order.order_id:
            yield documents.execution_event(order, fill, done)
            done += fill.quantity
    if order.is_open or not done:
        shown = documents.replied_order(order, done)
        yield {"type": "PLACE", "reducedQuantity": None, "order": shown}


def _product(account: Account, order: Order) -> Any:
    products = (product for product, symbol in account.orders if symbol == order.symbol)
    return next(products)


def _find(
    system: KrakenSystem, account: Account, fields: FuturesFields, name: str
) -> tuple[KrakenFutures, Order]:
    order_id = fields.text(name)
    number = number_of_uuid(order_id) if order_id else 0
    client_id = "" if order_id else fields.needed("cliOrdId")
    found = account.by_name.get(client_id)
    for market in system.venue.futures:
        for symbol in market.instruments if number else ():
            rows = account.orders.get((market.product, symbol), {})
            found = rows.get(number, found)
    if found is None:
        raise futures_refused("no_such_order")
    return system.venue.market_of(found.symbol), found


def edit_order(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """New terms in place; `size` is what shall be open, unless `qtyMode` says ABSOLUTE."""
    named = {"orderId": fields.text("orderId") or None, "cliOrdId": fields.text("cliOrdId") or None}
    named["receivedTime"] = at_ms(system.venue.now_ms)
    try:
        market, order = _find(system, account, fields, "orderId")
        size = fields.decimal("size")
        if size and fields.text("qtyMode", "RELATIVE") == "RELATIVE":
            size += order.filled
        before = documents.replied_order(order)
        market.amend(account, order, fields.decimal("limitPrice"), size)
    except KrakenRefusal as refusal:
        code = "orderForEditNotFound" if refusal.message == "notFound" else refusal.message
        return success(system, editStatus=named | {"status": code, "orderEvents": []})
    event = {
        "type": "EDIT", "uid": uuid(order.order_id), "reducedQuantity": None, "old": before,
        "new": documents.replied_order(order),
    }  # fmt: skip
    named["orderId"] = uuid(order.order_id)
    return success(system, editStatus=named | {"status": "edited", "orderEvents": [event]})


def cancel_order(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """End one order; what is filled is said, what is gone is not found."""
    status: Document = {"receivedTime": at_ms(system.venue.now_ms), "orderEvents": []}
    try:
        market, order = _find(system, account, fields, "order_id")
        ids = {"order_id": uuid(order.order_id), "cliOrdId": order.client_order_id or None}
        if order.status == "FILLED":
            return success(system, cancelStatus=status | ids | {"status": "filled"})
        market.cancel(account, order)
    except KrakenRefusal as refusal:
        return success(system, cancelStatus=status | {"status": refusal.message})
    event = {
        "type": "CANCEL", "uid": uuid(order.order_id), "order": documents.replied_order(order),
    }  # fmt: skip
    done = {"status": "cancelled", "orderEvents": [event]}
    return success(system, cancelStatus=status | ids | done)


def cancel_all(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """End all orders, or those of one contract."""
    symbol = fields.text("symbol")
    orders = [
        (market, order)
        for market in system.venue.futures
        for order in market.open_orders(account, symbol)
    ]
    for market, order in orders:
        market.cancel(account, order)
    events = [
        {"type": "CANCEL", "uid": uuid(order.order_id), "order": documents.replied_order(order)}
        for _, order in orders
    ]
    gone = [
        {"order_id": uuid(order.order_id), "cliOrdId": order.client_order_id or None}
        for _, order in orders
    ]
    status = {
        "status": "cancelled" if orders else "noOrdersToCancel", "cancelOnly": symbol or "all",
        "receivedTime": at_ms(system.venue.now_ms), "cancelledOrders": gone, "orderEvents": events,
    }  # fmt: skip
    return success(system, cancelStatus=status)


TRADING, HISTORY = "/derivatives/api/v3/", "/api/history/v3/"


CALLS: dict[tuple[str, str], Call] = {
    ("GET", f"{TRADING}instruments"): Call(queries.instruments, None, "none"),
    ("GET", f"{TRADING}openorders"): Call(queries.open_orders, ("trading", 2)),
    ("", f"{TRADING}orders/status"): Call(queries.order_status, ("trading", 1)),
    ("GET", f"{TRADING}fills"): Call(queries.fills, ("trading", costs_by("lastFillTime", 25, 2))),
    ("GET", f"{TRADING}openpositions"): Call(queries.positions, ("trading", 2)),
    ("GET", f"{TRADING}accounts"): Call(queries.accounts, ("trading", 2)),
    ("GET", f"{HISTORY}orders"): Call(queries.order_history, ("history", 1), is_paged=True),
    ("GET", f"{HISTORY}executions"): Call(queries.execution_history, ("history", 1), is_paged=True),
    ("", f"{TRADING}sendorder"): Call(send_order, ("trading", 10), counts_orders=True),
    ("", f"{TRADING}editorder"): Call(edit_order, ("trading", 10), counts_orders=True),
    ("", f"{TRADING}cancelorder"): Call(cancel_order, ("trading", 10), counts_orders=True),
    ("", f"{TRADING}cancelallorders"): Call(cancel_all, ("trading", 25), counts_orders=True),
}  # fmt: skip
"""By method and path; the clients in use do not agree on the method of wishes."""
