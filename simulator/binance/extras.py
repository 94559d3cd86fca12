"""Private events that trading alone does not bring about, for histories. Pure.

Each stands in docs/venues/binance.md, 2.6 or 3. One alone tells of an order that no market holds: a
conditional order of the older wire, refused at its trigger.
"""

from random import Random

from simulator.binance.algo_documents import trigger_reject_of
from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Document

FIRST_REFUSED_ID = 155_600_000_000


def rare_events(product: Product, order: Order, now_ms: int) -> tuple[Document, ...]:
    """What else a product tells, about `order` where it is about one.

    Spot: a balance held outside, an order list, the end of a subscription and of a connection.
    USD-M: an order of the older wire that its engine refused, another leverage, a warning before
    a liquidation, the end of a listenKey.
    """
    if product == "spot":
        row = {"s": order.symbol, "i": order.order_id, "c": order.client_order_id}
        lists = {"g": 2, "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING", "r": "NONE"}
        named = {"C": f"list-{order.order_id}", "T": now_ms, "O": [row]}
        locked = {"a": "USDT", "d": "10.00000000", "T": now_ms}
        return (
            {"e": "externalLockUpdate", "E": now_ms, **locked},
            {"e": "listStatus", "E": now_ms, "s": order.symbol, **lists, **named},
            {"e": "eventStreamTerminated", "E": now_ms},
            {"e": "serverShutdown", "E": now_ms},
        )
    change = {"s": order.symbol, "l": 25}
    called = {
        "s": order.symbol, "ps": order.position_side, "pa": "1", "mt": "CROSSED", "iw": "0",
        "mp": "90000", "up": "-100", "mm": "1.6",
    }  # fmt: skip
    return (
        _expired_at_trigger(order, now_ms),
        {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": change},
        {"e": "MARGIN_CALL", "E": now_ms, "cw": "3.16", "p": [called]},
        {"e": "listenKeyExpired", "E": now_ms, "listenKey": "expired-key"},
    )


def rare_event(product: Product, order: Order, chance: Random, now_ms: int) -> Document:
    """One of them."""
    return chance.choice(rare_events(product, order, now_ms))


def _expired_at_trigger(order: Order, now_ms: int) -> Document:
    """How the older wire ends a conditional order that its engine refused."""
    number = FIRST_REFUSED_ID + now_ms % 100_000_000
    inner = {
        "s": order.symbol, "c": f"old-{number}", "S": order.side, "o": "STOP_MARKET", "f": "GTC",
        "q": f"{order.quantity:f}", "p": "0", "ap": "0", "sp": f"{order.price:f}",
        "x": "EXPIRED", "X": "EXPIRED", "i": number, "l": "0", "z": "0", "L": "0", "T": now_ms,
        "t": 0, "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "STOP_MARKET",
        "ps": order.position_side, "cp": False, "er": "8",
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": now_ms, "o": inner}


def trigger_reject(expired: Document) -> Document:
    """CONDITIONAL_ORDER_TRIGGER_REJECT: why that order ended."""
    row = {"s": expired["o"]["s"], "i": expired["o"]["i"], "r": "Margin is insufficient."}
    return trigger_reject_of(row, expired["T"], expired["E"])


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
