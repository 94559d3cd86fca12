"""Binance: the requests that enter, change and cancel orders, by REST. Pure.

Manual: "New order", "Modify Order", "Order Amend Keep Priority", "Cancel order", "Cancel Algo
Order". The rules:

- An order is named by the venue's own id where that is known, else by our own; never by both, as
  Spot refuses a pair that does not belong together (-2039).
- Spot renames an order when it is canceled or amended, unless the request repeats its name
  (docs/venues/binance.md 5): it always does where the name is known.
- USD-M keeps conditional orders apart, under end points of their own; Spot does not.
- The venue takes a request until `recvWindow` after its `timestamp`, by its own clock: the window
  is made so that it ends with the request's expiry, and is never longer than usual.
- What the manual's pages disagree about is said in each request: which order gives way to the other
  of the same account, and how long the answer is.
"""

import re
from dataclasses import replace
from typing import Final

from orderloom.words import OrderType, PositionSide, TimeInForce
from venues.binance.order_replies import judge
from venues.binance.reading import LINEAR, SPOT
from venues.binance.requests import (
    BUCKETS,
    ORDER_BUCKETS,
    RECEIVE_WINDOW_MS,
    http_request,
    signed_query,
)
from venues.binance.words import POSITION_SIDES
from venues.order_entry import (
    OrderChange,
    OrderEntry,
    OrderName,
    OrderTerms,
    SignedRequest,
    check_shape,
    named_by,
    positive,
)
from venues.query import Parameters, query_of
from venues.rates import Cost
from venues.request import Context
from venues.venue import MILLISECOND_NS

ORDER: Final = {SPOT: "/api/v3/order", LINEAR: "/fapi/v1/order"}
ALGO_ORDER: Final = "/fapi/v1/algoOrder"
KEEP_PRIORITY: Final = "/api/v3/order/amend/keepPriority"
# The stricter alphabet of both products. Not as the venue's own orders are called: one of ours
# would be taken for a liquidation (docs/venues/binance.md 5).
CLIENT_ORDER_IDS: Final = re.compile(
    r"(?!(?:adl_|settlement_|delivery_)?autoclose)[A-Za-z0-9_-]{1,36}"
)
# Of two orders of one account that meet, the one that rests.
SELF_TRADE_PREVENTION: Final = "EXPIRE_MAKER"
_WITH_ANY_PRODUCT: Final = frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK})
TIMES_IN_FORCE: Final = {
    SPOT: _WITH_ANY_PRODUCT,
    LINEAR: _WITH_ANY_PRODUCT | {TimeInForce.GTX},
}
_LEGS: Final = {side: word for word, side in POSITION_SIDES.items()}
# Spot charges a placement or cancel only if it fails (docs/venues/binance.md 7.1): what is paid too
# much, the count in the next answer gives back.
_WEIGHT: Final = {product: (Cost(bucket, 1),) for product, bucket in BUCKETS.items()}
_COUNTED: Final = {
    product: tuple(Cost(bucket) for bucket in buckets) for product, buckets in ORDER_BUCKETS.items()
}
PLACE_COSTS: Final = {SPOT: (*_COUNTED[SPOT], *_WEIGHT[SPOT]), LINEAR: _COUNTED[LINEAR]}
AMEND_COSTS: Final = {SPOT: (Cost(BUCKETS[SPOT], 4),), LINEAR: _COUNTED[LINEAR]}
Call = tuple[str, str]


def cancel(order: OrderName, context: Context) -> SignedRequest:
    """The request that cancels `order`.

    Raises:
        ValueError: it has no id, no symbol, or is of a product that is not offered here.
    """
    _check_market(order.product, order.symbol, context)
    expires_ns = context.venue_ns + RECEIVE_WINDOW_MS * MILLISECOND_NS
    if order.is_conditional and order.product == LINEAR:
        # The ids of conditional orders are counted over all symbols: there is no such parameter.
        named = named_by(order, "algoId", "clientAlgoId")
        call = ("DELETE", ALGO_ORDER)
        return _request(call, named, (context, expires_ns), order.product, _WEIGHT[LINEAR])
    call = ("DELETE", ORDER[order.product])
    named = _named(order)
    return _request(call, named, (context, expires_ns), order.product, _WEIGHT[order.product])


def place(terms: OrderTerms, expires_ns: int, context: Context) -> SignedRequest:
    """The request that places an order.

    Raises:
        ValueError: there is no such order here, or the expiry is past.
    """
    _check_market(terms.product, terms.symbol, context)
    check_shape(terms, CLIENT_ORDER_IDS)
    if terms.margin_mode is not None:
        raise ValueError("the margin mode of an order is a setting of the account here")
    parameters: dict[str, str | int] = {
        "symbol": terms.symbol,
        "side": terms.side.value,
        **_kind(terms),
        **_sizes(terms),
        **(_leg(terms) if terms.product == LINEAR else {}),
        "newClientOrderId": terms.client_order_id,
        "newOrderRespType": "ACK",
        "selfTradePreventionMode": SELF_TRADE_PREVENTION,
    }
    call = ("POST", ORDER[terms.product])
    costs = PLACE_COSTS[terms.product]
    return _request(call, parameters, (context, expires_ns), terms.product, costs)


def amend(
    order: OrderName, change: OrderChange, expires_ns: int, context: Context
) -> SignedRequest:
    """The request that amends `order`: to less on Spot, to another price and quantity on USD-M.

    Raises:
        ValueError: there is no such amendment here, the order has no id, or the expiry is past.
    """
    _check_market(order.product, order.symbol, context)
    if order.is_conditional and order.product == LINEAR:
        raise ValueError("a conditional order cannot be amended here")
    quantity = positive(change.quantity, "quantity")
    if order.product == SPOT:
        if change.price is not None:
            raise ValueError("an amendment of an order for coins changes no price here")
        # A cancel goes all the same: what is renamed then has ended.
        if not order.client_order_id:
            raise ValueError("an amendment renames an order whose client order id is not said")
        named: Parameters = {**_named(order), "newQty": quantity}
        call = ("PUT", KEEP_PRIORITY)
    else:
        named = {
            **_named(order),
            "side": change.side.value,
            "quantity": quantity,
            "price": positive(change.price, "price"),
            **({} if change.request_id is None else {"modifyId": change.request_id}),
        }
        call = ("PUT", ORDER[LINEAR])
    costs = AMEND_COSTS[order.product]
    return _request(call, named, (context, expires_ns), order.product, costs)


def _check_market(product: str, symbol: str, context: Context) -> None:
    if product not in ORDER or product not in context.endpoints.rest:
        raise ValueError(f"no orders of {product!r}")
    if not symbol:
        raise ValueError("an order has a symbol")


def _named(order: OrderName) -> dict[str, str]:
    """Which order; of one for coins also its own name, which it would lose otherwise."""
    named = {"symbol": order.symbol, **named_by(order, "orderId", "origClientOrderId")}
    if order.product == SPOT and order.client_order_id:
        named["newClientOrderId"] = order.client_order_id
    return named


def _kind(terms: OrderTerms) -> dict[str, str]:
    """Type and time in force; on USD-M what never takes is a time in force."""
    if terms.order_type is OrderType.LIMIT_MAKER and terms.product == LINEAR:
        return {"type": "LIMIT", "timeInForce": "GTX"}
    if terms.time_in_force is None:
        return {"type": terms.order_type.value}
    if terms.time_in_force not in TIMES_IN_FORCE[terms.product]:
        raise ValueError(f"no {terms.time_in_force} orders of {terms.product}")
    return {"type": terms.order_type.value, "timeInForce": terms.time_in_force.value}


def _sizes(terms: OrderTerms) -> dict[str, str]:
    if terms.quote_quantity is not None:
        return {"quoteOrderQty": positive(terms.quote_quantity, "quantity")}
    quantity = {"quantity": positive(terms.quantity, "quantity")}
    if terms.order_type is OrderType.MARKET:
        return quantity
    return {**quantity, "price": positive(terms.price, "price")}


def _leg(terms: OrderTerms) -> dict[str, str]:
    if terms.reduce_only and terms.position_side is not PositionSide.NET:
        raise ValueError("an order of a leg says by its side whether it reduces")
    reducing = {"reduceOnly": "true"} if terms.reduce_only else {}
    return {"positionSide": _LEGS[terms.position_side], **reducing}


def _request(
    call: Call,
    parameters: Parameters,
    when: tuple[Context, int],
    product: str,
    costs: tuple[Cost, ...],
) -> SignedRequest:
    context, expires_ns = when
    sent_ms = context.venue_ns // MILLISECOND_NS
    # Down to a whole millisecond: never later than asked.
    window_ms = min(expires_ns // MILLISECOND_NS - sent_ms, RECEIVE_WINDOW_MS)
    if window_ms <= 0:
        raise ValueError("an order request is not made after its expiry")
    query = signed_query(parameters, context, window_ms)
    return SignedRequest(
        http=replace(http_request(product, call, query, context, 0), costs=costs),
        canonical=f"{' '.join(call)}?{query_of(parameters)}",
        expires_ns=(sent_ms + window_ms) * MILLISECOND_NS,
    )


ORDERS: Final = OrderEntry(
    cancel=cancel, place=place, amend=amend, judge=judge, client_order_ids=CLIENT_ORDER_IDS
)
