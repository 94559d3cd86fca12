"""Spot REST calls (docs/venues/binance.md 7.1); the WS API answers from the same table."""

from collections.abc import Callable

from simulator.accounts import Account
from simulator.binance import spot_documents as documents
from simulator.binance.calls import (
    all_orders,
    find,
    one_order,
    open_orders,
    order_counters,
    ping,
    server_time,
    to_cancel,
    trades,
)
from simulator.binance.instruments import exchange_info
from simulator.binance.params import Params
from simulator.binance.refusals import Refusal, refused
from simulator.binance.spot import SpotMarket
from simulator.binance.wishes import ALL_CANCELED, AMENDED, CANCELED, PLACED, REPLACED
from simulator.market import Request, random_id
from simulator.matching import Order
from simulator.message import Document
from simulator.wire.calls import Call, costs, costs_by

FIRST_UID = 354_937_868


def instruments(market: SpotMarket, account: Account, params: Params) -> Document:
    """`exchangeInfo`, of all symbols or of one."""
    rows = market.instruments
    if params.has("symbol"):
        rows = {params.text("symbol"): market.instrument(params.text("symbol"))}
    return exchange_info(rows, market.now_ms, market.world.face)


def place(market: SpotMarket, account: Account, params: Params) -> Document:
    """POST order; LIMIT and MARKET answer FULL unless told otherwise."""
    request = wanted_order(params)
    market.counts.take(account)
    return _placed(market, account, params, market.place(account, request))


def wanted_order(params: Params) -> Request:
    """The order that the parameters describe."""
    order_type = params.needed("type").upper()
    if order_type not in ("LIMIT", "MARKET", "LIMIT_MAKER"):
        raise refused("bad_type")
    for name in ("quantity", "price") if order_type != "MARKET" else ("quantity",):
        params.needed(name)
    if order_type == "LIMIT":
        params.needed("timeInForce")
    return Request(
        symbol=params.needed("symbol"),
        side=params.side(),
        quantity=params.decimal("quantity"),
        price=params.decimal("price"),
        order_type=order_type,
        time_in_force=params.text("timeInForce", "GTC"),
        client_order_id=params.text("newClientOrderId"),
        self_trade_mode=params.text("selfTradePreventionMode", "EXPIRE_MAKER"),
    )


def _placed(market: SpotMarket, account: Account, params: Params, order: Order) -> Document:
    default = "ACK" if order.order_type == "LIMIT_MAKER" else "FULL"
    form = params.text("newOrderRespType", default)
    fills = account.fills["spot", order.symbol]
    own = [fill for fill in fills if fill.order_id == order.order_id]
    return documents.place_reply(order, market.instrument(order.symbol), form, own)


def cancel(market: SpotMarket, account: Account, params: Params) -> Document:
    """DELETE order."""
    order = to_cancel(lambda: find(market, account, params))
    restriction = params.text("cancelRestrictions")
    wanted = {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}.get(restriction)
    if wanted is not None and order.status != wanted and order.is_open:
        raise refused("restricted")
    return _cancel(market, account, order, params.text("newClientOrderId"))


def cancel_replace(market: SpotMarket, account: Account, params: Params) -> Document:
    """POST order/cancelReplace: 409 with -2021 where half of it is done, 400 with -2022 where none.

    A new leg that the account cannot pay for is refused by the engine, and told on the stream.
    """
    request = wanted_order(params)
    market.counts.take(account)
    cancelled = _try(market, lambda: _replaced(market, account, params))
    if isinstance(cancelled, Refusal) and params.needed("cancelReplaceMode") == "STOP_ON_FAILURE":
        raise _not_done(cancelled, None)
    placed = _try(market, lambda: _placed(market, account, params, market.place(account, request)))
    if isinstance(placed, Refusal) and placed.code == -2010 and "balance" in placed.message:
        market.reject(account, request)
    if isinstance(cancelled, Refusal) or isinstance(placed, Refusal):
        raise _not_done(cancelled, placed)
    return {
        "cancelResult": "SUCCESS",
        "newOrderResult": "SUCCESS",
        "cancelResponse": cancelled,
        "newOrderResponse": placed,
    }


def _replaced(market: SpotMarket, account: Account, params: Params) -> Document:
    order_id, client_id = (
        params.whole("cancelOrderId"),
        params.text("cancelOrigClientOrderId"),
    )
    symbol = params.needed("symbol")
    order = to_cancel(lambda: market.find(account, symbol, order_id, client_id))
    return _cancel(market, account, order, params.text("cancelNewClientOrderId"))


def _try(market: SpotMarket, action: Callable[[], Document]) -> Document | Refusal:
    try:
        with market.world.journal.judged():
            return action()
    except Refusal as refusal:
        return refusal


def _not_done(cancelled: Document | Refusal, placed: Document | Refusal | None) -> Refusal:
    """The refusal that says what became of both halves."""
    halves = {"cancel": cancelled, "newOrder": placed}
    data: Document = {}
    for name, half in halves.items():
        is_refused = isinstance(half, Refusal)
        done = "FAILURE" if is_refused else "SUCCESS"
        data[f"{name}Result"] = "NOT_ATTEMPTED" if half is None else done
        data[f"{name}Response"] = half.document if isinstance(half, Refusal) else half
    if "SUCCESS" in data.values():
        text = "Order cancel-replace partially failed."
        return Refusal(-2021, text, 409, data)
    return Refusal(-2022, "Order cancel-replace failed.", 400, data)


def cancel_all(market: SpotMarket, account: Account, params: Params) -> list[Document]:
    """DELETE openOrders of one symbol."""
    orders = market.open_orders(account, params.needed("symbol"))
    if not orders:
        raise refused("ended")
    return [_cancel(market, account, order, "") for order in orders]


def amend(market: SpotMarket, account: Account, params: Params) -> Document:
    """PUT order/amend/keepPriority."""
    params.needed("newQty")
    order = find(market, account, params)
    original = order.client_order_id
    new_id = params.text("newClientOrderId")
    execution_id = market.amend(account, order, params.decimal("newQty"), new_id)
    instrument = market.instrument(order.symbol)
    return documents.amend_reply(order, instrument, original, execution_id)


def my_trades(market: SpotMarket, account: Account, params: Params) -> list[Document]:
    """GET myTrades."""
    return trades(market, account, params)


def account_status(market: SpotMarket, account: Account, params: Params) -> Document:
    """GET account."""
    balances = account.balances["spot"].items()
    without_zeros = params.flag("omitZeroBalances")
    rows = [
        {"asset": asset, "free": documents.money(row.free), "locked": documents.money(row.locked)}
        for asset, row in balances
        if row.free or row.locked or not without_zeros
    ]
    rates = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00", "seller": "0.00"}
    return {
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": rates, "canTrade": True, "canWithdraw": True, "canDeposit": True,
        "brokered": False, "requireSelfTradePrevention": False, "preventSor": False,
        "updateTime": market.now_ms, "accountType": "SPOT", "balances": rows,
        "permissions": ["SPOT"], "uid": FIRST_UID + account.number,
    }  # fmt: skip


def _cancel(market: SpotMarket, account: Account, order: Order, cancel_id: str) -> Document:
    shown = cancel_id or random_id(market.world.random)
    market.cancel(account, order, shown)
    return documents.cancel_reply(order, market.instrument(order.symbol), shown)


SPOT_CALLS = {
    ("GET", "/api/v3/ping"): Call(ping, costs(1), "none"),
    ("GET", "/api/v3/time"): Call(server_time, costs(1), "none"),
    ("GET", "/api/v3/exchangeInfo"): Call(instruments, costs(20), "none"),
    ("POST", "/api/v3/order"): Call(
        place, costs(1), counts_orders=True, is_free_when_done=True, wishes=(PLACED,)
    ),
    ("DELETE", "/api/v3/order"): Call(cancel, costs(1), is_free_when_done=True, wishes=(CANCELED,)),
    ("DELETE", "/api/v3/openOrders"): Call(
        cancel_all, costs(1), is_free_when_done=True, wishes=(ALL_CANCELED,)
    ),
    ("POST", "/api/v3/order/cancelReplace"): Call(
        cancel_replace,
        costs(1),
        counts_orders=True,
        is_free_when_done=True,
        wishes=(REPLACED, PLACED),
    ),
    ("PUT", "/api/v3/order/amend/keepPriority"): Call(amend, costs(4), wishes=(AMENDED,)),
    ("GET", "/api/v3/order"): Call(one_order, costs(4)),
    ("GET", "/api/v3/openOrders"): Call(open_orders, costs_by("symbol", 6, 80)),
    ("GET", "/api/v3/allOrders"): Call(all_orders, costs(20), is_paged=True),
    ("GET", "/api/v3/myTrades"): Call(my_trades, costs_by("orderId", 5, 20), is_paged=True),
    ("GET", "/api/v3/account"): Call(account_status, costs(20)),
    ("GET", "/api/v3/rateLimit/order"): Call(order_counters, costs(40)),
}

SPOT_METHODS = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "order.place": ("POST", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", "/api/v3/order/amend/keepPriority"),
    "order.status": ("GET", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
    "account.status": ("GET", "/api/v3/account"),
    "account.rateLimits.orders": ("GET", "/api/v3/rateLimit/order"),
}
"""WS API methods by the REST call that they equal (docs/venues/binance.md 8)."""
