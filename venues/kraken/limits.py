"""Kraken's rate limits, and what its answers say about slowing down. Pure.

Manual: "Spot REST rate limits", "Rate limits" (Futures). Spot counts up by what a call costs and
down evenly with time: a bucket that refills. What an account may do depends on its level; kept is
the lowest that was published (15, a third of one a second). Nobody says what is left. Futures has
two budgets, of trading and of history; that of history is a bucket that refills too: 100, and 100
more in ten minutes. Of a bucket that refills what may go at once is kept a little lower and comes
back as fast: requests that took longer on their way than later ones are counted later.
"""

from email.utils import parsedate_to_datetime
from typing import Final

from venues.document import Document, object_in
from venues.kraken.replies import known_code
from venues.kraken.requests import (
    FUTURES_BUCKET,
    HISTORY,
    HISTORY_BUCKET,
    PUBLIC_BUCKET,
    SPOT_BUCKET,
)
from venues.rates import Bucket, Scope, Throttling
from venues.venue import MINUTE_NS, SECOND_NS, Answered

CONNECT_BUCKET: Final = "connect"
BUCKET_LIMITS: Final = {
    # 1 of 15 is left, a third of one a second comes back: requests may be three seconds late.
    SPOT_BUCKET: Bucket(14, 42 * SECOND_NS, Scope.ACCOUNT),
    # Free by the manual, behind a firewall that counts: ours, far below any number that was seen.
    PUBLIC_BUCKET: Bucket(10, 10 * SECOND_NS, burst=5),
    # Counted by address: the manual's word for its error.
    FUTURES_BUCKET: Bucket(450, 10 * SECOND_NS, burst=200),
    # 5 of 100 are left, one in six seconds comes back.
    HISTORY_BUCKET: Bucket(95, 570 * SECOND_NS, Scope.ACCOUNT),
    # The firewall in front of Spot: about 150 in ten minutes, or the address is out for ten more.
    CONNECT_BUCKET: Bucket(140, 10 * MINUTE_NS, burst=20),
}
PAUSE_NS: Final = 10 * SECOND_NS
HISTORY_PAUSE_NS: Final = MINUTE_NS
PAUSE_NS_MAX: Final = 2 * MINUTE_NS
LOCKED_NS: Final = 15 * MINUTE_NS
LOCKED: Final = "EGeneral:Temporary lockout"
REFUSED_NS: Final = MINUTE_NS
# "Too many invalid keys" lock out, and with the one account all others behind its address.
REFUSED_KEY: Final = frozenset({"EAPI:Invalid key", "EAPI:Invalid signature"})
THROTTLED_UNTIL: Final = ("EService: Throttled", "EService:Throttled")
SPOT_THROTTLED: Final = frozenset(
    {
        "EAPI:Rate limit exceeded",
        "EOrder:Rate limit exceeded",
        "EOrder:Domain rate limit exceeded",
        "EAuth:Rate limit exceeded",
        "EAuth:Too many requests",
        *THROTTLED_UNTIL,
    }
)
FUTURES_THROTTLED: Final = "apiLimitExceeded"
GOOD: Final = b'{"error":[],'


def backoff(answered: Answered) -> Throttling | None:
    """Whether, and for how long, an answer asks us to wait."""
    if answered.status == 429:
        return Throttling(PAUSE_NS)
    # Most answers are good, and not parsed a second time.
    if answered.body.startswith(GOOD):
        return None
    answer = object_in(answered.body)
    said = answer.get("error")
    if said == FUTURES_THROTTLED:
        is_history = HISTORY in answered.request.url
        return Throttling(HISTORY_PAUSE_NS if is_history else PAUSE_NS)
    return _spot(answer, answered) if type(said) is list else None


def _spot(answer: Document, answered: Answered) -> Throttling | None:
    for one in answer["error"]:
        code = known_code(one) if type(one) is str else None
        if code == LOCKED:
            return Throttling(LOCKED_NS, is_ban=True)
        if code in THROTTLED_UNTIL:
            return Throttling(_until_ns(one, answered))
        if code in SPOT_THROTTLED:
            return Throttling(PAUSE_NS)
        if code in REFUSED_KEY:  # of that account alone: the bucket is its own
            return Throttling(REFUSED_NS)
    return None


def _until_ns(said: str, answered: Answered) -> int:
    """Until the time, in seconds, that the error names; now is what the answer's head says."""
    digits = said.rpartition(":")[2].strip()
    try:
        now = parsedate_to_datetime(answered.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return PAUSE_NS
    if not (digits.isdecimal() and digits.isascii() and len(digits) <= 12):
        return PAUSE_NS
    return min(max((int(digits) - int(now)) * SECOND_NS, SECOND_NS), PAUSE_NS_MAX)
