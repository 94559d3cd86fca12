"""OKX: what an answer means for the order request that it answers. Pure.

A whitelist from "Error Code" (docs/venues/okx.md 14.4): of one item by (verb, `sCode`), of an
answer without items by (verb, HTTP status, `code`). Where there is an item it decides, and not the
code above it ("Place order"). What is not in the lists is UNKNOWN: the request may have been
carried out. So are 50013 and 50001 (busy, unavailable: nobody says whether it was done), 51410 (an
earlier cancel is under way) and 51412 (two texts). Neither `replies.reason_of` nor `limits.backoff`
takes part: both speak of other questions.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from venues.document import Document, object_in
from venues.order_entry import Judgement, code_in

EVERY_VERB: Final = tuple(Verb)
OK: Final = 200
ACCEPTED: Final = "0"
# All, none or some of the items were taken.
ITEM_CODES: Final = frozenset({"0", "1", "2"})


class _ItemRow(NamedTuple):
    """Items that mean `reply`."""

    reply: ReplyClass
    codes: Iterable[int]
    verbs: tuple[Verb, ...] = EVERY_VERB


class _AnswerRow(NamedTuple):
    """Answers without items that mean `reply`."""

    reply: ReplyClass
    codes: Iterable[int]
    statuses: tuple[int, ...]
    verbs: tuple[Verb, ...] = EVERY_VERB


CHANGING: Final = (Verb.PLACE, Verb.AMEND)
# Instrument unknown, not tradable or of another account mode; parameters.
_BAD_ITEM: Final = (
    51000, 51001, 51003, 51010, 51014, 51015, 51021, 51022, 51024, 51027, 51155, 54092,
)  # fmt: skip
# Balance and margin; limits of positions and orders; filters of size and price; reduce-only.
_BAD_TERMS: Final = (
    51008, 51127, 51131, 51502,
    51004, 51025, *range(51101, 51108), 51174, 51187, 54030, 54031,
    51005, 51006, 51020, 51031, 51116, 51120, 51121, 51122, *range(51135, 51139), 51150,
    *range(51201, 51204),
    51112, 51169, 51170, 51205, 51206,
)  # fmt: skip
_DEADLINE: Final = (50036, 50037)
_FROZEN: Final = tuple(range(50017, 50024))
_ITEM_ROWS: Final = (
    _ItemRow(ReplyClass.ACKED, (0,)),
    _ItemRow(ReplyClass.REFUSED, _BAD_ITEM),
    _ItemRow(ReplyClass.NOT_EXECUTED, (51028, 51029, 51030)),  # while it is being settled
    _ItemRow(ReplyClass.NOT_EXECUTED, (50011, 50040)),
    _ItemRow(
        ReplyClass.NOT_FOUND, (51063, 51400, 51401, 51402, 51405, 51603), verbs=(Verb.CANCEL,)
    ),
    _ItemRow(ReplyClass.REFUSED, (51416,), verbs=(Verb.CANCEL,)),  # it has triggered
    _ItemRow(ReplyClass.NOT_EXECUTED, (54048,), verbs=(Verb.CANCEL,)),  # in the speed bump
    _ItemRow(ReplyClass.REFUSED, _BAD_TERMS, verbs=CHANGING),
    _ItemRow(ReplyClass.NOT_EXECUTED, (50061, *_DEADLINE, *_FROZEN), verbs=CHANGING),
    _ItemRow(ReplyClass.DUPLICATE_ID, (50042, 50071, 51011, 51016), verbs=(Verb.PLACE,)),
    _ItemRow(ReplyClass.REFUSED, (54036, 54084, 54085), verbs=(Verb.PLACE,)),
    _ItemRow(ReplyClass.NOT_FOUND, (51063, 51503, 51509, 51510, 51603), verbs=(Verb.AMEND,)),
    _ItemRow(ReplyClass.REFUSED, (51511,), verbs=(Verb.AMEND,)),  # it would take
    # Too many amendments under way; in the speed bump.
    _ItemRow(ReplyClass.NOT_EXECUTED, (51513, 54047), verbs=(Verb.AMEND,)),
)
_TIMESTAMP: Final = (50102, 50112)
# Keys, signatures, addresses, rights, the account's own state.
_KEY: Final = tuple(
    code
    for code in (
        *range(50007, 50010), 50012, *range(50027, 50031), 50035, 50038, *range(50100, 50115),
        *range(50119, 50122),
    )
    if code not in _TIMESTAMP
)  # fmt: skip
_MALFORMED: Final = (50002, 50006, 50014, 50015, 50016, 50024, 50025)
_REFUSING: Final = (200, 400, 401)
_ANSWER_ROWS: Final = (
    _AnswerRow(ReplyClass.REFUSED, _KEY, _REFUSING),
    _AnswerRow(ReplyClass.NOT_EXECUTED, _TIMESTAMP, _REFUSING),
    _AnswerRow(ReplyClass.REFUSED, (*_MALFORMED, *_BAD_ITEM), (200, 400)),
    _AnswerRow(ReplyClass.NOT_EXECUTED, (50011, 50040), (200, 429)),
    _AnswerRow(ReplyClass.NOT_EXECUTED, (50061,), (200, 429), CHANGING),
    # The request's own deadline was past: surely not done, and taken with another.
    _AnswerRow(ReplyClass.NOT_EXECUTED, _DEADLINE, (200, 400), CHANGING),
)
_ITEMS: Final = {
    (verb, str(code)): row.reply for row in _ITEM_ROWS for verb in row.verbs for code in row.codes
}
_ANSWERS: Final = {
    (verb, status, str(code)): row.reply
    for row in _ANSWER_ROWS
    for verb in row.verbs
    for status in row.statuses
    for code in row.codes
}


def judge(verb: Verb, product: str, status: int, body: bytes) -> Judgement:
    """What the answer means for the request, which was of one order; it never raises."""
    answer = object_in(body)
    code, rows = code_in(answer, "code"), answer.get("data")
    if not rows:
        is_known = _is_text(answer, "code")
        reply = _ANSWERS.get((verb, status, code)) if is_known else None
        return Judgement(reply or ReplyClass.UNKNOWN, code)
    # Several items, or none that can be read, answer another request than ours.
    if type(rows) is not list or len(rows) != 1 or type(rows[0]) is not dict:
        return Judgement(ReplyClass.UNKNOWN, code)
    return _item(verb, status, answer, rows[0])


def _item(verb: Verb, status: int, answer: Document, row: Document) -> Judgement:
    code = code_in(row, "sCode")
    is_of_items = _is_text(answer, "code") and code_in(answer, "code") in ITEM_CODES
    is_known = status == OK and is_of_items and _is_text(row, "sCode")
    reply = _ITEMS.get((verb, code)) if is_known else None
    return Judgement(reply or ReplyClass.UNKNOWN, code)


def _is_text(document: Document, name: str) -> bool:
    return type(document.get(name)) is str
