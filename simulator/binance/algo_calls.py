"""USD-M REST calls for conditional (algo) orders (docs/venues/binance.md 7.2)."""

from decimal import Decimal

from simulator.accounts import Account
from simulator.binance import algo_documents as documents
from simulator.binance.calls import to_cancel
from simulator.binance.params import DAY_MS, Params, page
from simulator.binance.refusals import refused
from simulator.binance.usdm import UsdmMarket
from simulator.binance.wishes import ALL_CANCELED_ALGO, CANCELED_ALGO, PLACED_ALGO
from simulator.conditional import Conditional, Trigger
from simulator.market import Request
from simulator.message import Document
from simulator.wire.calls import Call, costs, costs_by
from simulator.wire.pages import Paging

KEPT_DAYS, KEPT_UNFILLED_DAYS = 90, 3
FORGOTTEN = ("CANCELED", "EXPIRED")
PAGING: Paging[Conditional] = Paging(lambda one: one.order_id, lambda one: one.created_ms)
STOPS = ("STOP", "STOP_MARKET", "TRAILING_STOP_MARKET")
TYPES = (*STOPS, "TAKE_PROFIT", "TAKE_PROFIT_MARKET")
WITH_PRICE = ("STOP", "TAKE_PROFIT")
CALLBACK_MIN, CALLBACK_MAX = Decimal("0.1"), Decimal(10)


def place(market: UsdmMarket, account: Account, params: Params) -> Document:
    """POST algoOrder."""
    if params.needed("algoType") != "CONDITIONAL":
        raise refused("bad", name="algoType")
    order_type = params.needed("type").upper()
    if order_type not in TYPES:
        raise refused("bad", name="type")
    symbol = market.instrument(params.needed("symbol")).symbol
    closes = params.flag("closePosition")
    trigger = _trigger(params, symbol, order_type)
    market.counts.take(account)
    conditional = Conditional(
        order_id=market.next_conditional_id(),
        owner=account.name,
        product="linear",
        symbol=symbol,
        side=params.side(),
        order_type=order_type,
        quantity=trigger.request.quantity,
        triggers=(trigger,),
        client_order_id=params.text("clientAlgoId"),
        position_side=trigger.request.position_side,
        reduce_only=trigger.request.reduce_only,
        closes_position=closes,
        price_type=params.text("workingType", "CONTRACT_PRICE"),
    )
    market.check_conditional(account, conditional)
    market.hold(account, conditional)
    return _row(market, conditional)


def _trigger(params: Params, symbol: str, order_type: str) -> Trigger:
    """What is waited for, and the order that is placed then."""
    is_trailing = order_type == "TRAILING_STOP_MARKET"
    is_limit, side = order_type in WITH_PRICE, params.side()
    closes = params.flag("closePosition")
    wanted = ["callbackRate" if is_trailing else "triggerPrice"]
    wanted += ["price"] if is_limit else []
    for name in wanted if closes else [*wanted, "quantity"]:
        params.needed(name)
    callback = params.decimal("callbackRate")
    if is_trailing and not CALLBACK_MIN <= callback <= CALLBACK_MAX:
        raise refused("bad", name="callbackRate")
    request = Request(
        symbol=symbol,
        side=side,
        quantity=params.decimal("quantity"),
        price=params.decimal("price") if is_limit else Decimal(0),
        order_type="LIMIT" if is_limit else "MARKET",
        time_in_force=params.text("timeInForce", "GTC"),
        self_trade_mode=params.text("selfTradePreventionMode", "EXPIRE_MAKER"),
        position_side=params.text("positionSide", "BOTH"),
        reduce_only=params.flag("reduceOnly"),
    )
    return Trigger(
        price=params.decimal("triggerPrice"),
        is_above=(side == "BUY") == (order_type in STOPS),
        request=request,
        callback=callback / documents.PERCENT,
        activation=params.decimal("activatePrice"),
    )


def cancel(market: UsdmMarket, account: Account, params: Params) -> Document:
    """DELETE algoOrder; only one that waits can be canceled."""
    conditional = to_cancel(lambda: _find(market, account, params))
    market.end_conditional(account, conditional)
    return documents.cancel_reply(conditional)


def cancel_all(market: UsdmMarket, account: Account, params: Params) -> Document:
    """DELETE algoOpenOrders of one symbol."""
    for conditional in _waiting(market, account, params.needed("symbol")):
        market.end_conditional(account, conditional)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def one_order(market: UsdmMarket, account: Account, params: Params) -> Document:
    """GET algoOrder."""
    return _row(market, _find(market, account, params))


def open_orders(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET openAlgoOrders: those that wait."""
    symbol = params.text("symbol")
    if symbol:
        market.instrument(symbol)
    rows = _waiting(market, account, symbol)
    seen = [one for one in rows if market.view.has(one, market.now_ms)]
    return [_row(market, conditional) for conditional in seen]


def all_orders(market: UsdmMarket, account: Account, params: Params) -> list[Document]:
    """GET allAlgoOrders."""
    symbol = market.instrument(params.needed("symbol")).symbol
    every, now_ms = account.conditionals["linear"].values(), market.now_ms
    rows = [one for one in every if one.symbol == symbol and not _is_forgotten(one, now_ms)]
    return [
        _row(market, conditional) for conditional in page(rows, params, PAGING, market, "algoId")
    ]


def _waiting(market: UsdmMarket, account: Account, symbol: str) -> list[Conditional]:
    return [
        one
        for one in account.conditionals["linear"].values()
        if one.is_waiting and symbol in ("", one.symbol)
    ]


def _find(market: UsdmMarket, account: Account, params: Params) -> Conditional:
    algo_id, client_id = params.whole("algoId"), params.text("clientAlgoId")
    if algo_id is None and not client_id:
        raise refused("missing", name="algoId")
    found = account.conditional(algo_id, client_id)
    if found is None or not market.view.has(found, market.now_ms):
        raise refused("no_such_order")
    if _is_forgotten(found, market.now_ms):
        raise refused("no_such_order")
    return found


def _is_forgotten(conditional: Conditional, now_ms: int) -> bool:
    """Ended without an execution and made more than three days ago, or more than ninety."""
    age_ms, has_ended = now_ms - conditional.created_ms, conditional.status in FORGOTTEN
    return age_ms > KEPT_DAYS * DAY_MS or (
        has_ended and not conditional.filled and age_ms > KEPT_UNFILLED_DAYS * DAY_MS
    )


def _row(market: UsdmMarket, conditional: Conditional) -> Document:
    return documents.algo_row(conditional, market.instrument(conditional.symbol))


ALGO_CALLS = {
    ("POST", "/fapi/v1/algoOrder"): Call(
        place, costs(0), counts_orders=True, wishes=(PLACED_ALGO,)
    ),
    ("DELETE", "/fapi/v1/algoOrder"): Call(cancel, costs(1), wishes=(CANCELED_ALGO,)),
    ("DELETE", "/fapi/v1/algoOpenOrders"): Call(cancel_all, costs(1), wishes=(ALL_CANCELED_ALGO,)),
    ("GET", "/fapi/v1/algoOrder"): Call(one_order, costs(1)),
    ("GET", "/fapi/v1/openAlgoOrders"): Call(open_orders, costs_by("symbol", 1, 40)),
    ("GET", "/fapi/v1/allAlgoOrders"): Call(all_orders, costs(5), is_paged=True),
}
