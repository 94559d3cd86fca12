"""Kraken Spot: what the channel `executions` says, orders and fills in one, as evidence. Pure.

Manual: "Executions" (WebSocket v2). The rules:

- Only the first report of an order (`pending_new`, and rows of a snapshot) has symbol, side and
  terms. What follows names the order alone, at times without its client order id.
- The last fill may say `partially_filled`; then `filled` comes, which is no fill.
- `canceled` may have fills. Why an order ended is free text, of which one is documented.
- A snapshot says which orders are open, and the last 50 fills: evidence that these exist, and no
  claim that there are no others.
"""

from decimal import Decimal
from typing import Any, Final

from orderloom.event import Event, Execution, Fee, OrderReport
from orderloom.quantities import Unit
from orderloom.words import OrderType, Reason, Status
from venues.document import (
    Document,
    amount,
    choice,
    fields_of,
    flag,
    lenient_choice,
    names_in,
    needed_amount,
    needed_decimal,
    needed_text,
    note_unknown,
    rows_of,
    text,
)
from venues.kraken.reading import KrakenReading, above_zero, asset_of, moment_ns, ordinal
from venues.kraken.words import (
    AMENDMENTS,
    AT_ONCE,
    EXEC_TYPES,
    ORDER_STATUSES,
    SIDES,
    SPOT,
    SPOT_LIQUIDITIES,
    SPOT_REASONS,
    SPOT_TIMES,
    SPOT_TRIGGERS,
    SPOT_TYPES,
    TRADE,
)
from venues.venue import BadFrame

REPORT_FIELDS: Final = names_in(
    "amended avg_price cancel_reason cash_order_qty cl_ord_id contingent cost cum_cost cum_qty "
    "display_qty display_qty_remain effective_time exec_id exec_type expire_time ext_exec_id "
    "ext_ord_id fee_ccy_pref fee_usd_equiv fees last_price last_qty limit_price limit_price_type "
    "liquidated liquidity_ind margin margin_borrow no_mpp ord_ref_id order_id order_qty "
    "order_status order_type order_userref position_status post_only reason reduce_only "
    "sender_sub_id side symbol time_in_force timestamp trade_id triggers user"
)
CLOSED: Final = frozenset({Status.CANCELED, Status.EXPIRED})
UNTRIGGERED: Final = "untriggered"
STATIC: Final = (None, "static")
"""How a price is meant: as one, and not as a distance."""


def execution_report(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """One report: what became of an order, and the fill that did it."""
    note_unknown(row, REPORT_FIELDS, reading.unknown)
    kind = needed_text(row, "exec_type")
    claimed = lenient_choice(row, "exec_type", EXEC_TYPES, reading.unknown)
    status = claimed or lenient_choice(row, "order_status", ORDER_STATUSES, reading.unknown)
    at_ns = moment_ns(row, "timestamp")
    report = OrderReport(
        product=SPOT,
        # Of a report that follows the first one nobody but the order itself knows it.
        symbol=text(row, "symbol"),
        venue_order_id=needed_text(row, "order_id"),
        client_order_id=text(row, "cl_ord_id"),
        **_terms(row, reading),
        **_state(row, status, reading),
        filled_quantity=amount(row, "cum_qty"),
        filled_quote=amount(row, "cum_cost"),
        average_price=above_zero(row, "avg_price"),
        is_amendment=kind in AMENDMENTS,
        ordinal=ordinal(at_ns),
        venue_ns=at_ns,
    )
    return (report, _execution(row, at_ns, reading)) if kind == TRADE else (report,)


def _terms(row: Document, reading: KrakenReading) -> dict[str, Any]:
    kind = lenient_choice(row, "order_type", SPOT_TYPES, reading.unknown)
    in_quote = above_zero(row, "cash_order_qty")
    is_maker_only = flag(row, "post_only") is True and kind is OrderType.LIMIT
    return {
        "side": choice(row, "side", SIDES),
        "order_type": OrderType.LIMIT_MAKER if is_maker_only else kind,
        "time_in_force": lenient_choice(row, "time_in_force", SPOT_TIMES, reading.unknown),
        "price": _price(row, "limit_price", "limit_price_type"),
        # Sized in what is paid: fills count in base all the same (docs/venues/kraken.md, trap 10).
        "quantity": None if in_quote else above_zero(row, "order_qty"),
        "quote_quantity": in_quote,
        "reduce_only": flag(row, "reduce_only"),
    }


def _price(row: Document, name: str, kind: str) -> Decimal | None:
    """A price; None where what stands there is a distance from another."""
    return above_zero(row, name) if text(row, kind) in STATIC else None


def _state(row: Document, status: Status | None, reading: KrakenReading) -> dict[str, Any]:
    """What holds of the order, what it waits for, and why it ended."""
    waits_for = fields_of(row.get("triggers") or {}, "triggers")
    is_waiting = text(waits_for, "status") == UNTRIGGERED and status is Status.ACTIVE
    return {
        "status": Status.WAITING_TRIGGER if is_waiting else status,
        "trigger_price": _price(waits_for, "price", "price_type"),
        "trigger_type": lenient_choice(waits_for, "reference", SPOT_TRIGGERS, reading.unknown),
        **closure(row, status, reading),
    }


def closure(row: Document, status: Status | None, reading: KrakenReading) -> dict[str, Any]:
    """Why it ended: what the text says, else what its end and its terms make likely."""
    if flag(row, "liquidated"):
        return {"reason": Reason.LIQUIDATION}
    if status not in CLOSED:
        return {}
    said = lenient_choice(row, "reason", SPOT_REASONS, reading.unknown)
    if said is not None:
        return {"reason": said}
    likely = Reason.EXPIRY if status is Status.EXPIRED else Reason.VENUE_CANCEL
    # A word that is not known was counted where the terms are read.
    if SPOT_TIMES.get(text(row, "time_in_force") or text(row, "timeinforce") or "") in AT_ONCE:
        likely = Reason.TIME_IN_FORCE
    return {"reason": likely, "is_reason_inferred": True}


def _execution(row: Document, at_ns: int | None, reading: KrakenReading) -> Execution:
    side = choice(row, "side", SIDES)
    if side is None:
        raise BadFrame("side: missing")
    first, *others = _fees(row)
    return Execution(
        product=SPOT,
        symbol=needed_text(row, "symbol"),
        exec_id=needed_text(row, "exec_id"),
        venue_order_id=needed_text(row, "order_id"),
        client_order_id=text(row, "cl_ord_id"),
        side=side,
        last_price=needed_amount(row, "last_price"),
        last_quantity=needed_amount(row, "last_qty"),
        quantity_unit=Unit.BASE,
        fee=None if first is None else first.amount,
        fee_currency=None if first is None else first.currency,
        more_fees=tuple(one for one in others if one is not None) or None,
        liquidity=lenient_choice(row, "liquidity_ind", SPOT_LIQUIDITIES, reading.unknown),
        reason=Reason.LIQUIDATION if flag(row, "liquidated") else None,
        venue_ns=at_ns,
    )


def _fees(row: Document) -> list[Fee | None]:
    """Every fee, in an order that no message changes; a single None where there is none."""
    rows = [fields_of(one, "fees") for one in rows_of(row.get("fees") or [], "fees")]
    paid = (Fee(asset_of(needed_text(one, "asset")), needed_decimal(one, "qty")) for one in rows)
    return [*sorted(paid)] or [None]
