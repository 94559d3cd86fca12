"""Calls that both products of Binance have (docs/venues/binance.md 7)."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from simulator.accounts import Account, Fill
from simulator.binance.order_counts import OrderCounts
from simulator.binance.params import Params, page
from simulator.binance.refusals import Refusal, refused
from simulator.engine.market import Market
from simulator.instrument import Instrument
from simulator.market import World
from simulator.matching import Order
from simulator.message import Document
from simulator.wire.pages import Paging

Found = TypeVar("Found")
ORDERS: Paging[Order] = Paging(lambda order: order.order_id, lambda order: order.created_ms)
FILLS: Paging[Fill] = Paging(lambda fill: fill.trade_id, lambda fill: fill.venue_ms)


class BinanceMarket(Market):
    """A market that counts orders, and whose orders and executions have rows."""

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self.counts = OrderCounts(self.product, world.face, world.clock.now_ms)

    def tell(
        self, account: Account, event: Document, fill: Fill | None = None, *, is_full: bool = True
    ) -> None:
        """Send an event, whose kind is its `e`."""
        self.publish(account, event["e"], event, fill, is_full=is_full)

    @abstractmethod
    def order_row(self, order: Order) -> Document:
        """One order as look-ups show it."""

    @abstractmethod
    def fill_row(self, fill: Fill) -> Document:
        """One execution as look-ups show it."""


def ping(market: BinanceMarket, account: Account, params: Params) -> Document:
    """Nothing, to see that someone is there."""
    return {}


def server_time(market: BinanceMarket, account: Account, params: Params) -> Document:
    """The venue's clock."""
    return {"serverTime": market.now_ms}


def find(market: BinanceMarket, account: Account, params: Params) -> Order:
    """The order that `orderId` or `origClientOrderId` name; both must agree at Spot."""
    symbol = params.needed("symbol")
    order_id, client_id = params.whole("orderId"), params.text("origClientOrderId")
    if order_id is None and not client_id:
        raise refused("missing", name="orderId")
    order = market.find(account, symbol, order_id, client_id)
    if market.product == "spot" and client_id and order.client_order_id != client_id:
        raise refused("no_such_order")
    return order


def to_cancel(find_it: Callable[[], Found]) -> Found:
    """What `find_it` finds; a cancel says in other words that there is no such order."""
    try:
        return find_it()
    except Refusal as refusal:
        raise (refused("ended") if refusal.code == -2013 else refusal) from None


def one_order(market: BinanceMarket, account: Account, params: Params) -> Document:
    """GET order."""
    return market.order_row(find(market, account, params))


def open_orders(market: BinanceMarket, account: Account, params: Params) -> list[Document]:
    """GET openOrders."""
    symbol = params.text("symbol")
    if symbol:
        market.instrument(symbol)
    return [market.order_row(order) for order in market.seen(market.open_orders(account, symbol))]


def all_orders(market: BinanceMarket, account: Account, params: Params) -> list[Document]:
    """GET allOrders."""
    symbol = market.instrument(params.needed("symbol")).symbol
    orders = account.orders[market.product, symbol].values()
    found = page(orders, params, ORDERS, market, "orderId")
    return [market.order_row(order) for order in found]


def trades(market: BinanceMarket, account: Account, params: Params) -> list[Document]:
    """GET myTrades or userTrades, in the combinations of parameters that the venue allows."""
    symbol = market.instrument(params.needed("symbol")).symbol
    has_time = params.has("startTime") or params.has("endTime")
    is_named = params.has("fromId") or (market.product == "spot" and params.has("orderId"))
    if has_time and is_named:
        raise refused("bad_combination")
    order_id = params.whole("orderId")
    fills = account.fills[market.product, symbol]
    rows = [fill for fill in fills if order_id is None or fill.order_id == order_id]
    return [market.fill_row(fill) for fill in page(rows, params, FILLS, market, "fromId")]


def order_counters(
    market: BinanceMarket, account: Account, params: Params
) -> list[dict[str, object]]:
    """GET rateLimit/order."""
    return market.counts.rows(account)
