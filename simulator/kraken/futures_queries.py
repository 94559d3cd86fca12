"""Questions of Futures' REST, and its history (docs/venues/kraken.md 7.2)."""

from collections.abc import Callable
from functools import partial

from simulator.accounts import Account
from simulator.kraken import futures_documents as documents
from simulator.kraken.fields import FuturesFields
from simulator.kraken.instruments import contract_row
from simulator.kraken.system import KrakenSystem
from simulator.kraken.venue import KrakenVenue
from simulator.kraken.words import at_ms, number_of_uuid, uuid
from simulator.matching import Order
from simulator.message import Document

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


def with_time(venue: KrakenVenue, document: Document) -> Document:
    """The clock is in every answer."""
    return document | {"serverTime": at_ms(venue.now_ms)}


def success(system: KrakenSystem, **what: object) -> Document:
    return with_time(system.venue, {"result": "success", **what})


# ---- questions


def instruments(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """All contracts."""
    rows = [row for market in system.venue.futures for row in market.instruments.values()]
    return success(system, instruments=[contract_row(row) for row in rows])


def open_orders(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """What is open, of both kinds."""
    rows = [
        documents.open_row(order)
        for market in system.venue.futures
        for order in market.seen(market.open_orders(account))
    ]
    return success(system, openOrders=rows)


def order_status(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """Orders that are open, or were until lately."""
    numbers = {number_of_uuid(name) for name in fields.listed("orderIds") if name}
    names = {name for name in fields.listed("cliOrdIds") if name}
    now_ms, view = system.venue.now_ms, system.venue.view
    rows = [
        _status_row(order)
        for order in account.all_orders
        if (order.order_id in numbers or order.client_order_id in names)
        and (order.is_open or now_ms - order.updated_ms < FORGOTTEN_MS)
        and view.has(order, now_ms)
    ]
    return success(system, orders=rows)


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


def fills(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """The last hundred, or those before a time: nobody can page forward here."""
    before = fields.text("lastFillTime")
    now_ms, view = system.venue.now_ms, system.venue.view
    rows = [
        fill
        for fill in account.all_fills
        if fill.product != "spot"
        and (not before or at_ms(fill.venue_ms) < before)
        and view.has(fill, now_ms)
    ]
    return success(system, fills=[documents.fill_row(row) for row in rows[-FILLS_MAX:][::-1]])


def positions(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """Those that are not flat."""
    rows = [
        documents.position_row(position, market.instrument(symbol), system.venue.now_ms)
        for market in system.venue.futures
        for (symbol, _), position in account.positions.items()
        if position.product == market.product and position.amount
    ]
    return success(system, openPositions=rows)


def accounts(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """The wallets."""
    return success(system, accounts=documents.wallets(account))


def order_history(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
    """Events of orders."""
    rows: list[Row] = [
        (
            uuid((number + 1) << 64),
            row.ms,
            row.kind,
            partial(documents.history_event, account.name, row),
        )
        for number, row in enumerate(system.venue.reporter.happened[account.name])
        if fields.text("tradeable") in ("", row.order.symbol)
    ]
    return _history(system, account, fields, rows)


def execution_history(system: KrakenSystem, account: Account, fields: FuturesFields) -> Document:
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
    return _history(system, account, fields, rows)


Row = tuple[str, int, str, Callable[[], Document]]


def _history(
    system: KrakenSystem, account: Account, fields: FuturesFields, rows: list[Row]
) -> Document:
    """A page between two moments, both exclusive; the token says where the next one begins."""
    since, before = fields.whole("since"), fields.whole("before")
    now_ms, view = system.venue.now_ms, system.venue.view
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
    usual = system.venue.config.face.history_rows  # type: ignore[attr-defined]  # Kraken's settings
    limit = view.page_limit(min(fields.whole("count") or usual, fields.rows_max))
    page, following = meant[start : start + limit], meant[start + limit :]
    token = following[0][0] if following else ""
    shown = [(uid, ms, name, content()) for uid, ms, name, content in page]
    return with_time(system.venue, documents.elements(account.name, shown, token))
