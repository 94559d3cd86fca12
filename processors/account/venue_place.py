"""Where a venue knows an order: what a question about it by its id needs. Pure."""

from dataclasses import dataclass, replace

from processors.account.targets import GAP
from processors.orders.order import Order


@dataclass(frozen=True, slots=True)
class VenuePlace:
    """Where the venue knows an order: what a question by id needs.

    `venue_ns` is up to when the venue reported it: what it executed later is not missed yet.
    `is_conditional`: the ids are those of a conditional order.
    """

    product: str
    symbol: str
    venue_order_id: str | None
    client_order_id: str | None
    venue_ns: int | None = None
    is_conditional: bool = False


def place_of(order: Order, why: str) -> VenuePlace:
    """Where the venue knows this order now; of a gap, the link whose executions lack.

    A conditional order that was split lives on in several: executions of one are not found under
    the id of another.
    """
    own_id, venue_ns = order.term("client_order_id"), order.record.venue_ns
    place = VenuePlace(order.product, order.symbol, order.venue_order_id, own_id, venue_ns)
    if why == GAP and (name := order.record.lacking()):
        return replace(place, venue_order_id=name)
    return replace(place, is_conditional=True) if order.is_conditional else place
