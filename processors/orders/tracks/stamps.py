"""Of what time the words of a report are. Pure."""

from typing import Final

from orderloom.event import OrderReport, Origin
from orderloom.words import Source
from processors.orders.tracks.registers import LOWEST, NEVER_NS, NO_ORDINAL, Stamp

TERMINAL: Final = ("FILLED", "CANCELED", "EXPIRED", "REJECTED")
ANSWER: Final = 2
"""In a stamp, where an amendment has 1: a row that surely shows all that was said of its time."""


def stamp_of(report: OrderReport, word: str | None, answered_ns: int) -> Stamp:
    """The stamp of what it says; `answered_ns`: up to when it surely shows all that was said."""
    ordinal = said = report.ordinal or NO_ORDINAL
    if report.is_as_asked:  # else a change that the stream lost would never be known
        said = max(said, (answered_ns, 0))
    filled = report.filled_quantity
    # A row older than its question by the lag shows all that was said of its own time: a fill
    # and an amendment may share a millisecond (decision 0407).
    return (
        *said,
        ANSWER if NEVER_NS < ordinal[0] < answered_ns else int(report.is_amendment),
        LOWEST[3] if filled is None else filled,
        int(word in TERMINAL),
    )


def ended_by(report: OrderReport, origin: Origin) -> tuple[int, int]:
    """When what has no ordinal had ended at the latest: an answer shows that of when it was asked.

    The row's own time will not do: nothing says that the end of what a conditional order became
    moves it.
    """
    ended_ns = origin.asked_ns if origin.source is Source.QUERY else report.venue_ns
    return NO_ORDINAL if ended_ns is None else (ended_ns, 0)


def shown_until_ns(report: OrderReport, origin: Origin, lag_ns: int) -> int:
    """Up to when an answer surely shows what was said of the terms that this order has.

    The row of a conditional order gives the orders that it became the terms of its trigger: it
    names them in passing, without a cumulative quantity.
    """
    is_answer = origin.source is Source.QUERY and not report.is_past
    if origin.asked_ns is None or not is_answer or report.status is None:
        return NEVER_NS
    if report.filled_quantity is None and report.alias_ids:
        return NEVER_NS
    return origin.asked_ns - lag_ns  # what is younger the venue's answer may not show yet
