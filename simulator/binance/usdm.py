"""The USD-M market: positions, fees in USDT, and the events that come with each fill."""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.binance import algo_documents
from simulator.binance import usdm_documents as documents
from simulator.binance.market import BinanceMarket
from simulator.binance.refusals import Refusal
from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO, Instrument, Product
from simulator.market import Request, World
from simulator.matching import Closed, Order, Prevented, Traded
from simulator.message import Document, Message
from simulator.reducing import closable_by, is_reducing, left_to_close

TAKER_RATE = Decimal("0.0005")
MAKER_RATE = Decimal("0.0002")
REBATE_RATE = Decimal("-0.00005")
LIQUIDATION_RATE = Decimal("0.0125")
MONEY_STEP = Decimal("0.00000001")
FIRST_WALLET = Decimal(50_000_000)


class UsdmMarket(BinanceMarket):
    """Binance USD-M futures."""

    product: ClassVar[Product] = "linear"

    def __init__(self, world: World, instruments: dict[str, Instrument]) -> None:
        super().__init__(world, instruments)
        self._modify_id = ""
        self.last_prices: dict[str, Decimal] = {}
        self._amended = (-1, -1)
        """`T` and `E` of the last amendment that was told."""
        self._told: dict[int, str] = {}
        """The word last told of each conditional order."""
        self._deleveraged = 0
        for account in world.accounts.values():
            if "linear" in account.config.symbols:
                account.balance("linear", "USDT").free = FIRST_WALLET

    def amend(
        self, account: Account, order: Order, price: Decimal, quantity: Decimal, modify_id: str = ""
    ) -> Order:
        """New price and quantity; the order queues again.

        A quantity at or below what is executed, and a GTX order that would take, end the order
        while the call itself succeeds (docs/venues/binance.md 12, trap 12).
        """
        if not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        if (price, quantity) == (order.price, order.quantity):
            raise Refusal(-5027, "No need to modify the order.")
        instrument = self.instrument(order.symbol)
        if quantity <= 0 or quantity % instrument.lot:
            raise self.refusal_filter("LOT_SIZE")
        if price <= 0 or price % instrument.tick:
            raise self.refusal_filter("PRICE_FILTER")
        book = self.books[order.symbol]
        is_taking = order.time_in_force == "GTX" and book.would_take(order.side, price)
        if quantity <= order.filled + order.prevented or is_taking:
            return self.cancel(account, order)
        self._modify_id = modify_id
        self.run(book.replace(order, price, quantity))
        return order

    def transfer(self, account: Account, reason: str, delta: Decimal, symbol: str = "") -> None:
        """A deposit, withdrawal or funding fee; `delta` as it changes the wallet."""
        account.balance("linear", "USDT").free += delta
        touched = documents.Touched(reason, "USDT", delta, symbol)
        self._publish(account, documents.account_update(account, touched, self.now_ms))

    def force_close(self, account: Account, symbol: str, position_side: str, kind: str) -> bool:
        """Liquidate (`kind` LIQUIDATION) or deleverage (ADL) a position; False where none is.

        The venue ends the symbol's open orders first, then closes the whole position with an
        order of its own, whose fill is told as x=CALCULATED (docs/venues/binance.md 3.2).
        """
        position = account.position(symbol, position_side)
        if not position.amount:
            return False
        for order in self.open_orders(account, symbol):
            self.expire(account, order, "LIQUIDATION")
        order = self._system_order(account, symbol, position_side, kind)
        if kind == "LIQUIDATION":
            self._tell(account, order, "CALCULATED")  # announced, nothing executed yet
        order.filled, order.notional = order.quantity, order.quantity * order.price
        rate = LIQUIDATION_RATE if kind == "LIQUIDATION" else ZERO
        trade_id = self.next_trade_id(symbol)
        fill = self._make_fill(order, (order.price, order.quantity), rate, trade_id)
        order.updated_ms = fill.venue_ms
        self._apply(account, fill)
        account.fills[self.product, symbol].append(fill)
        order.status = "FILLED"
        self._send_update(account, order, self._forced(kind, fill))
        self._tell_account(account, fill)
        return True

    def _forced(self, kind: str, fill: Fill) -> documents.Update:
        """How a forced fill is told: an auto-deleveraging now in one way, now in the other."""
        if kind != "ADL":
            return documents.Update("CALCULATED", self.now_ms, fill)
        self._deleveraged += 1
        if self._deleveraged % 2:
            status = "NEW_ADL"
            return documents.Update("CALCULATED", self.now_ms, fill, status=status, has_fee=False)
        return documents.Update("NEW", self.now_ms, fill)

    def check_conditional(self, account: Account, conditional: Conditional) -> None:
        """`Refusal` where it may not wait: its price is reached already, or its name is taken."""
        trigger, last = conditional.triggers[0], self.last_prices.get(conditional.symbol)
        if last is not None and not trigger.callback and trigger.is_reached(last):
            raise Refusal(-2021, "Order would immediately trigger.")
        name = conditional.client_order_id
        waiting = self.waiting[conditional.symbol].values()
        if name and any(one.client_order_id == name for one in waiting):
            raise self.refusal_duplicate()

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
            self._publish(account, rejected)

    def _tell_algo(self, account: Account, conditional: Conditional, word: str) -> None:
        conditional.updated_ms = self.now_ms
        self._told[conditional.order_id] = word
        instrument = self.instrument(conditional.symbol)
        update = algo_documents.algo_update(conditional, word, instrument, self.now_ms)
        self._publish(account, update)

    def _reach(self, symbol: str, price: Decimal) -> None:
        self.last_prices[symbol] = price
        super()._reach(symbol, price)

    def check_funds(self, account: Account, request: Request) -> None:
        """Margin, position side, and what reduce-only may close."""
        is_hedged = account.config.is_hedged
        if is_hedged == (request.position_side == "BOTH"):
            raise Refusal(-4061, "Order's position side does not match user's setting.")
        if request.reduce_only and is_hedged:
            raise Refusal(-1106, "Parameter 'reduceonly' sent when not required.")
        price = request.price or self.instrument(request.symbol).start_price
        margin = price * request.quantity * documents.MARGIN_RATE
        if margin > account.balance("linear", "USDT").free:
            raise Refusal(-2019, "Margin is insufficient.")
        if is_reducing(request) and request.quantity > self._closable(account, request):
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
        if request.time_in_force == "FOK" and not self._can_fill(request):
            raise Refusal(-5021, "Due to the order could not be filled immediately, rejected.")

    def settle(self, account: Account, order: Order, event: Traded, trade_id: int) -> Fill:
        """Move the position and take the fee."""
        is_maker = order is event.maker
        rate = TAKER_RATE
        if is_maker:
            rate = REBATE_RATE if account.config.has_rebate else MAKER_RATE
        fill = self._make_fill(order, (event.price, event.quantity), rate, trade_id)
        fill.is_maker = is_maker
        self._apply(account, fill)
        return fill

    def settle_after(self, account: Account, symbol: str) -> None:
        """Knock out the newest reducing orders while they would close more than there is."""
        for side in ("BOTH", "LONG", "SHORT"):
            position = account.positions.get((symbol, side))
            reducing = [
                order
                for order in self.open_orders(account, symbol)
                if order.position_side == side and is_reducing(order)
            ]
            if not reducing:
                continue
            amount = position.amount if position else ZERO
            while reducing and left_to_close(reducing) > closable_by(reducing[-1], amount):
                self.expire(account, reducing.pop(), "REDUCE_ONLY")

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
        self._publish(account, lite, fill, is_full=False)
        self._send_update(account, order, documents.Update("TRADE", self.now_ms, fill))
        self._tell_account(account, fill)

    def report_prevented(self, account: Account, event: Prevented) -> None:
        """x=EXPIRED, X=EXPIRED_IN_MATCH."""
        self._tell(account, event.order, "EXPIRED")

    def report_closed(self, account: Account, event: Closed, cancel_id: str = "") -> None:
        """x=CANCELED or EXPIRED; a cancel has no id of its own here."""
        del cancel_id
        self._tell(account, event.order, event.order.status)

    def report_contradiction(self, account: Account, order: Order) -> None:
        """CANCELED after FILLED, else EXPIRED."""
        status = order.status
        order.status = "CANCELED" if status == "FILLED" else "EXPIRED"
        self._tell(account, order, order.status)
        order.status = status

    def refusal_duplicate(self) -> Refusal:
        """-4116."""
        return Refusal(-4116, "ClientOrderId is duplicated.")

    def refusal_post_only(self) -> Refusal:
        """-5022."""
        text = "Due to the order could not be executed as maker, the Post Only order is rejected."
        return Refusal(-5022, text)

    def refusal_filter(self, name: str) -> Refusal:
        """The filter's own number."""
        texts = {
            "PRICE_FILTER": (-4014, "Price not increased by tick size."),
            "LOT_SIZE": (-1111, "Precision is over the maximum defined for this asset."),
            "NOTIONAL": (-4164, "Order's notional must be no smaller than 5 (unless reduceonly)."),
        }
        return Refusal(*texts[name])

    def _system_order(self, account: Account, symbol: str, position_side: str, kind: str) -> Order:
        position = account.position(symbol, position_side)
        tick = self.instrument(symbol).tick
        worse = Decimal("0.98") if position.amount > 0 else Decimal("1.02")
        is_adl = kind == "ADL"
        request = Request(
            symbol=symbol,
            side="SELL" if position.amount > 0 else "BUY",
            quantity=abs(position.amount),
            price=position.entry * (1 if is_adl else worse) // tick * tick,
            order_type="LIMIT" if is_adl else "LIQUIDATION",
            time_in_force="IOC",
            client_order_id="adl_autoclose"
            if is_adl
            else f"autoclose-{self.now_ms}{self.world.random.randrange(1000):03d}",
            position_side=position_side,
        )
        order = self._make_order(account.name, request)
        account.remember(self.product, order)
        return order

    def _make_fill(
        self, order: Order, match: tuple[Decimal, Decimal], rate: Decimal, trade_id: int
    ) -> Fill:
        price, quantity = match
        return Fill(
            account=order.owner,
            product="linear",
            symbol=order.symbol,
            trade_id=trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=(price * quantity * rate).quantize(MONEY_STEP, ROUND_HALF_EVEN),
            fee_currency=self.instrument(order.symbol).quote,
            is_maker=False,
            venue_ms=self.now_ms,
            position_side=order.position_side,
        )

    def _apply(self, account: Account, fill: Fill) -> None:
        position = account.position(fill.symbol, fill.position_side)
        profit = position.apply(fill.signed_quantity, fill.price)
        fill.realized = profit.quantize(MONEY_STEP, ROUND_HALF_EVEN)
        account.balance("linear", fill.fee_currency).free += fill.realized - fill.fee

    def _closable(self, account: Account, request: Request) -> Decimal:
        amount = account.position(request.symbol, request.position_side).amount
        reserved = left_to_close(
            order
            for order in self.open_orders(account, request.symbol)
            if order.position_side == request.position_side and is_reducing(order)
        )
        return closable_by(request, amount) - reserved

    def _can_fill(self, request: Request) -> bool:
        book = self.books[request.symbol]
        return book.depth(request.side, request.price) >= request.quantity

    def _tell(self, account: Account, order: Order, execution_type: str) -> None:
        update = documents.Update(execution_type, self.now_ms)
        self._send_update(account, order, update)

    def _send_update(self, account: Account, order: Order, update: documents.Update) -> None:
        document = documents.order_trade_update(order, self.instrument(order.symbol), update)
        self._publish(account, document, update.fill)
        if not order.is_open:
            account.forget_open(self.product, order)
            if order.parent is not None:
                self.report_conditional(account, order.parent)

    def _tell_account(self, account: Account, fill: Fill) -> None:
        touched = documents.Touched(
            "ORDER", fill.fee_currency, symbol=fill.symbol, position_side=fill.position_side
        )
        self._publish(account, documents.account_update(account, touched, self.now_ms))

    def _publish(
        self,
        account: Account,
        document: Document,
        fill: Fill | None = None,
        *,
        is_full: bool = True,
    ) -> None:
        kind = document["e"]
        self.world.publish(Message(account.name, "linear", kind, document, fill, is_full))
