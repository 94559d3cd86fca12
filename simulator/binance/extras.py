"""Private events that trading alone does not bring about, for histories. Pure.

Each stands in the sheet's section 3. None but ALGO_UPDATE tells of an order that no market holds.
"""

from collections.abc import Callable
from random import Random

from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Document

FIRST_ALGO_ID = 2_200_000_000

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


def algo_update(order: Order, now_ms: int) -> Document:
    """ALGO_UPDATE: a new conditional order that waits and names no real order yet."""
    number = FIRST_ALGO_ID + now_ms % 100_000_000
    inner = {
        "caid": f"sl-{number}",
        "aid": number,
        "at": "CONDITIONAL",
        "o": "STOP_MARKET",
        "s": order.symbol,
        "S": order.side,
        "ps": order.position_side,
        "f": "GTC",
        "q": f"{order.quantity:f}",
        "X": "NEW",
        "ai": "",
        "ap": "0",
        "aq": "0",
        "act": "",
        "tp": f"{order.price:f}",
        "p": "0",
        "V": "EXPIRE_MAKER",
        "wt": "MARK_PRICE",
        "pm": "NONE",
        "cp": False,
        "pP": False,
        "R": False,
        "tt": 0,
        "gtd": 0,
        "rm": "",
    }
    return {"e": "ALGO_UPDATE", "E": now_ms, "T": now_ms, "o": inner}


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
    "linear": (algo_update, config_update, margin_call, key_expired),
}


def rare_event(product: Product, order: Order, chance: Random, now_ms: int) -> Document:
    """One of the rare events of a product, about `order` where it is about one."""
    return chance.choice(RARE[product])(order, now_ms)


def waiting_truth(event: Document) -> Document:
    """The books' row of a conditional order that an ALGO_UPDATE tells of."""
    inner = event["o"]
    return {
        "product": "linear",
        "symbol": inner["s"],
        "venue_order_id": str(inner["aid"]),
        "client_order_id": inner["caid"],
        "side": inner["S"],
        "position_side": inner["ps"],
        "order_type": inner["o"],
        "time_in_force": inner["f"],
        "status": "WAITING_TRIGGER",
        "reason": "",
        "price": inner["p"],
        "quantity": inner["q"],
        "filled": "0",
        "prevented": "0",
        "created_ms": event["T"],
        "updated_ms": event["T"],
    }
