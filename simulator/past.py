"""What an account did before the box was started: orders and executions of the last hours.

They are made by the market's own rules, at times that have gone by, so that books, balances and
positions agree; nobody listened, and nothing of it counts as a message. The seed gives the same
orders at every start, counted back from then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from simulator.box import Box, Venue
from simulator.config import PastConfig
from simulator.instrument import Side, opposite
from simulator.market import Request
from simulator.matching import Order
from simulator.traders import Seat, Traders

HOUR_MS = 3600 * 1000
NEAR_TICKS = 30
"""Those that have ended traded so near to the market's first price; open ones rest beyond."""


def relive(box: Box[Venue], seed: int) -> None:
    """Give each account the past that its settings ask for."""
    skew_ms = box.clock.skew_ms
    for account in box.venue.accounts.values():
        past = account.config.past
        seats = [seat for seat in box.venue.traders.seats if seat.account is account]
        if past is None or not seats:
            continue
        life = Life(box, past, seats, Random(f"{seed}:past:{account.name}"))
        for number in range(past.orders):
            box.clock.skew_ms = skew_ms - past.age_ms(number)
            life.order(number)
    box.clock.skew_ms = skew_ms
    box.feed.messages = 0


@dataclass(slots=True)
class Life:
    """One account's past, made order by order, oldest first."""

    box: Box[Venue]
    past: PastConfig
    seats: Sequence[Seat]
    random: Random

    @property
    def traders(self) -> Traders:
        """Who trades in the box."""
        return self.box.venue.traders

    def order(self, number: int) -> None:
        """The order with this number: one that is still open, or one that has ended."""
        past = self.past
        seat = self.seats[number % len(self.seats)]
        open_before = past.open * number // past.orders
        if past.open * (number + 1) // past.orders > open_before:
            self._open(seat, open_before)
        else:
            self._ended(seat)

    def _open(self, seat: Seat, number: int) -> None:
        """Each a tick nearer to the market than the one before, so that it is the first to trade.

        The last ones stay beyond those that have ended.
        """
        away = NEAR_TICKS + 1 + self.past.open - number
        order = self._place(seat, away)
        if self.random.random() < self.past.partly:
            self._trade(seat, order, self._part(seat, order))

    def _ended(self, seat: Seat) -> None:
        order = self._place(seat, self.random.randint(1, NEAR_TICKS))
        kind = self.random.random()
        if kind < self.past.filled:
            if self.random.random() < self.past.partly:
                self._trade(seat, order, self._part(seat, order))
            self._trade(seat, order, order.remaining)
        elif kind < self.past.filled + self.past.partly:
            self._trade(seat, order, self._part(seat, order))
        if order.is_open:
            seat.market.cancel(seat.account, order)

    def _place(self, seat: Seat, away: int) -> Order:
        side: Side = "BUY" if self.random.random() < 0.5 else "SELL"
        start = int(seat.instrument.start_price / seat.instrument.tick)
        ticks = start - away if side == "BUY" else start + away
        order: Order = seat.market.place(seat.account, self.traders.request(seat, side, ticks))
        return order

    def _part(self, seat: Seat, order: Order) -> Decimal:
        """About a half, nothing where the order is of one lot."""
        lots = int(order.remaining / seat.instrument.lot)
        return lots // 2 * seat.instrument.lot

    def _trade(self, seat: Seat, order: Order, quantity: Decimal) -> None:
        """The market takes so much from an order that is the first in its line."""
        if quantity <= 0:
            return
        seat.market.place_anonymous(
            Request(
                symbol=seat.symbol,
                side=opposite(order.side),
                quantity=quantity,
                price=order.price,
                time_in_force="IOC",
            )
        )
