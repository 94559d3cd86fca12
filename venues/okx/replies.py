"""What OKX answers to a request when it speaks of no order's state: acks and refusals. Pure.

Manual: "Error Code" (https://www.okx.com/docs-v5). Where an item carries `sCode`, that decides and
not the `code` above it: an item with another code than 0 was refused, also by one that is not here.
A whole answer's code that is not here says nothing definite: UNKNOWN_STATE, because only the
venue's own words reject (docs/state-model.md INV-1). An ack means that the gateway let the request
pass: the matching engine may not have seen it yet.
"""

import re
from typing import Any, Final

from orderloom.event import Event, Reply
from orderloom.words import Reason
from venues.document import Document, fields_of, identifier, rows_of, text, time_ns
from venues.okx.reading import SPOT
from venues.reading import Reading
from venues.venue import BadFrame

ACCEPTED: Final = "0"
# All, none or some of the items were taken: each says by itself what became of it.
ITEM_CODES: Final = frozenset({"0", "1", "2"})
TEXT_KEPT_MAX: Final = 500
_CODE: Final = re.compile(r"[0-9]{1,8}")

_BY_CODE: Final = {
    Reason.NOT_FOUND: (
        51063, 51400, 51401, 51402, 51405, 51503, 51509, 51510, 51603,
    ),
    # 50013, 50001: busy, unavailable; on a placement nobody says whether it was done.
    Reason.UNKNOWN_STATE: (
        50001, 50004, 50013, 50026, 51054, 51149, 51412, 64007,
    ),
    Reason.DUPLICATE_ID: (50042, 50071, 51011, 51016, 51065, 51512),
    Reason.INSUFFICIENT_BALANCE: (51008, 51119, 51127, 51131, 51502),
    Reason.REDUCE_ONLY: (51112, 51169, 51170, 51205, 51206),
    Reason.POST_ONLY: (51511,),
    Reason.THROTTLED: (50011, 50040, 50061, 60014),
    Reason.BAD_REQUEST: (
        50002, 50006, 50014, 50015, 50016, 50024, 50025,
        51000, 51001, 51003, 51005, 51006, 51014, 51015, 51020, 51031,
        51116, 51120, 51121, 51122, *range(51135, 51139), 51150, *range(51201, 51204),
        60012, 60013, 60018, 60019, 60028, 64001,
    ),
    # 50036, 50037: the request's own deadline (expTime) passed, so it was surely not done.
    Reason.REFUSED: (
        50036, 50037, 51004, 51010, 51024, 51025, *range(51101, 51108), 51155, 51174, 51187,
        51410, 51416, 51513, 54004, 54030, 54031, 54036, 54047, 54048, 54049, 54084, 54085, 54092,
        50005, 50046, 50062, *range(50017, 50024), 64003,
    ),
    Reason.MARKET_CLOSED: (51021, 51022, *range(51027, 51031)),
    Reason.AUTH: (
        *range(50007, 50010), 50012, *range(50027, 50031), 50035, 50038,
        *range(50100, 50115), *range(50119, 50122),
        60004, 60005, 60006, 60007, 60009, 60011, 60024, 60031, 60032, 63999,
    ),
}  # fmt: skip
REASONS: Final = {str(code): reason for reason, codes in _BY_CODE.items() for code in codes}


def reason_of(code: str, unknown: list[str], unlisted: Reason = Reason.UNKNOWN_STATE) -> Reason:
    """Why the venue refused, in our words; `unlisted` for a code that we do not know."""
    found = REASONS.get(code)
    if found is None:
        unknown.append(f"code={code[:8]}")
    return found or unlisted


def code_of(document: Document, name: str) -> str:
    """The code in field `name`."""
    code: Any = document.get(name)
    if type(code) is not str or not _CODE.fullmatch(code):
        raise BadFrame(f"{name}: not a code: {code!r:.80}")
    return code


def text_of_refusal(document: Document, name: str) -> str | None:
    """The venue's words, cut to a bound."""
    message = document.get(name)
    if message is not None and type(message) is not str:
        raise BadFrame(f"{name}: not a text: {message!r:.80}")
    return (message or "")[:TEXT_KEPT_MAX] or None


def item_reply(row: Document, reading: Reading, request_id: str | None = None) -> tuple[Event, ...]:
    """One item of the answer to a placement, amendment or cancel.

    `ts` is the order's creation time whatever was asked, so it is no time of this fact.
    """
    code = code_of(row, "sCode")
    # The code above the items says nothing of this one, and an item
    # that was answered with another code than 0 was surely not taken:
    # REFUSED, though we do not know the code (docs/venues/okx.md 10).
    is_accepted = code == ACCEPTED
    return (
        Reply(
            product=reading.product or SPOT,
            accepted=is_accepted,
            symbol=text(row, "instId"),
            venue_order_id=identifier(row, "ordId") or identifier(row, "algoId"),
            client_order_id=text(row, "clOrdId") or text(row, "algoClOrdId"),
            reason=None if is_accepted else reason_of(code, reading.unknown, Reason.REFUSED),
            code=code,
            text=text_of_refusal(row, "sMsg"),
            request_id=text(row, "reqId") or request_id,
            venue_ns=time_ns(row, "ts") if is_accepted else None,
        ),
    )


def refusal(answer: Document, reading: Reading, request_id: str | None = None) -> tuple[Event, ...]:
    """An answer that is a refusal as a whole: `code`, `msg` and no items."""
    code = code_of(answer, "code")
    return (
        Reply(
            product=reading.product or SPOT,
            accepted=False,
            reason=reason_of(code, reading.unknown),
            code=code,
            text=text_of_refusal(answer, "msg"),
            request_id=request_id,
        ),
    )


def socket_reply(answer: Document, reading: Reading) -> tuple[Event, ...]:
    """The reply to an `op` on the socket, known by the `id` that we gave it."""
    request_id = text(answer, "id")
    rows = rows_of(answer.get("data") or [], "data")
    if rows:
        return tuple(
            event
            for row in rows
            for event in item_reply(fields_of(row, "data"), reading, request_id)
        )
    # Without items the code speaks of the request as a whole (docs/venues/okx.md 8).
    if code_of(answer, "code") == ACCEPTED:
        return reading.ignore("an empty answer")
    return refusal(answer, reading, request_id)
