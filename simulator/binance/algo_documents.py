"""Documents of USD-M's conditional (algo) orders: `ALGO_UPDATE` and the REST rows. Pure.

docs/venues/binance.md 3.2, 4.2 and 7.2; REST rows as the manual's "Query Algo Order" shows them.
"""

from decimal import Decimal

from simulator.conditional import TRIGGERED, Conditional
from simulator.instrument import ZERO, Instrument, places, plain, stepped
from simulator.message import Document

PERCENT = Decimal(100)
REFUSED_TEXT_MAX = 200


def algo_word(conditional: Conditional) -> str:
    """The venue's word for where it stands: FINISHED once the order that it became has ended."""
    if conditional.is_waiting:
        return "NEW"
    if conditional.status != TRIGGERED:
        return conditional.status
    is_over = conditional.children and not any(one.is_open for one in conditional.children)
    return "FINISHED" if is_over else "TRIGGERED"


def algo_update(
    conditional: Conditional, word: str, instrument: Instrument, now_ms: int
) -> Document:
    """One ALGO_UPDATE; `word` is the status that it tells."""
    trigger = conditional.triggers[0]
    request = trigger.request
    is_limit = request.order_type != "MARKET"
    inner: Document = {
        "caid": conditional.client_order_id,
        "aid": conditional.order_id,
        "at": "CONDITIONAL",
        "o": conditional.order_type,
        "s": conditional.symbol,
        "S": conditional.side,
        "ps": conditional.position_side,
        "f": request.time_in_force,
        "q": _quantity(conditional, instrument),
        "X": word,
        "ai": _engine_id(conditional),
        "ap": _average(conditional, instrument),
        "aq": _done(conditional, instrument),
        "act": request.order_type if conditional.children else "0",
        "tp": "0" if trigger.callback else stepped(trigger.price, instrument.tick),
        "p": stepped(request.price, instrument.tick) if is_limit else "0",
        "V": request.self_trade_mode,
        "wt": conditional.price_type,
        "pm": "NONE",
        "cp": conditional.closes_position,
        "pP": False,
        "R": conditional.reduce_only or conditional.closes_position,
        "tt": conditional.triggered_ms,
        "gtd": 0,
        "rm": conditional.reason[:REFUSED_TEXT_MAX] if conditional.status == "REJECTED" else "",
    }
    if trigger.callback:
        inner |= {"AP": plain(trigger.activation), "cr": _percent(trigger.callback), "ia": False}
    return {"e": "ALGO_UPDATE", "E": now_ms, "T": conditional.updated_ms, "o": inner}


def trigger_reject(conditional: Conditional, now_ms: int) -> Document:
    """CONDITIONAL_ORDER_TRIGGER_REJECT: what the older wire tells beside it."""
    row = {"s": conditional.symbol, "i": conditional.order_id, "r": conditional.reason}
    return trigger_reject_of(row, conditional.updated_ms, now_ms)


def trigger_reject_of(row: Document, refused_ms: int, now_ms: int) -> Document:
    """The same of an order that `row` names."""
    name = "CONDITIONAL_ORDER_TRIGGER_REJECT"
    return {"e": name, "E": now_ms, "T": refused_ms, "or": row}


def algo_row(conditional: Conditional, instrument: Instrument) -> Document:
    """One conditional order as the reply to its placement and every look-up shows it."""
    trigger = conditional.triggers[0]
    request = trigger.request
    return {
        "algoId": conditional.order_id,
        "clientAlgoId": conditional.client_order_id,
        "algoType": "CONDITIONAL",
        "orderType": conditional.order_type,
        "symbol": conditional.symbol,
        "side": conditional.side,
        "positionSide": conditional.position_side,
        "timeInForce": request.time_in_force,
        "quantity": None if conditional.closes_position else _quantity(conditional, instrument),
        "algoStatus": algo_word(conditional),
        "actualOrderId": _engine_id(conditional),
        "actualPrice": _average(conditional, instrument),
        "actualQty": _done(conditional, instrument),
        "triggerPrice": "0" if trigger.callback else stepped(trigger.price, instrument.tick),
        "price": stepped(request.price, instrument.tick),
        "icebergQuantity": None,
        "selfTradePreventionMode": request.self_trade_mode,
        "workingType": conditional.price_type,
        "priceMatch": "NONE",
        "closePosition": conditional.closes_position,
        "priceProtect": False,
        "reduceOnly": conditional.reduce_only or conditional.closes_position,
        "activatePrice": plain(trigger.activation) if trigger.callback else "",
        "callbackRate": _percent(trigger.callback) if trigger.callback else "",
        "createTime": conditional.created_ms,
        "updateTime": conditional.updated_ms,
        "triggerTime": conditional.triggered_ms,
        "goodTillDate": 0,
    }


def cancel_reply(conditional: Conditional) -> Document:
    """The reply to a cancel; its code is a text."""
    return {
        "algoId": conditional.order_id,
        "clientAlgoId": conditional.client_order_id,
        "code": "200",
        "msg": "success",
    }


def _quantity(conditional: Conditional, instrument: Instrument) -> str:
    return "0" if conditional.closes_position else stepped(conditional.quantity, instrument.lot)


def _engine_id(conditional: Conditional) -> str:
    return str(conditional.children[0].order_id) if conditional.children else ""


def _done(conditional: Conditional, instrument: Instrument) -> str:
    return stepped(conditional.filled, instrument.lot) if conditional.filled else "0"


def _average(conditional: Conditional, instrument: Instrument) -> str:
    if not conditional.filled:
        return "0.00000"
    notional = sum((one.notional for one in conditional.children), ZERO)
    return f"{notional / conditional.filled:.{places(instrument.tick) + 2}f}"


def _percent(share: Decimal) -> str:
    return plain(share * PERCENT)
