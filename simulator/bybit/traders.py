"""What traders at Bybit do in their own way."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.bybit.shared import Note
from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO
from simulator.matching import Order
from simulator.traders import Seat, Traders

FAR_TICKS = 12
"""How far from the market a take-profit or stop-loss stands."""


class BybitTraders(Traders):
    """Outside traders at the three products of Bybit."""

    cost_step: ClassVar[Decimal | None] = Decimal(1)
    self_trade_modes: ClassVar[tuple[str, ...]] = (
        "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE",
    )  # fmt: skip
    reuses_names: ClassVar[bool] = False

    def actions(self) -> dict[Callable[[Seat], None], int]:
        """The common ones, a cancel that comes too late, and orders with their ends attached."""
        own = {self._cancel_too_late: 2, self.condition: 5, self._take_attached: 3}
        return self.common_actions() | own

    def conditional(self, seat: Seat) -> Conditional:
        """A stop order; of contracts one that trails or closes all, of coins a `tpslOrder`."""
        made = super().conditional(seat)
        (stop,) = made.triggers
        made.order_type, made.price_type = "Stop", "LastPrice"
        if seat.market.product == "spot":
            made.order_type = self.random.choice(("Stop", "tpslOrder"))
        elif made.reduce_only and self.random.random() < 0.5:
            market = replace(stop.request, order_type="MARKET", price=ZERO)
            if self.random.random() < 0.5:
                share = Decimal(self.random.randint(1, 4)) / 10_000
                made.triggers = (Trigger(ZERO, stop.is_above, market, callback=share),)
                made.order_type, made.client_order_id = "TrailingStop", ""
            else:
                stop.request, made.order_type = market, "StopLoss"
                made.closes_position, made.client_order_id = True, ""
                made.quantity = ZERO
        return made

    def amend(self, seat: Seat, order: Order, quantity: Decimal) -> None:
        """Another price, another size, or both."""
        moved = order.price + self.random.randint(-3, 3) * seat.instrument.tick
        kind = self.random.random()
        price, size = moved if kind < 0.7 else ZERO, quantity if kind > 0.3 else ZERO
        seat.market.amend(seat.account, order, price, size)

    def _cancel_too_late(self, seat: Seat) -> None:
        orders = seat.account.orders[seat.market.product, seat.symbol].values()
        filled = [order for order in orders if order.status == "FILLED" and not order.forced]
        if filled:
            seat.market.cancel_too_late(seat.account, filled[-1])

    def _take_attached(self, seat: Seat) -> None:
        """A limit order through the market, with a take-profit, a stop-loss or both."""
        side = self.side()
        request = self.request(seat, side, self.through(seat, side))
        note, kind = Note(), self.random.random()
        if seat.market.product != "spot":
            far = FAR_TICKS * seat.instrument.tick * (1 if side == "BUY" else -1)
            note.take_profit = request.price + far if kind < 0.7 else ZERO
            note.stop_loss = request.price - far if kind > 0.3 else ZERO
        seat.market.place_attached(seat.account, request, note)
