"""How orders are entered at a venue: what is sent, and what an answer to it means. Pure.

An adapter that describes it gives its `Venue` an `OrderEntry`; one without takes no orders.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderloom.claim import Verb
from orderloom.quantities import decimal_of, text_of
from orderloom.words import OrderType, PositionSide, Product, ReplyClass, Side, TimeInForce
from venues.request import Context, HttpRequest

_CODE: Final = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class OrderName:
    """How the venue knows an order; one of the two ids is there, and the venue's own goes first.

    `is_conditional`: it waits for its trigger, under end points of its own where a venue has such.
    """

    product: str
    symbol: str
    venue_order_id: str | None = None
    client_order_id: str | None = None
    is_conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What an order is that is to be placed.

    `quantity` is in native units; of an order for coins at market `quote_quantity` may stand
    instead, the amount of quote currency to trade for. `price` and `time_in_force` are of LIMIT,
    and the price of LIMIT_MAKER. `margin_mode` ("cross", "isolated") where the venue wants it said
    of each order, else None.
    """

    product: str
    symbol: str
    side: Side
    order_type: OrderType
    client_order_id: str
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    position_side: PositionSide = PositionSide.NET
    reduce_only: bool = False
    margin_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """What an amendment makes of an order; None leaves it as it is.

    `quantity` is the total in native units, with what is filled. `request_id` comes back with the
    outcome where the venue has such a thing: it tells one amendment of an order from the next.
    """

    side: Side
    quantity: Decimal | None = None
    price: Decimal | None = None
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One request that changes something at the venue, signed; used once.

    `canonical` is what it says without key, time and signature: what the log may hold.
    `expires_ns` is the venue's own time (ns) until which it takes the request; None: for ever.
    """

    http: HttpRequest
    canonical: str
    expires_ns: int | None = None


class Judgement(NamedTuple):
    """What an answer means for the request that it answers; `code` is the venue's own, or ""."""

    reply: ReplyClass
    code: str = ""


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """The requests of one venue, and the meaning of its answers.

    `cancel(order, context)`, `place(terms, expires_ns, context)` and `amend(order, change,
    expires_ns, context)` raise ValueError where the venue has no such request; the last two name an
    `expires_ns` (ns of venue time) that the request's own is never after, and raise ValueError once
    that is past. `judge(verb, product, status, body)` is a whitelist: what it does not know by
    verb, status, code and text is UNKNOWN, and so is a body that cannot be read; it never raises.
    `client_order_ids`: those that `place` takes.
    """

    cancel: Callable[[OrderName, Context], SignedRequest]
    place: Callable[[OrderTerms, int, Context], SignedRequest]
    amend: Callable[[OrderName, OrderChange, int, Context], SignedRequest]
    judge: Callable[[Verb, str, int, bytes], Judgement]
    client_order_ids: re.Pattern[str]


def named_by(order: OrderName, venue_id: str, own_id: str) -> dict[str, str]:
    """The one parameter that names the order: `venue_id` or `own_id`.

    Raises:
        ValueError: neither id is known.
    """
    if order.venue_order_id:
        return {venue_id: order.venue_order_id}
    if order.client_order_id:
        return {own_id: order.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def positive(number: Decimal | None, what: str) -> str:
    """The text of a price or quantity. Raises ValueError: there is none, or it is not above 0."""
    if number is None or decimal_of(number) <= 0:
        raise ValueError(f"an order needs a {what} above 0")
    return text_of(number)


def check_shape(terms: OrderTerms, client_order_ids: re.Pattern[str]) -> None:
    """Raises ValueError where no venue has such an order, or its id cannot be the order's."""
    if not client_order_ids.fullmatch(terms.client_order_id):
        raise ValueError("the venue takes no such client order id of an order")
    is_priced = terms.order_type in (OrderType.LIMIT, OrderType.LIMIT_MAKER)
    if not is_priced and terms.order_type is not OrderType.MARKET:
        raise ValueError(f"no orders of type {terms.order_type} are entered")
    if not is_priced and terms.price is not None:
        raise ValueError("an order at market has no price")
    if (terms.quantity is None) == (terms.quote_quantity is None):
        raise ValueError("an order has one quantity, in native units or in quote")
    if terms.quote_quantity is not None and (is_priced or terms.product != Product.SPOT):
        raise ValueError("only orders for coins at market are sized in quote")
    if (terms.time_in_force is None) == (terms.order_type is OrderType.LIMIT):
        raise ValueError("orders of type LIMIT have a time in force, and no others")
    is_plain = terms.position_side is PositionSide.NET and not terms.reduce_only
    if terms.product == Product.SPOT and not is_plain:
        raise ValueError("an order for coins has no position to reduce")


def code_in(answer: Mapping[str, Any], name: str) -> str:
    """The venue's code in field `name`; "" where there is none.

    What is longer than any code is none: it may be an echo of what was sent (decision 0513).
    """
    code = answer.get(name)
    text = str(code) if type(code) in (int, str) else ""
    return text if _CODE.fullmatch(text) else ""
