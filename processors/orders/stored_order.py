"""One order's own record in the state, and the order that it gives back. Pure."""

from decimal import Decimal
from typing import Any, Final

from orderloom.event import Cause
from orderloom.quantities import text_of, text_or_none
from processors.ledger.step import UnknownStateFormat
from processors.orders.order import Order
from processors.orders.record import Record
from processors.orders.seen import Seen
from venues.venue import Profiles

FORMAT: Final = 5
"""Version of what `dumped` gives out."""


class UnknownOrderFormat(UnknownStateFormat):
    """An order record has a format version that this code does not know."""


def dumped(order: Order, *, with_fills: bool = True) -> dict[str, Any]:
    """The complete state, JSON-ready; evidence that names only an alias is kept elsewhere."""
    cause, seen = order.first_seen_cause, order.seen
    return {
        "format": FORMAT,
        "key": order.key,
        "account": order.account,
        "product": order.product,
        "symbol": order.symbol,
        "version": order.version,
        "graced": text_of(order.graced),
        "is_settled": order.is_settled,
        "contract_size": text_or_none(order.contract_size),
        "cause": cause and cause.document(),
        "seen": seen and seen.document(),
        "evidence": order.own.dump(with_fills=with_fills),
    }


def loaded(document: dict[str, Any], profiles: Profiles) -> Order:
    """The order that `dumped` gave out.

    Raises:
        UnknownOrderFormat: it has a format version that this code does not know.
    """
    if document.get("format") != FORMAT:
        raise UnknownOrderFormat(f"order record of format {document.get('format')!r}")
    product = document["product"]
    order = Order(document["account"], product, document["symbol"], profiles[product])
    order.key = document["key"]
    order.version = document["version"]
    order.graced = Decimal(document["graced"])
    order.is_settled = document["is_settled"]
    order.contract_size = (size := document["contract_size"]) and Decimal(size)
    order.first_seen_cause = Cause(**document["cause"]) if document["cause"] else None
    order.seen = Seen(**document["seen"]) if document["seen"] else None
    order.own = order.record = Record.load(document["evidence"])
    if order.version:  # what was never shown is derived from when it is
        order.rebuild()
    return order
