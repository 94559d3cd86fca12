"""Bybit's rate limits, and what its answers say about slowing down. Pure.

Manual: "Rate Limit Rules" (https://bybit-exchange.github.io/docs/v5/rate-limit). Two limits hold at
once: of an address, 600 requests in 5 s over all paths; of a user, 50 a second for each path that
we ask. Whoever exceeds the first is refused with 403 for ten minutes: it is kept with a margin, for
nobody says what is left of it. What is left of the second each answer says.
"""

from collections.abc import Mapping
from typing import Final

from venues.bybit.requests import ADDRESS_BUCKET
from venues.bybit.streams import CONNECT_BUCKET
from venues.document import Document, object_in, time_ns
from venues.rates import Bucket, Scope, Throttling
from venues.venue import MINUTE_NS, SECOND_NS, Answered, BadFrame

WINDOW_NS: Final = SECOND_NS
PAUSE_NS: Final = SECOND_NS
PAUSE_NS_MAX: Final = 10 * SECOND_NS
OVERLOADED_NS: Final = 5 * SECOND_NS
BANNED_NS: Final = 10 * MINUTE_NS
FIREWALL_NS: Final = 30 * SECOND_NS
HEAD_BYTES: Final = 64
RESET_HEADER: Final = "x-bapi-limit-reset-timestamp"
BANNED: Final = b"too frequent"
THROTTLED: Final = frozenset({10006, 10403, 20003, 170005, 170222})
OVERLOADED: Final = frozenset({429, 10429})
OF_USER: Final = (
    "order/realtime",
    "order/history",
    "execution/list",
    "position/list",
    "account/wallet-balance",
)
BUCKET_LIMITS: Final = {
    **{
        path: Bucket(
            50,
            WINDOW_NS,
            Scope.ACCOUNT,
            burst=10,
            left_header="x-bapi-limit-status",
            reset_header=RESET_HEADER,
        )
        for path in OF_USER
    },
    ADDRESS_BUCKET: Bucket(550, 5 * SECOND_NS, burst=100),
    # New connections, by address.
    CONNECT_BUCKET: Bucket(500, 5 * MINUTE_NS, burst=50),
}


def backoff(answered: Answered) -> Throttling | None:
    """Whether, and for how long, an answer asks us to wait."""
    status, body = answered.status, answered.body
    # A good answer begins with its code: most of them are not parsed a second time.
    if status == 200 and b'"retCode":0' in body[:HEAD_BYTES]:
        return None
    answer = object_in(body)
    if status == 403:
        return _forbidden(answer, body)
    code = answer.get("retCode")
    if type(code) is int and code in THROTTLED:
        return Throttling(_until_reset_ns(answered.headers, answer))
    is_overloaded = status == 429 or (type(code) is int and code in OVERLOADED)
    return Throttling(OVERLOADED_NS) if is_overloaded else None


def _forbidden(answer: Document, body: bytes) -> Throttling | None:
    if BANNED in body.lower():
        return Throttling(BANNED_NS, is_ban=True)
    # A firewall, or an address in a country that is not served: neither has a code.
    return None if "retCode" in answer else Throttling(FIREWALL_NS)


def _until_reset_ns(headers: Mapping[str, str], answer: Document) -> int:
    """Until the window ends; both times are the venue's, in the same answer."""
    try:
        reset_ns, now_ns = time_ns(headers, RESET_HEADER), time_ns(answer, "time")
    except BadFrame:
        return PAUSE_NS
    if reset_ns is None or now_ns is None:
        return PAUSE_NS
    return min(max(reset_ns - now_ns, PAUSE_NS), PAUSE_NS_MAX)
