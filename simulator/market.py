"""What all markets share: books by symbol, ids, acceptance, and who is told of what.

A venue's market says what it refuses, how a trade moves money and positions, and in which
documents it tells of it.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from random import Random
from string import ascii_letters, digits
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.clock import Clock
from simulator.conditional import TRIGGERED, Conditional, Trigger
from simulator.config import LimitConfig
from simulator.instrument import ZERO, Instrument, Product, Side, opposite
from simulator.matching import Accepted, Amended, Book, Closed, Event, Order, Prevented, Traded
from simulator.message import Publish
from simulator.refusal import Refused
from simulator.visibility import View

# Every symbol starts at the same ids, so ids collide between symbols as they may at the venue.
FIRST_ORDER_ID = 7_700_001
FIRST_TRADE_ID = 88_120_001
FIRST_CONDITIONAL_ID = 2_200_001


@dataclass(frozen=True, slots=True)
class World:
    """What a market needs from outside: time, accounts, listeners and chance."""

    clock: Clock
    accounts: dict[str, Account]
    publish: Publish
    random: Random
    limits: LimitConfig = field(default_factory=LimitConfig)
    view: View = field(default_factory=View)


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for a new order; a price of zero where it has none.

    The words of type and time in force are those of `Order`: LIMIT, MARKET or LIMIT_MAKER, and
    GTC, IOC, FOK or GTX.
    """

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal = ZERO
    order_type: str = "LIMIT"
    time_in_force: str = "GTC"
    client_order_id: str = ""
    self_trade_mode: str = "EXPIRE_MAKER"
    position_side: str = "BOTH"
    reduce_only: bool = False
    parent: Conditional | None = None

    @property
    def is_post_only(self) -> bool:
        """Whether it may not take."""
        return "LIMIT_MAKER" in self.order_type or self.time_in_force == "GTX"


def random_id(random: Random) -> str:
    """A client order id as web pages make them: 22 letters and digits."""
    return "".join(random.choices(ascii_letters + digits, k=22))


class Market(ABC):
    """One product: takes requests, matches, keeps the accounts' books, tells them."""

    product: ClassVar[Product]
    order_class: ClassVar[type[Order]] = Order

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        self.world = world
        self.instruments = instruments
        self.books: dict[str, Book] = defaultdict(Book)
        self.order_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_ORDER_ID))
        self.trade_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_TRADE_ID))
        self.conditional_ids = count(FIRST_CONDITIONAL_ID)
        self.waiting: dict[str, dict[int, Conditional]] = defaultdict(dict)
        """The conditional orders that wait, by symbol."""

    @property
    def now_ms(self) -> int:
        """The venue's clock."""
        return self.world.clock.now_ms()

    @property
    def view(self) -> View:
        """What the present look-up may see."""
        return self.world.view

    def seen(self, orders: Iterable[Order]) -> list[Order]:
        """The orders that the present look-up may see."""
        return self.view.seen(orders, lambda order: order.created_ms, self.now_ms)

    def place_anonymous(self, request: Request) -> Order:
        """An order of nobody in particular."""
        order = self._make_order("", request)
        self.run(self.books[request.symbol].submit(order))
        return order

    def cancel(self, account: Account, order: Order, cancel_id: str = "") -> Order:
        """End an open order; refused where it has ended already."""
        if not order.is_open:
            raise self.refusal_ended()
        event = self.books[order.symbol].cancel(order)
        order.updated_ms = self.now_ms
        self.report_closed(account, event, cancel_id)
        return order

    def expire(self, account: Account, order: Order, reason: str) -> None:
        """The venue ends an open order by itself."""
        event = self.books[order.symbol].cancel(order, "EXPIRED", reason)
        order.updated_ms = self.now_ms
        self.report_closed(account, event)

    def fill_late(self, account: Account, order: Order, quantity: Decimal) -> None:
        """End an open order, and tell only then that a part of it had been executed before."""
        assert quantity < order.remaining, "a late fill is less than what was left"
        executed_ms = self.now_ms
        self.cancel(account, order)
        ended, ended_ms = order.status, order.updated_ms
        taker = self._make_order("", Request(order.symbol, opposite(order.side), quantity))
        order.filled += quantity
        order.notional += quantity * order.price
        event = Traded(order, taker, order.price, quantity)
        fill = self.settle(account, order, event, self.next_trade_id(order.symbol))
        fill.is_late, fill.venue_ms = True, executed_ms
        account.fills[self.product, order.symbol].append(fill)
        order.status, order.updated_ms = "PARTIALLY_FILLED", executed_ms
        self.report_fill(account, order, fill)
        order.status, order.updated_ms = ended, ended_ms
        self.settle_after(account, order.symbol)

    def cancel_anonymous(self, order: Order) -> None:
        """Take a resting order of nobody away, if it still rests."""
        if order.is_open:
            self.books[order.symbol].cancel(order)

    def open_orders(self, account: Account, symbol: str = "") -> list[Order]:
        """Open orders of the account, oldest first, of one symbol or of all."""
        if symbol:
            return list(account.open_at[self.product, symbol].values())
        return list(account.open_orders[self.product].values())

    def run(self, events: Iterable[Event]) -> None:
        """Settle and report each event at the moment it stands for, then tidy up."""
        traded: dict[tuple[str, str], None] = {}
        prices: dict[str, Decimal] = {}
        for event in events:
            match event:
                case Traded(maker, taker):
                    self._settle_trade(event)
                    prices[taker.symbol] = event.price
                    traded |= dict.fromkeys((order.owner, order.symbol) for order in (maker, taker))
                case Accepted(order) | Amended(order) | Closed(order) | Prevented(order=order):
                    order.updated_ms = self.now_ms
                    if order.owner:
                        self._report(self.world.accounts[order.owner], event)
        for owner, symbol in traded:
            if owner:
                self.settle_after(self.world.accounts[owner], symbol)
        for symbol, price in prices.items():
            self._reach(symbol, price)

    def hold(self, account: Account, conditional: Conditional) -> None:
        """Take a new conditional order in."""
        conditional.created_ms = conditional.updated_ms = self.now_ms
        account.conditionals[self.product][conditional.order_id] = conditional
        self.waiting[conditional.symbol][conditional.order_id] = conditional
        self.report_conditional(account, conditional)

    def end_conditional(
        self, account: Account, conditional: Conditional, status: str = "CANCELED", reason: str = ""
    ) -> None:
        """End one that waits, by its owner or by the venue; refused where it waits no more."""
        if not conditional.is_waiting:
            raise self.refusal_ended()
        conditional.status, conditional.reason = status, reason or "USER"
        self._leave(conditional)
        self.report_conditional(account, conditional)

    def _reach(self, symbol: str, price: Decimal) -> None:
        """A trade was at `price`: what waited for that is triggered."""
        for conditional in list(self.waiting[symbol].values()):
            if conditional.is_waiting:  # another's trigger may have ended it meanwhile
                reached = [one for one in conditional.triggers if one.is_reached(price)]
                if reached:
                    self.trigger(conditional, reached[0])

    def trigger(self, conditional: Conditional, trigger: Trigger) -> None:
        """It becomes the orders that it stands for; REJECTED where the market takes none."""
        account = self.world.accounts[conditional.owner]
        conditional.status, conditional.reached = TRIGGERED, trigger
        conditional.triggered_ms = self.now_ms
        self._leave(conditional)
        for request in self.becomes(account, conditional, trigger):
            try:
                self.place(account, replace(request, parent=conditional))
            except Refused as refused:
                conditional.reason = str(refused)
        if not conditional.children:
            conditional.status = "REJECTED"
        self.report_conditional(account, conditional)

    def becomes(
        self, account: Account, conditional: Conditional, trigger: Trigger
    ) -> list[Request]:
        """The orders that a triggered one stands for: one, of what is held where it closes that."""
        if not conditional.closes_position:
            return [trigger.request]
        held = abs(account.amount_of(conditional.symbol, conditional.position_side))
        return [replace(trigger.request, quantity=held)] if held else []

    def report_conditional(  # noqa: B027  a venue without conditional orders tells of none
        self, account: Account, conditional: Conditional
    ) -> None:
        """Tell of a conditional order as it is now."""

    def _leave(self, conditional: Conditional) -> None:
        del self.waiting[conditional.symbol][conditional.order_id]
        conditional.updated_ms = self.now_ms

    def next_conditional_id(self) -> int:
        """The id of the next conditional order."""
        return next(self.conditional_ids)

    def next_order_id(self, symbol: str) -> int:
        """The id of the next order of a symbol."""
        return next(self.order_ids[symbol])

    def made_id(self) -> str:
        """The client order id of an order that was sent without one."""
        return random_id(self.world.random)

    def next_trade_id(self, symbol: str) -> int:
        """The id of the next trade of a symbol."""
        return next(self.trade_ids[symbol])

    def _report(self, account: Account, event: Event) -> None:
        match event:
            case Accepted(order):
                self.report_accepted(account, order)
            case Amended(order):
                self.report_amended(account, order)
            case Prevented():
                self.report_prevented(account, event)
            case Closed():
                self.report_closed(account, event)
            case _:
                raise AssertionError("trades are settled, not reported here")

    def _settle_trade(self, event: Traded) -> None:
        trade_id = self.next_trade_id(event.maker.symbol)
        for order in (event.maker, event.taker):
            order.updated_ms = self.now_ms
            if order.owner:
                account = self.world.accounts[order.owner]
                fill = self.settle(account, order, event, trade_id)
                order.updated_ms = fill.venue_ms  # the one time that stream and look-ups tell
                account.fills[self.product, order.symbol].append(fill)
                self.report_fill(account, order, fill)

    def _make_order(self, owner: str, request: Request) -> Order:
        return self.order_class(
            order_id=self.next_order_id(request.symbol),
            owner=owner,
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            time_in_force=request.time_in_force,
            price=request.price,
            quantity=request.quantity,
            client_order_id=request.client_order_id or (self.made_id() if owner else ""),
            self_trade_mode=request.self_trade_mode,
            position_side=request.position_side,
            reduce_only=request.reduce_only,
            created_ms=self.now_ms,
            updated_ms=self.now_ms,
            parent=request.parent,
        )

    @abstractmethod
    def instrument(self, symbol: str) -> Instrument:
        """The symbol's terms; refused where there is none."""

    @abstractmethod
    def place(self, account: Account, request: Request) -> Order:
        """A new order of an account; refused where the venue says no."""

    @abstractmethod
    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Move money and positions for one side of a trade."""

    def settle_after(self, account: Account, symbol: str) -> None:  # noqa: B027 (most need none)
        """What the venue tidies up when an account has traded."""

    @abstractmethod
    def report_accepted(self, account: Account, order: Order) -> None:
        """Tell of a new order."""

    @abstractmethod
    def report_amended(self, account: Account, order: Order) -> None:
        """Tell of new terms."""

    @abstractmethod
    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """Tell of an execution."""

    @abstractmethod
    def report_prevented(self, account: Account, event: Prevented) -> None:
        """Tell of self-trade prevention."""

    @abstractmethod
    def report_closed(self, account: Account, event: Closed, cancel_id: str = "") -> None:
        """Tell of an end without a trade."""

    @abstractmethod
    def report_contradiction(self, account: Account, order: Order) -> None:
        """Tell another end of an order that has ended, against the books."""

    @abstractmethod
    def refusal_ended(self) -> Exception:
        """There is nothing to cancel."""
