"""Private messages of OKX that trading alone does not bring about, for histories. Pure.

Each stands in docs/venues/okx.md, and none tells of an order.
"""

from random import Random

from simulator.matching import Order
from simulator.message import Document
from simulator.okx.words import position_side


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


RARE = (notice, count_error, liquidation_warning)


def rare_message(order: Order, chance: Random, now_ms: int) -> Document:
    """One of them; the warning wants an order of a contract."""
    makers = RARE if order.unit == "contracts" else RARE[:2]
    return chance.choice(makers)(order, now_ms)
