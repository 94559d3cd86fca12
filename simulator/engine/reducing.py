"""How much of a position its reducing orders may close."""

from collections.abc import Iterable
from decimal import Decimal

from simulator.instrument import ZERO
from simulator.market import Request
from simulator.matching import Order


def is_reducing(order: Request | Order) -> bool:
    """Whether it may only close: it says so, or it is on the closing side of its leg."""
    closing_side = {"LONG": "SELL", "SHORT": "BUY"}.get(order.position_side)
    return order.reduce_only or order.side == closing_side


def left_to_close(orders: Iterable[Order]) -> Decimal:
    """What these orders may still close together."""
    return sum((order.remaining for order in orders), ZERO)


def closable_by(order: Request | Order, amount: Decimal) -> Decimal:
    """How much of a signed position amount an order of that side can close."""
    return max(amount if order.side == "SELL" else -amount, ZERO)
