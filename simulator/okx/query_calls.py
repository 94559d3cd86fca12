"""Questions of OKX's REST (docs/venues/okx.md, section 7)."""

from collections.abc import Callable, Iterable
from typing import Any

from simulator.accounts import Account, Fill
from simulator.matching import Order
from simulator.message import Document
from simulator.okx import account_documents, order_documents
from simulator.okx.account_documents import WALLET
from simulator.okx.fields import Fields
from simulator.okx.instruments import instrument_row, make_instruments
from simulator.okx.paging import Paging, page
from simulator.okx.refusals import refused
from simulator.okx.venue import OkxVenue
from simulator.okx.words import KINDS, STATES, order_type, sub_type

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
UNFILLED_MS = 2 * HOUR_MS
"""Orders canceled without a fill are shown no longer than so."""

Rows = list[Any]


def server_time(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """The venue's clock."""
    return [{"ts": str(venue.now_ms)}]


def instruments(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """Of one `instType`; those that the box has none of are empty."""
    kind, symbol = fields.needed("instType"), fields.text("instId")
    return [
        instrument_row(row)
        for market in venue.markets
        for row in make_instruments(market.product).values()
        if KINDS[row.product] == kind and symbol in ("", row.symbol)
    ]


def system_status(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """No maintenance is planned."""
    return []


def currencies(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """The currencies of the account's wallet, each on one chain."""
    return [
        {
            "ccy": name, "name": name, "logoLink": "", "chain": f"{name}-Main", "ctAddr": "",
            "canDep": True, "canWd": True, "canInternal": True, "minDep": "0.00000001",
            "minWd": "0.00000001", "maxWd": "1000000", "wdTickSz": "8", "wdQuota": "1000000",
            "usedWdQuota": "0", "fee": "0", "minFee": "0", "maxFee": "0", "mainNet": True,
            "needTag": False, "minDepArrivalConfirm": "1", "minWdUnlockConfirm": "1",
            "depQuotaFixed": "", "usedDepQuotaFixed": "", "depQuoteDailyLayer2": "",
        }
        for name in account.balances[WALLET]
    ]  # fmt: skip


def one_order(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET order; an order canceled without a fill is gone after two hours."""
    symbol = fields.needed("instId")
    market = venue.market_of(symbol)
    order_id, client_id = fields.named("ordId", "clOrdId")
    order = market.find(account, symbol, order_id, client_id)
    if _is_gone(order, venue.now_ms):
        raise refused("no_such_order")
    return _orders(venue, [order])


def pending(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET orders-pending: what is open."""
    rows = [
        order
        for product in ("spot", "linear", "inverse")
        for order in account.open_orders[product].values()
    ]
    rows.sort(key=lambda order: order.order_id)
    return _orders(venue, _page_of_orders(venue, rows, fields, lambda order: True))


def history(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET orders-history: seven days of what has ended; `instType` is needed."""
    fields.needed("instType")
    now_ms = venue.now_ms

    def is_shown(order: Order) -> bool:
        is_young = order.created_ms > now_ms - 7 * DAY_MS
        return not order.is_open and is_young and not _is_gone(order, now_ms)

    rows = account.all_orders
    return _orders(venue, _page_of_orders(venue, rows, fields, is_shown))


def archive(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET orders-history-archive: three months, without what was canceled unfilled."""
    fields.needed("instType")
    rows = account.all_orders

    def is_shown(order: Order) -> bool:
        return not order.is_open and bool(order.filled or order.status != "CANCELED")

    return _orders(venue, _page_of_orders(venue, rows, fields, is_shown))


def fills(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET fills: three days, paged by bill."""
    return _fills(venue, account, fields, 3 * DAY_MS)


def fills_history(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET fills-history: three months; `instType` is needed."""
    fields.needed("instType")
    return _fills(venue, account, fields, 90 * DAY_MS)


def positions(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET positions: those that are not zero, unless they are named."""
    kind = fields.text("instType")
    named = {*fields.text("instId").split(",")} - {""}
    ids = {*fields.text("posId").split(",")} - {""}
    if kind not in ("", "SWAP"):
        return []
    rows = []
    for market in venue.swaps:
        for (symbol, side), position in list(account.positions.items()):
            if position.product != market.product:
                continue
            row = market.position_row(account, symbol, side)
            is_named = symbol in named or row["posId"] in ids
            if is_named or (position.amount and not named and not ids):
                rows.append(row)
    return rows


def balance(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET balance: all currencies of which there is any, or those in `ccy`."""
    named = fields.text("ccy")
    wanted = named.split(",") if named else account_documents.held_currencies(account)
    return [account_documents.account_row(account, wanted, venue.now_ms)]


KEY = "OK-ACCESS-KEY"
"""The header that names the key, told to questions as a field."""


def config(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET account/config."""
    key = account.credentials.get(fields.text(KEY), account.config)
    return [account_documents.config_row(key, venue.numbers[account.name])]


def rate_state(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET account-rate-limit."""
    row = {"accRateLimit": "1000", "fillRatio": "0.1", "mainFillRatio": "0.1"}
    return [row | {"nextAccRateLimit": "1000", "ts": str(venue.now_ms)}]


def _page_of_orders(
    venue: OkxVenue, rows: list[Order], fields: Fields, is_shown: Callable[[Order], bool]
) -> list[Order]:
    kind, symbol, state = fields.text("instType"), fields.text("instId"), fields.text("state")
    wanted_type, category = fields.text("ordType"), fields.text("category")

    def is_meant(order: Order) -> bool:
        return (
            is_shown(order)
            and symbol in ("", order.symbol)
            and kind in ("", KINDS[venue.market_of(order.symbol).product])
            and state in ("", STATES[order.status])
            and category in ("", order.category)
            and (not wanted_type or order_type(order) in wanted_type.split(","))
            and venue.view.has(order, venue.now_ms)
        )

    paging: Paging[Order] = Paging(lambda row: row.order_id, lambda row: row.created_ms, is_meant)
    return page(rows, fields, paging, venue.view)


def _fills(venue: OkxVenue, account: Account, fields: Fields, span_ms: int) -> Rows:
    kind, symbol = fields.text("instType"), fields.text("instId")
    order_id, kind_wanted = fields.text("ordId"), fields.text("subType")

    def is_meant(fill: Fill) -> bool:
        return (
            symbol in ("", fill.symbol)
            and kind in ("", KINDS[fill.product])
            and order_id in ("", str(fill.order_id))
            and kind_wanted in ("", sub_type(fill))
            and fill.venue_ms > venue.now_ms - span_ms
            and venue.view.has(fill, venue.now_ms)
        )

    paging: Paging[Fill] = Paging(lambda row: row.number, lambda row: row.venue_ms, is_meant)
    rows = page(account.all_fills, fields, paging, venue.view)
    return [
        order_documents.fill_row(row, venue.market_of(row.symbol).instrument(row.symbol))
        for row in rows
    ]


def _orders(venue: OkxVenue, orders: Iterable[Order]) -> list[Document]:
    return [
        order_documents.row(order, venue.market_of(order.symbol).instrument(order.symbol))
        for order in orders
    ]


def _is_gone(order: Order, now_ms: int) -> bool:
    is_unfilled = order.status == "CANCELED" and not order.filled
    return is_unfilled and order.updated_ms < now_ms - UNFILLED_MS
