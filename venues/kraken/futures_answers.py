"""Kraken Futures: orders and fills in answers of REST as evidence. Pure.

Manual: "Get Open Orders", "Get Specific Orders' Status", "Get Your Fills", "Get Order Events", "Get
Execution Events". Each has names of its own for the same things, and `/api/history` writes numbers
as texts. `quantity` is the whole order here; in the list of open ones what is left stands beside
what is filled, as on the stream.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderloom.event import Event, Execution, OrderReport
from orderloom.quantities import EXACT, ZERO
from orderloom.words import Reason, Status
from venues.document import (
    Document,
    amount,
    blank_decimal,
    fields_of,
    flag,
    lenient_choice,
    names_in,
    needed_amount,
    needed_text,
    note_unknown,
    text,
    time_ns,
)
from venues.kraken.futures import ENDS, gone, kind_at, living
from venues.kraken.reading import (
    KrakenReading,
    above_zero,
    contract_product,
    moment_ns,
    needed_side,
    ordinal,
    side_of,
    unit_of,
)
from venues.kraken.words import (
    EDITED,
    FILL_TYPES,
    FUTURES_TIMES,
    FUTURES_TRIGGERS,
    FUTURES_TYPES,
    OUTCOMES,
    PARTIAL_FILL,
    STATUS_WORDS,
    TRIGGERED,
    FillWord,
    ReasonWord,
)

OPEN_FIELDS: Final = names_in(
    "cliOrdId cli_ord_id filledSize lastUpdateTime limitPrice orderType order_id receivedTime "
    "reduceOnly side status stopPrice symbol trailingStopOptions triggerSignal unfilledSize"
)
FILL_FIELDS: Final = names_in(
    "cliOrdId fillTime fillType fill_id order_id price side size symbol orderType takerOrderType"
)


class OrderNames(NamedTuple):
    """What one shape of an order calls its fields; blank where it has none such."""

    symbol: str
    order_id: str
    client_id: str
    side: str
    kind: str
    stop: str = "stopPrice"


OPEN: Final = OrderNames("symbol", "order_id", "cliOrdId", "side", "orderType")
REPLIED: Final = OrderNames("symbol", "orderId", "cliOrdId", "side", "type")
EVENT: Final = OrderNames("tradeable", "uid", "clientId", "direction", "orderType")


def open_order(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """A row of the list of open orders."""
    note_unknown(row, OPEN_FIELDS, reading.unknown)
    said = lenient_choice(row, "status", STATUS_WORDS, reading.unknown)
    filled = needed_amount(row, "filledSize")
    left = amount(row, "unfilledSize")
    at_ns = moment_ns(row, "lastUpdateTime") or moment_ns(row, "receivedTime")
    whole = None if left is None else EXACT.add(left, filled) or None
    return _order(row, OPEN, at_ns, Said(whole, filled, said), reading)


class Said(NamedTuple):
    """What a row says of the amounts and the state of its order."""

    quantity: Decimal | None
    filled: Decimal
    status: Status | None = None
    outcome: ReasonWord | None = None
    is_amendment: bool = False
    is_past: bool = False
    """Whether it stood so once: no answer denies what was executed since."""


def _order(
    row: Document, names: OrderNames, at_ns: int | None, said: Said, reading: KrakenReading
) -> tuple[Event, ...]:
    product = contract_product(row, names.symbol, reading)
    if product is None:
        return ()
    price = above_zero(row, "limitPrice")
    kind = kind_at(lenient_choice(row, names.kind, FUTURES_TYPES, reading.unknown), price)
    options = fields_of(row.get("priceTriggerOptions") or {}, "priceTriggerOptions")
    signal = row if row.get("triggerSignal") is not None else options
    claim: dict[str, Any] = {"status": said.status}
    if said.outcome is not None:
        claim = gone(said.outcome, said.filled)
    elif said.status is Status.ACTIVE:
        claim = {"status": living(kind, said.filled)}
    return (
        OrderReport(
            product=product,
            symbol=needed_text(row, names.symbol),
            venue_order_id=needed_text(row, names.order_id),
            client_order_id=text(row, names.client_id) or text(row, "cli_ord_id"),
            side=side_of(row, names.side, reading),
            order_type=kind,
            time_in_force=FUTURES_TIMES.get(text(row, names.kind) or ""),
            price=price,
            quantity=said.quantity,
            quantity_unit=unit_of(product),
            filled_quantity=None if said.is_past else said.filled,
            trigger_price=above_zero(row, names.stop) or above_zero(options, "triggerPrice"),
            trigger_type=lenient_choice(signal, "triggerSignal", FUTURES_TRIGGERS, reading.unknown),
            reduce_only=flag(row, "reduceOnly"),
            is_amendment=said.is_amendment,
            ordinal=ordinal(at_ns),
            venue_ns=at_ns,
            **claim,
        ),
    )


def order_status(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """A row of `orders/status`: the order, how it stands, and why."""
    order = fields_of(row.get("order"), "order")
    status = lenient_choice(row, "status", STATUS_WORDS, reading.unknown)
    filled, whole = amount(order, "filled") or ZERO, above_zero(order, "quantity")
    outcome = None
    if status in ENDS and status is not None:
        outcome = ending(text(row, "updateReason"), status, filled == whole, reading)
    at_ns = moment_ns(order, "lastUpdateTimestamp") or moment_ns(order, "timestamp")
    return _order(order, REPLIED, at_ns, Said(whole, filled, status, outcome), reading)


def ending(word: str | None, status: Status, is_full: bool, reading: KrakenReading) -> ReasonWord:
    """Why an order ended: the venue's status says that it did, its reason may say how."""
    name = (word or "").lower()
    if name == PARTIAL_FILL:
        return ReasonWord(Status.FILLED if is_full else Status.CANCELED)
    said = lenient_choice({"reason": name}, "reason", OUTCOMES, reading.unknown)
    if said is None or said.status not in ENDS:
        return ReasonWord(status)
    # `CANCELLED` is what the venue calls each end but a whole execution.
    return said if status in (Status.CANCELED, said.status) else ReasonWord(status, said.reason)


# ---- events of an order, in replies to requests and in the history


def placed(order: Document, names: OrderNames, at_ns: int | None, reading: KrakenReading,
) -> tuple[Event, ...]:  # fmt: skip
    """An order that was taken."""
    return _order(order, names, at_ns, _alive(order, names), reading)


def changed(
    order: Document,
    names: OrderNames,
    at_ns: int | None,
    reading: KrakenReading,
    word: str = EDITED,
) -> tuple[Event, ...]:
    """An order as a change left it: an edit, or a fill."""
    said = _alive(order, names)._replace(is_amendment=word.lower() == EDITED)
    return _order(order, names, at_ns, said, reading)


def ended(
    order: Document,
    names: OrderNames,
    at_ns: int | None,
    reading: KrakenReading,
    outcome: ReasonWord,
) -> tuple[Event, ...]:
    """An order that is gone."""
    return _order(order, names, at_ns, _amounts(order)._replace(outcome=outcome), reading)


def _alive(order: Document, names: OrderNames) -> Said:
    """An order that lives, or did when an event of the history was written."""
    return _amounts(order, Status.ACTIVE)._replace(is_past=names is EVENT)


def _amounts(order: Document, status: Status | None = None) -> Said:
    return Said(above_zero(order, "quantity"), needed_amount(order, "filled"), status)


def history_event(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """An element of the history: one thing that happened, under its own name."""
    event = fields_of(row.get("event"), "event")
    at_ns = time_ns(row, "timestamp")
    known = [name for name in event if name in HISTORY]
    reading.unknown.extend(f"event {name[:80]}" for name in event if name not in HISTORY)
    if not known:
        return reading.ignore("an event of a kind that we do not know")
    return tuple(
        replace(one, is_past=True) if isinstance(one, OrderReport) else one
        for name in known
        for one in HISTORY[name](fields_of(event[name], name), at_ns, reading)
    )


def _placed(said: Document, at_ns: int | None, reading: KrakenReading) -> tuple[Event, ...]:
    return placed(fields_of(said.get("order"), "order"), EVENT, at_ns, reading)


def _updated(said: Document, at_ns: int | None, reading: KrakenReading) -> tuple[Event, ...]:
    order = fields_of(said.get("newOrder"), "newOrder")
    word = text(said, "reason") or ""
    if word.lower() == "full_fill":
        return ended(order, EVENT, at_ns, reading, ReasonWord(Status.FILLED))
    lenient_choice({"reason": word.lower()}, "reason", OUTCOMES, reading.unknown)
    return changed(order, EVENT, at_ns, reading, word)


def _cancelled(said: Document, at_ns: int | None, reading: KrakenReading) -> tuple[Event, ...]:
    order = fields_of(said.get("order"), "order")
    word = text(said, "reason") or ""
    if word.lower() in TRIGGERED:
        return reading.ignore("a trigger that became another order")
    said_of = _amounts(order)
    outcome = ending(word, Status.CANCELED, said_of.quantity == said_of.filled, reading)
    return ended(order, EVENT, at_ns, reading, outcome)


def _rejected(said: Document, at_ns: int | None, reading: KrakenReading) -> tuple[Event, ...]:
    order = fields_of(said.get("order"), "order")
    error = text(said, "orderError") or text(said, "reason")
    reason = lenient_choice({"orderError": error}, "orderError", ORDER_ERRORS, reading.unknown)
    return ended(order, EVENT, at_ns, reading, ReasonWord(Status.REJECTED, reason))


def _of_a_request(_said: Document, _at: int | None, reading: KrakenReading) -> tuple[Event, ...]:
    return reading.ignore("a request that changed no order")


def _executed(said: Document, at_ns: int | None, reading: KrakenReading) -> tuple[Event, ...]:
    row = fields_of(said.get("execution"), "execution")
    order = fields_of(row.get("order"), "order")
    product = contract_product(order, "tradeable", reading)
    if product is None:
        return ()
    if blank_decimal(fields_of(row.get("orderData") or {}, "orderData"), "fee"):
        reading.unknown.append("fee: its asset is not said")
    kind = text(order, "orderType") or ""
    word = lenient_choice(row, "executionType", FILL_TYPES, reading.unknown) or FillWord()
    return (
        Execution(
            product=product,
            symbol=needed_text(order, "tradeable"),
            exec_id=needed_text(row, "uid"),
            venue_order_id=needed_text(order, "uid"),
            client_order_id=text(order, "clientId"),
            side=needed_side(order, "direction", reading),
            last_price=needed_amount(row, "price"),
            last_quantity=needed_amount(row, "quantity"),
            quantity_unit=unit_of(product),
            liquidity=word.liquidity,
            reason=FORCED_TYPES.get(kind),
            venue_ns=time_ns(row, "timestamp") or at_ns,
        ),
    )


FORCED_TYPES: Final = {
    "Liquidation": Reason.LIQUIDATION,
    "Unwind": Reason.ADL,
    "Assignment": Reason.ADL,
}
HISTORY: Final = {
    "OrderPlaced": _placed,
    "OrderUpdated": _updated,
    "OrderCancelled": _cancelled,
    "OrderRejected": _rejected,
    "OrderNotFound": _of_a_request,
    "OrderEditRejected": _of_a_request,
    "Execution": _executed,
}
ORDER_ERRORS: Final[Mapping[str, Reason]] = {
    "MARKET_SUSPENDED": Reason.MARKET_CLOSED,
    "MARKET_NOT_FOUND": Reason.BAD_REQUEST,
    "INVALID_PRICE": Reason.BAD_REQUEST,
    "INVALID_QUANTITY": Reason.BAD_REQUEST,
    "INSUFFICIENT_MARGIN": Reason.INSUFFICIENT_BALANCE,
    "WOULD_CAUSE_LIQUIDATION": Reason.INSUFFICIENT_BALANCE,
    "CLIENT_ORDER_ID_IN_USE": Reason.DUPLICATE_ID,
    "POST_WOULD_EXECUTE": Reason.POST_ONLY,
    "IOC_WOULD_NOT_EXECUTE": Reason.TIME_IN_FORCE,
    "WOULD_EXECUTE_SELF": Reason.SELF_TRADE_PREVENTION,
    "WOULD_NOT_REDUCE_POSITION": Reason.REDUCE_ONLY,
    "MARKET_IS_POST_ONLY": Reason.MARKET_CLOSED,
}
"""Why an order was not taken; other words are counted."""


def fill_row(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """A row of the last fills, which have no fee."""
    product = contract_product(row, "symbol", reading)
    if product is None:
        return ()
    note_unknown(row, FILL_FIELDS, reading.unknown)
    word = lenient_choice(row, "fillType", FILL_TYPES, reading.unknown) or FillWord()
    return (
        Execution(
            product=product,
            symbol=needed_text(row, "symbol"),
            exec_id=needed_text(row, "fill_id"),
            venue_order_id=text(row, "order_id"),
            client_order_id=text(row, "cliOrdId"),
            side=needed_side(row, "side", reading),
            last_price=needed_amount(row, "price"),
            last_quantity=needed_amount(row, "size"),
            quantity_unit=unit_of(product),
            liquidity=word.liquidity,
            reason=word.reason,
            venue_ns=moment_ns(row, "fillTime"),
        ),
    )
