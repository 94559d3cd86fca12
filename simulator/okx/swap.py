"""OKX perpetuals: positions in contracts, fees and profit in the settlement currency."""

from collections import defaultdict
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import count
from typing import ClassVar, cast

from simulator.accounts import Account, Fill, Position
from simulator.instrument import ZERO, Product
from simulator.market import World
from simulator.matching import Amended, Order, Traded
from simulator.message import Message
from simulator.okx import account_documents as documents
from simulator.okx import refusals
from simulator.okx.account_documents import MARGIN_RATE, WALLET
from simulator.okx.desk import Desk
from simulator.okx.instruments import OkxInstrument
from simulator.okx.market import OkxMarket
from simulator.okx.order_documents import Push
from simulator.okx.orders import Amendment, OkxFill, OkxOrder, OkxRequest
from simulator.okx.refusals import Refusal
from simulator.reducing import closable_by, is_reducing, left_to_close

MAKER_RATE, TAKER_RATE = Decimal("0.0002"), Decimal("0.0005")
REBATE_RATE = Decimal("-0.00005")
MONEY_STEP = Decimal("0.000000000001")
FIRST_WALLET = Decimal(50_000_000)
FORCED = {"LIQUIDATION": "full_liquidation", "ADL": "adl"}
SUB_TYPES = {
    ("BOTH", "BUY"): "1", ("BOTH", "SELL"): "2", ("LONG", "BUY"): "3", ("SHORT", "SELL"): "4",
    ("LONG", "SELL"): "5", ("SHORT", "BUY"): "6",
}  # fmt: skip
FORCED_SUB_TYPES = {
    ("LIQUIDATION", "BOTH", "BUY"): "106", ("LIQUIDATION", "BOTH", "SELL"): "107",
    ("LIQUIDATION", "LONG", "SELL"): "104", ("LIQUIDATION", "SHORT", "BUY"): "105",
    ("ADL", "BOTH", "BUY"): "127", ("ADL", "BOTH", "SELL"): "128",
    ("ADL", "LONG", "SELL"): "125", ("ADL", "SHORT", "BUY"): "126",
}  # fmt: skip


class SwapMarket(OkxMarket):
    """Perpetuals of one kind."""

    quantity_unit: ClassVar[str] = "contracts"

    def __init__(self, world: World, instruments: dict[str, OkxInstrument], desk: Desk) -> None:
        super().__init__(world, instruments, desk)
        # Liquidations have negative trade ids in REST (docs/venues/okx.md 5).
        self._forced_ids: dict[str, count[int]] = defaultdict(lambda: count(-1, -1))
        for account in world.accounts.values():
            for symbol in account.config.symbols.get(self.product, ()):
                instrument = self.instrument(symbol)
                price = instrument.start_price if instrument.is_inverse else Decimal(1)
                wallet = account.balance(WALLET, instrument.settle)
                wallet.free = max(wallet.free, FIRST_WALLET // price)

    def position(self, account: Account, symbol: str, side: str) -> Position:
        """The position, made with the instrument's terms when it is first touched."""
        instrument = self.instrument(symbol)
        made = Position(product=self.product, contract=instrument.contract)
        return account.positions.setdefault((symbol, side), made)

    def check_terms(self, account: Account, wish: OkxRequest) -> OkxRequest:
        """Cross margin, the position side of the account's mode, margin, what may be closed."""
        if wish.trade_mode not in ("", "cross"):
            raise Refusal("51010", "You can't complete this request under your account mode.")
        if account.config.is_hedged == (wish.position_side == "BOTH"):
            raise refusals.parameter_error("posSide")
        instrument = self.instrument(wish.symbol)
        price = wish.price or self.last_price(wish.symbol)
        notional = instrument.notional(wish.quantity, price)
        margin = (notional / price if instrument.is_inverse else notional) * MARGIN_RATE
        if margin > account.balance(WALLET, instrument.settle).free:
            raise refusals.no_funds(instrument.settle, "margin")
        if is_reducing(wish):
            closable = self._closable(account, wish)
            if closable <= 0:
                raise refusals.nothing_to_reduce()
            if wish.quantity > closable:
                raise refusals.too_much_to_close()
        return replace(wish, trade_mode="cross")

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Move the position and take the fee."""
        is_maker = order is event.maker
        rate = TAKER_RATE
        if is_maker:
            rate = REBATE_RATE if account.config.has_rebate else MAKER_RATE
        mine = cast(OkxOrder, order)
        fill = self._make_fill(mine, (event.price, event.quantity), rate, trade_id)
        fill.is_maker = is_maker
        fill.sub_type = SUB_TYPES[order.position_side, order.side]
        self._move(account, fill)
        return self.record(mine, fill)

    def settle_after(self, account: Account, symbol: str) -> None:
        """Cut or knock out the newest reducing orders while they would close too much."""
        super().settle_after(account, symbol)
        for side in ("BOTH", "LONG", "SHORT"):
            reducing = [
                order
                for order in self.open_orders(account, symbol)
                if order.position_side == side and is_reducing(order)
            ]
            if not reducing:
                continue
            amount = self.position(account, symbol, side).amount
            while reducing:
                newest = reducing[-1]
                excess = left_to_close(reducing) - closable_by(newest, amount)
                if excess <= 0:
                    break
                self._cut(account, reducing.pop(), excess)

    def force_close(self, account: Account, symbol: str, position_side: str, kind: str) -> bool:
        """Liquidate (`kind` LIQUIDATION) or deleverage (ADL) a position; False where none is.

        The venue ends the symbol's open and conditional orders first, then closes the whole
        position with an order of its own, told in one push with trade id 0
        (docs/venues/okx.md 3.1).
        """
        position = self.position(account, symbol, position_side)
        if not position.amount:
            return False
        for conditional in list(self.waiting[symbol].values()):
            if conditional.owner == account.name:
                self.end_conditional(account, conditional, reason="VENUE")
        for open_order in self.open_orders(account, symbol):
            self.expire(account, open_order, kind)
        order = self._system_order(account, symbol, position_side, kind)
        order.filled, order.notional = order.quantity, order.quantity * order.price
        rate = TAKER_RATE if kind == "LIQUIDATION" else ZERO
        trade_id = next(self._forced_ids[symbol])
        fill = self._make_fill(order, (order.price, order.quantity), rate, trade_id)
        order.updated_ms = fill.venue_ms
        fill.sub_type = FORCED_SUB_TYPES[kind, position_side, order.side]
        self._move(account, fill)
        account.fills[self.product, symbol].append(self.record(order, fill))
        order.status = "FILLED"
        self.tell(account, order, Push(fill))
        self._tell_moved(account, fill, kind.lower())
        return True

    def transfer(self, account: Account, symbol: str, delta: Decimal) -> None:
        """A funding fee of a contract; `delta` as it changes the wallet."""
        currency, side = self.instrument(symbol).settle, _a_side(account)
        account.balance(WALLET, currency).free += delta
        self.position(account, symbol, side)
        account.position_states[symbol, side].funding += delta
        self.desk.touch(account, currency)
        self.desk.touch_position(account, (symbol, side), self.tell_positions)
        row = documents.moved_balance(account, currency, self.now_ms)
        self.desk.moved(account, documents.moved_row("funding_fee", self.now_ms, [row], [], []))

    def lock(self, account: Account, order: Order) -> None:
        """The box holds no margin for open orders."""

    def tell_moved(self, account: Account, fill: OkxFill) -> None:
        """The settlement currency and the position, with the trade."""
        self._tell_moved(account, fill, "filled")

    def tell_positions(self, account: Account, keys: list[tuple[str, str]]) -> None:
        """The present state of these positions, one push each."""
        for symbol, side in keys:
            row = self.position_row(account, symbol, side) | {"pTime": str(self.now_ms)}
            document = {"eventType": "event_update", "data": [row]}
            self.world.publish(Message(account.name, self.product, "positions", document))

    def position_row(self, account: Account, symbol: str, side: str) -> dict[str, object]:
        """One position as REST lists it."""
        self.position(account, symbol, side)
        instrument, last = self.instrument(symbol), self.last_price(symbol)
        return documents.position_row(account, instrument, side, last, self.now_ms)

    def _tell_moved(self, account: Account, fill: OkxFill, reason: str) -> None:
        instrument = self.instrument(fill.symbol)
        self.desk.touch(account, instrument.settle)
        key = (fill.symbol, fill.position_side)
        self.desk.touch_position(account, key, self.tell_positions)
        rows = [documents.moved_balance(account, instrument.settle, self.now_ms)]
        moved = [documents.moved_position(account, instrument, fill.position_side)]
        shown = "0" if fill.is_forced else str(fill.trade_id)
        trades = [{"instId": fill.symbol, "tradeId": shown}]
        row = documents.moved_row(reason, self.now_ms, rows, moved, trades)
        self.desk.moved(account, row)

    def _system_order(
        self, account: Account, symbol: str, position_side: str, kind: str
    ) -> OkxOrder:
        position = self.position(account, symbol, position_side)
        tick = self.instrument(symbol).tick
        worse = Decimal("0.98") if position.amount > 0 else Decimal("1.02")
        request = OkxRequest(
            symbol=symbol,
            side="SELL" if position.amount > 0 else "BUY",
            quantity=abs(position.amount),
            price=position.entry * (1 if kind == "ADL" else worse) // tick * tick,
            order_type="MARKET",
            position_side=position_side,
        )
        order = cast(OkxOrder, self._make_order(account.name, request))
        order.trade_mode, order.unit, order.category = "cross", "contracts", FORCED[kind]
        account.remember(self.product, order)
        self.desk.remember(order)
        return order

    def _make_fill(
        self, order: OkxOrder, match: tuple[Decimal, Decimal], rate: Decimal, trade_id: int
    ) -> OkxFill:
        price, quantity = match
        instrument = self.instrument(order.symbol)
        notional = instrument.notional(quantity, price)
        if instrument.is_inverse:
            notional /= price
        return OkxFill(
            account=order.owner,
            product=self.product,
            symbol=order.symbol,
            trade_id=trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=(notional * rate).quantize(MONEY_STEP, ROUND_HALF_EVEN),
            fee_currency=instrument.settle,
            is_maker=False,
            venue_ms=self.now_ms,
            position_side=order.position_side,
        )

    def _move(self, account: Account, fill: OkxFill) -> None:
        position = self.position(account, fill.symbol, fill.position_side)
        state = account.position_states[fill.symbol, fill.position_side]
        if not position.amount:
            state.created_ms = self.now_ms
        profit = position.apply(fill.signed_quantity, fill.price)
        fill.realized = profit.quantize(MONEY_STEP, ROUND_HALF_EVEN)
        account.balance(WALLET, fill.fee_currency).free += fill.realized - fill.fee
        state.fees += fill.fee
        state.updated_ms = self.now_ms
        if not fill.is_forced:
            state.trade_id = str(fill.trade_id)

    def _cut(self, account: Account, order: Order, excess: Decimal) -> None:
        """The system lowers a reducing order's size, or ends it where nothing is left to close."""
        if excess >= order.remaining:
            self.expire(account, order, "REDUCE_ONLY")
            return
        self._amendment = Amendment("0", "4")
        event = self.books[order.symbol].reduce(order, order.quantity - excess)
        self.run([Amended(event.order)])
        self._amendment = Amendment()

    def _closable(self, account: Account, wish: OkxRequest) -> Decimal:
        amount = self.position(account, wish.symbol, wish.position_side).amount
        reserved = left_to_close(
            order
            for order in self.open_orders(account, wish.symbol)
            if order.position_side == wish.position_side and is_reducing(order)
        )
        return closable_by(wish, amount) - reserved


class LinearMarket(SwapMarket):
    """USDT-margined perpetuals."""

    product: ClassVar[Product] = "linear"


class InverseMarket(SwapMarket):
    """Coin-margined perpetuals."""

    product: ClassVar[Product] = "inverse"


def _a_side(account: Account) -> str:
    return "LONG" if account.config.is_hedged else "BOTH"
