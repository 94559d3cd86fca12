"""The USD-M market of Binance: the events that come with each change and each fill."""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.binance import algo_documents
from simulator.binance import usdm_documents as documents
from simulator.binance.calls import BinanceMarket
from simulator.binance.refusals import linear_refusal
from simulator.conditional import Conditional, Trigger
from simulator.engine import checks
from simulator.engine.contracts import ContractMarket
from simulator.engine.reducing import closable_by, is_reducing
from simulator.engine.rules import Fees, Forced, Rules
from simulator.instrument import Instrument, Product
from simulator.market import Request, World
from simulator.matching import Order, Prevented
from simulator.message import Document
from simulator.refusal import Refusals
from simulator.wire.switches import Switches


class UsdmMarket(BinanceMarket, ContractMarket):
    """Binance USD-M futures."""

    product: ClassVar[Product] = "linear"
    refusal: ClassVar[Refusals] = linear_refusal
    rules: ClassVar[Rules] = Rules(
        fees=Fees(
            maker=Decimal("0.0002"),
            taker=Decimal("0.0005"),
            rebate=Decimal("-0.00005"),
            step=Decimal("0.00000001"),
        ),
        checks=(
            checks.lot, checks.tick, checks.notional, checks.name, checks.position_side,
            checks.no_reduce_only_when_hedged, checks.margin, checks.closable, checks.fillable,
            checks.post_only,
        ),
        margin_rate=documents.MARGIN_RATE,
        presumed_price="start",
        forced={
            "LIQUIDATION": Forced(
                order_type="LIQUIDATION",
                time_in_force="IOC",
                name="autoclose-{number}",
                rate=Decimal("0.0125"),
                slippage=Decimal("0.02"),
            ),
            "ADL": Forced(order_type="LIMIT", time_in_force="IOC", name="adl_autoclose"),
        },
    )  # fmt: skip

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self.switches = Switches(world.clock.now_ms)
        self._modify_id = ""
        self._traded_at: dict[str, Decimal] = {}
        """The last price of each symbol, whoever traded."""
        self._amended = (-1, -1)
        """`T` and `E` of the last amendment that was told."""
        self._told: dict[int, str] = {}
        """The word last told of each conditional order."""
        self._deleveraged = 0

    def amend(
        self, account: Account, order: Order, price: Decimal, quantity: Decimal, modify_id: str = ""
    ) -> Order:
        """New price and quantity; the order queues again.

        A quantity at or below what is executed, and a GTX order that would take, end the order
        while the call itself succeeds (docs/venues/binance.md 12, trap 12).
        """
        if not order.is_open:
            raise self.refusal("no_such_order")
        if (price, quantity) == (order.price, order.quantity):
            raise self.refusal("unchanged")
        instrument = self.instrument(order.symbol)
        self.check_quantity(instrument, quantity)
        self.check_price(instrument, price)
        self._modify_id = modify_id
        self.change(account, order, price, quantity)
        return order

    def transfer(self, account: Account, reason: str, delta: Decimal, symbol: str = "") -> None:
        """A deposit, withdrawal or funding fee; `delta` as it changes the wallet."""
        account.balance("linear", "USDT").free += delta
        touched = documents.Touched(reason, "USDT", delta, symbol)
        self.tell(account, documents.account_update(account, touched, self.now_ms))

    def check_conditional(self, account: Account, conditional: Conditional) -> None:
        """Refused where it may not wait: its price is reached already, or its name is taken."""
        trigger, last = conditional.triggers[0], self._traded_at.get(conditional.symbol)
        if last is not None and not trigger.callback and trigger.is_reached(last):
            raise self.refusal("triggers_at_once")
        name = conditional.client_order_id
        waiting = self.waiting[conditional.symbol].values()
        if name and any(one.client_order_id == name for one in waiting):
            raise self.refusal("duplicate")

    def hold(self, account: Account, conditional: Conditional) -> None:
        """As all markets; one without a name gets one."""
        conditional.client_order_id = conditional.client_order_id or self.made_id()
        conditional.price_type = conditional.price_type or "CONTRACT_PRICE"
        super().hold(account, conditional)

    def becomes(
        self, account: Account, conditional: Conditional, trigger: Trigger
    ) -> list[Request]:
        """One order of the same name; a reducing one is cut to what is held."""
        self._tell_algo(account, conditional, "TRIGGERING")
        terms = replace(trigger.request, client_order_id=conditional.client_order_id)
        if conditional.closes_position:  # a leg of a hedged account is closed by its side alone
            terms = replace(terms, reduce_only=not account.config.is_hedged)
        held = closable_by(terms, account.amount_of(terms.symbol, terms.position_side))
        most = held if held and is_reducing(terms) else None
        return [
            replace(terms, quantity=min(one.quantity, most or one.quantity))
            for one in super().becomes(account, conditional, trigger)
        ]

    def report_conditional(self, account: Account, conditional: Conditional) -> None:
        """ALGO_UPDATE, once for each word; and what the older wire says of a refused trigger."""
        word = algo_documents.algo_word(conditional)
        if self._told.get(conditional.order_id) == word:
            return
        self._tell_algo(account, conditional, word)
        if word == "REJECTED":
            rejected = algo_documents.trigger_reject(conditional, self.now_ms)
            self.tell(account, rejected)

    def _tell_algo(self, account: Account, conditional: Conditional, word: str) -> None:
        conditional.updated_ms = self.now_ms
        self._told[conditional.order_id] = word
        instrument = self.instrument(conditional.symbol)
        update = algo_documents.algo_update(conditional, word, instrument, self.now_ms)
        self.tell(account, update)

    def _reach(self, symbol: str, price: Decimal) -> None:
        self._traded_at[symbol] = price
        super()._reach(symbol, price)

    def order_row(self, order: Order) -> Document:
        """As look-ups show it."""
        return documents.query_row(order, self.instrument(order.symbol))

    def fill_row(self, fill: Fill) -> Document:
        """As look-ups show it."""
        return documents.trade_row(fill, self.instrument(fill.symbol))

    def report_accepted(self, account: Account, order: Order) -> None:
        """x=NEW; the conditional order that became it is TRIGGERED then."""
        self._tell(account, order, "NEW")
        if order.parent is not None:
            self.report_conditional(account, order.parent)

    def report_amended(self, account: Account, order: Order) -> None:
        """x=AMENDMENT, with `M` where the caller named a modifyId.

        `T` may be that of the one before; `E` is always a later one.
        """
        told_ms = self.now_ms
        if self._amended[0] == order.updated_ms:
            told_ms = max(told_ms, self._amended[1] + 1)
        self._amended = (order.updated_ms, told_ms)
        update = documents.Update("AMENDMENT", told_ms, modify_id=self._modify_id)
        self._send_update(account, order, update)

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """TRADE_LITE first, then the full event, then the account."""
        instrument = self.instrument(order.symbol)
        lite = documents.trade_lite(order, instrument, fill, self.now_ms)
        self.tell(account, lite, fill, is_full=False)
        self._send_update(account, order, documents.Update("TRADE", self.now_ms, fill))
        self._tell_account(account, fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """x=EXPIRED, X=EXPIRED_IN_MATCH."""
        self._tell(account, event.order, "EXPIRED")

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        """x=CANCELED or EXPIRED; a cancel has no id of its own here."""
        del cancel_id
        self._tell(account, order, order.status)

    def report_contradiction(self, account: Account, order: Order) -> None:
        """CANCELED after FILLED, else EXPIRED."""
        status = order.status
        order.status = "CANCELED" if status == "FILLED" else "EXPIRED"
        self._tell(account, order, order.status)
        order.status = status

    def announce_forced(self, account: Account, order: Order) -> None:
        """x=CALCULATED before a liquidation has executed anything."""
        if order.forced == "LIQUIDATION":
            self._tell(account, order, "CALCULATED")

    def report_forced(self, account: Account, order: Order, fill: Fill) -> None:
        """x=CALCULATED; a deleveraging now in one way, now in the other.

        docs/venues/binance.md 3.2.
        """
        update = documents.Update("CALCULATED", self.now_ms, fill)
        if order.forced == "ADL":
            self._deleveraged += 1
            update = replace(update, execution_type="NEW")
            if self._deleveraged % 2:
                update = replace(
                    update, execution_type="CALCULATED", status="NEW_ADL", has_fee=False
                )
        self._send_update(account, order, update)
        self._tell_account(account, fill)

    def _tell(self, account: Account, order: Order, execution_type: str) -> None:
        self._send_update(account, order, documents.Update(execution_type, self.now_ms))

    def _send_update(self, account: Account, order: Order, update: documents.Update) -> None:
        document = documents.order_trade_update(order, self.instrument(order.symbol), update)
        self.tell(account, document, update.fill)
        if not order.is_open and order.parent is not None:
            self.report_conditional(account, order.parent)

    def _tell_account(self, account: Account, fill: Fill) -> None:
        touched = documents.Touched(
            "ORDER", fill.fee_currency, symbol=fill.symbol, position_side=fill.position_side
        )
        self.tell(account, documents.account_update(account, touched, self.now_ms))
