"""Every call of Spot's REST (docs/venues/kraken.md 7.1), each with what it costs."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from email.utils import formatdate
from functools import partial
from typing import Any

from simulator.accounts import Account, Fill
from simulator.kraken import spot_trades
from simulator.kraken.fields import SpotFields
from simulator.kraken.instruments import pair_key, pair_row
from simulator.kraken.refusals import spot_refused
from simulator.kraken.spot_documents import described, fill_row, order_row, wallet_rows
from simulator.kraken.spot_trades import QUERIED_MAX
from simulator.kraken.system import KrakenSystem
from simulator.kraken.words import (
    at_us,
    number_of_txid,
    txid,
)
from simulator.matching import Order
from simulator.message import Document
from simulator.wire.calls import Call
from simulator.wire.pages import Paging, offset

FILLS_MAX = 20
Answer = Callable[[KrakenSystem, Account, SpotFields], Any]

# ---- public


def time(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """The clock, in whole seconds."""
    now = system.venue.now_ms // 1000
    return {"unixtime": now, "rfc1123": formatdate(now, usegmt=True)}


def system_status(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """No maintenance."""
    return {"status": "online", "timestamp": at_us(system.venue.now_ms * 1000)[:-8] + "Z"}


def pairs(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """All pairs, or those that are named."""
    wanted = {system.venue.symbol_of(name) for name in fields.text("pair").split(",") if name}
    rows = system.venue.spot.instruments.values()
    return {pair_key(row): pair_row(row) for row in rows if not wanted or row.symbol in wanted}


# ---- questions


def open_orders(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """What is open."""
    orders = system.venue.spot.seen(system.venue.spot.open_orders(account))
    return {"open": _rows(system, account, fields, filter(_meant(fields), reversed(orders)))}


def closed_orders(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """What has ended, newest first."""
    stamps, is_named = system.venue.spot.stamps, _meant(fields)
    which = fields.text("closetime", "both")
    times = {"open": (0,), "close": (1,), "both": (0, 1)}
    if which not in times:
        raise spot_refused("bad", name="closetime")

    def is_meant(order: Order) -> bool:
        at_us = stamps.times(order)
        is_within = any(_is_within(fields, at_us[place]) for place in times[which])
        is_seen = system.venue.view.has(order, system.venue.now_ms)
        return is_within and is_named(order) and is_seen

    rows, counted = _page(system, fields, system.venue.spot.closed[account.name], is_meant)
    return {"closed": _rows(system, account, fields, rows)} | counted


def query_orders(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """Orders by their ids."""
    names = fields.needed("txid").split(",")
    if len(names) > QUERIED_MAX:
        raise spot_refused("bad", name="txid")
    found = [spot_trades.find(system, account, name) for name in names]
    return _rows(system, account, fields, found)


def trades_history(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """Executions, newest first."""
    spot = system.venue.spot

    def is_meant(fills: list[Fill]) -> bool:
        is_seen = system.venue.view.has(fills[0], system.venue.now_ms)
        return is_seen and _is_within(fields, spot.stamps.filled(fills[0]))

    rows, counted = _page(system, fields, _taken(fields, account.all_fills), is_meant)
    return {"trades": _fill_rows(system, account, rows)} | counted


def query_trades(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """Executions by their ids."""
    numbers = [number_of_txid(name) for name in fields.needed("txid").split(",")]
    if len(numbers) > FILLS_MAX:
        raise spot_refused("bad", name="txid")
    wanted = set(numbers)
    rows = [[fill] for fill in account.all_fills if fill.number in wanted]
    return _fill_rows(system, account, rows)


def balances(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """What is held."""
    return {name: row["balance"] for name, row in wallet_rows(account).items()}


def extended_balances(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """What is held, and how much of it orders need."""
    return wallet_rows(account)


def _meant(fields: SpotFields) -> Callable[[Order], bool]:
    client_id, tag = fields.text("cl_ord_id"), fields.text("userref")
    return lambda order: client_id in ("", order.client_order_id) and tag in ("", order.tag)


def _is_within(fields: SpotFields, us: int) -> bool:
    """Whether a time lies in the span; what is named by an id begins nothing here."""
    start, end = fields.moment("start"), fields.moment("end")
    at = Decimal(us) / 1_000_000
    return (start is None or at > start) and (end is None or at <= end)


def _page(
    system: KrakenSystem, fields: SpotFields, rows: list[Any], is_meant: Callable[[Any], bool]
) -> tuple[list[Any], Document]:
    paging: Paging[Any] = Paging(lambda row: 0, lambda row: 0, is_meant)
    limit = system.venue.view.page_limit(fields.limit())
    found = offset(rows, paging, fields.whole("ofs") or 0, limit)
    if fields.flag("without_count"):
        return found, {}
    return found, {"count": sum(map(is_meant, rows))}


def _taken(fields: SpotFields, fills: Iterable[Fill]) -> list[list[Fill]]:
    """What is listed as one row: by default all that one order took."""
    is_merged = fields.text("consolidate_taker", "true") != "false"
    rows: dict[tuple[str, int], list[Fill]] = {}
    for fill in fills:
        if fill.product == "spot":
            one = not is_merged or fill.is_maker
            key = ("fill", fill.number) if one else ("order", fill.order_id)
            rows.setdefault(key, []).append(fill)
    return list(rows.values())


def _rows(
    system: KrakenSystem, account: Account, fields: SpotFields, orders: Iterable[Order]
) -> Document:
    spot, is_asked = system.venue.spot, fields.flag("trades")
    rows: Document = {}
    for order in orders:
        trades = _trades_of(account, order, fields) if is_asked else None
        instrument, times = spot.instrument(order.symbol), spot.stamps.times(order)
        rows[txid("O", order.order_id)] = order_row(order, instrument, times, trades)
    return rows


def _trades_of(account: Account, order: Order, fields: SpotFields) -> list[str]:
    fills = account.fills["spot", order.symbol]
    own = [fill for fill in fills if fill.order_id == order.order_id]
    return [txid("T", row[0].number) for row in _taken(fields, own)]


def _fill_rows(system: KrakenSystem, account: Account, rows: Iterable[list[Fill]]) -> Document:
    spot, found = system.venue.spot, {}
    for fills in rows:
        first = fills[0]
        order = account.orders["spot", first.symbol][first.order_id]
        row = fill_row(order, spot.instrument(first.symbol), fills, spot.stamps.filled(first))
        found[txid("T", first.number)] = row
    return found


# ---- wishes


def add_order(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """One order; only its id, and what was understood."""
    order = spot_trades.place(system, account, fields)
    if order is None:
        side, volume = fields.text("type"), fields.text("volume")
        return {"descr": {"order": f"{side} {volume} {fields.text('pair')}"}}
    shown = described(order, system.venue.spot.instrument(order.symbol))
    return {"descr": {"order": shown["order"]}, "txid": [txid("O", order.order_id)]}


def amend_order(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """New terms."""
    return {"amend_id": spot_trades.amend(system, account, fields)}


def cancel_order(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """One order by its id or client id, or all with a `userref`."""
    name = fields.text("txid")
    if name.isdecimal():
        orders = [one for one in system.venue.spot.open_orders(account) if one.tag == name]
    else:
        orders = [spot_trades.named(system, account, fields)]
    for order in orders:
        spot_trades.cancel(system, account, order)
    return {"count": len(orders)}


def cancel_all(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """All of the account."""
    return {"count": spot_trades.cancel_all(system, account)}


PUBLIC: Mapping[str, Call] = {
    "/0/public/Time": Call(time, 0, "none"),
    "/0/public/SystemStatus": Call(system_status, 0, "none"),
    "/0/public/AssetPairs": Call(pairs, 0, "none"),
}
_wish = partial(Call, cost=0, counts_orders=True)
PRIVATE: Mapping[str, Call] = {
    "OpenOrders": Call(open_orders, 1), "ClosedOrders": Call(closed_orders, 1, is_paged=True),
    "QueryOrders": Call(query_orders, 1),
    "TradesHistory": Call(trades_history, None, is_paged=True),
    "QueryTrades": Call(query_trades, 2), "Balance": Call(balances, 1),
    "BalanceEx": Call(extended_balances, 1), "AddOrder": _wish(add_order),
    "AmendOrder": _wish(amend_order), "EditOrder": _wish(spot_trades.edit),
    "CancelOrder": _wish(cancel_order), "CancelAll": _wish(cancel_all),
}  # fmt: skip
"""By the name behind `/0/private/`; None costs what the settings say."""
