"""Binance: the requests that enter, change and cancel orders, by REST. Pure.

Manual: "Cancel order" of both products, "Cancel Algo Order". The rules:

- An order is named by the venue's own id where that is known, else by our own; never by both, as
  Spot refuses a pair that does not belong together (-2039).
- Spot renames an order when it is canceled, unless the cancel repeats its name
  (docs/venues/binance.md 5): it always does where the name is known.
- USD-M keeps conditional orders apart, under end points of their own; Spot does not.
- The venue takes a request until `recvWindow` after its `timestamp`, by its own clock.
"""

from typing import Final

from venues.binance.order_replies import judge
from venues.binance.reading import LINEAR, SPOT
from venues.binance.requests import RECEIVE_WINDOW_MS, http_request, signed_query
from venues.order_entry import OrderEntry, OrderName, SignedRequest
from venues.query import Parameters, query_of
from venues.request import Context
from venues.venue import MILLISECOND_NS

ORDER: Final = {SPOT: "/api/v3/order", LINEAR: "/fapi/v1/order"}
ALGO_ORDER: Final = "/fapi/v1/algoOrder"
# Spot charges a cancel only if it fails (docs/venues/binance.md 7.1): what
# is paid too much, the count in the next answer gives back.
CANCEL_WEIGHT: Final = 1


def cancel(order: OrderName, context: Context) -> SignedRequest:
    """The request that cancels `order`.

    Raises:
        ValueError: it has no id, no symbol, or is of a product that is not offered here.
    """
    if order.product not in ORDER or order.product not in context.endpoints.rest:
        raise ValueError(f"no orders of {order.product!r}")
    if not order.symbol:
        raise ValueError("an order is canceled by its symbol")
    if order.is_conditional and order.product == LINEAR:
        # The ids of conditional orders are counted over all symbols: there is no such parameter.
        named = _named(order, "algoId", "clientAlgoId")
        return _request(order.product, ("DELETE", ALGO_ORDER), named, context)
    named = {"symbol": order.symbol, **_named(order, "orderId", "origClientOrderId")}
    if order.product == SPOT and order.client_order_id:
        named["newClientOrderId"] = order.client_order_id
    return _request(order.product, ("DELETE", ORDER[order.product]), named, context)


def _named(order: OrderName, venue_id: str, own_id: str) -> dict[str, str | int]:
    if order.venue_order_id:
        return {venue_id: order.venue_order_id}
    if order.client_order_id:
        return {own_id: order.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _request(
    product: str, call: tuple[str, str], parameters: Parameters, context: Context
) -> SignedRequest:
    query = signed_query(parameters, context)
    sent_ms = context.venue_ns // MILLISECOND_NS
    return SignedRequest(
        http=http_request(product, call, query, context, CANCEL_WEIGHT),
        canonical=f"{' '.join(call)}?{query_of(parameters)}",
        expires_ns=(sent_ms + RECEIVE_WINDOW_MS) * MILLISECOND_NS,
    )


ORDERS: Final = OrderEntry(cancel=cancel, judge=judge)
