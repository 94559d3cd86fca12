"""One record of `fills`, from an execution in its present form. Pure."""

from typing import TYPE_CHECKING, Any

from orderloom.event import Fee, Origin
from orderloom.identity import execution_key
from orderloom.quantities import EXACT, ZERO, text_of, text_or_none
from processors.orders.effects import FillRecorded
from processors.orders.order import Order

if TYPE_CHECKING:
    from decimal import Decimal


def fill_document(order: Order, effect: FillRecorded, origin: Origin) -> dict[str, Any]:
    """What `fills` shows of one execution, without account, sequence and cause."""
    fill = effect.fill
    document = {
        "kind": effect.kind,
        "product": order.product,
        "symbol": order.symbol,
        "order_key": order.key,
        # Not by the present id, which changes: it would be held twice (decision 0403).
        "execution_key": execution_key(order.product, order.symbol, fill.exec_id, effect.name),
        "exec_id": fill.exec_id,
        "venue_order_id": effect.name or None,
        "client_order_id": order.record.first_name(),
        "side": fill.side or order.side,
        "price": text_or_none(fill.last_price),
        "quantity": text_or_none(fill.last_quantity),
        "quantity_unit": fill.quantity_unit,
        "contract_size": text_or_none(order.contract_size),
        "quantity_base": order.in_base(fill.last_quantity),
        "fee": text_or_none(fill.fee),
        "fee_currency": fill.fee_currency,
        "liquidity": fill.liquidity,
        "position_side": fill.position_side or order.term("position_side"),
        "source": origin.source,
        "venue_ns": fill.venue_ns,
        "received_ns": origin.received_ns,
    }
    if fill.more_fees:
        document["more_fees"] = _by_currency(fill.more_fees)
    return document


def _by_currency(fees: tuple[Fee, ...]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for currency, amount in fees:
        sums[currency] = EXACT.add(sums.get(currency, ZERO), amount)
    return {currency: text_of(amount) for currency, amount in sorted(sums.items())}
