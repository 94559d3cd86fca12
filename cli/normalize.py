"""`orderloom normalize VENUE`: raw messages on stdin, what they say on stdout, one line each.

Pure but for its two streams: no Kafka, no clock. Numbers are decimal text, never floats. Whatever
a line holds, it gives one line: events, the rule by which it is ignored, or a dead letter with the
reason.
"""

from decimal import Decimal, localcontext
from enum import Enum
from typing import Any, BinaryIO, Final

from cli.lines import Line, output_line, read_lines
from orderloom.event import (
    BalanceReport,
    Event,
    Execution,
    InstrumentReport,
    OrderReport,
    PositionReport,
    Reply,
)
from orderloom.quantities import text_of
from venues.venue import BadFrame, Inbound, UnknownFrame, Venue

AVERAGE_DIGITS: Final = 28
TYPES: Final[dict[type[Event], str]] = {
    OrderReport: "order",
    Execution: "execution",
    PositionReport: "position",
    BalanceReport: "balance",
    InstrumentReport: "instrument",
    Reply: "reply",
}
QUANTITIES: Final = ("quantity", "filled_quantity", "last_quantity")
# What the fold needs and a reader does not.
HIDDEN: Final = frozenset(
    {"kind", "is_amendment", "is_ended", "replaces", "alias_ids", "client_alias_ids", "ordinal"}
    | {"aliases", "is_part", "change_id", "filled_quote", "is_inverse", "request_id"}
    | {"is_reason_inferred", "prevented_quantity", "is_as_asked", "is_past"}
)


def run(venue: Venue, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Write one line for each line of `stdin`, in order; the exit status, 0 whatever they hold."""
    for line in read_lines(stdin, venue.bare_words):
        stdout.write(output_line(line.ref, said_by(venue, line)))
    stdout.flush()
    return 0


def said_by(venue: Venue, line: Line) -> dict[str, Any]:
    """What one input line says: the fields of its output line without `ref`."""
    if line.inbound is None:
        return {"dead_letter": line.dead_letter}
    return said_by_message(venue, line.inbound)


def said_by_message(venue: Venue, inbound: Inbound) -> dict[str, Any]:
    """What one message says, by the venue's own translation."""
    try:
        translation = venue.translate(inbound)
    except UnknownFrame as error:
        return {"dead_letter": f"unknown message: {error.args[0]}"}
    except BadFrame as error:
        return {"dead_letter": str(error.args[0])}
    said: dict[str, Any] = {"events": [event_document(event) for event in translation.events]}
    if translation.ignored is not None:
        said["ignored"] = translation.ignored
    return said


def event_document(event: Event) -> dict[str, Any]:
    """One event with the fields that it knows; numbers as text."""
    kind = type(event)
    document: dict[str, Any] = {"type": TYPES[kind]}
    for name in kind.__slots__:
        value = getattr(event, name)
        if value is not None and name not in HIDDEN:
            document[name] = _plain(value)
    if isinstance(event, OrderReport):
        _add_average(event, document)
    if isinstance(event, OrderReport | Execution) and not any(n in document for n in QUANTITIES):
        document.pop("quantity_unit", None)
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, tuple):  # several fees
        return [fee._asdict() | {"amount": text_of(fee.amount)} for fee in value]
    return value.value if isinstance(value, Enum) else value


def _add_average(order: OrderReport, document: dict[str, Any]) -> None:
    """Where the venue gives the sum in quote instead, the average follows from it."""
    if order.average_price is None and order.filled_quote and order.filled_quantity:
        # A quotient may have no end: only here something is rounded.
        with localcontext(prec=AVERAGE_DIGITS):
            document["average_price"] = text_of(order.filled_quote / order.filled_quantity)
