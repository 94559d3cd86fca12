"""Perpetuals: positions, margin, reducing orders, and what the venue closes by force."""

from abc import abstractmethod
from decimal import ROUND_HALF_EVEN, Decimal

from simulator.accounts import Account, Fill, Position
from simulator.engine.market import Market
from simulator.engine.reducing import closable_by, is_reducing, left_to_close
from simulator.engine.rules import Forced
from simulator.instrument import Instrument
from simulator.market import Request, World
from simulator.matching import Amended, Order, Traded

FIRST_WALLET = Decimal(50_000_000)
"""What an account has to trade with at the start, in quote units."""


class ContractMarket(Market):
    """One venue's linear or inverse perpetuals, counted in base units or contracts."""

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        for account in world.accounts.values():
            for symbol in account.config.symbols.get(self.product, ()):
                instrument = self.instrument(symbol)
                price = instrument.start_price if instrument.is_inverse else Decimal(1)
                wallet = account.balance(self.wallet, instrument.settle)
                wallet.free = max(wallet.free, FIRST_WALLET // price)

    def position(self, account: Account, symbol: str, side: str) -> Position:
        """The position, made with the instrument's terms when it is first touched."""
        made = Position(product=self.product, contract=self.instrument(symbol).contract)
        return account.positions.setdefault((symbol, side), made)

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Move the position and take the fee."""
        fees, is_maker = self.rules.fees, order is event.maker
        rate = fees.taker
        if is_maker:
            rate = fees.rebate if account.config.has_rebate else fees.maker
        fill = self._charged(order, (event.price, event.quantity), rate, trade_id)
        fill.is_maker = is_maker
        self._move(account, fill)
        return fill

    def settle_after(self, account: Account, symbol: str) -> None:
        """Cut or end the newest reducing orders while they would close more than there is."""
        for side in ("BOTH", "LONG", "SHORT"):
            amount = account.amount_of(symbol, side)
            reducing = self._reducing(account, symbol, side)
            while reducing:
                newest = reducing[-1]
                excess = left_to_close(reducing) - closable_by(newest, amount)
                if excess <= 0:
                    break
                self._cut(account, reducing.pop(), excess)

    def closable(self, account: Account, request: Request | Order) -> Decimal:
        """What a reducing order may close: what is held, less what others may close already."""
        symbol, side = request.symbol, request.position_side
        amount = self.position(account, symbol, side).amount
        return closable_by(request, amount) - left_to_close(self._reducing(account, symbol, side))

    def force_close(self, account: Account, symbol: str, position_side: str, kind: str) -> bool:
        """Liquidate (`kind` LIQUIDATION) or deleverage (ADL) a position; False where none is.

        The venue ends the symbol's open orders first, then closes the whole position with an
        order of its own.
        """
        if not self.position(account, symbol, position_side).amount:
            return False
        terms = self.rules.forced[kind]
        for conditional in list(self.waiting[symbol].values()):
            if self.rules.forced_ends_conditionals and conditional.owner == account.name:
                self.end_conditional(account, conditional, reason="VENUE")
        for open_order in self.open_orders(account, symbol):
            self.expire(account, open_order, terms.ends_with)
        order = self._system_order(account, symbol, position_side, terms)
        order.forced, order.category = kind, terms.category
        self.announce_forced(account, order)
        self._execute(account, order, terms.rate)
        return True

    def _execute(self, account: Account, order: Order, rate: Decimal) -> None:
        """The venue's own order trades at once, with nobody on the book."""
        order.filled, order.notional = order.quantity, order.quantity * order.price
        is_nameless = self.rules.forced_is_nameless
        numbers = self.world.numbers
        count = numbers.forced_trade if is_nameless else numbers.trade
        trade_id = count(self.product, order.symbol)
        fill = self._charged(order, (order.price, order.quantity), rate, trade_id)
        fill.forced, fill.is_nameless = order.forced, is_nameless
        order.updated_ms = fill.venue_ms
        self._move(account, fill)
        self.book(account, order, fill)
        order.status = "FILLED"
        self.report_forced(account, order, fill)
        self._forget_ended(account, order)

    def _system_order(
        self, account: Account, symbol: str, position_side: str, terms: Forced
    ) -> Order:
        position = self.position(account, symbol, position_side)
        tick, is_long = self.instrument(symbol).tick, position.amount > 0
        share = 1 - terms.slippage if is_long else 1 + terms.slippage
        request = Request(
            symbol=symbol,
            side="SELL" if is_long else "BUY",
            quantity=abs(position.amount),
            price=position.entry * share // tick * tick,
            order_type=terms.order_type,
            time_in_force=terms.time_in_force,
            client_order_id=self._system_name(terms.name),
            position_side=position_side,
        )
        order = self._make_order(account.name, request)
        account.remember(self.product, order)
        return order

    def _system_name(self, name: str) -> str:
        if "{number}" not in name:
            return name
        return name.format(number=f"{self.now_ms}{self.world.random.randrange(1000):03d}")

    def _charged(
        self, order: Order, match: tuple[Decimal, Decimal], rate: Decimal, trade_id: int
    ) -> Fill:
        price, quantity = match
        instrument = self.instrument(order.symbol)
        worth = instrument.notional(quantity, price)
        fee = (worth / price if instrument.is_inverse else worth) * rate
        return self._make_fill(order, match, (self._rounded(fee), instrument.settle), trade_id)

    def _rounded(self, money: Decimal) -> Decimal:
        return money.quantize(self.rules.fees.step, ROUND_HALF_EVEN)

    def _move(self, account: Account, fill: Fill) -> None:
        position = self.position(account, fill.symbol, fill.position_side)
        state = account.position_states[fill.symbol, fill.position_side]
        if not position.amount:
            state.created_ms = self.now_ms
        profit = position.apply(fill.signed_quantity, fill.price)
        fill.realized = self._rounded(profit)
        account.balance(self.wallet, fill.fee_currency).free += fill.realized - fill.fee
        state.fees += fill.fee
        state.updated_ms = self.now_ms
        if not fill.is_nameless:
            state.trade_id = str(fill.trade_id)

    def _reducing(self, account: Account, symbol: str, side: str) -> list[Order]:
        """The open orders that only close a position, oldest first."""
        return [
            order
            for order in self.open_orders(account, symbol)
            if order.position_side == side and is_reducing(order)
        ]

    def _cut(self, account: Account, order: Order, excess: Decimal) -> None:
        """Lower a reducing order's size, or end it where nothing is left to close."""
        if not self.rules.cuts_reducing or excess >= order.remaining:
            self.expire(account, order, "REDUCE_ONLY")
            return
        event = self.books[order.symbol].reduce(order, order.quantity - excess)
        self.run([Amended(event.order)])

    def announce_forced(self, account: Account, order: Order) -> None:
        """Tell that the venue is about to close a position."""

    @abstractmethod
    def report_forced(self, account: Account, order: Order, fill: Fill) -> None:
        """Tell of what the venue closed."""
