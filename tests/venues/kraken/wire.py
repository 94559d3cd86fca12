"""The frames of Kraken for its tests: documents with changed fields, and what they say."""

from typing import Any

from orderloom.event import Cause, Event, Execution, OrderReport, Origin
from orderloom.words import Source
from processors.orders.order import Order
from processors.orders.orders import Orders
from tests.venues.frames import cases
from venues.document import parse
from venues.kraken import KRAKEN
from venues.venue import Inbound, Translation

NOW_NS = 1_793_600_000_000_000_000
CASES = {case.name: case for case in cases("kraken")}
PENDING = "executions: a new order, before the engine has it"
LIVE = "executions: it is live, without symbol and client id"
PARTIAL = "executions: a partial fill"
LAST_FILL = "executions: the last fill, which says partially filled"
FILLED = "executions: filled, which is no fill"
CANCELED = "executions: canceled by the user"
AMENDED = "executions: an amendment, which has only what changed"
GONE = "open_orders: filled: gone, and no cancel"
BY_ID = "open_orders: canceled, by its id alone"
PLACED = "open_orders: a new order"
REST_GONE = "open_orders: the rest goes after a fill"
FILL = "fills: a fill"


def document_of(name: str, **changed: Any) -> Any:
    """The document of a frame, fields of its first row changed."""
    document = parse(CASES[name].body)
    row_of(document).update(changed)
    return document


def row_of(document: Any) -> Any:
    """The first row of a pushed document."""
    if "order" in document:
        return document["order"]
    rows = document.get("data") or document.get("fills")
    return rows[0] if rows else document


def translated(document: Any, product: str | None = None) -> Translation:
    """What a pushed document says."""
    return KRAKEN.translate(Inbound(document, Source.STREAM, product))


def events_of(name: str, **changed: Any) -> tuple[Event, ...]:
    """What a frame says, fields of its first row changed."""
    case = CASES[name]
    return KRAKEN.translate(Inbound(document_of(name, **changed), case.source, case.product)).events


def order_of(name: str, **changed: Any) -> OrderReport:
    """The one order that a frame reports."""
    (order,) = (e for e in events_of(name, **changed) if isinstance(e, OrderReport))
    return order


def execution_of(name: str, **changed: Any) -> Execution:
    """The first execution that a frame reports."""
    return next(e for e in events_of(name, **changed) if isinstance(e, Execution))


def folded(*names: str) -> list[Order]:
    """The orders that these frames make."""
    return folded_events([event for name in names for event in events_of(name)])


def folded_events(events: list[Any]) -> list[Order]:
    """The orders that these events make."""
    orders = Orders("kraken:main", KRAKEN.profiles)
    for number, event in enumerate(events):
        cause = Cause("raw", 0, number)
        orders.apply(event, Origin("kraken:main", Source.STREAM, cause, NOW_NS + number))
    return list(orders.all())


def said_of(body: bytes, product: str = "spot") -> Any:
    """What an answer says."""
    return KRAKEN.translate(Inbound(parse(body), Source.QUERY, product))
