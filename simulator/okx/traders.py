"""What traders at OKX do in their own way."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO
from simulator.matching import Order
from simulator.okx.market import Change
from simulator.traders import Seat, Traders

CONTRACT_KINDS = ("trigger", "sl", "tp", "oco", "trailing")
SPOT_KINDS = ("trigger", "sl", "oco")
ORDER_TYPES = {"trigger": "trigger", "oco": "oco", "trailing": "move_order_stop"}


class OkxTraders(Traders):
    """Outside traders at the three products of OKX."""

    cost_step: ClassVar[Decimal | None] = Decimal("0.01")
    self_trade_modes: ClassVar[tuple[str, ...]] = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")

    def actions(self) -> dict[Callable[[Seat], None], int]:
        """The common ones, and an amend that must fail."""
        return self.common_actions() | {self._amend_in_vain: 4, self.condition: 5}

    def conditional(self, seat: Seat) -> Conditional:
        """A trigger order, a stop-loss, a take-profit, both, or one that trails."""
        made = super().conditional(seat)
        (stop,) = made.triggers
        is_contract = seat.market.product != "spot"
        kind = self.random.choice(CONTRACT_KINDS if is_contract else SPOT_KINDS)
        made.order_type, made.price_type = ORDER_TYPES.get(kind, "conditional"), "last"
        if kind in ("sl", "oco"):
            stop.name = "sl"
        if kind in ("tp", "oco"):
            gain = self.trigger(seat, made.side, is_above=made.side == "SELL")
            price = gain.price if gain.request.price else ZERO
            gain.name, gain.request = "tp", replace(stop.request, price=price)
            if not price:
                gain.request = replace(gain.request, order_type="MARKET")
            made.triggers = (gain,) if kind == "tp" else (stop, gain)
        if kind == "trailing":
            request = replace(stop.request, order_type="MARKET", price=ZERO)
            share = Decimal(self.random.randint(1, 4)) / 10_000
            made.triggers = (Trigger(ZERO, stop.is_above, request, callback=share),)
        elif made.reduce_only and self.random.random() < 0.3:
            made.closes_position = True
        return made

    def amend(self, seat: Seat, order: Order, quantity: Decimal) -> None:
        """Another price, another size, or both; with a request id or without."""
        moved = order.price + self.random.randint(-3, 3) * seat.instrument.tick
        kind = self.random.random()
        self.orders += 1
        change = Change(
            price=moved if kind < 0.7 else Decimal(0),
            quantity=quantity if kind > 0.3 else Decimal(0),
            request_id=f"rq{self.orders}" if self.random.random() < 0.5 else "",
        )
        seat.market.amend(seat.account, order, change)

    def client_id(self, seat: Seat) -> str:
        """Letters and digits alone, as OKX wants them; empty from the web page."""
        self.orders += 1
        kind = self.random.random()
        if kind < 0.5:
            return f"bot{seat.symbol[:3].lower()}{self.orders:07d}"
        return f"ios{self.random.getrandbits(80):020x}" if kind < 0.7 else ""

    def _amend_in_vain(self, seat: Seat) -> None:
        """A post-only order amended to a price at which it would take."""
        orders = [order for order in seat.open_orders() if order.time_in_force == "GTX"]
        if not orders:
            away = -10 if (side := self.side()) == "BUY" else 10
            request = self.request(seat, side, self.ticks[seat.instrument] + away)
            seat.market.place(seat.account, replace(request, time_in_force="GTX"))
            return
        order = self.random.choice(orders)
        ticks = self.through(seat, order.side)
        self.orders += 1
        change = Change(
            price=ticks * seat.instrument.tick,
            request_id=f"rq{self.orders}",
            cancels_on_failure=self.random.random() < 0.3,
        )
        seat.market.amend(seat.account, order, change)
