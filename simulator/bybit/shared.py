"""What the three products of one account share: names, notes on orders, executions, payments."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.accounts import Fill
from simulator.conditional import Conditional
from simulator.instrument import ZERO
from simulator.matching import Order


@dataclass(slots=True)
class Note:
    """What is told of an order and does not stand in the order."""

    last: Decimal = ZERO
    """The market's last price when it was made."""
    fees: dict[str, Decimal] = field(default_factory=dict)
    opponent: str = ""
    """The order that it would have traded with, where prevention ended it."""
    take_profit: Decimal = ZERO
    stop_loss: Decimal = ZERO
    parent_name: str = ""
    """The client order id of the order that this one was attached to."""


@dataclass(frozen=True, slots=True)
class Executed:
    """What is told of an execution besides itself: None for the order of a payment."""

    order: Order | None = None
    leaves: Decimal = ZERO
    closed: Decimal = ZERO
    """What of a position it closed."""


@dataclass(slots=True)
class Shared:
    """One venue's, by account where not by number: orders of all products have numbers apart."""

    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The client order ids that there ever were: none is free again."""
    notes: dict[int, Note] = field(default_factory=lambda: defaultdict(Note))
    executed: dict[int, Executed] = field(default_factory=lambda: defaultdict(Executed))
    payments: dict[str, list[Fill]] = field(default_factory=lambda: defaultdict(list))
    """Funding, which stands among the executions and is none."""
    touched: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """The coins that changed and were not told."""


def as_order(conditional: Conditional) -> Order:
    """A conditional order that became none, in the shape of what it would become."""
    request = conditional.triggers[0].request
    is_given_up = conditional.status == "CANCELED"
    return Order(
        order_id=conditional.order_id,
        owner=conditional.owner,
        symbol=conditional.symbol,
        side=conditional.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        price=request.price,
        quantity=conditional.quantity,
        client_order_id=conditional.client_order_id,
        self_trade_mode=request.self_trade_mode,
        position_side=conditional.position_side,
        reduce_only=conditional.reduce_only,
        created_ms=conditional.created_ms,
        updated_ms=conditional.updated_ms,
        status="DEACTIVATED" if is_given_up else conditional.status,
        reason=conditional.reason,
        parent=conditional,
        quote_size=request.quote_size,
    )
