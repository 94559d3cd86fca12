"""What Bybit answers to a request when it speaks of no order's state: acks and refusals. Pure.

Manual: "Error Codes" (https://bybit-exchange.github.io/docs/v5/error). An error comes with status
200 and a `retCode`. A code that is not here says nothing definite: UNKNOWN_STATE, because only the
venue's own words reject (docs/state-model.md INV-1). An ack means that the gateway took the
request: the engine's verdict comes with the order.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from orderloom.event import Event, Reply
from orderloom.words import Reason
from venues.bybit.reading import SWAP, Message
from venues.bybit.words import CATEGORIES, LINEAR, SPOT
from venues.document import Document, fields_of, integer, rows_of, text
from venues.venue import BadFrame

ACCEPTED: Final = "0"
TEXT_KEPT_MAX: Final = 500
_BY_CODE: Final = {
    # Terminal at the venue, or never there: asked about either way.
    Reason.NOT_FOUND: (
        110001, 110008, 110010, 170139, 170142, 170143, 170190, 170213,
    ),
    # The server timed out or failed, or is not done yet: nobody says whether it was done.
    Reason.UNKNOWN_STATE: (
        10000, 10016, 40004, 110079, 170001, 170007, 170032, 170035, 170144, 170146, 170147,
        170150, 170191, 170212, 170234, 170310, 170311,
    ),
    Reason.DUPLICATE_ID: (10014, 20006, 110072, 170141),
    Reason.INSUFFICIENT_BALANCE: (
        110004, 110006, 110007, 110012, 110044, 110045, *range(110051, 110054),
        170033, 170034, 170131,
    ),
    Reason.POST_ONLY: (170218,),
    Reason.THROTTLED: (429, 10006, 10403, 10429, 20003, 170005, 170222),
    Reason.BAD_REQUEST: (
        10001, 10029, 30208, 30209, 110003, 110017, 110064, *range(110092, 110095), 110120, 110121,
        170121, 170124, *range(170132, 170135), 170136, 170137, 170140, 170148, 170192, 170193,
        170194, 170313, 170371, 170372, 170381, 170382,
    ),
    # 10019: the service for orders restarts and takes no new request.
    Reason.REFUSED: (
        10019, 110009, *range(110020, 110024), 110042, 110090, 110132, 170149, 170210, 170810,
    ),
    Reason.MARKET_CLOSED: (110063, 110066, 110074, 110095, 170151, 170157),
    Reason.AUTH: (
        -2015, -1, *range(10002, 10006), *range(10007, 10011), 10024, 10027, 10028, 33004,
    ),
}  # fmt: skip
REASONS: Final = {str(code): reason for reason, codes in _BY_CODE.items() for code in codes}
UNCHANGED: Final = frozenset({"34040", "110025", "110026", "110043"})
"""All is already as it was asked for: nothing was refused."""
BUSY_CODES: Final = frozenset({"429", "10000", "10002", "10006", "10016", "10019", "10429"})
"""Trouble that passes, in which nothing is wrong with a key."""
# In REST the same code says that the key is wrong.
SOCKET_REASONS: Final = {**REASONS, "10003": Reason.THROTTLED}
"""On a socket for orders: 10003 is too many sessions."""


def code_of(document: Document, name: str) -> str:
    """The code in field `name`, a whole number there."""
    code = integer(document, name)
    if code is None:
        raise BadFrame(f"{name}: missing")
    return str(code)


def text_of_refusal(document: Document, name: str) -> str | None:
    """The venue's words, cut to a bound."""
    message = document.get(name)
    if message is not None and type(message) is not str:
        raise BadFrame(f"{name}: not a text: {message!r:.80}")
    return (message or "")[:TEXT_KEPT_MAX] or None


class RequestOutcome(NamedTuple):
    """What is said of one request: a code, words, the id that we gave it, what codes mean here."""

    code: str
    words: str | None = None
    request_id: str | None = None
    reasons: Mapping[str, Reason] = REASONS


def reply(row: Document, reading: Message, answered: RequestOutcome) -> tuple[Event, ...]:
    """What became of one request: `row` names its order, if anything does."""
    code = answered.code
    is_accepted = code == ACCEPTED or code in UNCHANGED
    reason = None if is_accepted else answered.reasons.get(code)
    if not is_accepted and reason is None:
        reading.unknown.append(f"code={code}")
        reason = Reason.UNKNOWN_STATE
    return (
        Reply(
            product=said_product(text(row, "category"), reading),
            accepted=is_accepted,
            symbol=text(row, "symbol"),
            venue_order_id=text(row, "orderId"),
            client_order_id=text(row, "orderLinkId"),
            reason=reason,
            code=code,
            text=None if is_accepted else answered.words,
            request_id=answered.request_id,
        ),
    )


def said_product(category: str | None, reading: Message) -> str:
    """Whose request it was, as far as anybody says: a reply on a socket does not."""
    said = category or reading.product or SPOT
    return LINEAR if said == SWAP else CATEGORIES.get(said, SPOT)


def ack(row: Document, reading: Message) -> tuple[Event, ...]:
    """The ids of one order that a request was taken for."""
    return reply(row, reading, RequestOutcome(ACCEPTED))


def refusal(answer: Document, reading: Message) -> tuple[Event, ...]:
    """An answer that is a refusal as a whole."""
    words = text_of_refusal(answer, "retMsg")
    return reply({}, reading, RequestOutcome(code_of(answer, "retCode"), words))


def batch(rows: list[Any], verdicts: list[Any], reading: Message) -> tuple[Event, ...]:
    """The items of a batch, each with the verdict that stands in its place in the other list."""
    if len(rows) != len(verdicts):
        raise BadFrame(f"retExtInfo: {len(verdicts)} verdicts on {len(rows)} items")
    found: list[Event] = []
    for row, verdict in zip(rows, verdicts, strict=True):
        said = fields_of(verdict, "retExtInfo")
        answered = RequestOutcome(code_of(said, "code"), text_of_refusal(said, "msg"))
        found += reply(fields_of(row, "list"), reading, answered)
    return tuple(found)


def socket_reply(answer: Document, reading: Message) -> tuple[Event, ...]:
    """The reply to a request on a socket for orders, known by the `reqId` that we gave it."""
    code, words = code_of(answer, "retCode"), text_of_refusal(answer, "retMsg")
    data = fields_of(answer.get("data") or {}, "data")
    if "list" in data:
        verdicts = fields_of(answer.get("retExtInfo") or {}, "retExtInfo").get("list")
        return batch(rows_of(data["list"], "list"), rows_of(verdicts, "retExtInfo"), reading)
    request_id = text(answer, "reqId")
    return reply(data, reading, RequestOutcome(code, words, request_id, SOCKET_REASONS))


def failed_operation(answer: Document, reading: Message) -> tuple[Event, ...]:
    """A refused sign-in or subscription: this dialect has no codes, only words."""
    is_sign_in = answer.get("op") == "auth"
    return (
        Reply(
            product=said_product(None, reading),
            accepted=False,
            reason=Reason.AUTH if is_sign_in else Reason.REFUSED,
            text=text_of_refusal(answer, "ret_msg"),
            request_id=text(answer, "req_id"),
        ),
    )
