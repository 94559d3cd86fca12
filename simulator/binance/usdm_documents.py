"""USD-M documents: user events and REST rows (docs/venues/binance.md 3.2 and 7.2). Pure."""

from dataclasses import dataclass
from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase

from simulator.accounts import Account, Fill, Position
from simulator.instrument import ZERO, Instrument, places, plain, stepped
from simulator.matching import Order
from simulator.message import Document

EXPIRY_CODES = {"STP": "1", "IOC": "2", "REDUCE_ONLY": "4", "LIQUIDATION": "5", "MARKET": "9"}
"""docs/venues/binance.md 4.2, `er`."""
MARGIN_RATE = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Update:
    """What one ORDER_TRADE_UPDATE adds to the order."""

    execution_type: str
    now_ms: int
    fill: Fill | None = None
    modify_id: str = ""
    status: str = ""
    """Shown instead of the order's status (NEW_ADL)."""
    has_fee: bool = True


def money(value: Decimal) -> str:
    """An amount of the margin asset: eight decimal places."""
    return f"{value:.8f}"


def average_price(order: Order, instrument: Instrument) -> str:
    """The average price so far, "0" before the first fill."""
    if not order.filled:
        return "0"
    return f"{order.notional / order.filled:.{places(instrument.tick) + 2}f}"


def order_trade_update(order: Order, instrument: Instrument, update: Update) -> Document:
    """One ORDER_TRADE_UPDATE."""
    fill = update.fill
    resting = plain(order.remaining * order.price) if order.is_open else "0"
    inner: Document = {
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side,
        "o": order.order_type,
        "f": order.time_in_force,
        "q": stepped(order.quantity, instrument.lot),
        "p": stepped(order.price, instrument.tick),
        "ap": average_price(order, instrument),
        "sp": "0",
        "x": update.execution_type,
        "X": update.status or order.status,
        "i": order.order_id,
        "l": stepped(fill.quantity, instrument.lot) if fill else "0",
        "z": stepped(order.filled, instrument.lot) if order.filled else "0",
        "L": stepped(fill.price, instrument.tick) if fill else "0",
        "n": money(fill.fee) if fill else "0",
        "N": fill.fee_currency if fill else instrument.quote,
        "T": order.updated_ms,
        "t": fill.trade_id if fill else 0,
        "b": resting if order.side == "BUY" else "0",
        "a": resting if order.side == "SELL" else "0",
        "m": fill is not None and fill.is_maker,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.parent.order_type if order.parent else order.order_type,
        "ps": order.position_side,
        "cp": False,
        "rp": money(fill.realized) if fill and fill.realized else "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": order.self_trade_mode,
        "pm": "NONE",
        "gtd": 0,
        "er": _expiry_code(order),
    }
    if not update.has_fee:
        del inner["n"], inner["N"]
    if update.modify_id:
        inner["M"] = update.modify_id
    return {"e": "ORDER_TRADE_UPDATE", "E": update.now_ms, "T": order.updated_ms, "o": inner}


def _expiry_code(order: Order) -> str:
    return "0" if order.is_open else EXPIRY_CODES.get(order.reason, "0")


def trade_lite(order: Order, instrument: Instrument, fill: Fill, now_ms: int) -> Document:
    """The faster, shorter copy of a fill."""
    return {
        "e": "TRADE_LITE",
        "E": now_ms,
        "T": fill.venue_ms,
        "s": order.symbol,
        "q": stepped(order.quantity, instrument.lot),
        "p": stepped(order.price, instrument.tick),
        "m": fill.is_maker,
        "c": order.client_order_id,
        "S": order.side,
        "L": stepped(fill.price, instrument.tick),
        "l": stepped(fill.quantity, instrument.lot),
        "t": fill.trade_id,
        "i": order.order_id,
    }


@dataclass(frozen=True, slots=True)
class Touched:
    """What an ACCOUNT_UPDATE lists: the reason, the asset's change and perhaps a position."""

    reason: str
    asset: str
    change: Decimal = ZERO
    symbol: str = ""
    position_side: str = "BOTH"


def account_update(account: Account, touched: Touched, now_ms: int) -> Document:
    """One ACCOUNT_UPDATE with only what changed."""
    wallet = money(account.balance("linear", touched.asset).free)
    body: Document = {
        "m": touched.reason,
        "B": [{"a": touched.asset, "wb": wallet, "cw": wallet, "bc": plain(touched.change)}],
        "P": [],
    }
    if touched.reason == "FUNDING_FEE":
        body["S"] = touched.symbol
    elif touched.symbol:
        position = account.position(touched.symbol, touched.position_side)
        body["P"].append(_position_change(touched, position))
    return {"e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms, "a": body}


def _position_change(touched: Touched, position: Position) -> Document:
    return {
        "s": touched.symbol,
        "pa": plain(position.amount),
        "ep": plain(position.entry),
        "bep": plain(position.entry),
        "cr": money(position.realized),
        "up": money(ZERO),
        "mt": "cross",
        "iw": "0",
        "ps": touched.position_side,
    }


def place_reply(order: Order, instrument: Instrument) -> Document:
    """The reply to place, modify and cancel: without averages since 2026-07."""
    return {
        "clientOrderId": order.client_order_id,
        "cumQty": stepped(order.filled, instrument.lot),
        "executedQty": stepped(order.filled, instrument.lot),
        "orderId": order.order_id,
        "origQty": stepped(order.quantity, instrument.lot),
        "price": stepped(order.price, instrument.tick),
        "reduceOnly": order.reduce_only,
        "side": order.side,
        "positionSide": order.position_side,
        "status": order.status,
        "stopPrice": "0",
        "closePosition": False,
        "symbol": order.symbol,
        "timeInForce": order.time_in_force,
        "type": order.order_type,
        "origType": order.parent.order_type if order.parent else order.order_type,
        "updateTime": order.updated_ms,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.self_trade_mode,
        "goodTillDate": 0,
    }


def query_row(order: Order, instrument: Instrument) -> Document:
    """One order as `order`, `openOrder`, `openOrders` and `allOrders` show it."""
    document = place_reply(order, instrument)
    del document["cumQty"]
    return document | {
        "avgPrice": average_price(order, instrument),
        "cumQuote": plain(order.notional),
        "time": order.created_ms,
    }


def trade_row(fill: Fill, instrument: Instrument) -> Document:
    """One row of `userTrades`."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": stepped(fill.price, instrument.tick),
        "qty": stepped(fill.quantity, instrument.lot),
        "realizedPnl": money(fill.realized),
        "quoteQty": money(fill.price * fill.quantity),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.venue_ms,
        "positionSide": fill.position_side,
        "buyer": fill.side == "BUY",
        "maker": fill.is_maker,
        "pair": fill.symbol,
        "baseQty": stepped(fill.quantity, instrument.lot),
        "marginAsset": instrument.quote,
    }


def position_row(symbol: str, side: str, position: Position, now_ms: int) -> Document:
    """One row of `positionRisk`; the mark price is the entry: this box has no mark price."""
    notional = position.amount * position.entry
    margin = plain(abs(notional) * MARGIN_RATE)
    return {
        "symbol": symbol,
        "positionSide": side,
        "positionAmt": plain(position.amount),
        "entryPrice": plain(position.entry),
        "breakEvenPrice": plain(position.entry),
        "markPrice": plain(position.entry),
        "unRealizedProfit": "0",
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": plain(notional),
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "initialMargin": margin,
        "maintMargin": margin,
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": now_ms,
    }


def account_alias(number: int) -> str:
    """What an account is called instead of its id: four letters."""
    first, second = divmod(number + 18 * 26 + 17, 26)
    return f"Sg{ascii_lowercase[first % 26]}{ascii_uppercase[second]}"


def balance_row(account: Account, asset: str, wallet: Decimal, now_ms: int) -> Document:
    """One row of `balance`."""
    return {
        "accountAlias": account_alias(account.number),
        "asset": asset,
        "balance": money(wallet),
        "crossWalletBalance": money(wallet),
        "crossUnPnl": money(ZERO),
        "availableBalance": money(wallet),
        "maxWithdrawAmount": money(wallet),
        "marginAvailable": True,
        "updateTime": now_ms,
    }
