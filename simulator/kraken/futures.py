"""Kraken Futures: what is told of orders and executions, and how orders end there."""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.engine import checks
from simulator.engine.contracts import ContractMarket
from simulator.engine.market import Market
from simulator.engine.rules import Amends, Fees, Forced, Rules
from simulator.instrument import Instrument, Product
from simulator.kraken import futures_documents as documents
from simulator.kraken.futures_documents import MARGIN_RATE, REASONS
from simulator.kraken.refusals import futures_refused
from simulator.kraken.reporter import Reporter
from simulator.kraken.words import account_id
from simulator.market import Request, World
from simulator.matching import Closed, Order, Prevented
from simulator.message import Document
from simulator.refusal import Refusals

OPEN_ORDERS, FAILED, FILLS = "open_orders", "failed_orders", "fills"
NAME_LENGTH_MAX = 100
TAKER_RATE = Decimal("0.0005")
REJECTED_FOR = ("POST_ONLY", "REDUCE_ONLY", "IOC", "FOK", "MARKET")
"""What an order that traded nothing was rejected for, and not canceled."""


def name_length(market: Market, account: Account, request: Request) -> None:
    """At most a hundred characters."""
    if len(request.client_order_id) > NAME_LENGTH_MAX:
        raise futures_refused("name_too_long")


def is_taking(order: Order) -> bool:
    """Whether it never rests."""
    return order.is_market or order.time_in_force in ("IOC", "FOK")


class KrakenFutures(ContractMarket):
    """Contracts of one kind."""

    refusal: ClassVar[Refusals] = futures_refused
    rules: ClassVar[Rules] = Rules(
        fees=Fees(
            maker=Decimal("0.0002"), taker=TAKER_RATE, rebate=Decimal("-0.0001"),
            step=Decimal("0.00000001"),
        ),
        checks=(
            name_length, checks.name, checks.lot, checks.tick, checks.margin, checks.closable,
        ),
        names_are_venue_wide=True,
        makes_names=False,
        margin_rate=MARGIN_RATE,
        forced={
            "LIQUIDATION": Forced(rate=TAKER_RATE, slippage=Decimal("0.02")),
            "ADL": Forced(ends_with="ADL"),
        },
        amends=Amends(keeps_turn=True, ends_at_taking=False),
    )  # fmt: skip

    def __init__(
        self, world: World, instruments: dict[str, Instrument], reporter: Reporter
    ) -> None:
        super().__init__(world, instruments)
        self.reporter = reporter

    def amend(self, account: Account, order: Order, price: Decimal, quantity: Decimal) -> None:
        """Another price or quantity, zero for the same."""
        if not order.is_open:
            raise self.refusal("no_such_order")
        instrument = self.instrument(order.symbol)
        price, quantity = price or order.price, quantity or order.quantity
        self.check_quantity(instrument, quantity)
        self.check_price(instrument, price)
        self.change(account, order, price, quantity)

    def _refuse_after_all(self, account: Account, order: Order, reason: str) -> None:
        """It was never live."""
        order.status, order.reason = "EXPIRED", reason
        self._close(account, Closed(order))

    def _name_end(self, order: Order) -> None:
        if order.status in ("EXPIRED", "EXPIRED_IN_MATCH"):
            is_rejected = order.reason in REJECTED_FOR and not order.filled
            order.status = "REJECTED" if is_rejected else "CANCELED"

    def report_accepted(self, account: Account, order: Order) -> None:
        """It rests; what takes or fails at once is told by that alone."""
        if not is_taking(order):
            self._tell_change(account, order, "new_placed_order_by_user", "OrderPlaced")

    def report_amended(self, account: Account, order: Order) -> None:
        """Its new terms."""
        self._tell_change(account, order, "edited_by_user", "OrderUpdated")

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """The execution on one feed, the order on another; either may come first."""
        row = self.reporter.number(account, fill, order)
        is_early = self.world.random.random() < 0.5
        if is_early:
            self._tell_fill(account, row, fill)
        if order.is_open:
            self._tell_change(account, order, "partial_fill", "OrderUpdated")
        elif order.status == "FILLED":
            self._tell_gone(account, order, "full_fill", "OrderUpdated")
        if not is_early:
            self._tell_fill(account, row, fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """Canceled, for the order that prevention ended."""
        if not event.order.is_open:
            self.report_closed(account, event.order)

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """Canceled or rejected; one that failed as it came is told on the verbose feed alone."""
        del cancel_id
        reason = REASONS[order.reason]
        if order.status != "REJECTED" or (order.time_in_force == "GTC" and not order.is_market):
            is_rest = order.reason in REJECTED_FOR and bool(order.filled)
            word = "partial_fill" if is_rest and is_taking(order) else reason
            self._tell_gone(account, order, word, "OrderCancelled")
            return
        self.publish(account, FAILED, documents.change(order, reason, is_cancel=True))
        self.reporter.write(account, "OrderRejected", order, reason)

    def report_forced(self, account: Account, order: Order, fill: Fill) -> None:
        """The execution; nobody promises that the venue's own order is told."""
        row = self.reporter.number(account, fill, order)
        self._tell_fill(account, row, fill)
        self.reporter.write(account, "OrderUpdated", order, "full_fill")

    def report_contradiction(self, account: Account, order: Order) -> None:
        """Canceled after it was filled, else filled."""
        reason = "cancelled_by_user" if order.status == "FILLED" else "full_fill"
        self.publish(account, OPEN_ORDERS, documents.change(order, reason, is_cancel=True))

    def transfer(self, account: Account, symbol: str, delta: Decimal) -> None:
        """A funding fee of a contract; `delta` as it changes the wallet."""
        account.balance(self.wallet, self.instrument(symbol).settle).free += delta
        self.position(account, symbol, "BOTH")
        account.position_states[symbol, "BOTH"].funding += delta
        self.reporter.touch(account)

    def _tell_change(self, account: Account, order: Order, reason: str, kind: str) -> None:
        self.publish(account, OPEN_ORDERS, documents.change(order, reason))
        self.reporter.write(account, kind, order, reason)

    def _tell_gone(self, account: Account, order: Order, reason: str, kind: str) -> None:
        """With the order, or by its id alone (docs/venues/kraken.md 3.4)."""
        face, chance = self.world.face, self.world.random
        document = documents.change(order, reason, is_cancel=True)
        # Of what goes with a partial fill only what was left says how it ended.
        if reason != "partial_fill" and chance.random() >= face.removal_has_order:
            is_named = chance.random() < face.removal_has_name
            document = documents.removal(order, reason, is_named=is_named)
        self.publish(account, OPEN_ORDERS, document)
        self.reporter.write(account, kind, order, reason)

    def _tell_fill(self, account: Account, row: Document, fill: Fill) -> None:
        document = {"username": account_id(account.name), "fills": [row]}
        self.publish(account, FILLS, document, fill)


class LinearFutures(KrakenFutures):
    """Perpetuals against a wallet of several assets, counted in base units."""

    product: ClassVar[Product] = "linear"


class InverseFutures(KrakenFutures):
    """Perpetuals of one dollar, against a wallet of their coin."""

    product: ClassVar[Product] = "inverse"
    rules: ClassVar[Rules] = replace(KrakenFutures.rules, unit="contracts")
