"""Kraken Futures: orders and fills of the stream as evidence. Pure.

Manual: "Open Orders", "Open Orders (Verbose)", "Fills" (Futures WebSocket). The rules:

- `qty` is what is left, `filled` what is done; the order's quantity is their sum. A price of 0 is
  none.
- `is_cancel` says that the order is gone, and `reason` how: with `full_fill` it was filled.
- What takes an order off may name its id alone: neither contract nor product is said then.
- A trigger that fired is gone; what it became comes as a new order, and nothing links the two.
- No feed but `fills` knows prices and fees, and it may come after the order's end.
- An edit changes the order in place.
"""

from decimal import Decimal
from typing import Any, Final

from orderloom.event import Event, Execution, OrderReport
from orderloom.quantities import EXACT, ZERO
from orderloom.words import OrderType, Reason, Side, Status
from venues.document import (
    Document,
    amount,
    decimal,
    fields_of,
    flag,
    integer,
    lenient_choice,
    names_in,
    needed_amount,
    needed_text,
    note_unknown,
    rows_of,
    text,
    time_ns,
)
from venues.kraken.reading import (
    KrakenReading,
    above_zero,
    asset_of,
    contract_product,
    ordinal,
    unit_of,
)
from venues.kraken.words import (
    AT_MARKET,
    CONDITIONAL,
    DIRECTIONS,
    EDITED,
    FILL_TYPES,
    FUTURES_TIMES,
    FUTURES_TRIGGERS,
    FUTURES_TYPES,
    INVERSE,
    LINEAR,
    OUTCOMES,
    PARTIAL_FILL,
    PERCENT,
    TRIGGERED,
    FillWord,
    ReasonWord,
)
from venues.venue import BadFrame, Count

ORDER_FIELDS: Final = names_in(
    "cli_ord_id direction filled instrument last_update_time limit_price order_id qty reduce_only "
    "stop_price time trailing_stop_options triggerSignal type"
)
CHANGE_FIELDS: Final = names_in("account cli_ord_id feed is_cancel order order_id reason seq "
    "timestamp username")  # fmt: skip
FILL_FIELDS: Final = names_in(
    "buy cli_ord_id fee_currency fee_paid fill_id fill_type instrument order_id order_type price "
    "qty remaining_order_qty seq taker_order_type time"
)
ENDS: Final = frozenset({Status.FILLED, Status.CANCELED, Status.REJECTED, Status.EXPIRED})
NUMBERS: Final = "fills"


def order_snapshot(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The open orders at the beginning of a subscription."""
    rows = rows_of(push.get("orders"), "orders")
    if not rows:
        return reading.ignore("an empty list")
    return tuple(event for row in rows for event in _order(fields_of(row, "orders"), {}, reading))


def order_change(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """A change of one order; without `order` it is one that is gone."""
    note_unknown(push, CHANGE_FIELDS, reading.unknown)
    if push.get("order") is not None:
        return _order(fields_of(push["order"], "order"), push, reading)
    if flag(push, "is_cancel") is not True:
        raise BadFrame("order: missing from a change of one that lives")
    product = reading.product if reading.product == INVERSE else LINEAR
    outcome = _outcome(push, reading)
    return (
        OrderReport(
            product=product,
            symbol=None,
            venue_order_id=needed_text(push, "order_id"),
            client_order_id=text(push, "cli_ord_id"),
            quantity_unit=unit_of(product),
            **gone(outcome, ZERO),
        ),
    )


def _outcome(push: Document, reading: KrakenReading) -> ReasonWord | None:
    """What the reason says of an order that is gone; None where it only says that it is."""
    reason = text(push, "reason")
    # Gone for a fill, but was it the last one, or did the rest go? The order itself says.
    if reason in TRIGGERED or reason == PARTIAL_FILL:
        return None
    outcome = lenient_choice(push, "reason", OUTCOMES, reading.unknown)
    return outcome if outcome is not None and outcome.status in ENDS else None


def gone(outcome: ReasonWord | None, filled: Decimal) -> dict[str, Any]:
    """The claim that an order ended, a weak one without a word that says how.

    A rejected one that has fills was canceled.
    """
    if outcome is None:
        return {"is_ended": True}
    status, reason = outcome
    if status is Status.REJECTED and filled:
        status = Status.CANCELED
    if status is Status.FILLED:
        return {"status": status}
    likely = Reason.LIFECYCLE_REJECT if status is Status.REJECTED else Reason.VENUE_CANCEL
    return {"status": status, "reason": reason or likely, "is_reason_inferred": reason is None}


def _order(row: Document, push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    product = contract_product(row, "instrument", reading)
    if product is None:
        return ()
    note_unknown(row, ORDER_FIELDS, reading.unknown)
    left, filled = needed_amount(row, "qty"), needed_amount(row, "filled")
    # What a trigger becomes may have its id, and its very time: only a trigger ended then.
    has_fired = text(push, "reason") in TRIGGERED and flag(push, "is_cancel")
    at_ns = None if has_fired else time_ns(row, "last_update_time") or time_ns(row, "time")
    kind = _type(row, reading)
    claim = _claim(push, kind, left, filled, reading)
    # What is gone may say 0 for what was left: then nobody says how much was asked for.
    is_whole = left or not flag(push, "is_cancel") or claim.get("status") is Status.FILLED
    return (
        OrderReport(
            product=product,
            symbol=needed_text(row, "instrument"),
            venue_order_id=needed_text(row, "order_id"),
            client_order_id=text(row, "cli_ord_id") or text(push, "cli_ord_id"),
            side=_side(row),
            order_type=kind,
            time_in_force=FUTURES_TIMES.get(row.get("type") or ""),
            price=above_zero(row, "limit_price"),
            quantity=(EXACT.add(left, filled) or None) if is_whole else None,
            quantity_unit=unit_of(product),
            filled_quantity=filled,
            **_trigger(row, reading),
            **claim,
            reduce_only=flag(row, "reduce_only"),
            ordinal=ordinal(at_ns),
            venue_ns=at_ns,
        ),
    )


def _claim(
    push: Document, kind: OrderType | None, left: Decimal, filled: Decimal, reading: KrakenReading
) -> dict[str, Any]:
    """What a change says of its order; a row of a snapshot, which has no reason, that it lives."""
    if flag(push, "is_cancel"):
        outcome = _outcome(push, reading)
        if push.get("reason") == PARTIAL_FILL:
            outcome = ReasonWord(Status.CANCELED if left else Status.FILLED)
        return gone(outcome, filled)
    said = lenient_choice(push, "reason", OUTCOMES, reading.unknown)
    status = living(kind, filled)
    is_forced = said is not None and said.status is Status.ACTIVE
    return {
        "status": status,
        "reason": said.reason if is_forced and said is not None else None,
        "is_amendment": push.get("reason") == EDITED,
    }


def living(kind: OrderType | None, filled: Decimal) -> Status:
    """How an order stands that is on the book, or waits for its price."""
    if filled:
        return Status.PARTIALLY_FILLED
    return Status.WAITING_TRIGGER if kind in CONDITIONAL else Status.ACTIVE


def _side(row: Document) -> Side | None:
    number = integer(row, "direction")
    if number is not None and number not in DIRECTIONS:
        raise BadFrame(f"direction: none that we know: {number}")
    return None if number is None else DIRECTIONS[number]


def _type(row: Document, reading: KrakenReading) -> OrderType | None:
    kind = lenient_choice(row, "type", FUTURES_TYPES, reading.unknown)
    return kind_at(kind, above_zero(row, "limit_price"))


def kind_at(kind: OrderType | None, price: Decimal | None) -> OrderType | None:
    """The type of an order, which of conditional ones its price tells."""
    return AT_MARKET.get(kind, kind) if kind is not None and price is None else kind


def _trigger(row: Document, reading: KrakenReading) -> dict[str, Any]:
    trails = fields_of(row.get("trailing_stop_options") or {}, "trailing_stop_options")
    is_percent = text(trails, "unit") in PERCENT
    return {
        "trigger_price": above_zero(row, "stop_price"),
        "trigger_type": lenient_choice(row, "triggerSignal", FUTURES_TRIGGERS, reading.unknown),
        "callback_rate": above_zero(trails, "max_deviation") if is_percent else None,
    }


# ---- fills


def fill_list(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The last fills at the beginning of a subscription, or those that came."""
    rows = [fields_of(one, "fills") for one in rows_of(push.get("fills"), "fills")]
    numbers = sorted(number for one in rows if (number := integer(one, "seq")) is not None)
    if push.get("feed") == "fills":
        reading.counts += [Count(NUMBERS, number) for number in numbers]
    elif numbers:  # what came before the last one may be filtered: it counts from there
        reading.counts.append(Count(NUMBERS, numbers[-1], begins=True))
    if not rows:
        return reading.ignore("an empty list")
    return tuple(event for row in rows for event in _fill(row, reading))


def _fill(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    product = contract_product(row, "instrument", reading)
    if product is None:
        return ()
    note_unknown(row, FILL_FIELDS, reading.unknown)
    is_buy = flag(row, "buy")
    if is_buy is None:
        raise BadFrame("buy: missing")
    word = lenient_choice(row, "fill_type", FILL_TYPES, reading.unknown) or FillWord()
    fee, currency = _fee(row)
    execution = Execution(
        product=product,
        symbol=needed_text(row, "instrument"),
        exec_id=needed_text(row, "fill_id"),
        venue_order_id=text(row, "order_id"),
        client_order_id=text(row, "cli_ord_id"),
        side=Side.BUY if is_buy else Side.SELL,
        last_price=needed_amount(row, "price"),
        last_quantity=needed_amount(row, "qty"),
        quantity_unit=unit_of(product),
        fee=fee,
        fee_currency=currency,
        liquidity=word.liquidity,
        reason=word.reason,
        venue_ns=time_ns(row, "time"),
    )
    ended = _ended(row, execution)
    return (execution,) if ended is None else (execution, ended)


def _fee(row: Document) -> tuple[Decimal | None, str | None]:
    """What it cost, below zero a rebate, and in which asset."""
    fee, currency = decimal(row, "fee_paid"), text(row, "fee_currency")
    if fee is None or (not fee and currency is None):
        return None, None
    if currency is None:
        raise BadFrame(f"fee_currency: missing beside a fee of {fee}")
    return fee, asset_of(currency)


def _ended(row: Document, execution: Execution) -> OrderReport | None:
    """That an order which the venue made was filled: nobody promises that it reports it."""
    is_made = execution.reason is not None and execution.venue_order_id is not None
    if not is_made or amount(row, "remaining_order_qty") != ZERO:
        return None
    return OrderReport(
        product=execution.product,
        symbol=execution.symbol,
        venue_order_id=execution.venue_order_id,
        client_order_id=execution.client_order_id,
        side=execution.side,
        quantity_unit=execution.quantity_unit,
        status=Status.FILLED,  # nothing is left of it after a fill
        ordinal=ordinal(execution.venue_ns),
        venue_ns=execution.venue_ns,
    )
