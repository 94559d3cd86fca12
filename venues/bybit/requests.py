"""Bybit's requests: signatures, the sign-in on the socket, subscriptions. Pure.

Manual: "Integration Guidance", "Connect" (https://bybit-exchange.github.io/docs/v5/guide). The
rules:

- REST: HMAC-SHA256 in lower-case hex over time + key + window + query, the query as it is sent.
- A GET has no body, not even an empty object: that is answered with 403.
- Socket: what is signed is "GET/realtime" + a time in milliseconds that is still to come.
"""

import hashlib
import hmac
from typing import Final
from urllib.parse import quote

import orjson

from venues.query import UNESCAPED, Parameters, query_of
from venues.rates import Cost
from venues.request import Context, Credentials, HttpRequest
from venues.venue import MILLISECOND_NS, SECOND_NS

API: Final = "/v5/"
ADDRESS_BUCKET: Final = "address"
RECEIVE_WINDOW_MS: Final = "5000"
SIGN_IN_WITHIN_NS: Final = 10 * SECOND_NS
SIGN_IN: Final = "auth"
SUBSCRIBE: Final = "subscribe"
PING: Final = b'{"req_id":"ping","op":"ping"}'


def signature(credentials: Credentials, payload: str) -> str:
    """HMAC-SHA256 of `payload` in hex."""
    return hmac.new(credentials.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def get_request(
    product: str,
    path: str,
    parameters: Parameters,
    context: Context,
    *,
    cursor: str = "",
    is_public: bool = False,
) -> HttpRequest:
    """The GET request of `path` such as ``order/realtime``: where signed, its bucket too."""
    query = query_of(parameters)
    # A cursor is already percent-encoded and goes back as it
    # came: encoded twice it would be another (docs/venues/bybit.md 7).
    query += f"&cursor={quote(cursor, safe=UNESCAPED + '%')}" if cursor else ""
    target = f"{API}{path}?{query}" if query else f"{API}{path}"
    costs = (Cost(ADDRESS_BUCKET),) if is_public else (Cost(path), Cost(ADDRESS_BUCKET))
    return HttpRequest(
        method="GET",
        url=f"{context.endpoints.rest[product]}{target}",
        headers={} if is_public else _signed(context, query),
        channel=path,
        costs=costs,
    )


def _signed(context: Context, payload: str) -> dict[str, str]:
    time, credentials = str(context.venue_ns // MILLISECOND_NS), context.credentials
    return {
        "X-BAPI-API-KEY": credentials.key,
        "X-BAPI-TIMESTAMP": time,
        "X-BAPI-RECV-WINDOW": RECEIVE_WINDOW_MS,
        "X-BAPI-SIGN": signature(
            credentials, f"{time}{credentials.key}{RECEIVE_WINDOW_MS}{payload}"
        ),
    }


def sign_in(context: Context) -> bytes:
    """The sign-in on a private socket."""
    expires = (context.venue_ns + SIGN_IN_WITHIN_NS) // MILLISECOND_NS
    signed = signature(context.credentials, f"GET/realtime{expires}")
    arguments = [context.credentials.key, expires, signed]
    return orjson.dumps({"req_id": SIGN_IN, "op": SIGN_IN, "args": arguments})


def subscription(topics: tuple[str, ...]) -> bytes:
    """The subscription to `topics`, acknowledged as one."""
    return orjson.dumps({"req_id": SUBSCRIBE, "op": SUBSCRIBE, "args": list(topics)})
