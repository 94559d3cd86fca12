"""The anonymous market on the other side of an account's orders."""

from decimal import Decimal
from itertools import takewhile
from typing import Any

from simulator.conditional import Conditional
from simulator.instrument import opposite
from simulator.market import Request
from simulator.matching import Order


def take_from(market: Any, order: Order, quantity: Decimal) -> None:
    """Nobody in particular trades so much at an order's price, and all at better ones.

    `market` is the one at which it rests.
    """
    tick = market.instrument(order.symbol).tick
    side, better = opposite(order.side), tick if order.side == "BUY" else -tick
    before = market.books[order.symbol].depth(side, order.price + better)
    _trade(market, order, quantity + before)


def fill_up(market: Any, order: Order | Conditional) -> None:
    """Nobody in particular trades all that is left of an order, if it rests, and all before it."""
    if isinstance(order, Order) and order.is_open:
        book = market.books[order.symbol]
        queue = book.bids if order.side == "BUY" else book.asks
        before = takewhile(lambda one: one is not order, queue)
        _trade(market, order, sum((one.remaining for one in before), order.remaining))


def _trade(market: Any, order: Order, quantity: Decimal) -> None:
    side = opposite(order.side)
    terms = Request(order.symbol, side, quantity, order.price, time_in_force="IOC")
    market.place_anonymous(terms)
