"""The frames of Bybit for its tests: documents with changed fields, and what they say."""

from typing import Any

from orderloom.event import Event, Execution, OrderReport
from orderloom.words import Source
from tests.venues.frames import cases
from venues.bybit import BYBIT
from venues.document import parse
from venues.venue import Inbound, Translation

CASES = {case.name: case for case in cases("bybit")}
NEW = "orders_push: a new order"
PARTIAL = "orders_push: a partial fill"
FILLED = "orders_push: filled"
CANCELED = "orders_push: canceled by the user after a fill"
FILL = "executions_push: a fill"
COINS = "executions_push: coins bought: the fee is in the coin"


def document_of(name: str, **changed: Any) -> Any:
    """The document of a frame, fields of its first row changed."""
    document = parse(CASES[name].body)
    if changed:
        rows = document["data"] if "data" in document else document["result"]["list"]
        rows[0].update(changed)
    return document


def translated(document: Any, product: str | None = None) -> Translation:
    """What a pushed document says."""
    return BYBIT.translate(Inbound(document, Source.STREAM, product))


def events_of(name: str, **changed: Any) -> tuple[Event, ...]:
    """What a frame says, fields of its first row changed."""
    case = CASES[name]
    inbound = Inbound(document_of(name, **changed), case.source, case.product)
    return BYBIT.translate(inbound).events


def order_of(name: str, **changed: Any) -> OrderReport:
    """The one order that a frame reports."""
    (order,) = (e for e in events_of(name, **changed) if isinstance(e, OrderReport))
    return order


def execution_of(name: str, **changed: Any) -> Execution:
    """The first execution that a frame reports."""
    return next(e for e in events_of(name, **changed) if isinstance(e, Execution))
