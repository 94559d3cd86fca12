"""What both products share: books by symbol, ids, acceptance, and who is told of what."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from random import Random
from string import ascii_letters, digits
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.binance.order_counts import OrderCounts
from simulator.binance.refusals import Refusal, bad_symbol, no_such_order, unknown_order
from simulator.clock import Clock
from simulator.config import LimitConfig
from simulator.instrument import ZERO, Instrument, Product, Side
from simulator.matching import (
    Accepted,
    Amended,
    Book,
    Closed,
    Event,
    Order,
    Prevented,
    Traded,
)
from simulator.message import Publish

# Every symbol starts at the same ids, so ids collide between symbols as they may at the venue.
FIRST_ORDER_ID = 7_700_001
FIRST_TRADE_ID = 88_120_001
FIRST_EXECUTION_ID = 15_501_001


@dataclass(frozen=True, slots=True)
class World:
    """What a market needs from outside: time, accounts, listeners and chance."""

    clock: Clock
    accounts: dict[str, Account]
    publish: Publish
    random: Random
    limits: LimitConfig = field(default_factory=LimitConfig)


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for a new order in the venue's words; a price of zero where it has none."""

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


def random_id(random: Random) -> str:
    """A client order id as the venue's own web page makes them: 22 letters and digits."""
    return "".join(random.choices(ascii_letters + digits, k=22))


class Market(ABC):
    """One product: takes requests, matches, keeps the accounts' books, tells them."""

    product: ClassVar[Product]

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        self.world = world
        self.instruments = instruments
        self.counts = OrderCounts(self.product, world.limits, world.clock.now_ms)
        self.books: dict[str, Book] = defaultdict(Book)
        self.order_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_ORDER_ID))
        self.trade_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_TRADE_ID))
        self.execution_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_EXECUTION_ID))

    @property
    def now_ms(self) -> int:
        """The venue's clock."""
        return self.world.clock.now_ms()

    def instrument(self, symbol: str) -> Instrument:
        """The symbol's terms; `Refusal` -1121 where there is none."""
        if symbol not in self.instruments:
            raise bad_symbol()
        return self.instruments[symbol]

    def place(self, account: Account, request: Request) -> Order:
        """A new order of an account; `Refusal` where the venue says no."""
        instrument = self.instrument(request.symbol)
        self._check_steps(instrument, request)
        key = (self.product, request.symbol, request.client_order_id)
        earlier = account.by_client_id.get(key)
        if request.client_order_id and earlier is not None and earlier.is_open:
            raise self.refusal_duplicate()
        self.check_funds(account, request)
        is_post_only = "LIMIT_MAKER" in request.order_type or request.time_in_force == "GTX"
        if is_post_only and self.books[request.symbol].would_take(request.side, request.price):
            raise self.refusal_post_only()
        order = self._make_order(account.name, request)
        account.remember(self.product, order)
        self.run(self.books[request.symbol].submit(order))
        return order

    def place_anonymous(self, request: Request) -> Order:
        """An order of nobody in particular."""
        order = self._make_order("", request)
        self.run(self.books[request.symbol].submit(order))
        return order

    def cancel(self, account: Account, order: Order, cancel_id: str = "") -> Order:
        """End an open order; `Refusal` -2011 where it has ended already."""
        if not order.is_open:
            raise unknown_order()
        event = self.books[order.symbol].cancel(order)
        order.updated_ms = self.now_ms
        self.report_closed(account, event, cancel_id)
        return order

    def expire(self, account: Account, order: Order, reason: str) -> None:
        """The venue ends an open order by itself."""
        event = self.books[order.symbol].cancel(order, "EXPIRED", reason)
        order.updated_ms = self.now_ms
        self.report_closed(account, event)

    def cancel_anonymous(self, order: Order) -> None:
        """Take a resting order of nobody away, if it still rests."""
        if order.is_open:
            self.books[order.symbol].cancel(order)

    def find(self, account: Account, symbol: str, order_id: int | None, client_id: str) -> Order:
        """The order by its id, else by its client id; `Refusal` -2013 where there is none."""
        self.instrument(symbol)
        order = (
            account.orders[self.product, symbol].get(order_id)
            if order_id is not None
            else account.by_client_id.get((self.product, symbol, client_id))
        )
        if order is None:
            raise no_such_order()
        return order

    def open_orders(self, account: Account, symbol: str = "") -> list[Order]:
        """Open orders of the account, oldest first, of one symbol or of all."""
        orders = account.open_orders[self.product].values()
        return [order for order in orders if symbol in ("", order.symbol)]

    def run(self, events: Iterable[Event]) -> None:
        """Settle and report each event at the moment it stands for, then tidy up."""
        traded: dict[tuple[str, str], None] = {}
        for event in events:
            match event:
                case Traded(maker, taker):
                    self._settle_trade(event)
                    traded |= dict.fromkeys((order.owner, order.symbol) for order in (maker, taker))
                case Accepted(order) | Amended(order) | Closed(order) | Prevented(order=order):
                    order.updated_ms = self.now_ms
                    if order.owner:
                        self._report(self.world.accounts[order.owner], event)
        for owner, symbol in traded:
            if owner:
                self.settle_after(self.world.accounts[owner], symbol)

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
        trade_id = next(self.trade_ids[event.maker.symbol])
        for order in (event.maker, event.taker):
            order.updated_ms = self.now_ms
            if order.owner:
                account = self.world.accounts[order.owner]
                fill = self.settle(account, order, event, trade_id)
                account.fills[self.product, order.symbol].append(fill)
                self.report_fill(account, order, fill)

    def _make_order(self, owner: str, request: Request) -> Order:
        return Order(
            order_id=next(self.order_ids[request.symbol]),
            owner=owner,
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            time_in_force=request.time_in_force,
            price=request.price,
            quantity=request.quantity,
            client_order_id=request.client_order_id
            or (random_id(self.world.random) if owner else ""),
            self_trade_mode=request.self_trade_mode,
            position_side=request.position_side,
            reduce_only=request.reduce_only,
            created_ms=self.now_ms,
            updated_ms=self.now_ms,
        )

    def _check_steps(self, instrument: Instrument, request: Request) -> None:
        if request.quantity <= 0 or request.quantity % instrument.lot:
            raise self.refusal_filter("LOT_SIZE")
        if request.order_type == "MARKET":
            return
        if request.price <= 0 or request.price % instrument.tick:
            raise self.refusal_filter("PRICE_FILTER")
        notional = request.price * request.quantity
        if notional < instrument.notional_min and not request.reduce_only:
            raise self.refusal_filter("NOTIONAL")

    @abstractmethod
    def check_funds(self, account: Account, request: Request) -> None:
        """`Refusal` where the account cannot pay for the order."""

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
    def refusal_duplicate(self) -> Refusal:
        """The client order id is taken by an open order."""

    @abstractmethod
    def refusal_post_only(self) -> Refusal:
        """A post-only order would take."""

    @abstractmethod
    def refusal_filter(self, name: str) -> Refusal:
        """Price, quantity or notional breaks a filter."""
