"""What traders at Binance do in their own way."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.binance.spot import SpotMarket
from simulator.market import Request
from simulator.matching import Order
from simulator.traders import Seat, Traders


class BinanceTraders(Traders):
    """Outside traders at both products of Binance."""

    self_trade_modes: ClassVar[tuple[str, ...]] = (
        "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE",
    )  # fmt: skip

    def actions(self) -> dict[Callable[[Seat], None], int]:
        """The common ones, and a Spot cancel-replace that fails half-way."""
        return self.common_actions() | {self._replace_beyond_means: 1}

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

    def transfer(self, seat: Seat, amount: Decimal) -> None:
        """A deposit or withdrawal, or a funding fee."""
        if isinstance(seat.market, SpotMarket):
            asset = self.random.choice((seat.instrument.base, seat.instrument.quote))
            seat.market.transfer(seat.account, asset, amount)
        elif self.random.random() < 0.5:
            seat.market.transfer(seat.account, "DEPOSIT" if amount > 0 else "WITHDRAW", amount)
        else:
            seat.market.transfer(seat.account, "FUNDING_FEE", amount / 100, seat.symbol)

    def _replace_beyond_means(self, seat: Seat) -> None:
        """A Spot cancel-replace whose new leg the account cannot pay for."""
        orders = seat.open_orders()
        if not orders or not isinstance(seat.market, SpotMarket):
            return
        old = self.random.choice(orders)
        seat.market.cancel(seat.account, old, self.client_id(seat))
        request = self.request(seat, old.side, int(old.price / seat.instrument.tick))
        seat.market.reject(seat.account, replace(request, quantity=request.quantity * 10**6))
