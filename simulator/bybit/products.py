"""Bybit's three products: coins, and contracts that settle in quote or in base."""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.bybit import account_documents, words
from simulator.bybit import order_documents as documents
from simulator.bybit.account_documents import WALLET
from simulator.bybit.market import CHECKS, ENDED_AS, BybitMarket
from simulator.bybit.refusals import refused_spot
from simulator.bybit.shared import Note
from simulator.conditional import Conditional, Trigger
from simulator.engine import checks
from simulator.engine.contracts import ContractMarket
from simulator.engine.rules import Amends, Fees, Forced, Rules
from simulator.engine.spot import SpotMarket as EngineSpot
from simulator.instrument import ZERO, Product, opposite
from simulator.market import Request
from simulator.matching import Order, Traded
from simulator.message import Document
from simulator.refusal import Refusals

STEP = Decimal("0.00000001")
AMENDS = Amends(keeps_turn=True, ends_at_taking=False)
REBATE = Decimal("-0.00005")
MNT, MNT_PRICE, MNT_SHARE = "MNT", Decimal("1.25"), Decimal("0.75")
TAKER = Decimal("0.00055")


class SpotMarket(BybitMarket, EngineSpot):
    """Coins: a fee is taken from what is received, but for a maker's rebate."""

    refusal: ClassVar[Refusals] = refused_spot
    rules: ClassVar[Rules] = Rules(
        fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.001"), step=STEP),
        checks=(*CHECKS, checks.funds),
        wallet=WALLET,
        endowment={MNT: Decimal(1_000_000)},
        makes_names=False,
        ended_as=ENDED_AS,
        amends=AMENDS,
    )

    def fee_of(self, account: Account, order: Order, event: Traded) -> tuple[Decimal, str]:
        """With a rebate a maker gets the other coin; who pays in MNT pays less, now and then."""
        instrument, is_maker = self.instrument(order.symbol), order is event.maker
        value = event.quantity * event.price
        if is_maker and account.config.has_rebate:
            is_buy = order.side == "BUY"
            share = value if is_buy else event.quantity
            return self.rounded_fee(share * REBATE), instrument.quote if is_buy else instrument.base
        if account.config.pays_bnb and order.order_id % 2:
            return self.rounded_fee(value * TAKER * MNT_SHARE / MNT_PRICE), MNT
        return super().fee_of(account, order, event)

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Both coins change."""
        instrument = self.instrument(order.symbol)
        self.touch(account, instrument.base, instrument.quote)
        return super().settle(account, order, event, trade_id)

    def report_transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """The balance alone shows it."""
        self.touch(account, asset)
        self.tell_wallet(account)


class Contracts(BybitMarket, ContractMarket):
    """Perpetuals of one kind."""

    rules: ClassVar[Rules] = Rules(
        fees=Fees(maker=Decimal("0.0002"), taker=TAKER, rebate=REBATE, step=STEP),
        checks=(*CHECKS, checks.position_side, checks.margin, checks.closable),
        wallet=WALLET,
        makes_names=False,
        ended_as=ENDED_AS,
        margin_rate=Decimal("0.1"),
        forced={
            "LIQUIDATION": Forced(
                time_in_force="IOC", category="CreateByLiq", rate=TAKER, slippage=Decimal("0.02")
            ),
            "ADL": Forced(time_in_force="IOC", category=words.DELEVERAGING, ends_with="ADL"),
        },
        amends=AMENDS,
    )

    def announce_forced(self, account: Account, order: Order) -> None:
        """A liquidation goes by steps, as trades, or is a takeover of the whole."""
        if order.forced == "LIQUIDATION" and self.world.random.random() < 0.5:
            order.category = words.TAKEOVER

    def report_forced(self, account: Account, order: Order, fill: Fill) -> None:
        """As any execution; what was to close the position is dropped."""
        self.report_fill(account, order, fill)
        self._drop_closing(account, order.symbol)

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        """A filled order's take-profit and stop-loss become orders."""
        self.touch(account, fill.fee_currency)
        super().report_fill(account, order, fill)
        note = self.shared.notes[order.order_id]
        if order.status == "FILLED":
            for kind, price in (("TakeProfit", note.take_profit), ("StopLoss", note.stop_loss)):
                if price:
                    self.hold(account, self._closing(order, kind, price))

    def _closing(self, order: Order, kind: str, price: Decimal) -> Conditional:
        """An order that closes the whole position at a price, for better or worse."""
        side = opposite(order.side)
        request = Request(
            order.symbol, side, ZERO, order_type="MARKET", time_in_force="IOC",
            position_side=order.position_side, reduce_only=True,
        )  # fmt: skip
        is_above = (side == "SELL") == (kind == "TakeProfit")
        made = self.world.numbers.conditional(self.product)
        self.shared.notes[made] = Note(parent_name=order.client_order_id)
        return Conditional(
            made, order.owner, self.product, order.symbol, side, kind, ZERO,
            (Trigger(price, is_above, request),), position_side=order.position_side,
            reduce_only=True, closes_position=True, price_type="LastPrice",
        )  # fmt: skip

    def settle_after(self, account: Account, symbol: str) -> None:
        """What would close a position that is gone is dropped."""
        super().settle_after(account, symbol)
        self._drop_closing(account, symbol)

    def _drop_closing(self, account: Account, symbol: str) -> None:
        for conditional in list(self.waiting[symbol].values()):
            is_own = conditional.owner == account.name and conditional.closes_position
            if is_own and not account.amount_of(symbol, conditional.position_side):
                self.end_conditional(account, conditional, reason="POSITION")

    def transfer(self, account: Account, symbol: str, delta: Decimal) -> None:
        """Funding, which stands among the executions (docs/venues/bybit.md, trap 8)."""
        instrument = self.instrument(symbol)
        side = "LONG" if account.config.is_hedged else "BOTH"
        account.balance(WALLET, instrument.settle).free += delta
        self.position(account, symbol, side)
        account.position_states[symbol, side].funding += delta
        numbers, last = self.world.numbers, self.last_price(symbol)
        payment = Fill(
            account.name, self.product, symbol, numbers.trade(self.product, symbol),
            numbers.order(self.product, symbol), "", "BUY", last, instrument.lot, -delta,
            instrument.settle, False, self.now_ms, side, number=numbers.fill(),
        )  # fmt: skip
        self.shared.payments[account.name].append(payment)
        push = documents.execution_push(self.execution(payment), payment, instrument)
        self._push(account, "execution", [push])
        self.touch(account, instrument.settle)
        self.tell_wallet(account)

    def tell_position(self, account: Account, symbol: str) -> None:
        """Both legs, changed or not (docs/venues/bybit.md, trap 11)."""
        instrument, last = self.instrument(symbol), self.last_price(symbol)
        rows = [
            account_documents.position_push(account, instrument, side, last)
            for side in self.legs(account, symbol)
        ]
        self._push(account, "position", rows)

    def legs(self, account: Account, symbol: str) -> tuple[str, ...]:
        """One, or in hedge mode two."""
        sides = ("LONG", "SHORT") if account.config.is_hedged else ("BOTH",)
        for side in sides:
            self.position(account, symbol, side)
        return sides

    def position_row(self, account: Account, symbol: str, side: str) -> Document:
        """One leg as REST lists it."""
        instrument, last = self.instrument(symbol), self.last_price(symbol)
        return account_documents.position_row(account, instrument, side, last)

    def closed_by(self, account: Account, fill: Fill) -> Decimal:
        """What went against the position as it was before."""
        change = fill.signed_quantity
        before = account.amount_of(fill.symbol, fill.position_side) - change
        return min(abs(before), abs(change)) if before * change < 0 else ZERO


class LinearMarket(Contracts):
    """Contracts that settle in USDT or USDC."""

    product: ClassVar[Product] = "linear"


class InverseMarket(Contracts):
    """Contracts of one dollar that settle in their base."""

    product: ClassVar[Product] = "inverse"
    rules: ClassVar[Rules] = replace(Contracts.rules, unit="contracts")
