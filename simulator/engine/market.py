"""What all markets share: books by symbol, ids, acceptance, and who is told of what.

A venue's market has its `Rules` and its table of refusals, and says in which documents it tells
of what happened.
"""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.engine.rules import Rules
from simulator.engine.waiting import ConditionalMarket
from simulator.instrument import ZERO, Instrument, opposite
from simulator.market import Request, World, random_id
from simulator.matching import Accepted, Amended, Book, Closed, Event, Order, Prevented, Traded
from simulator.message import Document, Message
from simulator.visibility import View


class Market(ConditionalMarket):
    """One product: takes requests, matches, keeps the accounts' books, tells them."""

    rules: ClassVar[Rules]

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world)
        self.instruments = instruments
        self.wallet = self.rules.wallet or self.product
        self.books: dict[str, Book] = defaultdict(Book)
        self._last: dict[str, Decimal] = {}

    @property
    def view(self) -> View:
        """What the present look-up may see."""
        return self.world.view

    def seen(self, orders: Iterable[Order]) -> list[Order]:
        """The orders that the present look-up may see."""
        return [order for order in orders if self.view.has(order, self.now_ms)]

    def instrument(self, symbol: str) -> Instrument:
        """The symbol's terms; refused where there is none."""
        if symbol not in self.instruments:
            raise self.refusal("bad_symbol")
        return self.instruments[symbol]

    def last_price(self, symbol: str) -> Decimal:
        """The price of an account's last trade, or the one that the market starts from."""
        return self._last.get(symbol, self.instruments[symbol].start_price)

    def presumed_price(self, symbol: str) -> Decimal:
        """What an order without a price is taken to cost."""
        if self.rules.presumed_price == "ask":
            best = self.books[symbol].asks.best()
            return best.price if best else ZERO
        is_last = self.rules.presumed_price == "last"
        return self.last_price(symbol) if is_last else self.instruments[symbol].start_price

    def named(self, account: Account, symbol: str, client_id: str) -> Order | None:
        """The latest order with this client order id."""
        if self.rules.names_are_venue_wide:
            return account.by_name.get(client_id)
        return account.by_client_id.get((self.product, symbol, client_id))

    def find(self, account: Account, symbol: str, order_id: int | None, client_id: str) -> Order:
        """The order by its id, else by its client order id; refused where there is none."""
        self.instrument(symbol)
        if order_id is not None:
            order = account.orders[self.product, symbol].get(order_id)
        else:
            order = self.named(account, symbol, client_id)
        if order is None or order.symbol != symbol:
            raise self.refusal("no_such_order")
        if not self.view.has(order, self.now_ms):
            raise self.refusal("no_such_order")
        return order

    def place(self, account: Account, request: Request) -> Order:
        """A new order of an account; refused where the venue says no."""
        self.instrument(request.symbol)
        for check in self.rules.checks:
            check(self, account, request)
        order = self._make_order(account.name, self.terms(request))
        if request.quote_size:
            order.quantity = self.worth(request, account.name)
        account.remember(self.product, order)
        self.note(order)
        book = self.books[order.symbol]
        if request.is_post_only and book.would_take(order.side, order.price):
            self._refuse_after_all(account, order, "POST_ONLY")
        elif order.quantity <= 0:
            self._refuse_after_all(account, order, "MARKET")
        else:
            self.run(book.submit(order))
        return order

    def terms(self, request: Request) -> Request:
        """The request as it is placed."""
        return request

    def _refuse_after_all(self, account: Account, order: Order, reason: str) -> None:
        """The engine's own no: the order is live for a moment, then canceled."""
        self._report(account, Accepted(order))
        order.status, order.reason, order.updated_ms = "CANCELED", reason, self.now_ms
        self._report(account, Closed(order))

    def check_quantity(self, instrument: Instrument, quantity: Decimal) -> None:
        """Refused where it is not a whole number of lots, at least one."""
        if quantity < instrument.lot:
            raise self.refusal("too_small")
        if quantity % instrument.lot:
            raise self.refusal("lot")

    def check_price(self, instrument: Instrument, price: Decimal) -> None:
        """Refused where it is not a whole number of ticks above zero."""
        if price <= 0 or price % instrument.tick:
            raise self.refusal("tick")

    def change(self, account: Account, order: Order, price: Decimal, quantity: Decimal) -> None:
        """Carry out an amend that passed the venue's checks."""
        self.note(order)
        book, amends = self.books[order.symbol], self.rules.amends
        is_taking = order.time_in_force == "GTX" and book.would_take(order.side, price)
        if quantity <= order.filled + order.prevented:
            self._end_by_amend(account, order, amends.below_filled)
        elif is_taking and amends.ends_at_taking:
            self.cancel(account, order)
        elif is_taking:
            self.fail_amend(account, order)
        elif amends.keeps_turn and price == order.price and quantity < order.quantity:
            self.run([book.reduce(order, quantity)])
        else:
            self.run(book.replace(order, price, quantity))

    def _end_by_amend(self, account: Account, order: Order, status: str) -> None:
        if status == "CANCELED":
            self.cancel(account, order)
            return
        self.books[order.symbol].cancel(order, status, "")
        order.quantity, order.updated_ms = order.filled, self.now_ms
        self._report(account, Amended(order))

    def fail_amend(self, account: Account, order: Order) -> None:
        """The order would take at its new price, and this venue's amend fails then."""
        raise self.refusal("post_only")

    def worth(self, request: Request, owner: str = "") -> Decimal:
        """How many whole lots the quote amount buys from (or sells to) what is offered now.

        Without what self-trade prevention takes away: what follows may be dearer.
        """
        lot, left, quantity = self.instrument(request.symbol).lot, request.quote_size, ZERO
        book = self.books[request.symbol]
        for maker in book.asks if request.side == "BUY" else book.bids:
            if maker.owner == owner != "" and request.self_trade_mode == "EXPIRE_MAKER":
                continue
            affordable = left // (maker.price * lot) * lot
            taken = min(affordable, maker.remaining)
            quantity += taken
            left -= taken * maker.price
            if taken < maker.remaining:
                break
        return quantity

    def publish(
        self,
        account: Account,
        kind: str,
        document: Document,
        fill: Fill | None = None,
        *,
        is_full: bool = True,
    ) -> None:
        """Send a document of this product to those who listen."""
        message = Message(account.name, self.product, kind, document, fill, is_full)
        self.world.publish(message)

    def place_anonymous(self, request: Request) -> Order:
        """An order of nobody in particular."""
        order = self._make_order("", request)
        self.run(self.books[request.symbol].submit(order))
        return order

    def cancel(
        self, account: Account, order: Order, cancel_id: str = "", reason: str = "USER"
    ) -> Order:
        """End an open order; refused where it has ended already."""
        if not order.is_open:
            raise self.refusal("ended")
        self.note(order)
        self._close(account, self.books[order.symbol].cancel(order, reason=reason), cancel_id)
        return order

    def expire(self, account: Account, order: Order, reason: str) -> None:
        """The venue ends an open order by itself."""
        self._close(account, self.books[order.symbol].cancel(order, "EXPIRED", reason))

    def _close(self, account: Account, event: Closed, cancel_id: str = "") -> None:
        """Tell of an end that the order's owner or the venue wanted."""
        order = event.order
        order.updated_ms = self.now_ms
        self._name_end(order)
        self.lock(account, order)
        self.report_closed(account, order, cancel_id)
        self._forget_ended(account, order)

    def _name_end(self, order: Order) -> None:
        order.status = self.rules.ended_as.get(order.status, order.status)

    def _forget_ended(self, account: Account, order: Order) -> None:
        if not order.is_open:
            account.forget_open(self.product, order)

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
        trade_id = self.world.numbers.trade(self.product, order.symbol)
        fill = self.settle(account, order, event, trade_id)
        fill.is_late, fill.venue_ms = True, executed_ms
        self.book(account, order, fill)
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

    def made_id(self) -> str:
        """The client order id of an order that was sent without one."""
        return random_id(self.world.random) if self.rules.makes_names else ""

    def _report(self, account: Account, event: Event) -> None:
        match event:
            case Accepted(order):
                self.lock(account, order)
                self.report_accepted(account, order)
            case Amended(order):
                self.lock(account, order)
                self.report_amended(account, order)
            case Prevented(order=order):
                self._name_end(order)
                self.lock(account, order)
                self.report_prevented(account, event)
            case Closed(order):
                self._close(account, event)
            case Traded():
                raise AssertionError("trades are settled, not reported here")
        self._forget_ended(account, order)

    def _settle_trade(self, event: Traded) -> None:
        trade_id = self.world.numbers.trade(self.product, event.maker.symbol)
        for order in (event.maker, event.taker):
            order.updated_ms = self.now_ms
            if order.owner:
                account = self.world.accounts[order.owner]
                fill = self.settle(account, order, event, trade_id)
                order.updated_ms = fill.venue_ms  # the one time that stream and look-ups tell
                self.book(account, order, fill)
                self.report_fill(account, order, fill)
                self._forget_ended(account, order)

    def book(self, account: Account, order: Order, fill: Fill) -> None:
        """Count an execution in its order and its account, and as the market's last price."""
        fill.number, fill.tag = self.world.numbers.fill(), order.tag
        order.fee += fill.fee
        order.fee_currency = fill.fee_currency
        order.profit += fill.realized
        order.last_fill = fill
        if self.product == "inverse":
            order.inverse_value += fill.quantity / fill.price
        account.fills[self.product, order.symbol].append(fill)
        account.all_fills.append(fill)
        self._last[order.symbol] = fill.price

    def _make_fill(
        self, order: Order, match: tuple[Decimal, Decimal], fee: tuple[Decimal, str], trade_id: int
    ) -> Fill:
        """An execution at a price of a quantity, with its fee and the fee's asset."""
        price, quantity = match
        return Fill(
            account=order.owner,
            product=self.product,
            symbol=order.symbol,
            trade_id=trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=fee[0],
            fee_currency=fee[1],
            is_maker=False,
            venue_ms=self.now_ms,
            position_side=order.position_side,
        )

    def _make_order(self, owner: str, request: Request) -> Order:
        return Order(
            order_id=self.world.numbers.order(self.product, request.symbol),
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
            unit=self.rules.unit,
            tag=request.tag,
            quote_size=request.quote_size,
        )

    def lock(self, account: Account, order: Order) -> None:
        """Hold what the open order needs, and free what it no longer does."""

    @abstractmethod
    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Move money and positions for one side of a trade."""

    def settle_after(self, account: Account, symbol: str) -> None:
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
    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """Tell of an end without a trade."""

    @abstractmethod
    def report_contradiction(self, account: Account, order: Order) -> None:
        """Tell another end of an order that has ended, against the books."""
