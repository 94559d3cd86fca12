"""The usual next execution of a usual order, joined straight in.

Pure. Nearly every report of an order that trades says what the one before it said, at a later time,
with one execution more. Then nothing has to be compared: what changes is known beforehand. An order
or a report that is unusual in anything goes the general way (`Order.take_report`); both ways end in
the same order, and a test holds them together (docs/decisions/0410).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from orderloom.event import Execution, OrderReport
from orderloom.quantities import EXACT, ZERO
from orderloom.words import Completeness, FillKind, Lifecycle, Source, Status, Trust
from processors.orders.order import Order
from processors.orders.record import Record
from processors.orders.tracks.amounts import Amounts
from processors.orders.tracks.fills import HeldFill, fill_of
from processors.orders.tracks.links import LIVE, WITNESS, Link
from processors.orders.tracks.terms import AVERAGE, PLACE, ROW_OF, Row
from processors.orders.tracks.trust import Derived, derive

WORDS: Final[Mapping[Status | None, tuple[str, int]]] = {
    Status.PARTIALLY_FILLED: (LIVE, 0),
    Status.FILLED: ("FILLED", 1),
}
"""The claim that such a report makes, and whether it closes the order."""
STREAM: Final = WITNESS[Source.STREAM]
UNUSUAL_OF: Final[Callable[[OrderReport], Any]] = attrgetter(
    "reason", "prevented_quantity", "is_amendment", "is_ended", "replaces", "alias_ids",
    "client_alias_ids", "is_part", "change_id",
)  # fmt: skip
USUAL: Final = (None, None, False, False, None, (), (), False, None)
NAME, SIDE, LEG = PLACE["client_order_id"], PLACE["side"], PLACE["position_side"]
MODE, UNIT = PLACE["margin_mode"], PLACE["quantity_unit"]


def take_execution(order: Order, report: OrderReport, event: Execution) -> HeldFill | None:
    """Fold a report of the stream with its one execution; None, and nothing changed: it is unusual.

    `event` came in the same message, and both name the venue order id that led to `order`.
    """
    record = order.own
    link = _usual_link(order, record)
    if link is None or link.name != report.venue_order_id:
        return None
    row, ordinal, filled = link.terms.row, report.ordinal, report.filled_quantity
    said = WORDS.get(report.status)
    if row is None or ordinal is None or filled is None or said is None:
        return None
    word, is_end = said
    stamp = (*ordinal, 0, filled, is_end)
    if stamp <= link.terms.stamp or ROW_OF(report) != row or UNUSUAL_OF(report) != USUAL:
        return None
    if not _is_usual(order, report, event, row) or not _is_explained(order, link, event, filled):
        return None
    link.terms.stamp = stamp
    if report.average_price is not None:
        link.terms.offer(AVERAGE, stamp, report.average_price)
    link.take_word(word, ordinal, STREAM)
    link.claimed = filled
    if report.filled_quote is not None and report.filled_quote > link.claimed_quote:
        link.claimed_quote = report.filled_quote
    return _fold(order, record, link, event, report.venue_ns or 0)


def _usual_link(order: Order, record: Record) -> Link | None:
    """The only link of an order that lives, and of which nothing is in doubt."""
    link, derived, totals = record.sole, order.derived, record.totals
    if link is None or link.changes is not None or record.parts or order.guests:
        return None
    if totals.busted or totals.corrected or totals.unpriced or totals.unsided:
        return None
    if derived.lifecycle is not Lifecycle.ACTIVE or derived.disputes:
        return None
    return link


def _is_usual(order: Order, report: OrderReport, event: Execution, row: Row) -> bool:
    """Whether the two say nothing else of the order than its terms do."""
    record = order.own
    return (
        event.kind is FillKind.REAL
        and event.exec_id is not None
        and event.exec_id not in record.fills
        and event.side is row[SIDE]
        and event.side is not None
        and event.quantity_unit is row[UNIT]
        and _names_nothing_new(event, record, row)
        and (event.position_side is None or event.position_side is row[LEG])
        and (event.margin_mode is None or event.margin_mode == row[MODE])
        and event.last_price is not None
        and event.more_fees is None
        and event.reason is None
        and report.venue_ns is not None
    )


def _names_nothing_new(event: Execution, record: Record, row: Row) -> bool:
    name = event.client_order_id
    # Where no report says a name, that of an execution is a term (`Record._take_passing`).
    return name is None or (row[NAME] is not None and name in record.client_ids)


def _is_explained(order: Order, link: Link, event: Execution, filled: Decimal) -> bool:
    """Whether the executions explain what the venue claims, before and after this one."""
    amounts, last, at_ns = order.derived.amounts, event.last_quantity, event.venue_ns
    # The same object where nothing is missing (`tracks.amounts`).
    if last is None or at_ns is None or amounts.executed is not amounts.real:
        return False
    if amounts.quantity is None:
        return False
    if filled != EXACT.add(amounts.real, last) or not amounts.real < filled <= amounts.quantity:
        return False
    # An answer that surely shows it, and does not, is a contradiction.
    return link.asked is None or at_ns > link.asked[0] - order.profile.visibility_lag_ns


def _fold(order: Order, record: Record, link: Link, event: Execution, reported_ns: int) -> HeldFill:
    assert event.exec_id is not None
    assert event.venue_ns is not None
    fill = fill_of(event, event.exec_id, link.name)  # the text that is kept
    record.totals.add(fill, link.claimed)  # which the executions explain
    record.fills[event.exec_id] = fill
    latest = max(reported_ns, event.venue_ns)
    if record.venue_ns is None or latest > record.venue_ns:
        record.venue_ns = latest
    if record.seen_ns is None or latest > record.seen_ns:
        record.seen_ns = latest
    earliest = min(reported_ns, event.venue_ns)
    if record.first_ns is None or earliest < record.first_ns:
        record.first_ns = earliest
    order.derived = _derived(order, record, link)
    order.version += 1
    return fill


def _derived(order: Order, record: Record, link: Link) -> Derived:
    totals, before = record.totals, order.derived
    real, quantity = totals.quantity, before.amounts.quantity
    if link.other_words or quantity is None or real >= quantity:
        return derive(record, order.profile)  # it closed
    ways = link.live_ways
    return Derived(
        Lifecycle.ACTIVE,
        None,
        (),
        Trust.CORROBORATED if ways & (ways - 1) else Trust.OBSERVED,
        Completeness.COMPLETE,
        Amounts(quantity, real, real, ZERO, False, link.prevented),
        None,
    )
