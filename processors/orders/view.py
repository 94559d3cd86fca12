"""What consumers are shown of an order, and the canonical bytes of what it is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from orderloom.quantities import Unit, text_of, text_or_none
from processors.orders.tracks.amounts import average_of
from processors.orders.tracks.lifecycle import shown_status

if TYPE_CHECKING:
    from processors.orders.fill_effects import Shared
    from processors.orders.order import Order


class Before(NamedTuple):
    """What was shown of an order before a change; `view` None where single facts say all of it."""

    view: dict[str, Any] | None = None
    terms: Shared | None = None


NEVER_SHOWN: Final = Before()


def view_of(order: Order) -> dict[str, Any]:
    """What `orders` shows of it, JSON-ready: decimals as text."""
    document = _content(order)
    document["provisional_quantity"] = text_of(order.provisional_quantity)
    document["contract_size"] = text_or_none(order.contract_size)
    document["filled_base"] = order.in_base(order.executed)
    document["trust"] = order.trust
    document["version"] = order.version
    # No intent of ours explains an order yet (docs/state-model.md 1.3).
    document["adopted"] = True
    document["strategy"] = document["intent_id"] = None
    document["tags"] = {}
    return document


def content_of(order: Order) -> bytes:
    """Canonical bytes of tracks and fills: the same for every arrival of the same evidence."""
    document = _content(order)
    # Not `order.trust`: whether the account found it final is no
    # evidence (docs/state-model.md 4.8).
    document["trust"] = order.derived.trust
    document["fills"] = f"{order.record.totals.digest:x}"
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _content(order: Order) -> dict[str, Any]:
    """What is shown and follows from the evidence alone."""
    derived = order.derived
    lifecycle, amounts, record = derived.lifecycle, derived.amounts, order.record
    totals = record.totals
    fees = totals.fees
    average_price = average_of(totals, amounts, derived.claimed_average)
    (
        client_order_id, side, order_type, time_in_force, price, quantity, quote_quantity,
        position_side, margin_mode, trigger_price, trigger_type, activation_price, callback_rate,
        reduce_only, close_position, quantity_unit,
    ) = order.terms()  # fmt: skip
    # Of a chain or of parts the whole, and not what the current link says (decision 0402).
    if amounts.quantity is not None:
        quantity = amounts.quantity
    return {
        "key": order.key,
        "account": order.account,
        "product": order.product,
        "symbol": order.symbol,
        "venue_order_id": order.venue_order_id,
        "client_order_id": client_order_id,
        "client_order_ids": record.names(),
        "side": side,
        "order_type": order_type,
        "time_in_force": time_in_force,
        "price": text_or_none(price),
        "quantity": text_or_none(quantity),
        "quantity_unit": quantity_unit or Unit.BASE,
        "quote_quantity": text_or_none(quote_quantity),
        "filled_quantity": text_of(amounts.executed),
        "average_price": text_or_none(average_price),
        "position_side": position_side,
        "margin_mode": margin_mode,
        "trigger_price": text_or_none(trigger_price),
        "trigger_type": trigger_type,
        "activation_price": text_or_none(activation_price),
        "callback_rate": text_or_none(callback_rate),
        "reduce_only": reduce_only,
        "close_position": close_position,
        "status": shown_status(lifecycle, is_executed=bool(amounts.executed)),
        "lifecycle": lifecycle,
        "reason": derived.reason,
        "completeness": derived.completeness,
        "disputed": bool(derived.disputes),
        "disputes": list(derived.disputes),
        "fees": {name: text_of(fees[name]) for name in sorted(fees)},
        "venue_ns": record.venue_ns,
    }
