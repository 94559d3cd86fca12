"""One record of `orders.<venue>`: everything we can show of one order, and how sure we are."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orderloom.event import Cause
from orderloom.quantities import Unit
from orderloom.words import (
    Completeness,
    Lifecycle,
    OrderType,
    PositionSide,
    Product,
    Reason,
    Side,
    Status,
    TimeInForce,
    TriggerType,
    Trust,
)


class OrderState(BaseModel):
    """The order at `version`. Quantities are native, in `quantity_unit`.

    `status` is derived for those who look; `lifecycle`, `completeness` and `trust` are the tracks.
    `filled_quantity` is the larger of the sum of executions and what the venue claims;
    `provisional_quantity` the part of it without executions yet. `contract_size` is base (quote, if
    inverse) for one of the native unit, as the instrument said when the order was first known, and
    `filled_base` follows from it: both None until the instrument is known, and `filled_base` always
    for inverse contracts. `disputes` names each open
    contradiction. `client_order_ids` are all client order ids that the order bore, the owner's
    first, the present one (`client_order_id`) last: a venue names an order that a conditional order
    became by itself. What a conditional order waits for (`trigger_price` and the fields after it)
    is in the words of `orderloom.event.OrderReport`. `cause` is the record of `raw` that brought
    this version about, `first_cause` the one that first spoke of the order.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    key: str
    account: str
    product: Product
    symbol: str
    venue_order_id: str | None = None
    client_order_id: str | None = None
    # An amendment or a trigger may rename it: whoever placed it knows the first (decision 0405).
    client_order_ids: tuple[str, ...] = ()
    side: Side | None = None
    order_type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    quantity_unit: Unit = Unit.BASE
    quote_quantity: Decimal | None = None
    filled_quantity: Decimal = Decimal(0)
    # Claimed and not explained yet, after a time of grace (docs/state-model.md 3.7).
    provisional_quantity: Decimal = Decimal(0)
    contract_size: Decimal | None = None
    filled_base: Decimal | None = None
    average_price: Decimal | None = None
    position_side: PositionSide | None = None
    trigger_price: Decimal | None = None
    trigger_type: TriggerType | None = None
    activation_price: Decimal | None = None
    callback_rate: Decimal | None = None
    reduce_only: bool | None = None
    close_position: bool | None = None
    status: Status
    lifecycle: Lifecycle
    # Of closed orders alone (docs/state-model.md 1.4).
    reason: Reason | None = None
    completeness: Completeness
    trust: Trust
    disputed: bool = False
    disputes: tuple[str, ...] = ()
    # A blind interval covers it: it may be otherwise by now (docs/state-model.md INV-6).
    stale: bool = False
    # Every order is, until orders can be entered: no
    # intent of ours explains it (docs/state-model.md 1.3).
    adopted: bool = True
    fees: dict[str, Decimal] = Field(default_factory=dict)
    strategy: str | None = None
    intent_id: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    venue_ns: int | None = None
    # Rises and need not be dense: an order is published once a step (docs/state-model.md 4.6).
    version: int
    sequence: int
    epoch: int
    first_cause: Cause | None = None
    cause: Cause
