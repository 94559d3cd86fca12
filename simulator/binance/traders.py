"""What traders at Binance do in their own way."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.binance.spot import SpotMarket
from simulator.conditional import Conditional
from simulator.market import Request
from simulator.matching import Order
from simulator.traders import Seat, Traders

CALLBACK = Decimal("0.001")
"""The least that the venue takes."""


class BinanceTraders(Traders):
    """Outside traders at both products of Binance."""

    self_trade_modes: ClassVar[tuple[str, ...]] = (
        "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE",
    )  # fmt: skip

    def actions(self) -> dict[Callable[[Seat], None], int]:
        """The common ones, a Spot cancel-replace that fails half-way, and USD-M's algo orders."""
        return self.common_actions() | {self._replace_beyond_means: 1, self._condition: 6}

    def post_only(self, seat: Seat, request: Request) -> Request:
        """LIMIT_MAKER at Spot, GTX at USD-M."""
        if seat.market.product == "spot":
            return replace(request, order_type="LIMIT_MAKER")
        return replace(request, time_in_force="GTX")

    def amend(self, seat: Seat, order: Order, quantity: Decimal) -> None:
        """Spot lowers the quantity and renames; USD-M changes price and quantity."""
        if isinstance(seat.market, SpotMarket):
            new_id = self.client_id(seat) if self.random.random() < 0.5 else order.client_order_id
            seat.market.amend(seat.account, order, quantity, new_id)
        else:
            moved = order.price + self.random.randint(-3, 3) * seat.instrument.tick
            modify_id = str(self.orders) if self.random.random() < 0.5 else ""
            seat.market.amend(seat.account, order, moved, quantity, modify_id)
            if order.is_open and self.random.random() < 0.2:  # and at once again
                seat.market.amend(seat.account, order, moved - seat.instrument.tick, quantity)

    def transfer(self, seat: Seat, amount: Decimal) -> None:
        """A deposit or withdrawal, or a funding fee."""
        if isinstance(seat.market, SpotMarket):
            asset = self.random.choice((seat.instrument.base, seat.instrument.quote))
            seat.market.transfer(seat.account, asset, amount)
        elif self.random.random() < 0.5:
            seat.market.transfer(seat.account, "DEPOSIT" if amount > 0 else "WITHDRAW", amount)
        else:
            seat.market.transfer(seat.account, "FUNDING_FEE", amount / 100, seat.symbol)

    def _condition(self, seat: Seat) -> None:
        """A conditional order of USD-M, or its end by its owner; now and then by the venue."""
        if isinstance(seat.market, SpotMarket):
            return
        waiting = seat.conditionals()
        if waiting and self.random.random() < 0.05:
            seat.market.end_conditional(seat.account, waiting[0], "EXPIRED", "VENUE")
        else:
            self.condition(seat)

    def conditional(self, seat: Seat) -> Conditional:
        """A stop, or one that takes profit, trails, or closes whatever is held by then."""
        plain = super().conditional(seat)
        plain.price_type = self.random.choice(("CONTRACT_PRICE", "MARK_PRICE"))
        [trigger] = plain.triggers
        kind, is_market = self.random.random(), trigger.request.order_type == "MARKET"
        if kind < 0.2:
            trigger = self.trigger(seat, plain.side, is_above=plain.side == "SELL")
            is_market = trigger.request.order_type == "MARKET"
            plain.order_type = "TAKE_PROFIT_MARKET" if is_market else "TAKE_PROFIT"
            plain.quantity = trigger.request.quantity
            plain.position_side = trigger.request.position_side
            plain.reduce_only = trigger.request.reduce_only
        elif kind < 0.4 and is_market:
            plain.order_type = "TRAILING_STOP_MARKET"
            trigger.price, trigger.callback = Decimal(0), CALLBACK
        elif kind < 0.6 and is_market:
            plain.closes_position, plain.quantity = True, Decimal(0)
        plain.triggers = (trigger,)
        return plain

    def _replace_beyond_means(self, seat: Seat) -> None:
        """A Spot cancel-replace whose new leg the account cannot pay for."""
        orders = seat.open_orders()
        if not orders or not isinstance(seat.market, SpotMarket):
            return
        old = self.random.choice(orders)
        seat.market.cancel(seat.account, old, self.client_id(seat))
        request = self.request(seat, old.side, int(old.price / seat.instrument.tick))
        seat.market.reject(seat.account, replace(request, quantity=request.quantity * 10**6))
