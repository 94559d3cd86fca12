"""Spot: base for quote, what open orders need is held back, fees from what is received."""

from abc import abstractmethod
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.engine.market import Market
from simulator.instrument import ZERO, Instrument, Product
from simulator.market import Request, World
from simulator.matching import Order, Traded

FIRST_NOTIONAL = Decimal(50_000_000)
"""What an account has of each base asset at the start, in quote units; ten times that in quote."""


class SpotMarket(Market):
    """One venue's Spot."""

    product: ClassVar[Product] = "spot"

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        for account in world.accounts.values():
            for symbol in account.config.symbols.get("spot", ()):
                self._endow(account, self.instrument(symbol))

    def terms(self, request: Request) -> Request:
        """No position side; a quantity in base, whatever the order was sized in."""
        quantity = self.worth(request) if request.quote_size else request.quantity
        return replace(request, position_side="BOTH", quantity=quantity)

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Exchange base for quote and take the fee."""
        instrument = self.instrument(order.symbol)
        cost, is_buy = event.price * event.quantity, order.side == "BUY"
        self.lock(account, order)
        change = event.quantity if is_buy else -event.quantity
        account.balance(self.wallet, instrument.base).free += change
        account.balance(self.wallet, instrument.quote).free += -cost if is_buy else cost
        fee, asset = self.fee_of(account, order, event)
        account.balance(self.wallet, asset).free -= fee
        fill = self._make_fill(order, (event.price, event.quantity), (fee, asset), trade_id)
        fill.is_maker = order is event.maker
        return fill

    def fee_of(self, account: Account, order: Order, event: Traded) -> tuple[Decimal, str]:
        """What a side of a trade pays, and in which asset."""
        instrument, fees = self.instrument(order.symbol), self.rules.fees
        rate = fees.maker if order is event.maker else fees.taker
        in_quote = fees.asset == "quote" or (fees.asset == "chosen" and account.config.pays_quote)
        if order.side == "BUY" and not in_quote:
            return self.rounded_fee(event.quantity * rate), instrument.base
        return self.rounded_fee(event.price * event.quantity * rate), instrument.quote

    def rounded_fee(self, fee: Decimal) -> Decimal:
        """In whole steps, never more than was due."""
        return fee.quantize(self.rules.fees.step, ROUND_DOWN)

    def lock(self, account: Account, order: Order) -> None:
        """The quote or base that an open limit order may still need."""
        instrument = self.instrument(order.symbol)
        needs_lock = order.is_open and not order.is_market
        per_unit = order.price if order.side == "BUY" else Decimal(1)
        needed = order.remaining * per_unit if needs_lock else ZERO
        asset = instrument.quote if order.side == "BUY" else instrument.base
        balance = account.balance(self.wallet, asset)
        balance.free += order.locked - needed
        balance.locked += needed - order.locked
        if order.locked != needed:
            self.touch(account, asset)
        order.locked = needed

    def touch(self, account: Account, *assets: str) -> None:
        """These balances changed: for a venue that tells of them by themselves."""

    def transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """A deposit (above zero) or withdrawal."""
        account.balance(self.wallet, asset).free += delta
        self.report_transfer(account, asset, delta)

    @abstractmethod
    def report_transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """Tell of money that came or went outside trading."""

    def _endow(self, account: Account, instrument: Instrument) -> None:
        amount = instrument.quantity_for(FIRST_NOTIONAL, instrument.start_price)
        account.balance(self.wallet, instrument.base).free = amount
        account.balance(self.wallet, instrument.quote).free = FIRST_NOTIONAL * 10
        for asset, held in self.rules.endowment.items():
            account.balance(self.wallet, asset).free = held
