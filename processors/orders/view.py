"""What consumers are shown of an order, and the canonical bytes of what it is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from orderloom.quantities import text_of, text_or_none
from processors.orders.tracks.lifecycle import shown_status

if TYPE_CHECKING:
    from processors.orders.order import Order


def view_of(order: Order) -> dict[str, Any]:
    """What `orders` shows of it, JSON-ready: decimals as text."""
    return {
        **_content(order),
        "provisional_quantity": text_of(order.provisional_quantity),
        "contract_size": text_or_none(order.contract_size),
        "filled_base": order.in_base(order.executed),
        "trust": order.trust,
        "version": order.version,
        "adopted": True,
        "strategy": None,
        "intent_id": None,
        "tags": {},
    }


def content_of(order: Order) -> bytes:
    """Canonical bytes of tracks and fills: the same for every arrival of the same evidence."""
    document = {
        **_content(order),
        "trust": order.derived.trust,
        "fills": f"{order.record.totals.digest:x}",
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _content(order: Order) -> dict[str, Any]:
    """What is shown and follows from the evidence alone."""
    derived = order.derived
    lifecycle, amounts, record = derived.lifecycle, derived.amounts, order.record
    fees = record.totals.fees
    term = order.term
    return {
        "key": order.key,
        "account": order.account,
        "product": order.product,
        "symbol": order.symbol,
        "venue_order_id": order.venue_order_id,
        "client_order_id": term("client_order_id"),
        "client_order_ids": record.names(),
        "side": term("side"),
        "order_type": term("order_type"),
        "time_in_force": term("time_in_force"),
        "price": text_or_none(term("price")),
        "quantity": text_or_none(order.quantity),
        "quantity_unit": order.quantity_unit,
        "quote_quantity": text_or_none(term("quote_quantity")),
        "filled_quantity": text_of(amounts.executed),
        "average_price": text_or_none(derived.average_price),
        "position_side": term("position_side"),
        "margin_mode": term("margin_mode"),
        "trigger_price": text_or_none(term("trigger_price")),
        "trigger_type": term("trigger_type"),
        "activation_price": text_or_none(term("activation_price")),
        "callback_rate": text_or_none(term("callback_rate")),
        "reduce_only": term("reduce_only"),
        "close_position": term("close_position"),
        "status": shown_status(lifecycle, is_executed=bool(amounts.executed)),
        "lifecycle": lifecycle,
        "reason": derived.reason,
        "completeness": derived.completeness,
        "disputed": bool(derived.disputes),
        "disputes": list(derived.disputes),
        "fees": {name: text_of(fees[name]) for name in sorted(fees)},
        "venue_ns": record.venue_ns,
    }
