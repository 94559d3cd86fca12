"""Binance: what an answer means for the order request that it answers. Pure.

A whitelist of (product, verb, HTTP status, code, text), from "Error codes" and "HTTP return codes"
of both manuals (docs/venues/binance.md 14.4). What is not in it is UNKNOWN: the request may have
been carried out. So are Spot's -1008 and every 5xx but the two texts of USD-M that say that nothing
was done. Neither `replies.reason_of` nor `limits.backoff` takes part: both speak of other
questions, and hold codes that leave the outcome open.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from venues.binance.reading import LINEAR, SPOT
from venues.document import Document, object_in
from venues.order_entry import Judgement, code_in

BOTH: Final = (SPOT, LINEAR)
EVERY_VERB: Final = tuple(Verb)
CHANGING: Final = (Verb.PLACE, Verb.AMEND)
OK: Final = 200
ALGO_SUCCESS: Final = "200"
CANCELED: Final = "CANCELED"
BAD: Final = (400,)
KEY_REFUSED: Final = (400, 401)


class _Row(NamedTuple):
    """Answers that mean `reply`; each of the fields is one that an answer may have.

    `text`: the whole text; "" where the code says it all.
    """

    reply: ReplyClass
    codes: Iterable[int]
    statuses: tuple[int, ...] = BAD
    verbs: tuple[Verb, ...] = EVERY_VERB
    products: tuple[str, ...] = BOTH
    text: str = ""


# A key that is not known, a bad signature: the request went no further.
_KEY: Final = (-1002, -1022, -2014, -2015, -2017)
# Price and quantity, balance and margin, limits of positions and leverage, reduce-only, the mode of
# positions, a user in liquidation.
_LINEAR_TERMS: Final = (
    *range(-4024, -4000), -4131, -4164, -2018, -2019, -2020, -2022, -2023, -2024, -2025, -2026,
    -2027, -2028, -4061, -4062, -4087, -4088, -4105, -4106, -4107, -4118, -4189, -4400, -4401,
    -4531,
)  # fmt: skip
_REFUSED_TEXTS: Final = (
    "Account has insufficient balance for requested action.",
    "Order would immediately match and take.",
    "Market is closed.",
)
_BY_TEXT: Final = (-1010, -2010)
# -1125 is about listen keys.
_BAD_PARAMETERS: Final = tuple(code for code in range(-1130, -1101) if code != -1125)
_ROWS: Final = (
    _Row(ReplyClass.REFUSED, _KEY, KEY_REFUSED),
    _Row(ReplyClass.REFUSED, _BAD_PARAMETERS),
    # Too early or too late by the venue's clock: with another time it would be taken.
    _Row(ReplyClass.NOT_EXECUTED, (-1021,)),
    _Row(ReplyClass.NOT_EXECUTED, (-1003,), (418, 429)),
    _Row(
        ReplyClass.NOT_EXECUTED, (-1000,), (503,), products=(LINEAR,), text="Service Unavailable."
    ),
    _Row(ReplyClass.NOT_FOUND, (-2011,), verbs=(Verb.CANCEL,), text="Unknown order sent."),
    _Row(ReplyClass.NOT_FOUND, (-2013,), verbs=(Verb.CANCEL,)),
    _Row(ReplyClass.NOT_FOUND, (-2039,), verbs=(Verb.CANCEL,), products=(SPOT,)),
    _Row(
        ReplyClass.REFUSED,
        (-2011,),
        verbs=(Verb.CANCEL,),
        products=(SPOT,),
        text="Order was not canceled due to cancel restrictions.",
    ),
    _Row(ReplyClass.REFUSED, (-1013,), verbs=CHANGING),
    _Row(ReplyClass.NOT_EXECUTED, (-1015,), (429,), verbs=CHANGING),
    _Row(ReplyClass.NOT_EXECUTED, (-5028,), verbs=CHANGING, products=(LINEAR,)),
    _Row(ReplyClass.REFUSED, _LINEAR_TERMS, verbs=CHANGING, products=(LINEAR,)),
    *(
        _Row(ReplyClass.REFUSED, _BY_TEXT, verbs=(Verb.PLACE,), text=text)
        for text in _REFUSED_TEXTS
    ),
    _Row(ReplyClass.DUPLICATE_ID, _BY_TEXT, verbs=(Verb.PLACE,), text="Duplicate order sent."),
    _Row(ReplyClass.DUPLICATE_ID, (-4116,), verbs=(Verb.PLACE,), products=(LINEAR,)),
    _Row(ReplyClass.REFUSED, (-2016,), verbs=(Verb.PLACE,)),
    # Another end point; all or nothing, and never taking, where that cannot be.
    _Row(
        ReplyClass.REFUSED,
        (-4120, -5021, -5022, -5041),
        verbs=(Verb.PLACE,),
        products=(LINEAR,),
    ),
    _Row(ReplyClass.NOT_FOUND, (-2013,), verbs=(Verb.AMEND,)),
    _Row(ReplyClass.NOT_FOUND, (-2039,), verbs=(Verb.AMEND,), products=(SPOT,)),
    _Row(ReplyClass.REFUSED, (-2038,), verbs=(Verb.AMEND,), products=(SPOT,)),
    # -5027: the order is so already.
    _Row(
        ReplyClass.REFUSED,
        (-5024, -5025, -5026, -5027, -5047),
        verbs=(Verb.AMEND,),
        products=(LINEAR,),
    ),
    # Another amendment of the order is under way.
    _Row(ReplyClass.NOT_EXECUTED, (-5043,), verbs=(Verb.AMEND,), products=(LINEAR,)),
)
# USD-M's 503 with this code says so in one of several longer texts.
_OVERLOADED: Final = (503, -1008)
_OVERLOADED_WORDS: Final = "system-level protection"
_Key = tuple[str, Verb, int, int]


def _table() -> dict[_Key, dict[str, ReplyClass]]:
    table: dict[_Key, dict[str, ReplyClass]] = {}
    for row in _ROWS:
        for product in row.products:
            for verb in row.verbs:
                for status in row.statuses:
                    for code in row.codes:
                        table.setdefault((product, verb, status, code), {})[row.text] = row.reply
    return table


_TABLE: Final = _table()


def judge(verb: Verb, product: str, status: int, body: bytes) -> Judgement:
    """What the answer means for the request; it never raises."""
    answer = object_in(body)
    code = code_in(answer, "code")
    if status == OK:
        is_done = _is_done(verb, product, answer)
        return Judgement(ReplyClass.ACKED if is_done else ReplyClass.UNKNOWN, code)
    number, text = answer.get("code"), answer.get("msg")
    if type(number) is not int or type(text) is not str:
        return Judgement(ReplyClass.UNKNOWN, code)
    if (product, status, number) == (LINEAR, *_OVERLOADED) and _OVERLOADED_WORDS in text:
        return Judgement(ReplyClass.NOT_EXECUTED, code)
    by_text = _TABLE.get((product, verb, status, number), {})
    reply = by_text.get(text.strip()) or by_text.get("")
    return Judgement(reply or ReplyClass.UNKNOWN, code)


def _is_done(verb: Verb, product: str, answer: Document) -> bool:
    """Whether a body with status 200 is the answer to such a request that was taken."""
    if product not in BOTH:
        return False
    if verb is Verb.CANCEL and product == LINEAR and _is_id(answer.get("algoId")):
        return answer.get("code") == ALGO_SUCCESS
    if verb is Verb.AMEND and product == SPOT:
        amended = answer.get("amendedOrder")
        return type(amended) is dict and _is_order(amended) and _is_id(answer.get("executionId"))
    # A cancel's answer has the order's status: any other says that it was not canceled.
    is_canceled = answer.get("status") == CANCELED
    return _is_order(answer) and (is_canceled or verb is not Verb.CANCEL)


def _is_order(answer: Document) -> bool:
    symbol = answer.get("symbol")
    is_named = type(symbol) is str and bool(symbol)
    return is_named and _is_id(answer.get("orderId")) and "code" not in answer


def _is_id(value: object) -> bool:
    return type(value) is int and value > 0
