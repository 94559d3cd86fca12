"""Conditional (algo) orders as OKX tells them (docs/venues/okx.md, section 3.6). Pure."""

from decimal import Decimal

from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO, Instrument
from simulator.message import Document
from simulator.okx.words import KINDS, position_side, text

STATES = {
    "WAITING_TRIGGER": "live",
    "TRIGGERED": "effective",
    "CANCELED": "canceled",
    "EXPIRED": "canceled",
    "REJECTED": "order_failed",
}
SOURCES = {"trigger": "6", "conditional": "7", "oco": "7", "move_order_stop": "25"}
"""`source` of the orders that a conditional order became."""
AT_MARKET = "-1"
_NOT_USED = {
    "activePx": "", "actualPx": "", "amendResult": "", "attachAlgoOrds": [], "callbackRatio": "",
    "callbackSpread": "", "ccy": "", "clOrdId": "", "isTradeBorrowMode": "",
    "linkedOrd": {"ordId": ""}, "moveTriggerPx": "", "notionalUsd": "", "ordPx": "", "pxLimit": "",
    "quickMgnType": "", "reqId": "", "slOrdPx": "", "slTriggerPx": "", "slTriggerPxType": "",
    "tag": "", "tgtCcy": "", "tpOrdPx": "", "tpTriggerPx": "", "tpTriggerPxType": "",
    "triggerPx": "", "triggerPxType": "",
}  # fmt: skip


def channel(conditional: Conditional) -> str:
    """Where it is told: those that trail have a channel of their own."""
    return "algo-advance" if conditional.order_type == "move_order_stop" else "orders-algo"


def algo_row(conditional: Conditional, instrument: Instrument, last: Decimal) -> Document:
    """One conditional order, pushed or in a list; `last` is the market's last price."""
    children = [str(child.order_id) for child in conditional.children]
    placed = sum((child.quantity for child in conditional.children), ZERO)
    closes, reached = conditional.closes_position, conditional.reached
    document = _NOT_USED | {
        "actualSide": reached.name if reached else "",
        "actualSz": text(placed),
        "algoClOrdId": conditional.client_order_id,
        "algoId": str(conditional.order_id),
        "cTime": str(conditional.created_ms),
        "closeFraction": "1" if closes else "",
        "failCode": _fail_code(conditional),
        "instId": conditional.symbol,
        "instType": KINDS[instrument.product],
        "last": text(last),
        "lever": "0" if instrument.product == "spot" else "10",
        "ordId": children[-1] if children else "",
        "ordIdList": children,
        "ordType": conditional.order_type,
        "posSide": "net"
        if instrument.product == "spot"
        else position_side(conditional.position_side),
        "reduceOnly": "true" if conditional.reduce_only else "false",
        "side": conditional.side.lower(),
        "state": STATES[conditional.status],
        "sz": "" if closes else text(conditional.quantity),
        "tdMode": "cash" if instrument.product == "spot" else "cross",
        "tgtCcy": _target(conditional, instrument),
        "triggerTime": str(conditional.triggered_ms or ""),
        "uTime": str(conditional.updated_ms),
    }
    for trigger in conditional.triggers:
        document |= _terms(trigger)
    return dict(sorted(document.items()))


def _terms(trigger: Trigger) -> Document:
    request = trigger.request
    at = AT_MARKET if request.order_type == "MARKET" else text(request.price)
    if trigger.callback:
        activation = text(trigger.activation) if trigger.activation else ""
        moved = text(trigger.price) if trigger.price else ""
        ratio = text(trigger.callback)
        return {"activePx": activation, "callbackRatio": ratio, "moveTriggerPx": moved}
    price = {"TriggerPx": text(trigger.price), "TriggerPxType": "last", "OrdPx": at}
    if trigger.name:
        return {f"{trigger.name}{name}": value for name, value in price.items()}
    return {"triggerPx": text(trigger.price), "triggerPxType": "last", "ordPx": at}


def _target(conditional: Conditional, instrument: Instrument) -> str:
    """What `sz` counts: base here, which is not what a reader takes a purchase at market for."""
    is_market = any(one.request.order_type == "MARKET" for one in conditional.triggers)
    return "base_ccy" if instrument.product == "spot" and is_market else ""


def _fail_code(conditional: Conditional) -> str:
    return conditional.reason.partition(":")[0] if conditional.status == "REJECTED" else ""
