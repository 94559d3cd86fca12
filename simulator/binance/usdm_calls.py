"""USD-M REST calls (docs/venues/binance.md, section 7.2)."""

from simulator.accounts import Account
from simulator.binance import calls
from simulator.binance import usdm_documents as documents
from simulator.binance.algo_calls import ALGO_CALLS
from simulator.binance.instruments import exchange_info
from simulator.binance.params import Params
from simulator.binance.refusals import refused
from simulator.binance.usdm import UsdmMarket
from simulator.binance.wishes import ALL_CANCELED, AMENDED, CANCELED, PLACED
from simulator.market import Request
from simulator.message import Document
from simulator.wire.calls import Call, costs, costs_by

server_time = calls.server_time
user_trades = calls.trades


def instruments(market: UsdmMarket, account: Account, params: Params) -> Document:
    """`exchangeInfo`."""
    return exchange_info(market.instruments, market.now_ms, market.world.face)


def place(market: UsdmMarket, account: Account, params: Params) -> Document:
    """POST order; the ACK shows the order as it was when it was accepted."""
    order_type = params.needed("type").upper()
    if order_type not in ("LIMIT", "MARKET"):
        raise market.refusal("use_algo")
    for name in ("quantity", "price", "timeInForce") if order_type == "LIMIT" else ("quantity",):
        params.needed(name)
    request = Request(
        symbol=params.needed("symbol"),
        side=params.side(),
        quantity=params.decimal("quantity"),
        price=params.decimal("price"),
        order_type=order_type,
        time_in_force=params.text("timeInForce", "GTC"),
        client_order_id=params.text("newClientOrderId"),
        self_trade_mode=params.text("selfTradePreventionMode", "EXPIRE_MAKER"),
        position_side=params.text("positionSide", "BOTH"),
        reduce_only=params.flag("reduceOnly"),
    )
    market.counts.take(account)
    order = market.place(account, request)
    reply = documents.place_reply(order, market.instrument(order.symbol))
    if params.text("newOrderRespType", "ACK") == "ACK":
        reply |= {"status": "NEW", "executedQty": "0", "cumQty": "0"}
    return reply


def cancel(market: UsdmMarket, account: Account, params: Params) -> Document:
    """DELETE order."""
    order = calls.to_cancel(lambda: calls.find(market, account, params))
    market.cancel(account, order)
    return documents.place_reply(order, market.instrument(order.symbol))


def cancel_all(market: UsdmMarket, account: Account, params: Params) -> Document:
    """DELETE allOpenOrders of one symbol."""
    for order in market.seen(market.open_orders(account, params.needed("symbol"))):
        market.cancel(account, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def amend(market: UsdmMarket, account: Account, params: Params) -> Document:
    """PUT order; quantity and price are both mandatory."""
    for name in ("side", "quantity", "price"):
        params.needed(name)
    order = calls.find(market, account, params)
    price, quantity = params.decimal("price"), params.decimal("quantity")
    market.counts.take(account)
    market.amend(account, order, price, quantity, params.text("modifyId"))
    return documents.place_reply(order, market.instrument(order.symbol))


def one_open_order(market: UsdmMarket, account: Account, params: Params) -> Document:
    """GET openOrder; -2013 once it has ended."""
    order = calls.find(market, account, params)
    if not order.is_open:
        raise refused("no_such_order")
    return market.order_row(order)


def force_orders(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET forceOrders: what the venue closed by itself."""
    prefixes = {"LIQUIDATION": ("autoclose-",), "ADL": ("adl_autoclose",)}
    wanted = prefixes.get(params.text("autoCloseType"), ("autoclose-", "adl_autoclose"))
    symbol = params.text("symbol")
    return [
        market.order_row(order)
        for (product, name), orders in account.orders.items()
        if product == "linear" and symbol in ("", name)
        for order in orders.values()
        if order.client_order_id.startswith(wanted)
    ][: params.limit()]


def position_risk(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET positionRisk v3: symbols with a position or an open order."""
    wanted = params.text("symbol")
    keys = [key for key, position in account.positions.items() if position.amount]
    keys += [(order.symbol, order.position_side) for order in market.open_orders(account)]
    return [
        documents.position_row(symbol, side, account.position(symbol, side), market.now_ms)
        for symbol, side in dict.fromkeys(keys)
        if wanted in ("", symbol)
    ]


def balances(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET balance v3."""
    rows = account.balances["linear"].items()
    return [documents.balance_row(account, asset, row.free, market.now_ms) for asset, row in rows]


def account_status(market: UsdmMarket, account: Account, params: Params) -> Document:
    """GET account v3."""
    wallet = documents.money(account.balance("linear", "USDT").free)
    assets = [
        {"asset": asset, "walletBalance": documents.money(row.free), "unrealizedProfit": "0",
         "marginBalance": documents.money(row.free), "crossWalletBalance":
         documents.money(row.free), "availableBalance": documents.money(row.free),
         "updateTime": market.now_ms}
        for asset, row in account.balances["linear"].items()
    ]  # fmt: skip
    return {
        "totalWalletBalance": wallet,
        "totalUnrealizedProfit": "0",
        "totalMarginBalance": wallet,
        "totalCrossWalletBalance": wallet,
        "availableBalance": wallet,
        "maxWithdrawAmount": wallet,
        "assets": assets,
        "positions": position_risk(market, account, params),
    }


def account_config(market: UsdmMarket, account: Account, params: Params) -> Document:
    """GET accountConfig."""
    return {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True,
        "dualSidePosition": account.config.is_hedged, "updateTime": 0, "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }  # fmt: skip


def symbol_config(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET symbolConfig."""
    same = {"marginType": "CROSSED", "isAutoAddMargin": False, "leverage": 20}
    return _of_symbols(market, params, same | {"maxNotionalValue": "1000000000"})


def leverage_brackets(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET leverageBracket: one bracket for everything."""
    bracket = {
        "bracket": 1, "initialLeverage": 20, "notionalCap": 1_000_000_000, "notionalFloor": 0,
        "maintMarginRatio": 0.025, "cum": 0,
    }  # fmt: skip
    return _of_symbols(market, params, {"brackets": [bracket]})


def _of_symbols(market: UsdmMarket, params: Params, same: Document) -> list[Document]:
    """The same of the symbol that is asked for, or of all."""
    return [
        {"symbol": symbol} | same
        for symbol in market.instruments
        if params.text("symbol") in ("", symbol)
    ]


def position_mode(market: UsdmMarket, account: Account, params: Params) -> Document:
    """GET positionSide/dual."""
    return {"dualSidePosition": account.config.is_hedged}


USDM_CALLS = {
    ("GET", "/fapi/v1/ping"): Call(calls.ping, costs(1), "none"),
    ("GET", "/fapi/v1/time"): Call(server_time, costs(1), "none"),
    ("GET", "/fapi/v1/exchangeInfo"): Call(instruments, costs(1), "none"),
    ("POST", "/fapi/v1/order"): Call(place, costs(0), counts_orders=True, wishes=(PLACED,)),
    ("PUT", "/fapi/v1/order"): Call(amend, costs(0), counts_orders=True, wishes=(AMENDED,)),
    ("DELETE", "/fapi/v1/order"): Call(cancel, costs(1), wishes=(CANCELED,)),
    ("DELETE", "/fapi/v1/allOpenOrders"): Call(cancel_all, costs(1), wishes=(ALL_CANCELED,)),
    ("GET", "/fapi/v1/order"): Call(calls.one_order, costs(1)),
    ("GET", "/fapi/v1/openOrder"): Call(one_open_order, costs(1)),
    ("GET", "/fapi/v1/openOrders"): Call(calls.open_orders, costs_by("symbol", 1, 40)),
    ("GET", "/fapi/v1/allOrders"): Call(calls.all_orders, costs(5), is_paged=True),
    ("GET", "/fapi/v1/userTrades"): Call(user_trades, costs(5), is_paged=True),
    ("GET", "/fapi/v1/forceOrders"): Call(force_orders, costs_by("symbol", 20, 50)),
    ("GET", "/fapi/v3/positionRisk"): Call(position_risk, costs(5)),
    ("GET", "/fapi/v2/positionRisk"): Call(position_risk, costs(5)),
    ("GET", "/fapi/v3/balance"): Call(balances, costs(5)),
    ("GET", "/fapi/v2/balance"): Call(balances, costs(5)),
    ("GET", "/fapi/v3/account"): Call(account_status, costs(5)),
    ("GET", "/fapi/v2/account"): Call(account_status, costs(5)),
    ("GET", "/fapi/v1/accountConfig"): Call(account_config, costs(5)),
    ("GET", "/fapi/v1/symbolConfig"): Call(symbol_config, costs(5)),
    ("GET", "/fapi/v1/leverageBracket"): Call(leverage_brackets, costs(1)),
    ("GET", "/fapi/v1/rateLimit/order"): Call(calls.order_counters, costs(1)),
    ("GET", "/fapi/v1/positionSide/dual"): Call(position_mode, costs(30)),
} | ALGO_CALLS
