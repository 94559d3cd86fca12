"""Bybit: orders as evidence, pushed or asked for. Pure.

Manual: "Order" (private stream), "Get Open & Closed Orders", "Get Order History". The rules that
cost others money:

- `cumExecQty` says what was executed. `leavesQty` becomes 0 or "" at the end of an order.
- `Cancelled` and `Rejected` may have fills; one that was rejected after fills was canceled.
- When a cancel comes too late the order is `Filled` twice, the second time as if a user had
  canceled it: that answers the cancel.
- A market order shows the price bound that protects it: no price that anybody asked for.
- A market order that buys coins is sized in quote, unless `marketUnit` says otherwise.
- An amendment has no mark: the terms of the latest report hold.
- A conditional order keeps its ids when it triggers, and its type while it lives.
"""

from typing import Any, Final

from orderloom.event import Event, OrderReport
from orderloom.words import OrderType, PositionSide, Reason, Side, Status
from venues.bybit.reading import Message, above_zero, ordinal, product_of, unit_of
from venues.bybit.words import (
    AT_MARKET,
    CANCEL_TYPES,
    CREATE_TYPES,
    MAKER_ONLY,
    ORDER_TYPES,
    POSITION_SIDES,
    REJECT_REASONS,
    SIDES,
    SPOT,
    STATUSES,
    STOP_TYPES,
    TIMES_IN_FORCE,
    TRAILING,
    TRIGGER_TYPES,
)
from venues.document import (
    Document,
    amount,
    choice,
    flag,
    integer,
    lenient_choice,
    names_in,
    needed_amount,
    needed_text,
    note_unknown,
    text,
    time_ns,
)
from venues.venue import BadFrame

ORDER_FIELDS: Final = names_in(
    "avgPrice blockTradeId brokerOrderPrice cancelType category closeOnTrigger closedPnl "
    "createType createdTime cumExecFee cumExecQty cumExecValue cumFeeDetail extraFees feeCurrency "
    "isLeverage "
    "lastPriceOnCreated leavesQty leavesValue marketUnit ocoTriggerBy orderId orderIv orderLinkId "
    "orderStatus orderType parentOrderLinkId placeType positionIdx price qty reduceOnly "
    "rejectReason rpiMatchedQty rpiTakerAccess side slLimitPrice slTriggerBy slippageTolerance "
    "slippageToleranceType smpGroup smpOrderId smpType stopLoss stopOrderType symbol takeProfit "
    "timeInForce tpLimitPrice tpTriggerBy tpslMode triggerBy triggerDirection triggerPrice "
    "updatedTime"
)
CLOSED: Final = frozenset({Status.CANCELED, Status.REJECTED})
IN_QUOTE: Final = "quoteCoin"
MARKET: Final = "MARKET"


def order_row(row: Document, reading: Message) -> tuple[Event, ...]:
    """An order: an item of the topic `order`, or a row of a list; both have the same fields."""
    product = product_of(row, reading)
    if product is None:
        return ()
    note_unknown(row, ORDER_FIELDS, reading.unknown)
    # A status that we do not know claims nothing; none at all spoils the message (decision 0303).
    needed_text(row, "orderStatus")
    claimed = lenient_choice(row, "orderStatus", STATUSES, reading.unknown)
    filled = needed_amount(row, "cumExecQty")
    # Only the rest was refused (docs/venues/bybit.md 4.1).
    status = Status.CANCELED if claimed is Status.REJECTED and filled else claimed
    updated_ns = time_ns(row, "updatedTime") or time_ns(row, "createdTime")
    return (
        OrderReport(
            product=product,
            symbol=needed_text(row, "symbol"),
            venue_order_id=needed_text(row, "orderId"),
            client_order_id=text(row, "orderLinkId"),
            status=status,
            **_closure(row, claimed, reading),
            quantity_unit=unit_of(product),
            filled_quantity=filled,
            filled_quote=amount(row, "cumExecValue") if product == SPOT else None,
            average_price=above_zero(row, "avgPrice"),
            **_terms(row, product, reading),
            **_trigger(row, reading),
            **_position(row, product),
            ordinal=ordinal(updated_ns),
            venue_ns=updated_ns,
        ),
    )


def _terms(row: Document, product: str, reading: Message) -> dict[str, Any]:
    """Side, type, price and quantity."""
    side = choice(row, "side", SIDES)
    kind = lenient_choice(row, "orderType", ORDER_TYPES, reading.unknown)
    is_market, size = kind == MARKET, above_zero(row, "qty")
    is_in_quote = product == SPOT and is_market and _is_in_quote(row, side)
    price = above_zero(row, "price")
    return {
        "side": side,
        "order_type": _type_of(row, kind, reading),
        "time_in_force": lenient_choice(row, "timeInForce", TIMES_IN_FORCE, reading.unknown),
        # Of a market order it is the bound that protects it (docs/venues/bybit.md, trap 19).
        "price": None if is_market else price,
        "quantity": None if is_in_quote else size,
        "quote_quantity": size if is_in_quote else None,
    }


def _is_in_quote(row: Document, side: Side | None) -> bool:
    """Whether the quantity of a market order for coins counts what is paid: by default, buying."""
    unit = text(row, "marketUnit")
    return side is Side.BUY if unit is None else unit == IN_QUOTE


def _type_of(row: Document, kind: str | None, reading: Message) -> str | None:
    waiting = lenient_choice(row, "stopOrderType", STOP_TYPES, reading.unknown)
    if waiting is not None:
        return AT_MARKET.get(waiting, waiting) if kind == MARKET else waiting
    # By the venue's own word: a new one is counted where the time in force is read.
    is_maker_only = text(row, "timeInForce") in MAKER_ONLY
    return OrderType.LIMIT_MAKER if is_maker_only and kind is OrderType.LIMIT else kind


def _trigger(row: Document, reading: Message) -> dict[str, Any]:
    """What a conditional order waits for; how far one trails behind, only the position says."""
    price = above_zero(row, "triggerPrice")
    # "If stopOrderType=TrailingStop, it is activate price" ("Order").
    is_trailing = row.get("stopOrderType") == TRAILING
    return {
        "trigger_price": None if is_trailing else price,
        "activation_price": price if is_trailing else None,
        "trigger_type": lenient_choice(row, "triggerBy", TRIGGER_TYPES, reading.unknown),
    }


def _position(row: Document, product: str) -> dict[str, Any]:
    """Which leg, and whether it only reduces it; coins have neither."""
    if product == SPOT:
        return {}
    reduces, closes = flag(row, "reduceOnly"), flag(row, "closeOnTrigger")
    # "It can only reduce your position": closing, when it triggers, says more ("Place Order").
    return {
        "position_side": position_side_of(row),
        "reduce_only": True if closes else reduces,
        "close_position": True if closes and not above_zero(row, "qty") else None,
    }


def position_side_of(row: Document) -> PositionSide | None:
    """The leg: the index is 0 in one-way mode, 1 for the long and 2 for the short side of two."""
    index = integer(row, "positionIdx")
    if index is not None and index not in POSITION_SIDES:
        raise BadFrame(f"positionIdx: no leg that we know: {index!r:.80}")
    return None if index is None else POSITION_SIDES[index]


def _closure(row: Document, claimed: Status | None, reading: Message) -> dict[str, Any]:
    """Why it closed; a cancel without a reason that we know is taken for the venue's."""
    made = lenient_choice(row, "createType", CREATE_TYPES, reading.unknown)
    canceled = lenient_choice(row, "cancelType", CANCEL_TYPES, reading.unknown)
    refused = lenient_choice(row, "rejectReason", REJECT_REASONS, reading.unknown)
    if claimed is Status.FILLED:
        # The second `Filled` has the words of the cancel that came too late: they say nothing of
        # this order (docs/venues/bybit.md 6).
        return {"reason": made}
    if claimed not in CLOSED:
        return {}
    # `UNKNOWN` of the first: the engine ended it, and the second says why.
    said = canceled or refused or made
    by_claim = Reason.LIFECYCLE_REJECT if claimed is Status.REJECTED else Reason.VENUE_CANCEL
    # What cancels an order of itself, refuses one that is rejected.
    reason = by_claim if said in (None, Reason.VENUE_CANCEL) else said
    return {"reason": reason, "is_reason_inferred": said is None}
