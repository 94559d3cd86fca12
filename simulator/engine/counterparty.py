"""The anonymous market on the other side of an account's orders."""

from decimal import Decimal
from typing import Any

from simulator.conditional import Conditional
from simulator.instrument import opposite
from simulator.market import Request
from simulator.matching import Order


def take_from(market: Any, order: Order, quantity: Decimal) -> None:
    """Nobody in particular trades so much of an order that rests, and all before its turn.

    `market` is the one at which it rests.
    """
    tick = market.instrument(order.symbol).tick
    side, better = opposite(order.side), tick if order.side == "BUY" else -tick
    before = market.books[order.symbol].depth(side, order.price + better)
    terms = Request(order.symbol, side, quantity + before, order.price, time_in_force="IOC")
    market.place_anonymous(terms)


def fill_up(market: Any, order: Order | Conditional) -> None:
    """Nobody in particular trades all that is left of an order, if it rests."""
    if isinstance(order, Order) and order.is_open:
        take_from(market, order, order.remaining)
