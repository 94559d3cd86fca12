"""OKX: the requests that enter, change and cancel orders, by REST. Pure.

Manual: "POST / Place order", "POST / Amend order", "POST / Cancel order", "POST / Cancel algo
order". The rules:

- An order is named by the venue's own id where that is known, else by our own: of two ids the
  venue's wins there, so the other would say nothing. No request renames an order.
- Conditional orders have an end point of their own, which takes a list: we send one at a time.
- The venue's deadline `expTime` is for placements and amendments alone (docs/venues/okx.md 2.1): a
  cancel may be carried out however late it arrives.
- The type of an order says how long it rests as well. What an order at market counts is said each
  time, as it differs by side where it is not, and so is which of two own orders gives way.
"""

import re
from collections.abc import Mapping
from typing import Final

from orderloom.words import OrderType, PositionSide, TimeInForce
from venues.okx.order_replies import judge
from venues.okx.reading import INVERSE, LINEAR, SPOT
from venues.okx.requests import API, post_request
from venues.okx.words import MARGIN_MODES, POSITION_SIDES, SIDES
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
from venues.rates import Cost
from venues.request import Context
from venues.venue import MILLISECOND_NS

PRODUCTS: Final = (SPOT, LINEAR, INVERSE)
PLACE: Final = "trade/order"
AMEND: Final = "trade/amend-order"
CANCEL: Final = "trade/cancel-order"
CANCEL_ALGOS: Final = "trade/cancel-algos"
# As the operations are called on the socket, which draws on the same limits.
PLACE_BUCKET: Final = "order"
AMEND_BUCKET: Final = "amend-order"
CANCEL_BUCKET: Final = "cancel-order"
CANCEL_ALGOS_BUCKET: Final = "cancel-algos"
ACCOUNT_ORDERS_BUCKET: Final = "account-orders"
CLIENT_ORDER_IDS: Final = re.compile(r"[A-Za-z0-9]{1,32}")
# Of two orders of one account that meet, the one that rests.
SELF_TRADE_PREVENTION: Final = "cancel_maker"
ORDER_TYPES: Final = {
    (OrderType.LIMIT, TimeInForce.GTC): "limit",
    (OrderType.LIMIT, TimeInForce.IOC): "ioc",
    (OrderType.LIMIT, TimeInForce.FOK): "fok",
    (OrderType.LIMIT, TimeInForce.GTX): "post_only",
    (OrderType.LIMIT_MAKER, None): "post_only",
    (OrderType.MARKET, None): "market",
}
_SIDES: Final = {side: word for word, side in SIDES.items()}
_LEGS: Final = {side: word for word, side in POSITION_SIDES.items()}


def cancel(order: OrderName, context: Context) -> SignedRequest:
    """The request that cancels `order`.

    Raises:
        ValueError: it has no id, no symbol, or is of a product that is not offered here.
    """
    _check_market(order.product, order.symbol, context)
    path, bucket = CANCEL, CANCEL_BUCKET
    content: object = {"instId": order.symbol, **named_by(order, "ordId", "clOrdId")}
    if order.is_conditional:
        path, bucket = CANCEL_ALGOS, CANCEL_ALGOS_BUCKET
        content = [{"instId": order.symbol, **named_by(order, "algoId", "algoClOrdId")}]
    costs = (Cost(bucket, market=order.symbol),)
    http = post_request(order.product, path, content, context, costs)
    return SignedRequest(http=http, canonical=_canonical(path, http.body))


def place(terms: OrderTerms, expires_ns: int, context: Context) -> SignedRequest:
    """The request that places an order.

    Raises:
        ValueError: there is no such order here, or the expiry is past.
    """
    _check_market(terms.product, terms.symbol, context)
    check_shape(terms, CLIENT_ORDER_IDS)
    is_leg = terms.position_side is not PositionSide.NET
    order_type = ORDER_TYPES.get((terms.order_type, terms.time_in_force))
    if order_type is None:
        raise ValueError(f"no {terms.time_in_force} orders of type {terms.order_type} are entered")
    row = {
        "instId": terms.symbol,
        "tdMode": _margin_mode(terms),
        "side": _SIDES[terms.side],
        **({"posSide": _LEGS[terms.position_side]} if is_leg else {}),
        "ordType": order_type,
        **_sizes(terms),
        **({"reduceOnly": True} if terms.reduce_only else {}),
        "clOrdId": terms.client_order_id,
        "stpMode": SELF_TRADE_PREVENTION,
    }
    return _expiring(PLACE, PLACE_BUCKET, row, (terms.product, context, expires_ns))


def amend(
    order: OrderName, change: OrderChange, expires_ns: int, context: Context
) -> SignedRequest:
    """The request that amends `order`.

    Raises:
        ValueError: nothing is changed, the order has no id or waits for its trigger, or the expiry
            is past.
    """
    _check_market(order.product, order.symbol, context)
    if order.is_conditional:
        raise ValueError("a conditional order is not amended")
    if change.quantity is None and change.price is None:
        raise ValueError("an amendment changes the price of an order, its quantity, or both")
    row = {
        "instId": order.symbol,
        **named_by(order, "ordId", "clOrdId"),
        **({} if change.request_id is None else {"reqId": str(change.request_id)}),
        **({} if change.quantity is None else {"newSz": positive(change.quantity, "quantity")}),
        **({} if change.price is None else {"newPx": positive(change.price, "price")}),
    }
    return _expiring(AMEND, AMEND_BUCKET, row, (order.product, context, expires_ns))


def _check_market(product: str, symbol: str, context: Context) -> None:
    if product not in PRODUCTS or product not in context.endpoints.rest:
        raise ValueError(f"no orders of {product!r}")
    if not symbol:
        raise ValueError("an order has an instrument")


def _margin_mode(terms: OrderTerms) -> str:
    if terms.product == SPOT and terms.margin_mode is None:
        return "cash"
    if terms.margin_mode not in MARGIN_MODES:
        raise ValueError("an order for contracts says how it is margined, cross or isolated")
    return terms.margin_mode


def _sizes(terms: OrderTerms) -> dict[str, str]:
    if terms.quote_quantity is not None:
        return {"sz": positive(terms.quote_quantity, "quantity"), "tgtCcy": "quote_ccy"}
    size = {"sz": positive(terms.quantity, "quantity")}
    if terms.order_type is not OrderType.MARKET:
        return {**size, "px": positive(terms.price, "price")}
    return {**size, "tgtCcy": "base_ccy"} if terms.product == SPOT else size


def _expiring(
    path: str, bucket: str, row: Mapping[str, object], meant: tuple[str, Context, int]
) -> SignedRequest:
    """A request that the venue drops after its expiry."""
    product, context, expires_ns = meant
    # Down to a whole millisecond: never later than asked.
    expires_ms = expires_ns // MILLISECOND_NS
    if expires_ms * MILLISECOND_NS <= context.venue_ns:
        raise ValueError("an order request is not made after its expiry")
    of_contracts = () if product == SPOT else (Cost(ACCOUNT_ORDERS_BUCKET),)
    costs = (Cost(bucket, market=str(row["instId"])), *of_contracts)
    http = post_request(product, path, row, context, costs, expires_ms=expires_ms)
    return SignedRequest(
        http=http,
        canonical=_canonical(path, http.body),
        expires_ns=expires_ms * MILLISECOND_NS,
    )


def _canonical(path: str, body: bytes) -> str:
    return f"POST {API}{path} {body.decode()}"


ORDERS: Final = OrderEntry(
    cancel=cancel, place=place, amend=amend, judge=judge, client_order_ids=CLIENT_ORDER_IDS
)
