"""OKX: conditional (algo) orders as evidence. Pure.

Manual: "WS / Algo orders channel", "WS / Advance algo orders channel", "GET Algo order details",
"GET Algo order list", "GET Algo order history". The rules:

- A conditional order waits under `algoId`. What it became when it triggered has ids of its own
  (`ordId`, `ordIdList`: a take-profit or stop-loss may be split) and carries `algoId` with them.
- A stop-loss, a take-profit or both (`oco`) have a trigger each; `actualSide` names the one that
  was reached.
- One for coins that buys at market is sized in quote by default, as a plain order is.
- Why one was canceled is not said: the user, or the venue because its other half was filled.
- Strategies (iceberg, TWAP) place order after order and are no order themselves.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from orderloom.event import Event, OrderReport
from orderloom.quantities import EXACT
from orderloom.words import Reason, Status
from venues.document import (
    Document,
    blank_decimal,
    choice,
    identifier,
    lenient_choice,
    needed_identifier,
    needed_text,
    text,
    time_ns,
)
from venues.okx.reading import (
    SPOT,
    amount_above_zero,
    change_id,
    flag,
    is_sized_in_quote,
    margin_mode_of,
    ordinal,
    position_side_of,
    product_of,
    push_time_ns,
    unit_of,
)
from venues.okx.words import ALGO_STATES, ALGO_STRATEGIES, ALGO_TYPES, SIDES, TRIGGER_TYPES
from venues.reading import Reading
from venues.venue import BadFrame

HUNDRED: Final = Decimal(100)
ONE: Final = Decimal(1)
AT_MARKET: Final = Decimal(-1)
TRAILING: Final = "move_order_stop"
HALVES: Final = ("sl", "tp")
HALVED: Final = frozenset({"conditional", "oco"})
SOME_TRIGGERED: Final = frozenset({"effective", "partially_effective", "partially_failed"})


def algo_row(row: Document, reading: Reading) -> tuple[Event, ...]:
    """A conditional order, pushed or asked for: while it waits, at its trigger, at its end."""
    product = product_of(row, reading)
    if product is None:
        return ()
    if text(row, "ordType") in ALGO_STRATEGIES:
        return reading.ignore("the orders of a strategy report themselves")
    state = needed_text(row, "state")
    children = _children(row) if state in SOME_TRIGGERED else ()
    status = lenient_choice(row, "state", ALGO_STATES, reading.unknown)
    if state == "partially_failed":  # what did not fail is alive under its own ids
        status = Status.ACTIVE if children else Status.REJECTED
    waiting = _waiting(row, product, status, reading)
    if status is not Status.ACTIVE:
        # There may be more, and what is left still waits: parts, side by side (decision 0406).
        parts = (_child(row, waiting, child, is_part=True) for child in children)
        return (waiting, *parts)
    if not children:
        return (waiting,)
    return tuple(_child(row, waiting, child, is_alone=len(children) == 1) for child in children)


def _waiting(row: Document, product: str, status: Status | None, reading: Reading) -> OrderReport:
    """The conditional order under its own id."""
    time = time_ns(row, "uTime")
    half, side = _half(row), choice(row, "side", SIDES)
    # "" or 0 where it closes the whole position, whatever that is by then.
    size, is_market = amount_above_zero(row, "sz"), _is_at_market(row, half)
    is_in_quote = product == SPOT and is_sized_in_quote(row, side, is_market=is_market)
    price_type = f"{half}TriggerPxType" if half else "triggerPxType"
    is_push = not reading.is_query
    return OrderReport(
        product=product,
        symbol=needed_text(row, "instId"),
        venue_order_id=needed_identifier(row, "algoId"),
        client_order_id=text(row, "algoClOrdId"),
        status=status,
        reason=Reason.LIFECYCLE_REJECT if status is Status.REJECTED else None,
        side=side,
        order_type=lenient_choice(row, "ordType", ALGO_TYPES, reading.unknown),
        price=amount_above_zero(row, _price_name(half)),
        quantity=None if is_in_quote else size,
        quantity_unit=unit_of(product),
        quote_quantity=size if is_in_quote else None,
        position_side=position_side_of(row, product),
        margin_mode=margin_mode_of(row, product),
        trigger_price=amount_above_zero(row, f"{half}TriggerPx" if half else "triggerPx"),
        trigger_type=lenient_choice(row, price_type, TRIGGER_TYPES, reading.unknown),
        activation_price=amount_above_zero(row, "activePx"),
        callback_rate=_percent(row),
        reduce_only=flag(row, "reduceOnly"),
        close_position=True if amount_above_zero(row, "closeFraction") == ONE else None,
        # A push may come again with a later time: it is
        # placed by what its copy shares (decision 0407).
        change_id=change_id(row) if is_push else None,
        ordinal=ordinal(push_time_ns(row) if is_push else time),
        venue_ns=time,
    )


def _child(
    row: Document,
    waiting: OrderReport,
    child: str,
    *,
    is_part: bool = False,
    is_alone: bool = False,
) -> OrderReport:
    """What its trigger says of one order that it became.

    `is_part`: there may be others; `is_alone`: there are none, so it has the whole size.
    """
    name, algo_id = waiting.client_order_id, waiting.venue_order_id
    assert algo_id is not None
    # The order's own reports are younger than its trigger.
    venue_ns = time_ns(row, "triggerTime") or time_ns(row, "cTime")
    size = amount_above_zero(row, "actualSz") or waiting.quantity
    return replace(
        waiting,
        venue_order_id=child,
        # The row has one such id, and one size for all that was placed:
        # of several orders neither says which, and each reports its own.
        client_order_id=text(row, "clOrdId") if is_alone else None,
        status=Status.ACTIVE,
        reason=None,
        quantity=size if is_alone and waiting.quote_quantity is None else None,
        quote_quantity=waiting.quote_quantity if is_alone else None,
        alias_ids=(algo_id,),
        client_alias_ids=() if name is None else (name,),
        is_part=is_part,
        change_id=None,
        ordinal=ordinal(venue_ns),
        venue_ns=venue_ns,
    )


def _children(row: Document) -> tuple[str, ...]:
    """The ids of the orders that it became; `ordId` is the latest of `ordIdList`."""
    listed = row.get("ordIdList") or []
    if type(listed) is not list:
        raise BadFrame(f"ordIdList: not a list: {listed!r:.80}")
    ids = [needed_identifier({"ordIdList": one}, "ordIdList") for one in listed]
    latest = identifier(row, "ordId")
    return tuple(dict.fromkeys([*ids, *([] if latest is None else [latest])]))


def _half(row: Document) -> str:
    """Which trigger is meant: the one that was reached, else the stop-loss's; "" where it has one
    that is neither."""
    if text(row, "ordType") not in HALVED:
        return ""
    reached = text(row, "actualSide")
    if reached in HALVES:
        return reached
    return next((half for half in HALVES if amount_above_zero(row, f"{half}TriggerPx")), "")


def _price_name(half: str) -> str:
    return f"{half}OrdPx" if half else "ordPx"


def _is_at_market(row: Document, half: str) -> bool:
    """Whether what it becomes has no price: -1 says so, and one that trails never has one."""
    price = blank_decimal(row, _price_name(half))
    return price == AT_MARKET or text(row, "ordType") == TRAILING


def _percent(row: Document) -> Decimal | None:
    """`callbackRatio` is a share of the price: 0.05 is 5 percent."""
    ratio = amount_above_zero(row, "callbackRatio")
    return None if ratio is None else EXACT.multiply(ratio, HUNDRED)
