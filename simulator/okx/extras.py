"""Private messages of OKX that trading alone does not bring about, for histories. Pure.

Each stands in docs/venues/okx.md, and none tells of an order: a new connection is wanted before
this one dies; a subscription was dropped after its ack; a warning before a liquidation.
"""

from random import Random

from simulator.matching import Order
from simulator.message import Document
from simulator.okx.words import position_side


def rare_message(order: Order, chance: Random, now_ms: int) -> Document:
    """One of them; the warning wants an order of a contract."""
    dropped = {"event": "channel-conn-count-error", "channel": "orders", "connCount": "30"}
    row = {
        "instType": "SWAP", "instId": order.symbol, "posSide": position_side(order.position_side),
        "pos": "1", "mgnMode": "cross", "mgnRatio": "1.1", "uTime": str(now_ms),
    }  # fmt: skip
    messages: tuple[Document, ...] = (
        {"event": "notice", "code": "64008", "msg": "Please reconnect.", "connId": "a4d3ae55"},
        dropped | {"connId": "a4d3ae55"},
        {"arg": {"channel": "liquidation-warning", "instType": "ANY"}, "data": [row]},
    )
    return chance.choice(messages if order.unit == "contracts" else messages[:2])
