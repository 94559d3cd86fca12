"""What Bybit's products share: their own checks, amends, conditions, and what is told of orders."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.bybit import account_documents, words
from simulator.bybit import order_documents as documents
from simulator.bybit.account_documents import WALLET
from simulator.bybit.refusals import refused
from simulator.bybit.shared import Executed, Note, Shared, as_order
from simulator.conditional import TRIGGERED, Conditional, Trigger
from simulator.engine import checks
from simulator.engine.market import Market
from simulator.engine.reducing import is_reducing
from simulator.instrument import ZERO, Instrument
from simulator.market import Request, World
from simulator.matching import Order, Prevented
from simulator.message import Document, Message
from simulator.refusal import Refusals

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
ENDED_AS = {"EXPIRED": "CANCELED", "EXPIRED_IN_MATCH": "CANCELED"}


def new_name(market: "BybitMarket", account: Account, request: Request) -> None:
    """Well-formed, and never used before: it is not free again when its order has ended."""
    name = request.client_order_id
    if name and request.parent is None:
        if not CLIENT_ID.fullmatch(name):
            raise market.refusal("bad", name="orderLinkId")
        if name in market.shared.names[account.name]:
            raise market.refusal("duplicate")


def notional(market: Market, account: Account, request: Request) -> None:
    """At least so much in quote; not for what only closes, nor what is sized in quote."""
    is_exempt = request.quote_size or (market.product != "spot" and is_reducing(request))
    if not is_exempt:
        checks.notional(market, account, request)


CHECKS = (new_name, checks.lot, checks.tick, notional)


class BybitMarket(Market):
    """One product of Bybit."""

    refusal: ClassVar[Refusals] = refused

    def __init__(self, world: World, instruments: dict[str, Instrument], shared: Shared) -> None:
        self.shared = shared
        self._attached = Note()
        self._untold: set[int] = set()
        super().__init__(world, instruments)

    def place(self, account: Account, request: Request) -> Order:
        """What was to take at once and had nothing left to take is `New` after all."""
        order = super().place(account, request)
        is_untold = order.order_id in self._untold
        self._untold.discard(order.order_id)
        if is_untold and order.is_open and not order.filled:
            self.tell(account, order)
        return order

    def place_attached(self, account: Account, request: Request, attached: Note) -> Order:
        """An order with a take-profit, a stop-loss or both, which are orders once it is filled."""
        # What only closes has none: they would close its leg by adding to it.
        self._attached = Note() if is_reducing(request) else attached
        try:
            return self.place(account, request)
        finally:
            self._attached = Note()

    def amend(self, account: Account, order: Order, price: Decimal, quantity: Decimal) -> None:
        """Another price or total quantity; zero leaves it as it is."""
        if not order.is_open:
            raise self.refusal("no_such_order")
        instrument = self.instrument(order.symbol)
        price, quantity = price or order.price, quantity or order.quantity
        if (price, quantity) == (order.price, order.quantity):
            raise self.refusal("unchanged")
        self.check_price(instrument, price)
        self.check_quantity(instrument, quantity)
        if quantity <= order.filled:
            raise self.refusal("below_filled")
        self.change(account, order, price, quantity)

    def fail_amend(self, account: Account, order: Order) -> None:
        """Accepted, and the engine ends what would take."""
        self.expire(account, order, "POST_ONLY")

    def cancel_too_late(self, account: Account, order: Order) -> None:
        """The cancel of an order that was filled meanwhile (docs/venues/bybit.md, trap 3)."""
        canceled, rejected = words.TOO_LATE
        self.tell(account, order, {"cancelType": canceled, "rejectReason": rejected})

    def hold(self, account: Account, conditional: Conditional) -> None:
        """Its name is used up, and its quantity counts what orders count."""
        conditional.unit = self.rules.unit
        self.shared.notes[conditional.order_id].last = self.last_price(conditional.symbol)
        self.shared.names[account.name].add(conditional.client_order_id)
        super().hold(account, conditional)

    def becomes(
        self, account: Account, conditional: Conditional, trigger: Trigger
    ) -> list[Request]:
        """It keeps its names; first it is `Triggered`, an instant."""
        self._tell_conditional(account, conditional)
        name = conditional.client_order_id
        found = super().becomes(account, conditional, trigger)
        return [replace(request, client_order_id=name) for request in found]

    def report_conditional(self, account: Account, conditional: Conditional) -> None:
        """What became of it after its trigger, its order tells."""
        if conditional.status != TRIGGERED:
            self._tell_conditional(account, conditional)

    def _tell_conditional(self, account: Account, conditional: Conditional) -> None:
        self.tell(account, as_order(conditional))

    def _refuse_after_all(self, account: Account, order: Order, reason: str) -> None:
        order.updated_ms = self.now_ms
        is_rejected = reason == "POST_ONLY" and self.world.face.post_only_ends == "REJECTED"
        order.status, order.reason = "REJECTED" if is_rejected else "CANCELED", reason
        self.tell(account, order)
        self._forget_ended(account, order)

    def _make_order(self, owner: str, request: Request) -> Order:
        order, parent = super()._make_order(owner, request), request.parent
        is_renamed = self.product == "spot" and self.world.face.renames_triggered_spot
        if parent is not None and not is_renamed:
            order.order_id, order.created_ms = parent.order_id, parent.created_ms
        if owner:
            note, self._attached = self._attached, Note()
            note.parent_name = self.shared.notes[order.order_id].parent_name
            note.last = self.last_price(order.symbol)
            self.shared.notes[order.order_id] = note
            self.shared.names[owner].add(order.client_order_id)
        return order

    def _make_fill(
        self, order: Order, match: tuple[Decimal, Decimal], fee: tuple[Decimal, str], trade_id: int
    ) -> Fill:
        """Each side of a trade has an id of its own: `execId` is unique."""
        own_id = self.world.numbers.trade(self.product, order.symbol)
        return super()._make_fill(order, match, fee, own_id)

    def report_accepted(self, account: Account, order: Order) -> None:
        """`New`; what takes at once never shows it (docs/venues/bybit.md 4.1)."""
        book = self.books[order.symbol]
        if order.is_market or book.would_take(order.side, order.price):
            self._untold.add(order.order_id)
        else:
            self.tell(account, order)

    def report_amended(self, account: Account, order: Order) -> None:
        """Only its terms show it."""
        self.tell(account, order)

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """An execution and an order's state: nobody says which comes first."""
        note = self.shared.notes[order.order_id]
        note.fees[fill.fee_currency] = note.fees.get(fill.fee_currency, ZERO) + fill.fee
        executed = Executed(order, max(order.remaining, ZERO), self.closed_by(account, fill))
        self.shared.executed[fill.number] = executed
        self.touch(account, fill.fee_currency)
        is_first = self.world.random.random() < 0.5
        if is_first:
            self._tell_execution(account, fill)
        if self.is_shown(order):
            self.tell(account, order)
        if not is_first:
            self._tell_execution(account, fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """`CancelBySmp` for the order that prevention ended."""
        if not event.order.is_open:
            self.shared.notes[event.order.order_id].opponent = str(event.counter.order_id)
            self.tell(account, event.order)

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """With its reason; a cancel has no id of its own here."""
        del cancel_id
        self.tell(account, order)

    def report_contradiction(self, account: Account, order: Order) -> None:
        """`Cancelled` after `Filled`, else `Filled`."""
        is_filled = order.status == "FILLED"
        canceled, rejected = words.REASONS["USER"] if is_filled else words.NOTHING_SAID
        state = "Cancelled" if is_filled else "Filled"
        other = {"orderStatus": state, "cancelType": canceled, "rejectReason": rejected}
        self.tell(account, order, other)

    def is_shown(self, order: Order) -> bool:
        """Whether it is pushed and listed: of what the venue passes through, nobody knows."""
        is_passed = order.category in words.EXECUTION_TYPES
        return not is_passed or bool(self.world.face.shows_passed_through)

    def row(self, order: Order) -> Document:
        """One order as REST lists it."""
        note = self.shared.notes[order.order_id]
        return documents.order_row(order, self.instrument(order.symbol), note)

    def execution(self, fill: Fill) -> Document:
        """One execution or payment as REST lists it."""
        executed = self.shared.executed[fill.number]
        return documents.execution_row(fill, self.instrument(fill.symbol), executed)

    def tell(self, account: Account, order: Order, other: Document | None = None) -> None:
        """One push of an order; then positions and balances."""
        push = documents.push_of(self.row(order), self.instrument(order.symbol))
        self._push(account, "order", [push | (other or {})])
        self.tell_position(account, order.symbol)
        self.tell_wallet(account)

    def _tell_execution(self, account: Account, fill: Fill) -> None:
        instrument = self.instrument(fill.symbol)
        push = documents.execution_push(self.execution(fill), fill, instrument)
        self._push(account, "execution", [push], fill)
        if push["execType"] == "Trade":
            fast = documents.fast_row(push)
            self._push(account, "execution.fast", [fast], fill, is_full=False)

    def _push(
        self,
        account: Account,
        topic: str,
        rows: list[Document],
        fill: Fill | None = None,
        *,
        is_full: bool = True,
    ) -> None:
        document = {"creationTime": self.now_ms, "data": rows}
        self.publish(account, topic, document, fill, is_full=is_full)

    def touch(self, account: Account, *coins: str) -> None:
        """Told with the next push of an order."""
        self.shared.touched[account.name] |= dict.fromkeys(coins)

    def tell_wallet(self, account: Account) -> None:
        """The coins that changed, and no others."""
        coins = self.shared.touched.pop(account.name, {})
        if coins:
            row = account_documents.wallet_row(account, coins)
            document = {"creationTime": self.now_ms, "data": [row]}
            self.world.publish(Message(account.name, WALLET, "wallet", document))

    def tell_position(self, account: Account, symbol: str) -> None:
        """Coins have none."""

    def closed_by(self, account: Account, fill: Fill) -> Decimal:
        """What of a position an execution closed; of coins nothing."""
        return ZERO
