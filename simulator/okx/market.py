"""What OKX's products share: their own checks, amends, and what is told of orders."""

import re
from abc import abstractmethod
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.conditional import Conditional, Trigger
from simulator.engine import checks
from simulator.engine.market import Market
from simulator.instrument import ZERO, Instrument
from simulator.market import Request, World, random_id
from simulator.matching import Order, Prevented
from simulator.okx import algo_documents
from simulator.okx import order_documents as documents
from simulator.okx.desk import Desk
from simulator.okx.order_documents import Push
from simulator.okx.orders import NO_AMENDMENT, Amendment
from simulator.okx.refusals import refused
from simulator.refusal import Refusals

CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
SPLIT_CHANCE = 0.3
CHILD_NAME_CHANCE = 0.7
ENDED_AS = {"EXPIRED": "CANCELED", "EXPIRED_IN_MATCH": "CANCELED"}


def client_id(market: Market, account: Account, request: Request) -> None:
    """Letters and digits alone."""
    if request.client_order_id and not CLIENT_ID.fullmatch(request.client_order_id):
        raise refused("bad", name="clOrdId")


def fok_mode(market: Market, account: Account, request: Request) -> None:
    """One mode of self-trade prevention does not go with FOK."""
    if request.time_in_force == "FOK" and request.self_trade_mode == "EXPIRE_BOTH":
        raise refused("fok_mode")


def margin_mode(market: Market, account: Account, request: Request) -> None:
    """Only `cash` at Spot, only `cross` at contracts."""
    if request.margin_mode not in ("", "cash" if market.product == "spot" else "cross"):
        raise refused("margin_mode")


CHECKS = (client_id, checks.name, fok_mode, checks.lot, checks.tick, margin_mode)


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

    refusal: ClassVar[Refusals] = refused

    def __init__(self, world: World, instruments: dict[str, Instrument], desk: Desk) -> None:
        super().__init__(world, instruments)
        self.desk = desk
        self._change = Change()
        self._amendment = NO_AMENDMENT
        self._taken: dict[tuple[str, str], list[Fill]] = defaultdict(list)

    def amend(self, account: Account, order: Order, change: Change) -> None:
        """Accept an amend; its outcome is told by push.

        A quantity at or below what is filled ends the order as filled (docs/venues/okx.md 12,
        trap 6).
        """
        if not order.is_open:
            raise self.refusal("not_amended")
        if not change.price and not change.quantity:
            raise self.refusal("unchanged")
        instrument = self.instrument(order.symbol)
        if change.quantity:
            self.check_quantity(instrument, change.quantity)
        if change.price:
            self.check_price(instrument, change.price)
        self._change = change
        self._amendment = Amendment("0", change.source, change.request_id)
        try:
            price, quantity = change.price or order.price, change.quantity or order.quantity
            self.change(account, order, price, quantity)
        finally:
            self._amendment = NO_AMENDMENT

    def fail_amend(self, account: Account, order: Order) -> None:
        """Told as a push of its own, with the order as it was, or ended where that was asked."""
        change = self._change
        result = "1" if change.cancels_on_failure else "-1"
        text = "The order would take liquidity: post-only orders can't be amended so."
        if change.cancels_on_failure:
            self.books[order.symbol].cancel(order, reason="VENUE")
            self.lock(account, order)
        order.updated_ms = self.now_ms
        failed = Amendment(result, "", change.request_id, "51511", text)
        self.tell(account, order, Push(amendment=failed))
        self._forget_ended(account, order)

    def hold(self, account: Account, conditional: Conditional) -> None:
        """Its quantity counts what the product's orders count."""
        conditional.unit = self.rules.unit
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
        self.publish(account, algo_documents.channel(conditional), document)

    def report_accepted(self, account: Account, order: Order) -> None:
        """state `live`."""
        self.tell(account, order, Push())

    def report_amended(self, account: Account, order: Order) -> None:
        """amendResult 0."""
        self.tell(account, order, Push(amendment=self._amendment))

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """The execution; one more push closes a Spot market order (docs/venues/okx.md 3.1)."""
        closes_later = self.product == "spot" and order.is_market and not order.is_open
        state = "partially_filled" if closes_later else ""
        self.tell(account, order, Push(fill, state=state))
        if closes_later:
            self.tell(account, order, Push())
        self.tell_moved(account, fill, "filled")
        self._taken[account.name, order.symbol].append(fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """state `canceled`, cancelSource 32, for the order that prevention ended."""
        if not event.order.is_open:
            self.tell(account, event.order, Push())

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """state `canceled` with its source; a cancel has no id of its own here."""
        del cancel_id
        self.tell(account, order, Push())

    def report_contradiction(self, account: Account, order: Order) -> None:
        """`canceled` after `filled`, else `filled`."""
        state = "canceled" if order.status == "FILLED" else "filled"
        self.tell(account, order, Push(state=state))

    def settle_after(self, account: Account, symbol: str) -> None:
        """The `fills` channel sums what was taken at one price (docs/venues/okx.md 3.2)."""
        taken = self._taken.pop((account.name, symbol), [])
        for _, fills in groupby(taken, key=lambda fill: (fill.order_id, fill.price)):
            rows = list(fills)
            lean = {"data": [documents.lean_fill(rows)]}
            self.publish(account, "fills", lean, rows[-1], is_full=False)
        super().settle_after(account, symbol)

    def tell(self, account: Account, order: Order, what: Push) -> None:
        """One push on the `orders` channel."""
        instrument, last = self.instrument(order.symbol), self.last_price(order.symbol)
        document = {"data": [documents.push(order, instrument, last, what)]}
        self.publish(account, "orders", document, what.fill)

    @abstractmethod
    def tell_moved(self, account: Account, fill: Fill, reason: str) -> None:
        """Tell of the balances and positions that an execution moved."""
