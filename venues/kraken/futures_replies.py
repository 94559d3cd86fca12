"""Kraken Futures: what became of a request, and the order events that its answer holds. Pure.

Manual: "Send Order", "Edit Order", "Cancel Order", "Cancel All Orders", "Batch Order Management". A
refusal comes with status 200 and `result: success`: `status` alone says it. An order that was
filled at once is still `placed`: `orderEvents` has its fills.
"""

from collections.abc import Iterator
from typing import Any, Final

from orderloom.event import Event, Execution
from orderloom.words import Reason, Status
from venues.document import Document, fields_of, needed_amount, needed_text, rows_of, text
from venues.kraken.futures_answers import REPLIED, changed, ended, placed
from venues.kraken.reading import (
    KrakenReading,
    contract_product,
    moment_ns,
    needed_side,
    unit_of,
)
from venues.kraken.replies import ACCEPTED, REASONS, known_code, refused, taken
from venues.kraken.words import ReasonWord

STATUSES: Final = ("sendStatus", "editStatus", "cancelStatus")
BATCH: Final = "batchStatus"
TOO_LATE: Final = "filled"


def request_status(name: str, answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The outcome of one request, and the events in it."""
    return _outcome(fields_of(answer.get(name), name), reading, is_cancel=name == "cancelStatus")


def batch_status(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The outcomes of a batch, one by one."""
    rows = rows_of(answer.get(BATCH), BATCH)
    return tuple(event for one in rows for event in _outcome(fields_of(one, BATCH), reading))


def _outcome(
    row: Document, reading: KrakenReading, *, is_cancel: bool = False
) -> tuple[Event, ...]:
    status = needed_text(row, "status")
    ids: dict[str, Any] = {
        "venue_order_id": text(row, "order_id") or text(row, "orderId"),
        "client_order_id": text(row, "cliOrdId"),
        "request_id": text(row, "order_tag"),
        "venue_ns": moment_ns(row, "receivedTime"),
    }
    # A cancel that came too late is none: the order was filled.
    if status in ACCEPTED and not (is_cancel and status == TOO_LATE):
        reply = taken(reading, **ids)
    else:
        reply = refused(status, reading, **ids)
    listed = rows_of(row.get("orderEvents") or [], "orderEvents")
    events = [one for item in listed for one in _event(fields_of(item, "orderEvents"), reading)]
    reading.ignored = None
    return (*events, *reply)


def _event(event: Document, reading: KrakenReading) -> Iterator[Event]:
    kind = needed_text(event, "type")
    if event.get("orderTrigger") is not None and event.get("order") is None:
        reading.unknown.append(f"orderTrigger of {kind[:80]}")
    elif kind == "PLACE":
        order = fields_of(event.get("order"), "order")
        yield from placed(order, REPLIED, _at_ns(order), reading)
    elif kind == "EXECUTION":
        yield from _execution(event, reading)
    elif kind == "CANCEL":
        order = fields_of(event.get("order"), "order")
        yield from ended(order, REPLIED, _at_ns(order), reading, ReasonWord(Status.CANCELED))
    elif kind == "REJECT":
        order = fields_of(event.get("order"), "order")
        why = _reason(text(event, "reason"), reading)
        yield from ended(order, REPLIED, _at_ns(order), reading, ReasonWord(Status.REJECTED, why))
    elif kind == "EDIT":
        order = fields_of(event.get("new"), "new")
        yield from changed(order, REPLIED, _at_ns(order), reading)
    else:
        reading.unknown.append(f"type={kind[:80]}")


def _at_ns(order: Document) -> int | None:
    return moment_ns(order, "lastUpdateTimestamp") or moment_ns(order, "timestamp")


def _reason(word: str | None, reading: KrakenReading) -> Reason | None:
    """Why an order was not taken; its words are those of the statuses, in capitals at times."""
    code = None if word is None else known_code(word) or known_code(_camel(word))
    if word is not None and code is None:
        reading.unknown.append(f"reason={word[:80]}")
    return None if code is None else REASONS[code]


def _camel(word: str) -> str:
    """`POST_WOULD_EXECUTE` as `postWouldExecute`."""
    first, *others = word.lower().split("_")
    return first + "".join(other.capitalize() for other in others)


def _execution(event: Document, reading: KrakenReading) -> Iterator[Event]:
    order = fields_of(event.get("orderPriorExecution"), "orderPriorExecution")
    product = contract_product(order, "symbol", reading)
    if product is None:
        return
    yield Execution(
        product=product,
        symbol=needed_text(order, "symbol"),
        exec_id=needed_text(event, "executionId"),
        venue_order_id=needed_text(order, "orderId"),
        client_order_id=text(order, "cliOrdId"),
        side=needed_side(order, "side", reading),
        last_price=needed_amount(event, "price"),
        last_quantity=needed_amount(event, "amount"),
        quantity_unit=unit_of(product),
    )
