"""Conditional orders: they wait for a price, then become orders. Pure: no clock, no wire.

- A trigger is reached by the price of a trade: at or above its own price, or at or below it.
- One that trails begins at its activation price and follows the best price since then.
- An order may wait for two triggers (take profit, stop loss): the first that is reached counts.
- What is reached becomes one order or several, which are orders like any other and name the
  conditional one as their `parent`. Where the market refuses them, it was REJECTED.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from simulator.instrument import ZERO, Product, Side

if TYPE_CHECKING:
    from simulator.market import Request
    from simulator.matching import Order

WAITING, TRIGGERED = "WAITING_TRIGGER", "TRIGGERED"


@dataclass(slots=True, eq=False)
class Trigger:
    """One price that is waited for, and what is placed when it is reached.

    `name` is the venue's word for it. `callback` is the share of the price by which one that trails
    follows; it does nothing until `activation` (zero: from the start) is reached.
    """

    price: Decimal
    is_above: bool
    request: "Request"
    name: str = ""
    callback: Decimal = ZERO
    activation: Decimal = ZERO

    def is_reached(self, price: Decimal) -> bool:
        """Whether a trade at `price` reaches it; one that trails follows."""
        if self.callback and not self._follow(price):
            return False
        return price >= self.price if self.is_above else price <= self.price

    def _follow(self, price: Decimal) -> bool:
        """Whether it is active; its price then keeps its distance to the best price so far."""
        if self.activation:
            # A sale begins to trail above the market, a purchase below it.
            is_begun = price <= self.activation if self.is_above else price >= self.activation
            if not is_begun:
                return False
            self.activation = ZERO
        distance = price * self.callback
        if self.is_above:
            self.price = min(self.price or price + distance, price + distance)
        else:
            self.price = max(self.price, price - distance)
        return True


@dataclass(slots=True, eq=False)
class Conditional:
    """One conditional order; `order_type` is the venue's word, `price_type` too.

    `closes_position`: whatever is held when it triggers, instead of a quantity.
    """

    order_id: int
    owner: str
    product: Product
    symbol: str
    side: Side
    order_type: str
    quantity: Decimal
    triggers: tuple[Trigger, ...]
    client_order_id: str = ""
    position_side: str = "BOTH"
    reduce_only: bool = False
    closes_position: bool = False
    price_type: str = ""
    unit: str = "base"
    """What its quantity counts, as of an order."""
    created_ms: int = 0
    updated_ms: int = 0
    triggered_ms: int = 0
    status: str = WAITING
    reason: str = ""
    reached: Trigger | None = None
    children: list["Order"] = field(default_factory=list)

    @property
    def is_waiting(self) -> bool:
        """Whether it has neither triggered nor ended."""
        return self.status == WAITING

    @property
    def filled(self) -> Decimal:
        """What the orders that it became executed."""
        return sum((child.filled for child in self.children), ZERO)

    @property
    def present_status(self) -> str:
        """Its own status before its trigger; after it, that of what it became, taken together."""
        if self.status != TRIGGERED:
            return self.status
        if any(child.is_open for child in self.children):
            return "PARTIALLY_FILLED" if self.filled else "NEW"
        ends = {child.status for child in self.children}
        return "FILLED" if ends == {"FILLED"} else max(ends - {"FILLED"})
