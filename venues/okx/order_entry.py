"""OKX: the requests that enter, change and cancel orders, by REST. Pure.

Manual: "POST / Cancel order", "POST / Cancel algo order". The rules:

- An order is named by the venue's own id where that is known, else by our own: of two ids the
  venue's wins there, so the other would say nothing. No request renames an order.
- Conditional orders have an end point of their own, which takes a list: we send one at a time.
- The venue's deadline `expTime` is for placements and amendments alone (docs/venues/okx.md 2.1): a
  cancel may be carried out however late it arrives.
"""

from typing import Final

from venues.okx.order_replies import judge
from venues.okx.reading import INVERSE, LINEAR, SPOT
from venues.okx.requests import API, post_request
from venues.order_entry import OrderEntry, OrderName, SignedRequest
from venues.rates import Cost
from venues.request import Context

PRODUCTS: Final = (SPOT, LINEAR, INVERSE)
CANCEL: Final = "trade/cancel-order"
CANCEL_ALGOS: Final = "trade/cancel-algos"
# As the operations are called on the socket, which draws on the same limits.
CANCEL_BUCKET: Final = "cancel-order"
CANCEL_ALGOS_BUCKET: Final = "cancel-algos"


def cancel(order: OrderName, context: Context) -> SignedRequest:
    """The request that cancels `order`.

    Raises:
        ValueError: it has no id, no symbol, or is of a product that is not offered here.
    """
    if order.product not in PRODUCTS or order.product not in context.endpoints.rest:
        raise ValueError(f"no orders of {order.product!r}")
    if not order.symbol:
        raise ValueError("an order is canceled by its instrument")
    if order.is_conditional:
        row = {"instId": order.symbol, **_named(order, "algoId", "algoClOrdId")}
        return _request(order, CANCEL_ALGOS, CANCEL_ALGOS_BUCKET, [row], context)
    row = {"instId": order.symbol, **_named(order, "ordId", "clOrdId")}
    return _request(order, CANCEL, CANCEL_BUCKET, row, context)


def _named(order: OrderName, venue_id: str, own_id: str) -> dict[str, str]:
    if order.venue_order_id:
        return {venue_id: order.venue_order_id}
    if order.client_order_id:
        return {own_id: order.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _request(
    order: OrderName, path: str, bucket: str, content: object, context: Context
) -> SignedRequest:
    costs = (Cost(bucket, market=order.symbol),)
    http = post_request(order.product, path, content, context, costs)
    return SignedRequest(http=http, canonical=f"POST {API}{path} {http.body.decode()}")


ORDERS: Final = OrderEntry(cancel=cancel, judge=judge)
