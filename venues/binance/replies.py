"""What Binance answers to a request when it speaks of no order's state: acks and refusals. Pure.

Manual: "Error codes" of Spot and of USD-M futures. Some numbers mean two things, by product (-2022,
-2026) or by text (-2010, -2011), so both are read. A code that is not here says nothing definite:
UNKNOWN_STATE, because only the venue's own words reject (docs/state-model.md INV-1).
"""

from typing import Any, Final

from orderloom.event import Event, Reply
from orderloom.words import Reason
from venues.binance.reading import LINEAR, SPOT, linear_symbol, time_ns
from venues.document import Document, identifier, needed_identifier, needed_text, text
from venues.venue import BadFrame

TEXT_KEPT_MAX: Final = 500

_BY_TEXT: Final = (
    ("insufficient balance", Reason.INSUFFICIENT_BALANCE),
    ("duplicate order sent", Reason.DUPLICATE_ID),
    ("immediately match and take", Reason.POST_ONLY),
    ("market is closed", Reason.MARKET_CLOSED),
    ("unknown order sent", Reason.NOT_FOUND),
    # USD-M's HTTP 503 has three texts: two of them say that nothing was done.
    ("service unavailable", Reason.THROTTLED),
    ("system-level protection", Reason.THROTTLED),
)
_TEXT_DECIDES: Final = frozenset({-1010, -2010, -2011})
_BY_CODE: Final = {
    Reason.UNKNOWN_STATE: (-1000, -1001, -1006, -1007),
    Reason.AUTH: (-1002, -1021, -1022, -1125, -2014, -2015, -2017, -5028),
    Reason.THROTTLED: (-1003, -1008, -1015, -1016, -1034, -5043),
    Reason.BAD_REQUEST: (-1013, -1121, -4061, -4120, -4131, -4164),
    Reason.NOT_FOUND: (-2013, -2039),
    Reason.MARKET_CLOSED: (-2016,),
    Reason.INSUFFICIENT_BALANCE: (-2018, -2019),
    Reason.LIQUIDATION: (-2023,),
    Reason.DUPLICATE_ID: (-4116,),
    Reason.TIME_IN_FORCE: (-5021,),
    Reason.POST_ONLY: (-5022,),
    Reason.REDUCE_ONLY: (
        -4062, -4087, -4088, -4105, -4106, -4107, -4118, -4189, -4400, -4401, -5047,
    ),
    Reason.REFUSED: (
        -2020, -2021, -2022, -2024, -2025, -2027, -2028, -2035, -2036, -2038, -2042, -4531,
        -5024, -5025, -5026, -5027, -5041,
    ),
}  # fmt: skip
REASONS: Final = {code: reason for reason, codes in _BY_CODE.items() for code in codes}
_BY_PRODUCT: Final = {
    (SPOT, -2026): Reason.NOT_FOUND,  # archived: closed without a fill more than 90 days ago
    (LINEAR, -2026): Reason.REDUCE_ONLY,
    (LINEAR, -2022): Reason.REDUCE_ONLY,
}
_BAD_PARAMETERS: Final = (range(-1130, -1100), range(-4024, -4000))


def reason_of(product: str, code: int, message: str, unknown: list[str]) -> Reason:
    """Why the venue refused, in our words."""
    # One number for a dozen refusals: the text decides (docs/venues/binance.md 10).
    if code in _TEXT_DECIDES or code == -1000:
        lowered = message.lower()
        for words, reason in _BY_TEXT:
            if words in lowered:
                return reason
        return Reason.UNKNOWN_STATE if code == -1000 else Reason.REFUSED
    found = _BY_PRODUCT.get((product, code)) or REASONS.get(code)
    if found is not None:
        return found
    if any(code in codes for codes in _BAD_PARAMETERS):
        return Reason.BAD_REQUEST
    # Not known is not refused: the order may stand there (docs/state-model.md INV-1).
    unknown.append(f"code={code}")
    return Reason.UNKNOWN_STATE


def code_reply(
    answer: Document, product: str, unknown: list[str], request_id: str | None = None
) -> tuple[Event, ...]:
    """An answer of `code` and `msg`: a refusal, or the success of a call without a result."""
    code, message = _code_of(answer), answer.get("msg")
    if message is not None and type(message) is not str:
        raise BadFrame(f"msg: not a text: {message!r:.80}")
    is_success = code == 200
    kept = (message or "")[:TEXT_KEPT_MAX]
    return (
        Reply(
            product=product,
            accepted=is_success,
            symbol=text(answer, "symbol"),
            venue_order_id=identifier(answer, "orderId"),
            client_order_id=text(answer, "clientOrderId"),
            reason=None if is_success else reason_of(product, code, kept, unknown),
            code=str(code),
            text=kept or None,
            request_id=request_id,
        ),
    )


def _code_of(answer: Document) -> int:
    code: Any = answer.get("code")
    if type(code) is str and len(code) <= 8 and code.removeprefix("-").isdecimal():
        code = int(code)
    if type(code) is not int or not -1_000_000 < code < 1_000_000:
        raise BadFrame(f"code: not a code: {code!r:.80}")
    return code


def acknowledgement(
    row: Document, product: str, request_id: str | None = None
) -> tuple[Event, ...]:
    """The ACK reply to a placement: ids and a time, and no word on the order's state."""
    return (
        Reply(
            product=product,
            accepted=True,
            symbol=(linear_symbol if product == LINEAR else needed_text)(row, "symbol"),
            venue_order_id=needed_identifier(row, "orderId"),
            client_order_id=text(row, "clientOrderId"),
            request_id=request_id,
            venue_ns=time_ns(row, "transactTime"),
        ),
    )
