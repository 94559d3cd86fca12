"""What OKX's products share: checks, acceptance, amends, and how ends are told."""

import re
from abc import abstractmethod
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import ClassVar, cast

from simulator.accounts import Account, Fill
from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO
from simulator.market import Market, Request, World, random_id
from simulator.matching import Closed, Order, Prevented
from simulator.message import Message
from simulator.okx import algo_documents, refusals
from simulator.okx import order_documents as documents
from simulator.okx.desk import Desk
from simulator.okx.instruments import OkxInstrument
from simulator.okx.order_documents import Push
from simulator.okx.orders import NO_AMENDMENT, Amendment, OkxFill, OkxOrder, OkxRequest
from simulator.okx.refusals import Refusal
from simulator.okx.words import CANCEL_SOURCES

CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
SPLIT_CHANCE = 0.3
CHILD_NAME_CHANCE = 0.7


@dataclass(frozen=True, slots=True)
class Change:
    """What an amend asks for; a price or quantity of zero stays as it is."""

    price: Decimal = ZERO
    quantity: Decimal = ZERO
    request_id: str = ""
    cancels_on_failure: bool = False
    source: str = "1"


class OkxMarket(Market):
    """One product of OKX."""

    order_class: ClassVar[type[Order]] = OkxOrder
    quantity_unit: ClassVar[str]

    def __init__(self, world: World, instruments: dict[str, OkxInstrument], desk: Desk) -> None:
        super().__init__(world, dict(instruments))
        self.desk = desk
        self._terms = instruments
        self._last: dict[str, Decimal] = {}
        self._amendment = NO_AMENDMENT
        self._taken: dict[tuple[str, str], list[OkxFill]] = defaultdict(list)

    def instrument(self, symbol: str) -> OkxInstrument:
        """The instrument's terms; `Refusal` 51001 where there is none."""
        if symbol not in self._terms:
            raise refusals.bad_instrument()
        return self._terms[symbol]

    def last_price(self, symbol: str) -> Decimal:
        """The price of the last trade, or the one that the market starts from."""
        return self._last.get(symbol, self._terms[symbol].start_price)

    def place(self, account: Account, request: Request) -> Order:
        """A new order: accepted first, whatever becomes of it at once (docs/venues/okx.md 3.1)."""
        wish = self.check(account, cast(OkxRequest, request))
        order = cast(OkxOrder, self._make_order(account.name, wish))
        order.tag, order.trade_mode, order.quote_size = wish.tag, wish.trade_mode, wish.quote_size
        order.unit = self.quantity_unit
        account.remember(self.product, order)
        self.desk.remember(order)
        book = self.books[order.symbol]
        if wish.is_post_only and book.would_take(order.side, order.price):
            self._refuse_after_all(account, order, "POST_ONLY")
        elif order.quantity <= 0:
            self._refuse_after_all(account, order, "MARKET")
        else:
            self.run(book.submit(order))
        return order

    def check(self, account: Account, wish: OkxRequest) -> OkxRequest:
        """The wish as it will be placed; `Refusal` where the entry checks say no."""
        instrument = self.instrument(wish.symbol)
        if wish.client_order_id and not CLIENT_ID.fullmatch(wish.client_order_id):
            raise refusals.parameter_error("clOrdId")
        earlier = self.desk.by_client_id.get((account.name, wish.client_order_id))
        if earlier is not None and earlier.is_open:
            raise refusals.duplicate_id()
        if wish.time_in_force == "FOK" and wish.self_trade_mode == "EXPIRE_BOTH":
            raise Refusal("54036", "FOK orders can't use the STP mode cancel_both.")
        if not wish.quote_size:
            self._check_quantity(instrument, wish.quantity)
        if wish.order_type != "MARKET":
            self._check_price(instrument, wish.price)
        return self.check_terms(account, wish)

    def amend(self, account: Account, order: Order, change: Change) -> None:
        """Accept an amend; its outcome is told by push.

        A quantity at or below what is filled ends the order as filled (docs/venues/okx.md 12,
        trap 6).
        """
        if not order.is_open:
            raise refusals.amend_failed()
        if not change.price and not change.quantity:
            raise Refusal("51500", "You must enter a price, quantity, or TP/SL.")
        instrument = self.instrument(order.symbol)
        if change.quantity:
            self._check_quantity(instrument, change.quantity)
        if change.price:
            self._check_price(instrument, change.price)
        self._amendment = Amendment("0", change.source, change.request_id)
        try:
            self._apply(account, cast(OkxOrder, order), change)
        finally:
            self._amendment = NO_AMENDMENT

    def find(self, account: Account, symbol: str, order_id: str, client_id: str) -> OkxOrder:
        """The order by its id, else the latest with the client id; `Refusal` 51603."""
        self.instrument(symbol)
        order: Order | None
        if order_id:
            number = int(order_id) if order_id.isdecimal() else 0
            order = account.orders[self.product, symbol].get(number)
        else:
            order = self.desk.by_client_id.get((account.name, client_id))
        if order is None or order.symbol != symbol:
            raise refusals.no_such_order()
        if not self.world.view.shows(order.created_ms, self.now_ms):
            raise refusals.no_such_order()
        return cast(OkxOrder, order)

    def next_conditional_id(self) -> int:
        """Unique over the whole venue, and among the ids of orders."""
        return next(self.desk.order_ids)

    def hold(self, account: Account, conditional: Conditional) -> None:
        """Its quantity counts what the product's orders count."""
        conditional.unit = self.quantity_unit
        super().hold(account, conditional)

    def becomes(
        self, account: Account, conditional: Conditional, trigger: Trigger
    ) -> list[Request]:
        """The venue names the orders itself, mostly; a take-profit or stop-loss may be split."""
        found = []
        lot = self.instrument(conditional.symbol).lot
        for request in super().becomes(account, conditional, trigger):
            first = request.quantity
            if trigger.name and self.world.random.random() < SPLIT_CHANCE:
                first = max(lot, request.quantity * 2 // 5 // lot * lot)
            sizes = (first, request.quantity - first)
            found += [replace(request, quantity=size) for size in sizes if size > 0]
        return [replace(request, client_order_id=self._child_name()) for request in found]

    def _child_name(self) -> str:
        chance = self.world.random
        return random_id(chance) if chance.random() < CHILD_NAME_CHANCE else ""

    def report_conditional(self, account: Account, conditional: Conditional) -> None:
        """On the channel of its type."""
        instrument, last = self.instrument(conditional.symbol), self.last_price(conditional.symbol)
        document = {"data": [algo_documents.algo_row(conditional, instrument, last)]}
        kind = algo_documents.channel(conditional)
        self.world.publish(Message(account.name, self.product, kind, document))

    def next_order_id(self, symbol: str) -> int:
        """Unique over the whole venue."""
        return next(self.desk.order_ids)

    def made_id(self) -> str:
        """An order without a client id has none."""
        return ""

    def report_accepted(self, account: Account, order: Order) -> None:
        """state `live`."""
        self.lock(account, order)
        self.tell(account, order, Push())

    def report_amended(self, account: Account, order: Order) -> None:
        """amendResult 0."""
        self.lock(account, order)
        self.tell(account, order, Push(amendment=self._amendment))

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """The execution; one more push closes a Spot market order (docs/venues/okx.md 3.1)."""
        assert isinstance(fill, OkxFill), "executions of this venue have bills"
        closes_later = self.product == "spot" and order.is_market and not order.is_open
        state = "partially_filled" if closes_later else ""
        self.tell(account, order, Push(fill, state=state))
        if closes_later:
            self.tell(account, order, Push())
        self.tell_moved(account, fill)
        if not fill.is_forced:
            self._taken[account.name, order.symbol].append(fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """state `canceled`, cancelSource 32, for the order that prevention ended."""
        if not event.order.is_open:
            self._end(account, event.order)

    def report_closed(self, account: Account, event: Closed, cancel_id: str = "") -> None:
        """state `canceled` with its source; a cancel has no id of its own here."""
        del cancel_id
        self._end(account, event.order)

    def report_contradiction(self, account: Account, order: Order) -> None:
        """`canceled` after `filled`, else `filled`."""
        state = "canceled" if order.status == "FILLED" else "filled"
        self.tell(account, order, Push(state=state))

    def settle_after(self, account: Account, symbol: str) -> None:
        """The `fills` channel sums what was taken at one price (docs/venues/okx.md 3.2)."""
        taken = self._taken.pop((account.name, symbol), [])
        for _, fills in groupby(taken, key=lambda fill: (fill.order_id, fill.price)):
            rows = list(fills)
            document = {"data": [documents.lean_fill(rows)]}
            lean = Message(account.name, self.product, "fills", document, rows[-1], is_full=False)
            self.world.publish(lean)

    def tell(self, account: Account, order: Order, what: Push) -> None:
        """One push on the `orders` channel."""
        instrument = self.instrument(order.symbol)
        last = self.last_price(order.symbol)
        document = {"data": [documents.push(cast(OkxOrder, order), instrument, last, what)]}
        self.world.publish(Message(account.name, self.product, "orders", document, what.fill))
        if not order.is_open:
            account.forget_open(self.product, order)

    def record(self, order: OkxOrder, fill: OkxFill) -> OkxFill:
        """Count an execution in its order, and as the market's last price."""
        fill.bill_id = next(self.desk.bill_ids)
        fill.tag = order.tag
        order.fee += fill.fee
        order.fee_currency = fill.fee_currency
        order.profit += fill.realized
        order.last_fill = fill
        if self.instrument(order.symbol).is_inverse:
            order.inverse_value += fill.quantity / fill.price
        self.desk.fills[order.owner].append(fill)
        self._last[order.symbol] = fill.price
        return fill

    def refusal_ended(self) -> Refusal:
        """51400."""
        return refusals.cancel_failed()

    def _apply(self, account: Account, order: OkxOrder, change: Change) -> None:
        book = self.books[order.symbol]
        price, quantity = change.price or order.price, change.quantity or order.quantity
        if quantity <= order.filled:
            book.cancel(order, "FILLED", "")
            order.quantity, order.updated_ms = order.filled, self.now_ms
            self.report_amended(account, order)
        elif order.time_in_force == "GTX" and book.would_take(order.side, price):
            self._fail_amend(account, order, change)
        elif price == order.price and quantity < order.quantity:
            self.run([book.reduce(order, quantity)])
        else:
            self.run(book.replace(order, price, quantity))

    def _fail_amend(self, account: Account, order: OkxOrder, change: Change) -> None:
        """Told as a push of its own, with the order as it was, or ended where that was asked."""
        result = "1" if change.cancels_on_failure else "-1"
        text = "The order would take liquidity: post-only orders can't be amended so."
        failed = Amendment(result, "", change.request_id, "51511", text)
        if change.cancels_on_failure:
            self.books[order.symbol].cancel(order, reason="VENUE")
            order.cancel_source = CANCEL_SOURCES["VENUE"]
            self.lock(account, order)
        order.updated_ms = self.now_ms
        self.tell(account, order, Push(amendment=failed))

    def _refuse_after_all(self, account: Account, order: OkxOrder, reason: str) -> None:
        """The engine's own no: the order is live for a moment, then canceled."""
        self.report_accepted(account, order)
        order.status, order.reason = "CANCELED", reason
        self._end(account, order)

    def _end(self, account: Account, order: Order) -> None:
        ended = cast(OkxOrder, order)
        ended.status, ended.updated_ms = "CANCELED", self.now_ms
        ended.cancel_source = CANCEL_SOURCES[ended.reason]
        self.lock(account, ended)
        self.tell(account, ended, Push())

    def _check_quantity(self, instrument: OkxInstrument, quantity: Decimal) -> None:
        if quantity < instrument.lot:
            raise Refusal("51020", "Your order should meet or exceed the minimum order amount.")
        if quantity % instrument.lot:
            raise Refusal("51121", "Order quantity must be a multiple of the lot size.")

    def _check_price(self, instrument: OkxInstrument, price: Decimal) -> None:
        if price <= 0 or price % instrument.tick:
            raise refusals.parameter_error("px")

    @abstractmethod
    def check_terms(self, account: Account, wish: OkxRequest) -> OkxRequest:
        """The product's own entry checks, and the wish with its defaults."""

    @abstractmethod
    def lock(self, account: Account, order: Order) -> None:
        """Hold what the open order needs, and free what it no longer does."""

    @abstractmethod
    def tell_moved(self, account: Account, fill: OkxFill) -> None:
        """Tell of the balances and positions that an execution moved."""
