"""OKX's rate limits, and what its answers say about slowing down. Pure.

Manual: "Rate Limits", and a line at each endpoint: so many requests per two seconds, for each path
by itself, per user (public ones per address). Nothing in an answer counts what is used. Too many is
a code, with status 200 or 429, and says not for how long: the window is waited out.
"""

from typing import Final

from venues.document import object_in
from venues.okx.order_entry import (
    ACCOUNT_ORDERS_BUCKET,
    AMEND_BUCKET,
    CANCEL_ALGOS_BUCKET,
    CANCEL_BUCKET,
    PLACE_BUCKET,
)
from venues.okx.streams import CONNECT_BUCKET
from venues.rates import Bucket, Scope, Throttling
from venues.venue import SECOND_NS, Answered

WINDOW_NS: Final = 2 * SECOND_NS
BUSY_NS: Final = SECOND_NS
FIREWALL_NS: Final = 30 * SECOND_NS
HEAD_BYTES: Final = 64
THROTTLED: Final = frozenset({"50011", "50040", "50061", "60014"})
TOO_MANY_ORDERS: Final = "50061"
# The venue is busy: no limit of ours is used up, so the pause is shorter than a window.
BUSY: Final = "50013"
# A path is its own bucket (`get_request`); one that lacked here would have no limit at all.
_OF_ACCOUNT: Final = {
    "trade/order": 60,
    "trade/orders-pending": 60,
    "trade/orders-history": 40,
    "trade/orders-history-archive": 20,
    "trade/order-algo": 20,
    "trade/orders-algo-pending": 20,
    "trade/orders-algo-history": 20,
    "trade/fills": 60,
    "trade/fills-history": 10,
    "account/positions": 10,
    "account/balance": 10,
    # New and amended orders of all contracts together (section 9).
    ACCOUNT_ORDERS_BUCKET: 1000,
}
# Each of an instrument by itself, and each operation: REST and socket draw on one (section 9).
_OF_MARKET: Final = {
    PLACE_BUCKET: 60,
    AMEND_BUCKET: 60,
    CANCEL_BUCKET: 60,
    CANCEL_ALGOS_BUCKET: 20,
}
_OF_ADDRESS: Final = {"public/instruments": 20, "public/time": 10}


def _window(number: int, scope: Scope, period_ns: int = WINDOW_NS) -> Bucket:
    """No answer says what is used: a quarter at once, and the rest evenly (decision 0806)."""
    return Bucket(number, period_ns, scope, burst=max(1, number // 4))


BUCKET_LIMITS: Final = {
    **{path: _window(number, Scope.ACCOUNT) for path, number in _OF_ACCOUNT.items()},
    **{name: _window(number, Scope.MARKET) for name, number in _OF_MARKET.items()},
    **{path: _window(number, Scope.ADDRESS) for path, number in _OF_ADDRESS.items()},
    # New connections are counted by the second and by address (docs/venues/okx.md 2.3).
    CONNECT_BUCKET: _window(3, Scope.ADDRESS, SECOND_NS),
}


def backoff(answered: Answered) -> Throttling | None:
    """Whether, and for how long, an answer asks us to wait."""
    status, body = answered.status, answered.body
    # A good answer begins with its code: most of them are not parsed a second time.
    if status == 200 and b'"code":"0"' in body[:HEAD_BYTES]:
        return None
    code = _code_of(body)
    if code in THROTTLED:
        # Of all contracts: else those of one instrument alone would wait.
        bucket = ACCOUNT_ORDERS_BUCKET if code == TOO_MANY_ORDERS else ""
        return Throttling(WINDOW_NS, bucket=bucket)
    if code == BUSY:
        return Throttling(BUSY_NS)
    if status == 429:
        return Throttling(WINDOW_NS)
    # A firewall before the venue answers in HTML (not confirmed by the manual).
    return Throttling(FIREWALL_NS) if status == 403 and code is None else None


def _code_of(body: bytes) -> str | None:
    """The code of an answer; None where the body is something else."""
    code = object_in(body).get("code")
    return code if isinstance(code, str) else None
