"""The Spot market of Binance: one report per change, with the balances after it."""

from collections import defaultdict
from decimal import Decimal
from itertools import count
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.binance import spot_documents as documents
from simulator.binance.calls import BinanceMarket
from simulator.binance.refusals import spot_refusal
from simulator.engine import checks
from simulator.engine.rules import Fees, Rules
from simulator.engine.spot import SpotMarket as EngineSpot
from simulator.instrument import Instrument
from simulator.market import Request, World, random_id
from simulator.matching import Order, Prevented, Traded
from simulator.message import Document
from simulator.refusal import Refusals

BNB_FEE_RATE = Decimal("0.00075")
AMENDMENTS_MAX = 10
FIRST_EXECUTION_ID = 15_501_001


class SpotMarket(BinanceMarket, EngineSpot):
    """Binance Spot."""

    refusal: ClassVar[Refusals] = spot_refusal
    rules: ClassVar[Rules] = Rules(
        fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.001"), step=Decimal("0.00000001")),
        checks=(
            checks.lot, checks.tick, checks.notional, checks.name, checks.funds, checks.post_only,
        ),
        endowment={"BNB": Decimal(100_000)},
        presumed_price="ask",
    )  # fmt: skip

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self._execution_ids: dict[str, count[int]] = defaultdict(lambda: count(FIRST_EXECUTION_ID))
        self._match_ids = count(1)

    def amend(self, account: Account, order: Order, quantity: Decimal, new_id: str = "") -> int:
        """Lower an order's quantity in its place and return the execution id of the report.

        The order is renamed to `new_id`, or to a random id (docs/venues/binance.md 5).
        """
        if not order.is_open:
            raise self.refusal("no_such_order")
        if quantity == order.quantity:
            raise self.refusal("unchanged")
        if quantity > order.quantity:
            raise self.refusal("increase")
        is_executed = quantity <= order.filled + order.prevented
        if is_executed or quantity % self.instrument(order.symbol).lot:
            raise self.refusal("lot")
        if order.amendments >= AMENDMENTS_MAX:
            raise self.refusal("amended_too_often")
        self.note(order)
        original = order.client_order_id
        order.client_order_id = new_id or self.made_id()
        account.by_client_id[self.product, order.symbol, order.client_order_id] = order
        self.books[order.symbol].reduce(order, quantity)
        order.updated_ms = self.now_ms
        return self._tell(account, order, "REPLACED", original=original)

    def reject(self, account: Account, request: Request) -> Order:
        """An order that the engine refuses after it got an id, told as x=REJECTED.

        In practice only the new leg of a cancel-replace ends so (docs/venues/binance.md 3.1).
        """
        order = self._make_order(account.name, request)
        order.status, order.reason = "REJECTED", "INSUFFICIENT_BALANCES"
        account.remember(self.product, order)
        account.forget_open(self.product, order)
        self._tell(account, order, "REJECTED")
        return order

    def fee_of(self, account: Account, order: Order, event: Traded) -> tuple[Decimal, str]:
        """As everywhere, or now and then in BNB."""
        bnb = self.instruments.get(f"BNB{self.instrument(order.symbol).quote}")
        if account.config.pays_bnb and bnb and self.world.random.random() < 0.5:
            fee = event.price * event.quantity * BNB_FEE_RATE / bnb.start_price
            return self.rounded_fee(fee), "BNB"
        return super().fee_of(account, order, event)

    def report_transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """balanceUpdate, then the balance."""
        self.tell(account, documents.balance_update(asset, delta, self.now_ms))
        self.tell(account, documents.account_position(account, (asset,), self.now_ms))

    def order_row(self, order: Order) -> Document:
        """As look-ups show it."""
        return documents.query_row(order, self.instrument(order.symbol))

    def fill_row(self, fill: Fill) -> Document:
        """As look-ups show it."""
        return documents.trade_row(fill, self.instrument(fill.symbol))

    def report_accepted(self, account: Account, order: Order) -> None:
        """x=NEW."""
        self._tell(account, order, "NEW")

    def report_amended(self, account: Account, order: Order) -> None:
        """Amends go through `amend`, which knows the old id."""
        raise AssertionError("Spot amends do not pass through matching")

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """x=TRADE."""
        self._tell(account, order, "TRADE", fill=fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """x=TRADE_PREVENTION; X stays open where the mode only decrements."""
        instrument = self.instrument(event.order.symbol)
        extra = documents.prevention_fields(event, instrument, next(self._match_ids))
        self._tell(account, event.order, "TRADE_PREVENTION", extra=extra)

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """x=CANCELED with the cancel's id in `c`, or x=EXPIRED with the order's own."""
        shown = original = ""
        if order.status == "CANCELED":
            shown = cancel_id or random_id(self.world.random)
            original = order.client_order_id
        self._tell(account, order, order.status, shown=shown, original=original)

    def report_contradiction(self, account: Account, order: Order) -> None:
        """CANCELED after FILLED, else EXPIRED."""
        status, reason = order.status, order.reason
        order.status, order.reason = ("CANCELED" if status == "FILLED" else "EXPIRED"), "VENUE"
        self.report_closed(account, order)
        order.status, order.reason = status, reason

    def _tell(  # noqa: PLR0913 (keywords that most callers leave out)
        self,
        account: Account,
        order: Order,
        execution_type: str,
        *,
        shown: str = "",
        original: str = "",
        fill: Fill | None = None,
        extra: Document | None = None,
    ) -> int:
        instrument = self.instrument(order.symbol)
        report = documents.Report(
            execution_type=execution_type,
            execution_id=next(self._execution_ids[order.symbol]),
            now_ms=self.now_ms,
            client_order_id=shown or order.client_order_id,
            original_client_order_id=original,
            fill=fill,
            is_on_book=order.is_open and not order.is_market,
        )
        document = documents.execution_report(order, instrument, report) | (extra or {})
        self.tell(account, document, fill)
        assets = (instrument.base, instrument.quote, *((fill.fee_currency,) if fill else ()))
        self.tell(account, documents.account_position(account, assets, self.now_ms))
        return report.execution_id
