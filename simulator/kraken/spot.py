"""Kraken Spot: fees in quote, amends in place, two reports for a new order and a filled one."""

import re
from collections import defaultdict, deque
from decimal import Decimal
from itertools import count
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.engine import checks
from simulator.engine.market import Market
from simulator.engine.rules import Amends, Fees, Rules
from simulator.engine.spot import SpotMarket
from simulator.instrument import ZERO, Instrument
from simulator.kraken import spot_documents as documents
from simulator.kraken.refusals import spot_refused
from simulator.kraken.stamps import Stamps
from simulator.kraken.words import txid
from simulator.market import Request, World
from simulator.matching import Order, Prevented
from simulator.message import Document
from simulator.refusal import Refusals

CLIENT_ID = re.compile(
    r"[ -~]{1,18}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
SNAPSHOT_FILLS = 50


def client_id(market: Market, account: Account, request: Request) -> None:
    """A UUID, or at most 18 characters."""
    if request.client_order_id and not CLIENT_ID.fullmatch(request.client_order_id):
        raise spot_refused("bad", name="cl_ord_id")


class KrakenSpot(SpotMarket):
    """Kraken Spot."""

    refusal: ClassVar[Refusals] = spot_refused
    rules: ClassVar[Rules] = Rules(
        fees=Fees(
            maker=Decimal("0.0016"), taker=Decimal("0.0026"), step=Decimal("0.00001"), asset="quote"
        ),
        checks=(
            client_id, checks.name, checks.lot, checks.tick, checks.notional, checks.funds,
        ),
        names_are_venue_wide=True,
        makes_names=False,
        ended_as={"EXPIRED_IN_MATCH": "CANCELED"},
        amends=Amends(keeps_turn=True, ends_at_taking=False),
    )  # fmt: skip

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self.stamps = Stamps()
        self.closed: dict[str, list[Order]] = defaultdict(list)
        """By account, in the order of their ends."""
        self.last_fills: dict[str, deque[Document]] = defaultdict(
            lambda: deque(maxlen=SNAPSHOT_FILLS)
        )
        """The reports of the last executions, for snapshots."""
        self.ledger = count(1)
        self.amendments = count(1)

    def amend(self, account: Account, order: Order, price: Decimal, quantity: Decimal) -> str:
        """Another price or quantity, zero for the same; the amend's id.

        A quantity that is executed already is taken, and ends the order (docs/venues/kraken.md 12,
        trap 17).
        """
        if not order.is_open:
            raise self.refusal("no_such_order")
        if not price and not quantity:
            raise self.refusal("unchanged")
        instrument = self.instrument(order.symbol)
        if quantity:
            self.check_quantity(instrument, quantity)
        if price:
            self.check_price(instrument, price)
        price, quantity = price or order.price, quantity or order.quantity
        if quantity <= order.filled:
            self._end_amended(account, order, quantity)
        else:
            self.change(account, order, price, quantity)
        return txid("T", next(self.amendments) << 40)

    def _end_amended(self, account: Account, order: Order, quantity: Decimal) -> None:
        order.updated_ms = self.now_ms
        self._tell(account, documents.amended_report(order, self._at(order), quantity))
        if self.world.face.amend_below_filled == "CANCELED":
            self.cancel(account, order)
            return
        self.books[order.symbol].cancel(order, "FILLED", "")
        order.quantity = order.filled
        self.lock(account, order)
        self._tell(account, documents.filled_report(order, self.stamps.closed(order)))
        self._forget_ended(account, order)

    def _name_end(self, order: Order) -> None:
        """Only time lets an order expire; all else cancels it."""
        super()._name_end(order)
        if order.status == "EXPIRED" and order.reason != "VENUE":
            order.status = "CANCELED"

    def _refuse_after_all(self, account: Account, order: Order, reason: str) -> None:
        super()._refuse_after_all(account, order, reason)
        self._forget_ended(account, order)

    def _forget_ended(self, account: Account, order: Order) -> None:
        is_known_open = (order.symbol, order.order_id) in account.open_orders[self.product]
        if not order.is_open and is_known_open:
            self.closed[account.name].append(order)
        super()._forget_ended(account, order)

    def _chance(self, name: str) -> bool:
        return bool(self.world.random.random() < getattr(self.world.face, name))

    def _at(self, order: Order) -> int:
        return self.stamps.at(order.updated_ms)

    def report_accepted(self, account: Account, order: Order) -> None:
        """`pending_new` with the terms, then `new` almost without any."""
        self._tell(account, documents.pending_report(order, self.stamps.opened(order)))
        is_named = self._chance("follow_up_has_name")
        self._tell(account, documents.new_report(order, self._at(order), is_named=is_named))

    def report_amended(self, account: Account, order: Order) -> None:
        """Its new terms."""
        self._tell(account, documents.amended_report(order, self._at(order), order.quantity))

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """The execution, the end where it was the last, and the ledger."""
        status = documents.STATUSES[order.status]
        if status == "filled" and self._chance("last_fill_is_partial"):
            status = "partially_filled"
        us = self.stamps.filled(fill)
        report = documents.trade_report(order, fill, us, status)
        self.last_fills[account.name].append(report)
        self._tell(account, report, fill)
        if order.status == "FILLED":
            self._tell(account, documents.filled_report(order, self.stamps.closed(order)))
        self._tell_ledger(account, fill, us)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """Canceled, for the order that prevention ended."""
        if not event.order.is_open:
            self.report_closed(account, event.order)

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """Canceled or expired; a cancel has no id of its own here."""
        del cancel_id
        status = documents.STATUSES[order.status]
        self._tell(account, documents.ended_report(order, self.stamps.closed(order), status))

    def report_contradiction(self, account: Account, order: Order) -> None:
        """`canceled` after `filled`, else `filled`."""
        us = self.stamps.at(self.now_ms)
        if order.status == "FILLED":
            self._tell(account, documents.ended_report(order, us, "canceled"))
        else:
            self._tell(account, documents.filled_report(order, us))

    def report_transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """One entry of the ledger."""
        kind = "deposit" if delta > 0 else "withdrawal"
        number, us = next(self.ledger), self.stamps.at(self.now_ms)
        entry = (asset, delta, ZERO, self.held(account, asset))
        row = documents.ledger_row(number, kind, txid("F", number), us, entry)
        self.publish(account, "balances", {"data": [row]})

    def held(self, account: Account, asset: str) -> Decimal:
        """All of an asset, free or not."""
        row = account.balance(self.wallet, asset)
        return row.free + row.locked

    def _tell_ledger(self, account: Account, fill: Fill, us: int) -> None:
        instrument, cost = self.instrument(fill.symbol), fill.price * fill.quantity
        reference, sign = txid("T", fill.number), 1 if fill.side == "BUY" else -1
        moved = (
            (instrument.base, sign * fill.quantity, ZERO),
            (instrument.quote, -sign * cost, fill.fee),
        )
        rows = [
            documents.ledger_row(
                next(self.ledger), "trade", reference, us, (*entry, self.held(account, entry[0]))
            )
            for entry in moved
        ]
        self.publish(account, "balances", {"data": rows})

    def _tell(self, account: Account, report: Document, fill: Fill | None = None) -> None:
        self.publish(account, "executions", {"data": [report]}, fill)
