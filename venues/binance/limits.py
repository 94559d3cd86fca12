"""Binance's rate limits, and what its answers say about slowing down. Pure.

Manual: "Limits" of both products. 429: over the limit; 418: the address is banned; 403 without a
code of the venue: a firewall before it finds us too fast. Spot says
`Retry-After` in seconds; USD-M says nothing, or "IP banned until <ms>" in the text, which is read
against the `Date` of the same answer. Requests of the WebSocket API draw on Spot's weight too.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from venues.binance.reading import LINEAR, SPOT
from venues.binance.requests import (
    BUCKETS,
    LINEAR_ORDERS,
    LINEAR_ORDERS_MINUTE,
    ORDER_BUCKETS,
    SPOT_ORDERS,
)
from venues.document import parse
from venues.rates import Bucket, Scope, Throttling
from venues.venue import (
    MILLISECOND_NS,
    MINUTE_NS,
    SECOND_NS,
    Answered,
    BadFrame,
)

USED_WEIGHT_HEADER: Final = "x-mbx-used-weight-1m"
SPOT_WEIGHT_PER_MINUTE: Final = 6000
LINEAR_WEIGHT_PER_MINUTE: Final = 2400  # one pool with COIN-M; 6000 on demo
BAN_NS_MIN: Final = 2 * MINUTE_NS
PAUSE_NS: Final = 10 * SECOND_NS
FIREWALL_NS: Final = 30 * SECOND_NS
OVERLOADED_NS: Final = SECOND_NS
PAUSE_NS_MAX: Final = 3 * 24 * 60 * MINUTE_NS
OVERLOADED: Final = -1008
TOO_MUCH_WEIGHT: Final = -1003
TOO_MANY_ORDERS: Final = -1015
# "exchangeInfo" has those of the account; these are the least that were documented.
SPOT_ORDERS_PER_10_S: Final = 50
LINEAR_ORDERS_PER_10_S: Final = 300
LINEAR_ORDERS_PER_MINUTE: Final = 1200
ORDERS_HEADER: Final = "x-mbx-order-count-"
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})")


def _orders(number: int, period_ns: int, interval: str) -> Bucket:
    """Counted by account, in the header of that interval."""
    return Bucket(number, period_ns, Scope.ACCOUNT, used_header=ORDERS_HEADER + interval)


BUCKET_LIMITS: Final = {
    BUCKETS[SPOT]: Bucket(SPOT_WEIGHT_PER_MINUTE, MINUTE_NS, used_header=USED_WEIGHT_HEADER),
    BUCKETS[LINEAR]: Bucket(LINEAR_WEIGHT_PER_MINUTE, MINUTE_NS, used_header=USED_WEIGHT_HEADER),
    # No bucket of a day: pacing does not help with one, and Spot gives
    # counts back at fills. What is beyond it is refused, and waited for.
    SPOT_ORDERS: _orders(SPOT_ORDERS_PER_10_S, 10 * SECOND_NS, "10s"),
    LINEAR_ORDERS: _orders(LINEAR_ORDERS_PER_10_S, 10 * SECOND_NS, "10s"),
    LINEAR_ORDERS_MINUTE: _orders(LINEAR_ORDERS_PER_MINUTE, MINUTE_NS, "1m"),
}


def backoff(answered: Answered) -> Throttling | None:
    """Whether, and for how long, an answer asks us to wait."""
    status, known, body = answered.status, answered.headers, answered.body
    if status not in (418, 429):
        code, _ = _refusal(body) if status in (403, 503) else (None, "")
        # A firewall has no code of the venue's; a refusal that has one is no matter of pace.
        if status == 403 and code is None:
            return Throttling(min(_retry_after_ns(known) or FIREWALL_NS, PAUSE_NS_MAX))
        return Throttling(OVERLOADED_NS) if code == OVERLOADED else None
    is_ban = status == 418
    wait_ns = _retry_after_ns(known) or _until_ban_ends_ns(known, body)
    if wait_ns is None:
        wait_ns = BAN_NS_MIN if is_ban else PAUSE_NS
    return Throttling(min(wait_ns, PAUSE_NS_MAX), is_ban, _bucket_meant(answered))


def _bucket_meant(answered: Answered) -> str:
    """Which limit was reached: that of the code; "" where it is the request's first one."""
    code, _ = _refusal(answered.body)
    product = LINEAR if urlsplit(answered.request.url).path.startswith("/fapi/") else SPOT
    if code == TOO_MUCH_WEIGHT:
        # Else the bucket of orders would be closed, and what is asked would go on to a ban.
        return BUCKETS[product]
    return ORDER_BUCKETS[product][0] if code == TOO_MANY_ORDERS else ""


def _retry_after_ns(headers: Mapping[str, str]) -> int | None:
    text = headers.get("retry-after", "")
    # A header is no number of ours: its digits are bounded (decision 0509).
    return int(text) * SECOND_NS if text.isdecimal() and len(text) <= 8 else None


def _until_ban_ends_ns(headers: Mapping[str, str], body: bytes) -> int | None:
    """How long a ban still holds, by the venue's own clock in the same answer."""
    found = _BANNED_UNTIL.search(_refusal(body)[1])
    if found is None:
        return None
    try:
        # The end of the ban is a time of the venue's clock, from which ours may be off.
        now_ms = int(parsedate_to_datetime(headers.get("date", "")).timestamp()) * 1000
    except (ValueError, OverflowError, TypeError):
        return None
    return max(int(found[1]) - now_ms, 1000) * MILLISECOND_NS


def _refusal(body: bytes) -> tuple[object, str]:
    """Code and text of a refusal; (None, "") where the body is something else."""
    try:
        document = parse(body)
    except BadFrame:
        return None, ""
    if not isinstance(document, dict):
        return None, ""
    return document.get("code"), str(document.get("msg", ""))
