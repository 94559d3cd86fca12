"""Questions of Bybit's REST (docs/venues/bybit.md 7)."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from simulator.accounts import Account, Fill
from simulator.bybit import account_documents
from simulator.bybit.fields import Executions, Fields, Instruments, Positions
from simulator.bybit.instruments import instrument_row
from simulator.bybit.market import BybitMarket
from simulator.bybit.order_documents import order_row
from simulator.bybit.refusals import refused
from simulator.bybit.shared import as_order
from simulator.bybit.trade_calls import scope
from simulator.bybit.venue import BybitVenue
from simulator.matching import Order
from simulator.message import Document
from simulator.wire.pages import Paging, cursor

DAY_MS = 24 * 3600 * 1000
WEEK_MS = 7 * DAY_MS
KEPT_MS = 730 * DAY_MS
RECENT_MAX = 500
CURSOR = "page_args="
Row = TypeVar("Row")


def server_time(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """The venue's clock."""
    now_ms = venue.now_ms
    return {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}


def instruments(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """Those of a category, all trading."""
    market, symbol = venue.market_of(fields.product()), fields.text("symbol")
    if symbol:
        market.instrument(symbol)
    is_empty = fields.text("status", "Trading") != "Trading"
    names = [symbol] if symbol else list(market.instruments)
    rows = list(enumerate(() if is_empty else reversed(names), 1))
    paging: Paging[tuple[int, str]] = Paging(lambda row: row[0], lambda row: 0)
    page, following = _page(venue, rows, fields, paging)
    return _listed(
        fields, [instrument_row(market.instruments[name]) for _, name in page], following
    )


def realtime(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """What is open; by an id, and with `openOnly` 1, the recent closed ones too (trap 13)."""
    market = venue.market_of(fields.product())
    is_meant = scope(market, fields)
    is_named = fields.has("orderId") or fields.has("orderLinkId")
    orders = _orders(market, account)
    closed = [order for order in orders if not is_live(order)][-RECENT_MAX:]
    recent = {id(order) for order in closed if order.updated_ms >= venue.forgotten_ms}
    shows_closed = is_named or fields.text("openOnly") == "1"

    def is_shown(order: Order) -> bool:
        if not is_live(order) and not (shows_closed and id(order) in recent):
            return False
        return is_meant(order.symbol)

    return _page_of_orders(venue, market, orders, fields, is_shown)


def history(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """What has ended: without a fill no longer than a day (docs/venues/bybit.md 7)."""
    market, now_ms = venue.market_of(fields.product()), venue.now_ms
    begin, end = _span(fields, now_ms)
    is_named = fields.has("orderId") or fields.has("orderLinkId")
    by_update = market.world.face.history_by == "updated"
    symbol, state = fields.text("symbol"), fields.text("orderStatus")

    def is_shown(order: Order) -> bool:
        is_kept = order.updated_ms > now_ms - (KEPT_MS if order.filled else DAY_MS)
        if is_live(order) or not is_kept:
            return False
        time_ms = order.updated_ms if by_update else order.created_ms
        is_of = symbol in ("", order.symbol) and (is_named or begin <= time_ms <= end)
        return is_of and state in ("", market.row(order)["orderStatus"])

    return _page_of_orders(venue, market, _orders(market, account), fields, is_shown)


def executions(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """Executions and payments, the latest first; an id makes all other filters void."""
    market = venue.market_of(fields.product())
    begin, end = _span(fields, venue.now_ms)
    order_id, name = fields.text("orderId"), fields.text("orderLinkId")
    symbol, kind = fields.text("symbol"), fields.text("execType")

    def is_meant(fill: Fill) -> bool:
        if fill.product != market.product or not venue.view.has(fill, venue.now_ms):
            return False
        if order_id or name:
            return order_id in ("", str(fill.order_id)) and name in ("", fill.client_order_id)
        is_of = symbol in ("", fill.symbol) and begin <= fill.venue_ms <= end
        return is_of and kind in ("", market.execution(fill)["execType"])

    payments = venue.shared.payments[account.name]
    rows = sorted([*account.all_fills, *payments], key=lambda fill: fill.number)
    paging: Paging[Fill] = Paging(lambda row: row.number, lambda row: row.venue_ms, is_meant)
    page, following = _page(venue, rows, fields, paging)
    return _listed(fields, [market.execution(fill) for fill in page], following)


def positions(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """Those that are not flat; of a symbol that is named, all its legs (trap 12)."""
    market, symbol = venue.contracts_of(fields.product()), fields.text("symbol")
    if market is None:
        raise refused("bad", name="category")
    is_meant = scope(market, fields)
    if symbol:
        market.instrument(symbol)
        keys = [(symbol, side) for side in market.legs(account, symbol)]
    else:
        held = account.positions.items()
        keys = [
            key for key, row in held if row.product == market.product and row.amount
            and is_meant(key[0])
        ]  # fmt: skip
    rows = list(enumerate(reversed(keys), 1))
    paging: Paging[tuple[int, tuple[str, str]]] = Paging(lambda row: row[0], lambda row: 0)
    page, following = _page(venue, rows, fields, paging)
    found = [market.position_row(account, *key) for _, key in page]
    return _listed(fields, found, following)


def wallet(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """The account, with the coins of which there is any, or those in `coin`."""
    if fields.needed("accountType") != "UNIFIED":
        raise refused("bad", name="accountType")
    named = fields.text("coin")
    coins = named.split(",") if named else account_documents.held_coins(account)
    return {"list": [account_documents.wallet_row(account, coins)]}


def fee_rate(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """What is charged, by symbol."""
    market = venue.market_of(fields.product())
    fees = market.rules.fees
    rates = {"takerFeeRate": f"{fees.taker:f}", "makerFeeRate": f"{fees.maker:f}"}
    symbols = [fields.text("symbol")] if fields.has("symbol") else list(market.instruments)
    return {"list": [{"symbol": symbol} | rates for symbol in symbols]}


def account_info(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """A unified account."""
    return {
        "marginMode": "REGULAR_MARGIN", "updatedTime": "1697078946000", "unifiedMarginStatus": 6,
        "dcpStatus": "OFF", "timeWindow": 10, "smpGroup": 0, "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }  # fmt: skip


def key_info(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """What the key may do: trade, and move no money away."""
    number = venue.numbers[account.name]
    return {
        "id": str(13_770_661 + number), "note": account.name, "apiKey": account.config.api_key,
        "readOnly": 0, "secret": "", "type": 1, "deadlineDay": 83, "ips": ["127.0.0.1"],
        "permissions": {
            "ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": [],
            "Options": [], "Derivatives": ["DerivativesTrade"], "Exchange": [], "Earn": [],
        },
        "expiredAt": "2027-12-31T00:00:00Z", "createdAt": "2026-01-01T00:00:00Z", "unified": 0,
        "uta": 1, "userID": 24_600_000 + number, "inviterID": 0, "vipLevel": "No VIP",
        "mktMakerLevel": "0", "affiliateID": 0, "rsaPublicKey": "", "isMaster": True,
        "parentUid": "0",
    }  # fmt: skip


def is_live(order: Order) -> bool:
    """Whether it is open, or waits for its price."""
    return order.is_open or order.status == "WAITING_TRIGGER"


def _orders(market: BybitMarket, account: Account) -> list[Order]:
    """All of a product in the order of their numbers, with conditional ones that became none."""
    orders = [
        order
        for (product, _), rows in account.orders.items()
        if product == market.product
        for order in rows.values()
        if market.is_shown(order)
    ]
    conditionals = account.conditionals[market.product].values()
    alone = [as_order(one) for one in conditionals if not _is_the_same(one.children, one.order_id)]
    return sorted([*orders, *alone], key=lambda order: int(order.order_id))


def _is_the_same(children: list[Order], number: int) -> bool:
    return any(child.order_id == number for child in children)


def _page_of_orders(
    venue: BybitVenue,
    market: BybitMarket,
    rows: list[Order],
    fields: Fields,
    is_shown: Callable[[Order], bool],
) -> Document:
    order_id, name, kind = map(fields.text, ("orderId", "orderLinkId", "orderFilter"))

    def is_meant(order: Order) -> bool:
        is_named = order_id in ("", str(order.order_id)) and (
            bool(order_id) or name in ("", order.client_order_id)
        )
        is_seen = venue.view.has(order, venue.now_ms)
        return is_named and is_seen and _fits(order, kind) and is_shown(order)

    paging: Paging[Order] = Paging(
        lambda row: int(row.order_id), lambda row: row.created_ms, is_meant
    )
    page, following = _page(venue, rows, fields, paging)
    instruments, notes = market.instruments, venue.shared.notes
    found = [order_row(one, instruments[one.symbol], notes[one.order_id]) for one in page]
    return _listed(fields, found, following)


def _fits(order: Order, kind: str) -> bool:
    """Whether it is of this `orderFilter`."""
    if kind in ("Order", "StopOrder", "tpslOrder"):
        own = "Order" if order.parent is None else order.parent.order_type
        return kind == ("StopOrder" if own not in ("Order", "tpslOrder") else own)
    return True


def _span(fields: Fields, now_ms: int) -> tuple[int, int]:
    """From when until when: a week at most, the last one where nothing is said."""
    begin, end = fields.whole("startTime"), fields.whole("endTime")
    if begin is None:
        end = now_ms if end is None else end
        return end - WEEK_MS, end
    end = begin + WEEK_MS if end is None else end
    if end - begin > WEEK_MS:
        raise refused("too_long")
    return begin, end


def _page(
    venue: BybitVenue, rows: Sequence[Row], fields: Fields, paging: Paging[Row]
) -> tuple[list[Row], str]:
    """A page and its cursor, percent-encoded; one that comes encoded once more is taken too."""
    named = unquote(fields.text("cursor")).removeprefix(CURSOR)
    if named and not named.isdecimal():
        raise refused("bad", name="cursor")
    page, following = cursor(rows, paging, named, venue.view.page_limit(fields.limit()))
    return page, quote(f"{CURSOR}{following}", safe="") if following else ""


def _listed(fields: Fields, rows: list[Document], following: str) -> Document:
    return {"category": fields.text("category"), "nextPageCursor": following, "list": rows}


FIELDS: dict[str, type[Fields]] = {
    "/v5/execution/list": Executions,
    "/v5/position/list": Positions,
    "/v5/market/instruments-info": Instruments,
}
"""Of paths whose pages have limits of their own."""
