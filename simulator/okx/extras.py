"""Private messages of OKX that trading alone does not bring about, for histories. Pure.

Each stands in the sheet. None but the algo order tells of an order that no market holds.
"""

from random import Random

from simulator.matching import Order
from simulator.message import Document
from simulator.okx.words import position_side, text

FIRST_ALGO_ID = 2_200_000_000_000_000_000


def notice(order: Order, now_ms: int) -> Document:
    """The event `notice`: a new connection is wanted before this one dies."""
    return {"event": "notice", "code": "64008", "msg": "Please reconnect.", "connId": "a4d3ae55"}


def count_error(order: Order, now_ms: int) -> Document:
    """channel-conn-count-error: a subscription was dropped after its ack."""
    event = "channel-conn-count-error"
    return {"event": event, "channel": "orders", "connCount": "30", "connId": "a4d3ae55"}


def liquidation_warning(order: Order, now_ms: int) -> Document:
    """The channel `liquidation-warning`."""
    row = {
        "instType": "SWAP", "instId": order.symbol, "posSide": position_side(order.position_side),
        "pos": "1", "mgnMode": "cross", "mgnRatio": "1.1", "uTime": str(now_ms),
    }  # fmt: skip
    return {"arg": {"channel": "liquidation-warning", "instType": "ANY"}, "data": [row]}


def algo_order(order: Order, now_ms: int) -> Document:
    """The channel `orders-algo`: a new conditional order that waits and names no real order yet."""
    number = FIRST_ALGO_ID + now_ms % 1_000_000_000
    row = {
        "instType": "SWAP", "instId": order.symbol, "ccy": "", "ordId": "", "ordIdList": [],
        "algoId": str(number), "clOrdId": "", "algoClOrdId": f"sl{number}",
        "sz": text(order.quantity),
        "ordType": "conditional", "side": order.side.lower(),
        "posSide": position_side(order.position_side), "tdMode": "cross", "tgtCcy": "",
        "notionalUsd": "", "state": "live", "tpTriggerPx": "", "tpTriggerPxType": "",
        "tpOrdPx": "", "slTriggerPx": text(order.price), "slTriggerPxType": "last",
        "slOrdPx": "-1", "triggerPx": "", "triggerPxType": "", "ordPx": "", "actualSz": "",
        "actualPx": "", "actualSide": "", "tag": "", "reqId": "", "reduceOnly": "false",
        "failCode": "", "amendResult": "", "cTime": str(now_ms), "uTime": str(now_ms),
        "triggerTime": "", "last": text(order.price), "lever": "10", "source": "",
    }  # fmt: skip
    return {"arg": {"channel": "orders-algo", "instType": "ANY"}, "data": [row]}


RARE = (notice, count_error, liquidation_warning, algo_order)


def rare_message(order: Order, chance: Random, now_ms: int) -> Document:
    """One of them; the conditional one and the warning want an order of a contract."""
    makers = RARE if order.unit == "contracts" else RARE[:2]
    return chance.choice(makers)(order, now_ms)


def waiting_truth(message: Document, product: str) -> Document:
    """The books' row of a conditional order that waits."""
    row = message["data"][0]
    return {
        "product": product,
        "symbol": row["instId"],
        "venue_order_id": row["algoId"],
        "client_order_id": row["algoClOrdId"],
        "side": row["side"].upper(),
        "position_side": {"net": "BOTH"}.get(row["posSide"], row["posSide"].upper()),
        "order_type": row["ordType"],
        "time_in_force": "GTC",
        "status": "WAITING_TRIGGER",
        "reason": "",
        "price": row["slTriggerPx"],
        "quantity": row["sz"],
        "quantity_unit": "contracts",
        "filled": "0",
        "prevented": "0",
        "created_ms": int(row["cTime"]),
        "updated_ms": int(row["uTime"]),
    }
