"""What traders at Kraken do in their own way."""

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

from simulator.matching import Order
from simulator.traders import Seat, Traders


class KrakenTraders(Traders):
    """Outside traders at both systems."""

    cost_step: ClassVar[Decimal | None] = Decimal("0.01")
    in_base: ClassVar[float] = 0.5
    self_trade_modes: ClassVar[tuple[str, ...]] = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")

    def actions(self) -> dict[Callable[[Seat], None], int]:
        """The common ones, and amends below what is filled."""
        return self.common_actions() | {self._amend_below: 2}

    def amend(self, seat: Seat, order: Order, quantity: Decimal) -> None:
        """Another price, another quantity, or both."""
        moved = order.price + self.random.randint(-3, 3) * seat.instrument.tick
        kind = self.random.random()
        price = moved if kind < 0.7 else Decimal(0)
        seat.market.amend(seat.account, order, price, quantity if kind > 0.3 else Decimal(0))

    def client_id(self, seat: Seat) -> str:
        """Short texts, UUIDs without dashes, or none, as from the web page."""
        self.orders += 1
        kind = self.random.random()
        if kind < 0.5:
            return f"bot-{seat.symbol[:3].lower()}-{self.orders:07d}"
        return f"{self.random.getrandbits(128):032x}" if kind < 0.7 else ""

    def _amend_below(self, seat: Seat) -> None:
        """An amend to no more than is filled, which ends the order."""
        orders = [order for order in seat.open_orders() if order.filled]
        if orders:
            order = self.random.choice(orders)
            seat.market.amend(seat.account, order, Decimal(0), order.filled)
