"""Every call of Futures' REST (docs/venues/kraken.md 7.2), each with what it costs.

Orders that are not taken are answered with status 200 and a success: `status` alone says it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from simulator.accounts import Account
from simulator.instrument import ZERO
from simulator.kraken import futures_documents as documents
from simulator.kraken.fields import FuturesFields
from simulator.kraken.futures import KrakenFutures
from simulator.kraken.instruments import contract_row
from simulator.kraken.limits import KrakenLimits
from simulator.kraken.refusals import KrakenRefusal, futures_refused
from simulator.kraken.venue import KrakenVenue
from simulator.kraken.words import account_id, at_ms, number_of_uuid, uuid
from simulator.market import Request
from simulator.matching import Order
from simulator.message import Document
from simulator.wire.calls import Call, costs_by

FORGOTTEN_MS = 5000
"""After so long `orders/status` knows an order that has ended no more."""
FILLS_MAX = 100
UPDATE_REASONS = {
    "USER": "CANCELLED_BY_USER", "VENUE": "CANCELLED_BY_ADMIN", "ADL": "CANCELLED_BY_ADMIN",
    "LIQUIDATION": "LIQUIDATION_ORDER", "STP": "WOULD_EXECUTE_SELF_REASON",
    "POST_ONLY": "POST_WOULD_EXECUTE_REASON", "REDUCE_ONLY": "WOULD_NOT_REDUCE_POSITION",
    "IOC": "IOC_WOULD_NOT_EXECUTE_REASON", "FOK": "IOC_WOULD_NOT_EXECUTE_REASON",
    "MARKET": "IOC_WOULD_NOT_EXECUTE_REASON",
}  # fmt: skip
STATUSES = {"FILLED": "FULLY_EXECUTED", "CANCELED": "CANCELLED", "REJECTED": "REJECTED"}


@dataclass(frozen=True, slots=True)
class FuturesDesk:
    """Where requests to Futures are answered: the venue, and its budgets."""

    venue: KrakenVenue
    limits: KrakenLimits


def with_time(venue: KrakenVenue, document: Document) -> Document:
    """The clock is in every answer."""
    return document | {"serverTime": at_ms(venue.now_ms)}


def _success(desk: FuturesDesk, **what: object) -> Document:
    return with_time(desk.venue, {"result": "success", **what})


# ---- questions


def instruments(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """All contracts."""
    rows = [row for market in desk.venue.futures for row in market.instruments.values()]
    return _success(desk, instruments=[contract_row(row) for row in rows])


def tickers(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """The last price of each contract."""
    rows = [
        {"symbol": symbol, "last": float(market.last_price(symbol)), "suspended": False}
        for market in desk.venue.futures
        for symbol in market.instruments
    ]
    return _success(desk, tickers=rows)


def open_orders(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """What is open, of both kinds."""
    rows = [
        documents.open_row(order)
        for market in desk.venue.futures
        for order in market.seen(market.open_orders(account))
    ]
    return _success(desk, openOrders=rows)


def order_status(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """Orders that are open, or were until lately."""
    numbers = {number_of_uuid(name) for name in fields.listed("orderIds") if name}
    names = {name for name in fields.listed("cliOrdIds") if name}
    now_ms, view = desk.venue.now_ms, desk.venue.view
    rows = [
        _status_row(order)
        for order in account.all_orders
        if (order.order_id in numbers or order.client_order_id in names)
        and (order.is_open or now_ms - order.updated_ms < FORGOTTEN_MS)
        and view.shows(order.created_ms, now_ms)
    ]
    return _success(desk, orders=rows)


def _status_row(order: Order) -> Document:
    shown = documents.replied_order(order) | {"type": "ORDER"}
    if order.is_open:
        status = "ENTERED_BOOK"
        reason = "PARTIAL_FILL" if order.filled else "NEW_USER_ORDER"
    else:
        status = STATUSES[order.status]
        is_full = order.status == "FILLED"
        reason = "FULL_FILL" if is_full else UPDATE_REASONS[order.reason]
    return {"order": shown, "status": status, "updateReason": reason, "error": None}


def fills(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """The last hundred, or those before a time: nobody can page forward here."""
    before = fields.text("lastFillTime")
    now_ms, view = desk.venue.now_ms, desk.venue.view
    rows = [
        fill
        for fill in account.all_fills
        if fill.product != "spot"
        and (not before or at_ms(fill.venue_ms) < before)
        and view.shows(fill.venue_ms, now_ms)
    ]
    return _success(desk, fills=[documents.fill_row(row) for row in rows[-FILLS_MAX:][::-1]])


def positions(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """Those that are not flat."""
    rows = [
        documents.position_row(position, market.instrument(symbol), desk.venue.now_ms)
        for market in desk.venue.futures
        for (symbol, _), position in account.positions.items()
        if position.product == market.product and position.amount
    ]
    return _success(desk, openPositions=rows)


def accounts(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """The wallets."""
    return _success(desk, accounts=documents.wallets(account))


def key_check(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """What the key may do."""
    return {
        "apiKey": account.config.api_key, "accountUid": account_id(account.name), "iiban": "",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "permissions": {"general": "FULL_ACCESS", "transfer": "NO_ACCESS"},
        "allowedCidrBlock": None, "allowedCidrBlocks": [],
    }  # fmt: skip


# ---- the history


def order_history(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """Events of orders."""
    rows: list[Row] = [
        (
            uuid((number + 1) << 64),
            row.ms,
            row.kind,
            partial(documents.history_event, account.name, row),
        )
        for number, row in enumerate(desk.venue.reporter.happened[account.name])
        if fields.text("tradeable") in ("", row.order.symbol)
    ]
    return _history(desk, account, fields, rows)


def execution_history(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """Executions."""
    orders = account.orders
    rows: list[Row] = [
        (
            uuid(fill.number << 64),
            fill.venue_ms,
            "Execution",
            partial(
                documents.history_execution,
                account.name,
                fill,
                orders[fill.product, fill.symbol][fill.order_id],
            ),
        )
        for fill in account.all_fills
        if fill.product != "spot" and fields.text("tradeable") in ("", fill.symbol)
    ]
    return _history(desk, account, fields, rows)


Row = tuple[str, int, str, Callable[[], Document]]


def _history(
    desk: FuturesDesk, account: Account, fields: FuturesFields, rows: list[Row]
) -> Document:
    """A page between two moments, both exclusive; the token says where the next one begins."""
    since, before = fields.whole("since"), fields.whole("before")
    now_ms, view = desk.venue.now_ms, desk.venue.view
    meant = [
        row
        for row in rows
        if (since is None or row[1] > since)
        and (before is None or row[1] < before)
        and view.shows(row[1], now_ms)
    ]
    if fields.text("sort", "desc") == "desc":
        meant.reverse()
    named = fields.text("continuation_token")
    start = next((place for place, row in enumerate(meant) if row[0] == named), len(meant))
    start = start if named else 0
    usual = desk.venue.config.face.history_rows  # type: ignore[attr-defined]  # Kraken's settings
    limit = view.page_limit(min(fields.whole("count") or usual, fields.rows_max))
    page, following = meant[start : start + limit], meant[start + limit :]
    token = following[0][0] if following else ""
    shown = [(uid, ms, name, content()) for uid, ms, name, content in page]
    return with_time(desk.venue, documents.elements(account.name, shown, token))


# ---- wishes


def send_order(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """One order."""
    status = {"receivedTime": at_ms(desk.venue.now_ms), "cliOrdId": fields.text("cliOrdId") or None}
    try:
        symbol = fields.needed("symbol")
        market = desk.venue.market_of(symbol)
        order = market.place(account, _wanted(symbol, fields))
    except KrakenRefusal as refusal:
        return _success(desk, sendStatus=status | {"status": refusal.message, "orderEvents": []})
    ids = {"order_id": uuid(order.order_id)}
    return _success(desk, sendStatus=ids | status | _sent(account, order))


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
    desk: FuturesDesk, account: Account, fields: FuturesFields, name: str
) -> tuple[KrakenFutures, Order]:
    order_id = fields.text(name)
    number = number_of_uuid(order_id) if order_id else 0
    client_id = "" if order_id else fields.needed("cliOrdId")
    found = account.by_name.get(client_id)
    for market in desk.venue.futures:
        for symbol in market.instruments if number else ():
            rows = account.orders.get((market.product, symbol), {})
            found = rows.get(number, found)
    if found is None:
        raise futures_refused("no_such_order")
    return desk.venue.market_of(found.symbol), found


def edit_order(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """New terms in place; `size` is what shall be open, unless `qtyMode` says ABSOLUTE."""
    named = {"orderId": fields.text("orderId") or None, "cliOrdId": fields.text("cliOrdId") or None}
    named["receivedTime"] = at_ms(desk.venue.now_ms)
    try:
        market, order = _find(desk, account, fields, "orderId")
        size = fields.decimal("size")
        if size and fields.text("qtyMode", "RELATIVE") == "RELATIVE":
            size += order.filled
        before = documents.replied_order(order)
        market.amend(account, order, fields.decimal("limitPrice"), size)
    except KrakenRefusal as refusal:
        code = "orderForEditNotFound" if refusal.message == "notFound" else refusal.message
        return _success(desk, editStatus=named | {"status": code, "orderEvents": []})
    event = {
        "type": "EDIT", "uid": uuid(order.order_id), "reducedQuantity": None, "old": before,
        "new": documents.replied_order(order),
    }  # fmt: skip
    named["orderId"] = uuid(order.order_id)
    return _success(desk, editStatus=named | {"status": "edited", "orderEvents": [event]})


def cancel_order(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """End one order; what is filled is said, what is gone is not found."""
    status: Document = {"receivedTime": at_ms(desk.venue.now_ms), "orderEvents": []}
    try:
        market, order = _find(desk, account, fields, "order_id")
        ids = {"order_id": uuid(order.order_id), "cliOrdId": order.client_order_id or None}
        if order.status == "FILLED":
            return _success(desk, cancelStatus=status | ids | {"status": "filled"})
        market.cancel(account, order)
    except KrakenRefusal as refusal:
        return _success(desk, cancelStatus=status | {"status": refusal.message})
    event = {
        "type": "CANCEL", "uid": uuid(order.order_id), "order": documents.replied_order(order),
    }  # fmt: skip
    done = {"status": "cancelled", "orderEvents": [event]}
    return _success(desk, cancelStatus=status | ids | done)


def cancel_all(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """End all orders, or those of one contract."""
    symbol = fields.text("symbol")
    orders = [
        (market, order)
        for market in desk.venue.futures
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
        "receivedTime": at_ms(desk.venue.now_ms), "cancelledOrders": gone, "orderEvents": events,
    }  # fmt: skip
    return _success(desk, cancelStatus=status)


BATCH: dict[str, tuple[Callable[..., Document], str, dict[str, str]]] = {
    "send": (send_order, "sendStatus", {}),
    "edit": (edit_order, "editStatus", {"order_id": "orderId"}),
    "cancel": (cancel_order, "cancelStatus", {}),
}


def batch(desk: FuturesDesk, account: Account, fields: FuturesFields) -> Document:
    """Several wishes, each with its tag."""
    try:
        rows = orjson.loads(fields.needed("json"))["batchOrder"]
        kinds = [BATCH[row["order"]] for row in rows]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise futures_refused("bad", name="json") from None
    found = []
    for row, (act, name, names) in zip(rows, kinds, strict=True):
        named = {names.get(key, key): value for key, value in row.items()}
        status = act(desk, account, FuturesFields(named))[name]
        order_id = status.pop("orderId", None) or status.get("order_id")
        tagged = {"order_tag": row["order_tag"]} if "order_tag" in row else {}
        found.append(status | tagged | ({"order_id": order_id} if order_id else {}))
    return _success(desk, batchStatus=found)


TRADING, HISTORY = "/derivatives/api/v3/", "/api/history/v3/"


CALLS: dict[tuple[str, str], Call] = {
    ("GET", f"{TRADING}instruments"): Call(instruments, None, "none"),
    ("GET", f"{TRADING}tickers"): Call(tickers, None, "none"),
    ("GET", f"{TRADING}openorders"): Call(open_orders, ("trading", 2)),
    ("", f"{TRADING}orders/status"): Call(order_status, ("trading", 1)),
    ("GET", f"{TRADING}fills"): Call(fills, ("trading", costs_by("lastFillTime", 25, 2))),
    ("GET", f"{TRADING}openpositions"): Call(positions, ("trading", 2)),
    ("GET", f"{TRADING}accounts"): Call(accounts, ("trading", 2)),
    ("GET", "/api/auth/v1/api-keys/v3/check"): Call(key_check, ("trading", 1)),
    ("GET", f"{HISTORY}orders"): Call(order_history, ("history", 1), is_paged=True),
    ("GET", f"{HISTORY}executions"): Call(execution_history, ("history", 1), is_paged=True),
    ("", f"{TRADING}sendorder"): Call(send_order, ("trading", 10), counts_orders=True),
    ("", f"{TRADING}editorder"): Call(edit_order, ("trading", 10), counts_orders=True),
    ("", f"{TRADING}cancelorder"): Call(cancel_order, ("trading", 10), counts_orders=True),
    ("", f"{TRADING}cancelallorders"): Call(cancel_all, ("trading", 25), counts_orders=True),
    ("", f"{TRADING}batchorder"): Call(batch, ("trading", 10), counts_orders=True),
}
"""By method and path; the clients in use do not agree on the method of wishes."""
