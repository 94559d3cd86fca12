"""OKX Spot: balances in one wallet, fees in what is received, market purchases in quote."""

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import ClassVar, cast

from simulator.accounts import Account, Fill
from simulator.instrument import ZERO, Product
from simulator.market import World
from simulator.matching import Order, Traded
from simulator.okx import account_documents as documents
from simulator.okx import refusals
from simulator.okx.account_documents import WALLET
from simulator.okx.desk import Desk
from simulator.okx.instruments import OkxInstrument
from simulator.okx.market import OkxMarket
from simulator.okx.orders import OkxFill, OkxOrder, OkxRequest
from simulator.okx.refusals import Refusal

MAKER_RATE, TAKER_RATE = Decimal("0.0008"), Decimal("0.001")
FEE_STEP = Decimal("0.000000000001")
FIRST_NOTIONAL = Decimal(50_000_000)
"""What an account has of each currency at the start, in quote units."""


class SpotMarket(OkxMarket):
    """OKX Spot."""

    product: ClassVar[Product] = "spot"
    quantity_unit: ClassVar[str] = "base"

    def __init__(self, world: World, instruments: dict[str, OkxInstrument], desk: Desk) -> None:
        super().__init__(world, instruments, desk)
        for account in world.accounts.values():
            for symbol in account.config.symbols.get("spot", ()):
                self._endow(account, self.instrument(symbol))

    def check_terms(self, account: Account, wish: OkxRequest) -> OkxRequest:
        """Only `cash`; the quote for a purchase, the base for a sale."""
        if wish.trade_mode not in ("", "cash"):
            raise Refusal("51010", "You can't complete this request under your account mode.")
        instrument = self.instrument(wish.symbol)
        quantity = self._worth(wish) if wish.quote_size else wish.quantity
        if wish.side == "SELL":
            needed, currency = quantity, instrument.base
        else:
            price = wish.price or self.last_price(wish.symbol)
            needed, currency = wish.quote_size or quantity * price, instrument.quote
        if account.balance(WALLET, currency).free < needed:
            raise refusals.no_funds(currency, "balance")
        return replace(wish, trade_mode="cash", position_side="BOTH", quantity=quantity)

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Exchange base for quote; the fee is taken from what is received, or always in quote."""
        instrument, mine = self.instrument(order.symbol), cast(OkxOrder, order)
        cost = event.price * event.quantity
        self.lock(account, order)
        is_buy, is_maker = order.side == "BUY", order is event.maker
        change = event.quantity if is_buy else -event.quantity
        account.balance(WALLET, instrument.base).free += change
        account.balance(WALLET, instrument.quote).free += -cost if is_buy else cost
        rate = MAKER_RATE if is_maker else TAKER_RATE
        in_base = is_buy and not account.config.pays_quote
        fee = ((event.quantity if in_base else cost) * rate).quantize(FEE_STEP, ROUND_DOWN)
        currency = instrument.base if in_base else instrument.quote
        account.balance(WALLET, currency).free -= fee
        fill = OkxFill(
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
            is_maker=is_maker,
            venue_ms=self.now_ms,
            sub_type="1" if is_buy else "2",
        )
        return self.record(mine, fill)

    def transfer(self, account: Account, currency: str, delta: Decimal) -> None:
        """A deposit (above zero) or withdrawal."""
        account.balance(WALLET, currency).free += delta
        self.desk.touch(account, currency)
        row = documents.moved_balance(account, currency, self.now_ms)
        self.desk.moved(account, documents.moved_row("transferred", self.now_ms, [row], [], []))

    def lock(self, account: Account, order: Order) -> None:
        """The quote or base that an open limit order may still need."""
        instrument = self.instrument(order.symbol)
        needs_lock = order.is_open and not order.is_market
        per_unit = order.price if order.side == "BUY" else Decimal(1)
        needed = order.remaining * per_unit if needs_lock else ZERO
        currency = instrument.quote if order.side == "BUY" else instrument.base
        balance = account.balance(WALLET, currency)
        balance.free += order.locked - needed
        balance.locked += needed - order.locked
        if order.locked != needed:
            self.desk.touch(account, currency)
        order.locked = needed

    def tell_moved(self, account: Account, fill: OkxFill) -> None:
        """Both currencies, with the trade."""
        instrument = self.instrument(fill.symbol)
        currencies = (instrument.base, instrument.quote)
        self.desk.touch(account, *currencies)
        rows = [documents.moved_balance(account, name, self.now_ms) for name in currencies]
        trades = [{"instId": fill.symbol, "tradeId": str(fill.trade_id)}]
        self.desk.moved(account, documents.moved_row("filled", self.now_ms, rows, [], trades))

    def _worth(self, wish: OkxRequest) -> Decimal:
        """How many whole lots the quote amount buys from (or sells to) what is offered now."""
        lot, left, quantity = self.instrument(wish.symbol).lot, wish.quote_size, ZERO
        book = self.books[wish.symbol]
        for maker in book.asks if wish.side == "BUY" else book.bids:
            affordable = left // (maker.price * lot) * lot
            taken = min(affordable, maker.remaining)
            quantity += taken
            left -= taken * maker.price
            if taken < maker.remaining:
                break
        return quantity

    def _endow(self, account: Account, instrument: OkxInstrument) -> None:
        amount = instrument.quantity_for(FIRST_NOTIONAL, instrument.start_price)
        account.balance(WALLET, instrument.base).free = amount
        account.balance(WALLET, instrument.quote).free = FIRST_NOTIONAL * 10
