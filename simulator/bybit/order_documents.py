"""Orders and executions as Bybit tells them (docs/venues/bybit.md 3.1, 3.2 and 7). Pure."""

from decimal import ROUND_HALF_EVEN, Decimal

from simulator.accounts import Fill
from simulator.bybit import words
from simulator.bybit.shared import Executed, Note
from simulator.instrument import ZERO, Instrument, plain, stepped
from simulator.matching import Order
from simulator.message import Document

STEP = Decimal("0.000000000001")
SEQUENCE = 138_000_000_000_000
"""`seq` begins here and goes with the time: executions of one moment have the same."""
BOUND = {"BUY": Decimal("1.05"), "SELL": Decimal("0.95")}
"""An order at market is one with a limit so far from the last price."""
QUANTITIES = ("qty", "leavesQty", "cumExecQty", "execQty", "orderQty", "closedSize")
_NOT_USED = {
    "blockTradeId": "", "brokerOrderPrice": "", "orderIv": "", "tpTriggerBy": "",
    "slTriggerBy": "", "tpLimitPrice": "", "slLimitPrice": "", "ocoTriggerBy": "",
    "placeType": "", "smpGroup": 0, "slippageTolerance": "", "slippageToleranceType": "UNKNOWN",
    "feeCurrency": "", "rpiTakerAccess": False, "rpiMatchedQty": "0",
}  # fmt: skip


def order_row(order: Order, instrument: Instrument, note: Note) -> Document:
    """One order as REST lists it; its category stands above the list."""
    state, canceled, rejected = words.state_of(order, instrument.product)
    is_spot, price = instrument.product == "spot", _price(order, instrument, note)
    leaves = order.remaining if order.is_open or order.status == "WAITING_TRIGGER" else ZERO
    document = _NOT_USED | {
        "symbol": order.symbol,
        "orderId": str(order.order_id),
        "orderLinkId": order.client_order_id,
        "parentOrderLinkId": note.parent_name,
        "side": "Buy" if order.side == "BUY" else "Sell",
        "positionIdx": words.position_index(order.position_side),
        "orderStatus": state,
        "cancelType": canceled,
        "rejectReason": rejected,
        "timeInForce": words.time_in_force(order),
        "isLeverage": "0" if is_spot else "",
        "price": plain(price),
        "qty": plain(order.quote_size or order.quantity),
        "avgPrice": rounded(order.average_price) if order.filled else "",
        "leavesQty": plain(leaves),
        "leavesValue": rounded(_value(instrument, leaves, price)),
        "cumExecQty": plain(order.filled),
        "cumExecValue": rounded(order.inverse_value or order.notional),
        "cumExecFee": plain(sum(note.fees.values(), ZERO)),
        "orderType": "Market" if order.is_market else "Limit",
        "takeProfit": plain(note.take_profit) if note.take_profit else "",
        "stopLoss": plain(note.stop_loss) if note.stop_loss else "",
        "lastPriceOnCreated": plain(note.last),
        "reduceOnly": order.reduce_only or bool(order.forced),
        "smpType": words.MODE_NAMES[order.self_trade_mode],
        "smpOrderId": note.opponent,
        "marketUnit": _unit(order) if is_spot and order.is_market else "",
        "closedPnl": rounded(order.profit),
        "cumFeeDetail": {coin: plain(fee) for coin, fee in note.fees.items()},
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        **_condition(order),
    }
    if is_spot:
        return document
    return document | {"tpslMode": "", "createType": created_by(order)}


def push_of(row: Document, instrument: Instrument) -> Document:
    """A row as the topic shows it: with its category, and zeros at the end of quantities."""
    shown = [name for name in QUANTITIES if name in row]
    if row.get("marketUnit") == "quoteCoin":
        shown.remove("qty")
    steps = {name: _shown(row[name], instrument) for name in shown}
    document = {"category": instrument.product} | row | steps
    return document | {"cumExecFee": "0"} if "cumExecFee" in row else document


def _shown(text: str, instrument: Instrument) -> str:
    value = Decimal(text)
    return stepped(value, instrument.lot) if value % instrument.lot == 0 and value else text


def _condition(order: Order) -> Document:
    """What it waits or waited for."""
    conditional = order.parent
    if conditional is None:
        return {
            "stopOrderType": "", "triggerPrice": "", "triggerBy": "", "triggerDirection": 0,
            "closeOnTrigger": False,
        }  # fmt: skip
    trigger = conditional.triggers[0]
    price = trigger.activation if trigger.callback else trigger.price
    return {
        "stopOrderType": conditional.order_type,
        "triggerPrice": plain(price),
        "triggerBy": conditional.price_type,
        "triggerDirection": 1 if trigger.is_above else 2,
        "closeOnTrigger": conditional.closes_position,
    }


def created_by(order: Order) -> str:
    """`createType`."""
    if order.category != "normal":
        return order.category
    kind = order.parent.order_type if order.parent else ""
    return words.CREATED_BY.get(kind, words.BY_USER)


def _unit(order: Order) -> str:
    return "quoteCoin" if order.quote_size else "baseCoin"


def _price(order: Order, instrument: Instrument, note: Note) -> Decimal:
    """Its limit: of one at market the bound that protects it (docs/venues/bybit.md, trap 19)."""
    if not order.is_market or order.forced:
        return order.price
    return note.last * BOUND[order.side] // instrument.tick * instrument.tick


def _value(instrument: Instrument, quantity: Decimal, price: Decimal) -> Decimal:
    if not quantity or not price:
        return ZERO
    return quantity / price if instrument.is_inverse else quantity * price


def execution_row(fill: Fill, instrument: Instrument, executed: Executed) -> Document:
    """One execution, or a payment among them, as REST lists it."""
    order, is_spot = executed.order, instrument.product == "spot"
    rate = fill.fee / worth if (worth := _worth(fill, instrument)) else ZERO
    document = {
        "symbol": fill.symbol,
        "closedSize": plain(executed.closed),
        "execFee": plain(fill.fee),
        # Of contracts the coin is left to the rule (decision 1001).
        "feeCurrency": fill.fee_currency if is_spot else "",
        "execId": str(fill.trade_id),
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execType": _execution_type(order),
        "execValue": rounded(_value(instrument, fill.quantity, fill.price)),
        "feeRate": plain(rate.quantize(Decimal("0.000001"), ROUND_HALF_EVEN)),
        "tradeIv": "", "markIv": "", "blockTradeId": "",
        "markPrice": "" if is_spot else plain(fill.price),
        "indexPrice": "", "underlyingPrice": "",
        "leavesQty": plain(executed.leaves),
        "orderId": str(fill.order_id),
        "orderLinkId": fill.client_order_id,
        "orderPrice": plain(order.price) if order else "0",
        "orderQty": plain(order.quote_size or order.quantity) if order else "0",
        "orderType": ("Market" if order.is_market else "Limit") if order else "UNKNOWN",
        "stopOrderType": order.parent.order_type if order and order.parent else "UNKNOWN",
        "side": "Buy" if fill.side == "BUY" else "Sell",
        "execTime": str(fill.venue_ms),
        "isLeverage": "0",
        "isMaker": fill.is_maker,
        "seq": SEQUENCE + fill.venue_ms,
        "extraFees": "",
    }  # fmt: skip
    if is_spot:
        return document
    return document | {"createType": created_by(order) if order else words.BY_USER}


def execution_push(row: Document, fill: Fill, instrument: Instrument) -> Document:
    """A row as the topic shows it, with what only the topic has."""
    more = {"marketUnit": "", "execPnl": rounded(fill.realized), "feeCurrency": fill.fee_currency}
    return push_of(row, instrument) | more


def fast_row(push: Document) -> Document:
    """An execution on the fast topic: of makers without their client order id (trap 9)."""
    names = "category symbol orderId isMaker execId execPrice execQty side execTime seq"
    link = "" if push["isMaker"] else push["orderLinkId"]
    return {name: push[name] for name in names.split()} | {"orderLinkId": link}


def _execution_type(order: Order | None) -> str:
    return words.EXECUTION_TYPES.get(order.category, "Trade") if order else "Funding"


def _worth(fill: Fill, instrument: Instrument) -> Decimal:
    """What the fee is a share of, in the fee's coin."""
    if instrument.product == "spot" and fill.fee_currency == instrument.base:
        return fill.quantity
    return _value(instrument, fill.quantity, fill.price)


def rounded(value: Decimal) -> str:
    """A value or average, in twelve places at most."""
    return plain(value.quantize(STEP, ROUND_HALF_EVEN))
