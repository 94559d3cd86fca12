"""What both products of Binance share: filters, refusals and order counts."""

from abc import abstractmethod
from collections import defaultdict
from itertools import count

from simulator.accounts import Account
from simulator.binance.order_counts import OrderCounts
from simulator.binance.refusals import Refusal, bad_symbol, no_such_order, unknown_order
from simulator.instrument import Instrument
from simulator.market import Market, Request, World
from simulator.matching import Order

FIRST_EXECUTION_ID = 15_501_001


class BinanceMarket(Market):
    """One product of Binance."""

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self.counts = OrderCounts(self.product, world.limits, world.clock.now_ms)
        self.execution_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_EXECUTION_ID))

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
        book = self.books[request.symbol]
        if request.is_post_only and book.would_take(request.side, request.price):
            raise self.refusal_post_only()
        order = self._make_order(account.name, request)
        account.remember(self.product, order)
        self.run(book.submit(order))
        return order

    def find(self, account: Account, symbol: str, order_id: int | None, client_id: str) -> Order:
        """The order by its id, else by its client id; `Refusal` -2013 where there is none."""
        self.instrument(symbol)
        order = (
            account.orders[self.product, symbol].get(order_id)
            if order_id is not None
            else account.by_client_id.get((self.product, symbol, client_id))
        )
        if order is None or not self.world.view.shows(order.created_ms, self.now_ms):
            raise no_such_order()
        return order

    def refusal_ended(self) -> Refusal:
        """-2011."""
        return unknown_order()

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
    def refusal_duplicate(self) -> Refusal:
        """The client order id is taken by an open order."""

    @abstractmethod
    def refusal_post_only(self) -> Refusal:
        """A post-only order would take."""

    @abstractmethod
    def refusal_filter(self, name: str) -> Refusal:
        """Price, quantity or notional breaks a filter."""
