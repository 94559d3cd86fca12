"""From the bytes of `raw` to evidence: parse, translate, or say why not.

Pure. Nothing that a venue writes raises here: what cannot be read is a `Refusal` with its reason,
which `partition` turns into a dead letter with the evidence.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from orderloom.claim import Verb
from orderloom.event import Event, Execution, OrderReport
from orderloom.raw import Answer, AttemptOutcome, Failure, Frame
from orderloom.words import ReplyClass, Source
from venues.document import read
from venues.order_entry import Judgement
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame, Venue

_VERBS: Final = frozenset(Verb)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that translation could not take, and why."""

    reason: str


def read_frame(venue: Venue, frame: Frame) -> Translation | Refusal:
    """The evidence in one stream frame."""
    body = frame.body
    if venue.unpack is not None:
        try:
            body = venue.unpack(body)
        except BadFrame as error:
            return Refusal(f"bad frame: {error}")
    # The most frequent frames are read straight, all others the general way (decision 0310).
    if venue.usual is not None and (events := venue.usual(body, frame.product)) is not None:
        return Translation(events)
    return _translate(venue, body, Source.STREAM, frame.product)


def read_answer(venue: Venue, item: Answer | Failure) -> Translation | Refusal:
    """The evidence in one page of an answer, or in the body of a refusal to answer.

    Executions after the end that was asked for are left out (a page by id may hold some): the
    stream still has its time to bring them, and what it brings is not missed (decision 0004).
    """
    question = item.question
    said = _translate(venue, item.body, Source.QUERY, question.get("product"))
    until_ns = question.get("until_ns")
    if until_ns is None or isinstance(said, Refusal):
        return said
    return replace(said, events=tuple(e for e in said.events if not _is_beyond(e, until_ns)))


def judged(venue: Venue, item: AttemptOutcome) -> Judgement:
    """What the venue's answer to a request means for it; without an answer nobody knows."""
    if item.status is None or venue.orders is None or item.verb not in _VERBS:
        return Judgement(ReplyClass.UNKNOWN)
    return venue.orders.judge(Verb(item.verb), item.product, item.status, item.body)


def read_reply(venue: Venue, item: AttemptOutcome) -> Translation | Refusal:
    """The evidence about orders in the answer to a request; that it was taken is none."""
    said = _translate(venue, item.body, Source.REPLY, item.product)
    if isinstance(said, Refusal):
        return said
    events = tuple(one for one in said.events if isinstance(one, OrderReport | Execution))
    return replace(said, events=events)


def _is_beyond(event: Event, until_ns: int) -> bool:
    return isinstance(event, Execution) and event.venue_ns is not None and event.venue_ns > until_ns


def _translate(
    venue: Venue, body: bytes, source: Source, product: str | None
) -> Translation | Refusal:
    try:
        document = read(body, venue.bare_words)
        return venue.translate(Inbound(document, source, product))
    except BadFrame as error:
        return Refusal(f"bad frame: {error}")
    except UnknownFrame as error:
        return Refusal(f"unknown frame: {error}")
