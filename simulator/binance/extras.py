"""Private events that trading alone does not bring about, for histories. Pure.

Each stands in docs/venues/binance.md, 2.6 or 3. One alone tells of an order that no market holds: a
conditional order of the older wire, refused at its trigger.
"""

from collections.abc import Callable
from random import Random

from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Document

FIRST_REFUSED_ID = 155_600_000_000

Maker = Callable[[Order, int], Document]


def external_lock(order: Order, now_ms: int) -> Document:
    """externalLockUpdate: something outside Spot holds a part of a balance."""
    return {"e": "externalLockUpdate", "E": now_ms, "a": "USDT", "d": "10.00000000", "T": now_ms}


def list_status(order: Order, now_ms: int) -> Document:
    """listStatus: an order list that holds this order and another."""
    return {
        "e": "listStatus",
        "E": now_ms,
        "s": order.symbol,
        "g": 2,
        "c": "OCO",
        "l": "EXEC_STARTED",
        "L": "EXECUTING",
        "r": "NONE",
        "C": f"list-{order.order_id}",
        "T": now_ms,
        "O": [{"s": order.symbol, "i": order.order_id, "c": order.client_order_id}],
    }


def stream_terminated(order: Order, now_ms: int) -> Document:
    """eventStreamTerminated: the subscription is over."""
    return {"e": "eventStreamTerminated", "E": now_ms}


def server_shutdown(order: Order, now_ms: int) -> Document:
    """serverShutdown: a new connection is wanted before this one dies."""
    return {"e": "serverShutdown", "E": now_ms}


def key_expired(order: Order, now_ms: int) -> Document:
    """listenKeyExpired: nothing more comes here."""
    return {"e": "listenKeyExpired", "E": now_ms, "listenKey": "expired-key"}


def expired_at_trigger(order: Order, now_ms: int) -> Document:
    """ORDER_TRADE_UPDATE: how the older wire ends a conditional order that its engine refused."""
    number = FIRST_REFUSED_ID + now_ms % 100_000_000
    inner = {
        "s": order.symbol,
        "c": f"old-{number}",
        "S": order.side,
        "o": "STOP_MARKET",
        "f": "GTC",
        "q": f"{order.quantity:f}",
        "p": "0",
        "ap": "0",
        "sp": f"{order.price:f}",
        "x": "EXPIRED",
        "X": "EXPIRED",
        "i": number,
        "l": "0",
        "z": "0",
        "L": "0",
        "T": now_ms,
        "t": 0,
        "m": False,
        "R": False,
        "wt": "CONTRACT_PRICE",
        "ot": "STOP_MARKET",
        "ps": order.position_side,
        "cp": False,
        "er": "8",
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": now_ms, "o": inner}


def trigger_reject(expired: Document) -> Document:
    """CONDITIONAL_ORDER_TRIGGER_REJECT: why that order ended."""
    order = {"s": expired["o"]["s"], "i": expired["o"]["i"], "r": "Margin is insufficient."}
    return {
        "e": "CONDITIONAL_ORDER_TRIGGER_REJECT",
        "E": expired["E"],
        "T": expired["T"],
        "or": order,
    }


def config_update(order: Order, now_ms: int) -> Document:
    """ACCOUNT_CONFIG_UPDATE: another leverage."""
    change = {"s": order.symbol, "l": 25}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": change}


def margin_call(order: Order, now_ms: int) -> Document:
    """MARGIN_CALL: a warning before a liquidation."""
    row = {
        "s": order.symbol, "ps": order.position_side, "pa": "1", "mt": "CROSSED", "iw": "0",
        "mp": "90000", "up": "-100", "mm": "1.6",
    }  # fmt: skip
    return {"e": "MARGIN_CALL", "E": now_ms, "cw": "3.16", "p": [row]}


RARE: dict[Product, tuple[Maker, ...]] = {
    "spot": (external_lock, list_status, stream_terminated, server_shutdown),
    "linear": (expired_at_trigger, config_update, margin_call, key_expired),
}


def rare_event(product: Product, order: Order, chance: Random, now_ms: int) -> Document:
    """One of the rare events of a product, about `order` where it is about one."""
    return chance.choice(RARE[product])(order, now_ms)


def refused_truth(event: Document) -> Document:
    """The books' row of the order that an `expired_at_trigger` tells of."""
    inner = event["o"]
    return {
        "product": "linear",
        "symbol": inner["s"],
        "venue_order_id": str(inner["i"]),
        "client_order_id": inner["c"],
        "side": inner["S"],
        "position_side": inner["ps"],
        "order_type": inner["o"],
        "time_in_force": inner["f"],
        "status": inner["X"],
        "reason": "LIFECYCLE_REJECT",
        "price": inner["p"],
        "quantity": inner["q"],
        "filled": "0",
        "prevented": "0",
        "created_ms": event["T"],
        "updated_ms": event["T"],
    }
