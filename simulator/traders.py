"""Seeded trading: outside traders on the accounts' symbols, and the anonymous market.

One `step` is one decision. Which decision it is depends on the seed and on the books alone,
never on a clock: while nobody else trades, a seed gives the same orders and fills. What a venue
words in its own way (amends, transfers, liquidations) its own room adds.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import accumulate
from random import Random
from typing import Any, ClassVar

from simulator.accounts import Account
from simulator.acts import ACTS
from simulator.conditional import Conditional, Trigger
from simulator.config import TrafficConfig
from simulator.engine.counterparty import take_from
from simulator.faults import Faults
from simulator.instrument import Instrument, Side, opposite
from simulator.market import Request
from simulator.matching import Order
from simulator.refusal import Refused

NOTIONAL_MIN, NOTIONAL_MAX = 20, 4000
"""The size of an order in quote units."""
QUOTE_LEVELS = 2
QUOTE_CHANCE = 0.3
WALK_TICKS = 3
TAKE_TICKS = 4
REST_TICKS_MAX = 30
TRIGGER_TICKS_MAX = 9
CONDITIONALS_MAX = 3
"""Of one trader; who has as many cancels one."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One trader: an account at one symbol of one product."""

    account: Account
    market: Any  # a Market of the venue, with what only that venue can do
    instrument: Instrument

    @property
    def symbol(self) -> str:
        """The symbol traded here."""
        return self.instrument.symbol

    def open_orders(self) -> list[Order]:
        """The account's open orders at this symbol."""
        orders: list[Order] = self.market.open_orders(self.account, self.symbol)
        return orders

    def conditionals(self) -> list[Conditional]:
        """The account's conditional orders that wait at this symbol."""
        waiting: list[Conditional] = list(self.market.waiting[self.symbol].values())
        return [one for one in waiting if one.owner == self.account.name]


class Traders(ABC):
    """All traders of a venue, and the market that they meet."""

    self_trade_modes: ClassVar[tuple[str, ...]]
    reuses_names: ClassVar[bool] = True
    cost_step: ClassVar[Decimal | None] = None
    """In which steps a purchase is sized in quote; None: none is."""
    in_base: ClassVar[float] = 0.3
    """The share of purchases that are sized in base all the same."""
    """Whether the venue takes a client order id again whose order has ended."""

    def __init__(
        self, markets: tuple[Any, ...], seed: int, config: TrafficConfig, faults: Faults
    ) -> None:
        self.config = config
        self.random = Random(f"{seed}:traders")
        self.refused = 0
        self.orders = 0
        self.ticks: dict[Instrument, int] = {}
        self._faults = faults
        self.seats = [
            Seat(account, market, market.instrument(symbol))
            for market in markets
            for account in market.world.accounts.values()
            for symbol in account.config.symbols.get(market.product, ())
        ]
        self._quotes: dict[Instrument, list[Order]] = {}
        actions = self.actions()
        self._verbs = list(actions)
        self._chances = list(accumulate(actions.values()))

    def step(self) -> None:
        """One decision of one trader; nothing where the venue refuses it."""
        if not self.seats:
            return
        seat = self.random.choice(self.seats)
        self._move_market(seat)
        self._act()
        verb = self.random.choices(self._verbs, cum_weights=self._chances)[0]
        open_orders = seat.account.open_orders[seat.market.product]
        if len(open_orders) > self.config.open_orders_max:
            verb = self.random.choice((self._cancel, self._hit))
        is_contract = seat.market.product != "spot"
        if is_contract and self.random.random() < self.config.liquidation:
            verb = self._force
        self._try(verb, seat)

    def close_all(self, how: str) -> None:
        """End every open order: `cancel` it, or `fill` it from the anonymous market."""
        for seat in self.seats:
            for conditional in seat.conditionals():
                seat.market.end_conditional(seat.account, conditional)
            for order in seat.open_orders():
                if how == "fill" and order.is_open:
                    take_from(seat.market, order, order.remaining)
                if order.is_open:
                    seat.market.cancel(seat.account, order)

    @abstractmethod
    def actions(self) -> dict[Callable[[Seat], None], int]:
        """What a trader may decide, each with its weight."""

    def post_only(self, seat: Seat, request: Request) -> Request:
        """The request, so that it may not take; now and then it would, and the venue ends it."""
        if self.random.random() < 0.3:
            ticks = self.through(seat, request.side)
            request = replace(request, price=ticks * seat.instrument.tick)
        return replace(request, time_in_force="GTX")

    @abstractmethod
    def amend(self, seat: Seat, order: Order, quantity: Decimal) -> None:
        """Give an open order another quantity, and whatever else the venue can change."""

    def transfer(self, seat: Seat, amount: Decimal) -> None:
        """Money comes, goes or is charged outside trading: a deposit, a withdrawal, or funding."""
        if seat.market.product == "spot":
            asset = self.random.choice((seat.instrument.base, seat.instrument.quote))
            seat.market.transfer(seat.account, asset, amount / 100)
        else:
            seat.market.transfer(seat.account, seat.symbol, amount / 10_000)

    def common_actions(self) -> dict[Callable[[Seat], None], int]:
        """What traders of every venue do."""
        return {
            self._rest: 30,
            self._hit: 26,
            self._cancel: 14,
            self._take: 12,
            self._take_or_expire: 9,
            self._amend: 6,
            self._meet_oneself: 3,
            self._transfer: 1,
        }

    def _try(self, verb: Callable[[Seat], object], seat: Seat) -> object:
        try:
            return verb(seat)
        except Refused:
            self.refused += 1
            return None

    def _act(self) -> None:
        """Do what the schedule of faults has planned for this step; later where it cannot be."""
        kind = self._faults.for_step()
        if not kind:
            return
        seat = self._faults.steps.random.choice(self.seats)
        if self._try(partial(ACTS[kind], self), seat):
            self._faults.done(kind)
        else:
            self._faults.steps.again(kind)

    def _rest(self, seat: Seat) -> None:
        """A limit order beside the market, sometimes post-only."""
        side = self.side()
        away = self.random.randint(1, REST_TICKS_MAX) * (-1 if side == "BUY" else 1)
        request = self.request(seat, side, self.ticks[seat.instrument] + away)
        if self.random.random() < 0.15:
            request = self.post_only(seat, request)
        seat.market.place(seat.account, request)

    def _hit(self, seat: Seat) -> None:
        """The market trades with one of the account's orders, wholly or in part."""
        orders = seat.open_orders()
        if not orders:
            self._rest(seat)
            return
        order = self.random.choice(orders)
        lots = int(order.remaining / seat.instrument.lot)
        wanted = lots if self.random.random() < 0.4 else self.random.randint(1, lots)
        take_from(seat.market, order, wanted * seat.instrument.lot)

    def _cancel(self, seat: Seat) -> None:
        orders = seat.open_orders()
        if not orders:
            return
        own_id = self.client_id(seat) if self.random.random() < 0.3 else ""
        seat.market.cancel(seat.account, self.random.choice(orders), own_id)

    def _take(self, seat: Seat) -> None:
        """A limit order through the market: it trades, and what is left rests."""
        side = self.side()
        seat.market.place(seat.account, self.request(seat, side, self.through(seat, side)))

    def _take_or_expire(self, seat: Seat) -> None:
        """IOC, FOK or MARKET; reducing a position where there is one."""
        request = self.request(seat, side := self.side(), self.through(seat, side))
        kind = self.random.choice(("IOC", "IOC", "FOK", "MARKET"))
        if kind == "MARKET":
            request = self.market_order(seat, request)
        else:
            request = replace(request, time_in_force=kind)
        if seat.market.product != "spot" and not seat.account.config.is_hedged:
            request = self._reducing(seat, request)
        seat.market.place(seat.account, request)

    def market_order(self, seat: Seat, request: Request) -> Request:
        """The request, so that it takes any price; some purchases at Spot are sized in quote."""
        taking = replace(request, order_type="MARKET", price=Decimal(0))
        if self.cost_step is None or seat.market.product != "spot" or request.side == "SELL":
            return taking
        if self.random.random() < self.in_base:
            return taking
        return replace(
            taking, quote_size=(request.quantity * request.price).quantize(self.cost_step)
        )

    def _reducing(self, seat: Seat, request: Request) -> Request:
        amount = seat.account.amount_of(seat.symbol, "BOTH")
        is_against = amount > 0 if request.side == "SELL" else amount < 0
        if not is_against or self.random.random() < 0.5:
            return request
        return replace(request, reduce_only=True, quantity=min(abs(amount), request.quantity))

    def _amend(self, seat: Seat) -> None:
        orders = seat.open_orders()
        if not orders:
            return
        order = self.random.choice(orders)
        lot = seat.instrument.lot
        done = order.filled + order.prevented
        lots = int((order.quantity - done) / lot)
        quantity = done + self.random.randint(1, lots) * lot
        self.amend(seat, order, quantity)

    def _meet_oneself(self, seat: Seat) -> None:
        """An order against the account's own, under one of the modes of prevention."""
        orders = seat.open_orders()
        if not orders:
            return
        own = self.random.choice(orders)
        request = self.request(seat, opposite(own.side), int(own.price / seat.instrument.tick))
        mode = self.random.choice(self.self_trade_modes)
        seat.market.place(seat.account, replace(request, self_trade_mode=mode))

    def condition(self, seat: Seat) -> None:
        """A conditional order near the market, or the end of one: of a venue that has them."""
        waiting = seat.conditionals()
        if len(waiting) >= CONDITIONALS_MAX or (waiting and self.random.random() < 0.25):
            seat.market.end_conditional(seat.account, self.random.choice(waiting))
        else:
            seat.market.hold(seat.account, self.conditional(seat))

    def conditional(self, seat: Seat) -> Conditional:
        """A stop: a purchase above the market or a sale below it, at any price or at a limit."""
        side = self.side()
        trigger = self.trigger(seat, side, is_above=side == "BUY")
        request = trigger.request
        return Conditional(
            order_id=seat.market.next_conditional_id(),
            owner=seat.account.name,
            product=seat.market.product,
            symbol=seat.symbol,
            side=side,
            order_type="STOP_MARKET" if request.order_type == "MARKET" else "STOP",
            quantity=request.quantity,
            triggers=(trigger,),
            client_order_id=self.client_id(seat),
            position_side=request.position_side,
            reduce_only=request.reduce_only,
        )

    def trigger(self, seat: Seat, side: Side, *, is_above: bool) -> Trigger:
        """Some ticks above or below the market; the order that it places takes, or rests."""
        away = self.random.randint(1, TRIGGER_TICKS_MAX)
        ticks = self.ticks[seat.instrument] + (away if is_above else -away)
        request = replace(self.request(seat, side, ticks), client_order_id="")
        if seat.market.product != "spot":
            if not seat.account.config.is_hedged:
                request = self._reducing(seat, request)
            if self.random.random() < 0.5:
                request = self.market_order(seat, request)
        return Trigger(ticks * seat.instrument.tick, is_above, request)

    def _transfer(self, seat: Seat) -> None:
        amount = Decimal(self.random.randint(-50_000, 50_000)) / 100
        self.transfer(seat, amount)

    def _force(self, seat: Seat) -> None:
        kind = self.random.choice(("LIQUIDATION", "ADL"))
        self.force(seat, kind)

    def force(self, seat: Seat, kind: str) -> bool:
        """Liquidate or deleverage a position of this seat; False where there is none."""
        sides = ("LONG", "SHORT") if seat.account.config.is_hedged else ("BOTH",)
        side = self.random.choice(sides)
        return bool(seat.market.force_close(seat.account, seat.symbol, side, kind))

    def _move_market(self, seat: Seat) -> None:
        """Let the price walk, and now and then quote it anew from both sides."""
        instrument = seat.instrument
        start = int(instrument.start_price / instrument.tick)
        ticks = self.ticks.get(instrument, start)
        ticks += self.random.randint(-WALK_TICKS, WALK_TICKS)
        self.ticks[instrument] = min(max(ticks, start * 7 // 10), start * 13 // 10)
        if instrument in self._quotes and self.random.random() > QUOTE_CHANCE:
            return
        for order in self._quotes.pop(instrument, []):
            seat.market.cancel_anonymous(order)
        self._quotes[instrument] = [
            self._quote(seat, side, level)
            for level in range(1, QUOTE_LEVELS + 1)
            for side in ("BUY", "SELL")
        ]

    def _quote(self, seat: Seat, side: Side, level: int) -> Order:
        away = level if side == "SELL" else -level
        price = (self.ticks[seat.instrument] + away) * seat.instrument.tick
        quantity = self._quantity(seat.instrument, price)
        request = Request(symbol=seat.symbol, side=side, quantity=quantity, price=price)
        order: Order = seat.market.place_anonymous(request)
        return order

    def request(self, seat: Seat, side: Side, ticks: int) -> Request:
        """A limit order of a usual size; in hedge mode it may close the other side."""
        price = ticks * seat.instrument.tick
        quantity, position_side = self._quantity(seat.instrument, price), "BOTH"
        if seat.market.product != "spot" and seat.account.config.is_hedged:
            position_side = self._hedge_side(seat, side)
            if (position_side == "LONG") != (side == "BUY"):
                amount = abs(seat.account.amount_of(seat.symbol, position_side))
                quantity = min(quantity, amount)
        return Request(
            symbol=seat.symbol,
            side=side,
            quantity=quantity,
            price=price,
            client_order_id=self.client_id(seat),
            position_side=position_side,
        )

    def _hedge_side(self, seat: Seat, side: Side) -> str:
        """Close the other side's position where there is one and chance says so; else open."""
        opening, closing = ("LONG", "SHORT") if side == "BUY" else ("SHORT", "LONG")
        has_position = seat.account.amount_of(seat.symbol, closing) != 0
        return closing if has_position and self.random.random() < 0.5 else opening

    def _quantity(self, instrument: Instrument, price: Decimal) -> Decimal:
        notional = Decimal(self.random.randint(NOTIONAL_MIN, NOTIONAL_MAX))
        return instrument.quantity_for(notional, price)

    def through(self, seat: Seat, side: Side) -> int:
        """A price, in ticks, that goes through the market."""
        return self.ticks[seat.instrument] + (TAKE_TICKS if side == "BUY" else -TAKE_TICKS)

    def side(self) -> Side:
        """BUY or SELL by a coin."""
        return "BUY" if self.random.random() < 0.5 else "SELL"

    def client_id(self, seat: Seat) -> str:
        """As people's tools name orders: a bot's counter, a phone, the web page (empty)."""
        self.orders += 1
        kind = self.random.random()
        if kind < 0.5:
            return f"bot-{seat.symbol[:3].lower()}-{self.orders:07d}"
        return f"ios_{self.random.getrandbits(80):020x}" if kind < 0.7 else ""
