"""The Spot market: balances, fees in the asset received, one report per change."""

from decimal import ROUND_DOWN, Decimal
from itertools import count
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.binance import spot_documents as documents
from simulator.binance.market import BinanceMarket
from simulator.binance.refusals import Refusal
from simulator.instrument import ZERO, Instrument, Product
from simulator.market import Request, World, random_id
from simulator.matching import Closed, Order, Prevented, Traded
from simulator.message import Document, Message

FEE_RATE = Decimal("0.001")
BNB_FEE_RATE = Decimal("0.00075")
ASSET_STEP = Decimal("0.00000001")
FIRST_NOTIONAL = Decimal(50_000_000)
"""What an account has of each asset at the start, in quote units."""
AMENDMENTS_MAX = 10


class SpotMarket(BinanceMarket):
    """Binance Spot."""

    product: ClassVar[Product] = "spot"

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self._match_ids = count(1)
        for account in world.accounts.values():
            for symbol in account.config.symbols.get("spot", ()):
                self._endow(account, self.instrument(symbol))

    def amend(self, account: Account, order: Order, quantity: Decimal, new_id: str = "") -> int:
        """Lower an order's quantity in its place and return the execution id of the report.

        The order is renamed to `new_id`, or to a random id (docs/venues/binance.md 5).
        """
        if not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        if quantity == order.quantity:
            raise Refusal(-2038, "The requested action would change no state; rejecting")
        if quantity > order.quantity:
            raise Refusal(-2038, "Order amend (quantity increase) is not supported.")
        is_executed = quantity <= order.filled + order.prevented
        if is_executed or quantity % self.instrument(order.symbol).lot:
            raise self.refusal_filter("LOT_SIZE")
        if order.amendments >= AMENDMENTS_MAX:
            raise Refusal(-2038, "Order amend limit reached.")
        original = order.client_order_id
        order.client_order_id = new_id or random_id(self.world.random)
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
        self._tell(account, order, "REJECTED")
        return order

    def transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """A deposit (above zero) or withdrawal."""
        account.balance("spot", asset).free += delta
        self._publish(account, documents.balance_update(asset, delta, self.now_ms))
        self._publish(account, documents.account_position(account, (asset,), self.now_ms))

    def check_funds(self, account: Account, request: Request) -> None:
        """The quote for a purchase, the base for a sale."""
        instrument = self.instrument(request.symbol)
        if request.side == "SELL":
            needed, asset = request.quantity, instrument.base
        else:
            best = self.books[request.symbol].asks.best()
            price = request.price or (best.price if best else ZERO)
            needed, asset = request.quantity * price, instrument.quote
        if account.balance("spot", asset).free < needed:
            raise Refusal(-2010, "Account has insufficient balance for requested action.")

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Exchange base for quote; the fee is taken from what is received, or in BNB."""
        instrument = self.instrument(order.symbol)
        cost = event.price * event.quantity
        self._relock(account, order)
        is_buy = order.side == "BUY"
        change = event.quantity if is_buy else -event.quantity
        account.balance("spot", instrument.base).free += change
        account.balance("spot", instrument.quote).free += -cost if is_buy else cost
        fee, currency = self._fee(account, order, event)
        account.balance("spot", currency).free -= fee
        return Fill(
            account=account.name,
            product="spot",
            symbol=order.symbol,
            trade_id=trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            price=event.price,
            quantity=event.quantity,
            fee=fee,
            fee_currency=currency,
            is_maker=order is event.maker,
            venue_ms=self.now_ms,
        )

    def report_accepted(self, account: Account, order: Order) -> None:
        """x=NEW."""
        self._relock(account, order)
        self._tell(account, order, "NEW")

    def report_amended(self, account: Account, order: Order) -> None:
        """Amends go through `amend`, which knows the old id."""
        raise AssertionError("Spot amends do not pass through matching")

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """x=TRADE."""
        self._tell(account, order, "TRADE", fill=fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """x=TRADE_PREVENTION; X stays open where the mode only decrements."""
        order, instrument = event.order, self.instrument(event.order.symbol)
        self._relock(account, order)
        extra = documents.prevention_fields(event, instrument, next(self._match_ids))
        self._tell(account, order, "TRADE_PREVENTION", extra=extra)

    def report_closed(self, account: Account, event: Closed, cancel_id: str = "") -> None:
        """x=CANCELED with the cancel's id in `c`, or x=EXPIRED with the order's own."""
        order = event.order
        self._relock(account, order)
        if order.status == "CANCELED":
            shown = cancel_id or random_id(self.world.random)
            self._tell(account, order, "CANCELED", shown=shown, original=order.client_order_id)
        else:
            self._tell(account, order, "EXPIRED")

    def report_contradiction(self, account: Account, order: Order) -> None:
        """CANCELED after FILLED, else EXPIRED."""
        status, reason = order.status, order.reason
        order.status, order.reason = ("CANCELED" if status == "FILLED" else "EXPIRED"), "VENUE"
        shown = random_id(self.world.random) if order.status == "CANCELED" else ""
        original = order.client_order_id if shown else ""
        self._tell(account, order, order.status, shown=shown, original=original)
        order.status, order.reason = status, reason

    def refusal_duplicate(self) -> Refusal:
        """-2010 with its text."""
        return Refusal(-2010, "Duplicate order sent.")

    def refusal_post_only(self) -> Refusal:
        """-2010 with its text."""
        return Refusal(-2010, "Order would immediately match and take.")

    def refusal_filter(self, name: str) -> Refusal:
        """-1013 with the filter's name."""
        return Refusal(-1013, f"Filter failure: {name}")

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
            execution_id=next(self.execution_ids[order.symbol]),
            now_ms=self.now_ms,
            client_order_id=shown or order.client_order_id,
            original_client_order_id=original,
            fill=fill,
            is_on_book=order.is_open and not order.is_market,
        )
        document = documents.execution_report(order, instrument, report) | (extra or {})
        self._publish(account, document, fill)
        assets = (instrument.base, instrument.quote, *((fill.fee_currency,) if fill else ()))
        self._publish(account, documents.account_position(account, assets, self.now_ms))
        if not order.is_open:
            account.forget_open(self.product, order)
        return report.execution_id

    def _publish(self, account: Account, document: Document, fill: Fill | None = None) -> None:
        self.world.publish(Message(account.name, "spot", document["e"], document, fill))

    def _relock(self, account: Account, order: Order) -> None:
        instrument = self.instrument(order.symbol)
        needs_lock = order.is_open and not order.is_market
        per_unit = order.price if order.side == "BUY" else Decimal(1)
        needed = order.remaining * per_unit if needs_lock else ZERO
        asset = instrument.quote if order.side == "BUY" else instrument.base
        balance = account.balance("spot", asset)
        balance.free += order.locked - needed
        balance.locked += needed - order.locked
        order.locked = needed

    def _fee(self, account: Account, order: Order, event: Traded) -> tuple[Decimal, str]:
        instrument = self.instrument(order.symbol)
        notional = event.price * event.quantity
        bnb = self.instruments.get(f"BNB{instrument.quote}")
        if account.config.pays_bnb and bnb and self.world.random.random() < 0.5:
            fee, currency = notional * BNB_FEE_RATE / bnb.start_price, "BNB"
        elif order.side == "BUY":
            fee, currency = event.quantity * FEE_RATE, instrument.base
        else:
            fee, currency = notional * FEE_RATE, instrument.quote
        return fee.quantize(ASSET_STEP, ROUND_DOWN), currency

    def _endow(self, account: Account, instrument: Instrument) -> None:
        amount = instrument.quantity_for(FIRST_NOTIONAL, instrument.start_price)
        account.balance("spot", instrument.base).free = amount
        account.balance("spot", instrument.quote).free = FIRST_NOTIONAL * 10
        account.balance("spot", "BNB").free = Decimal(100_000)
