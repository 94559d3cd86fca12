"""OKX's requests: signatures, the sign-in on the socket, subscriptions. Pure.

Manual: "REST Authentication", "Login", "Subscribe". The rules:

- REST: base64 of HMAC-SHA256 over time + method + path with query + body; the time is ISO 8601 UTC
  with milliseconds, and the same text stands in header and signature.
- Socket: the time is in *seconds*, and what is signed is time + "GET" + "/users/self/verify".
- The passphrase goes with both as it is. Demo trading is told apart by a header alone.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from venues.query import Parameters, query_of
from venues.rates import Cost
from venues.request import Context, Credentials, HttpRequest
from venues.venue import MILLISECOND_NS, SECOND_NS

API: Final = "/api/v5/"
LOGIN_PATH: Final = "/users/self/verify"
PING: Final = b"ping"
PONG: Final = b"pong"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def signature(credentials: Credentials, payload: str) -> str:
    """HMAC-SHA256 of `payload` as base64."""
    digest = hmac.new(credentials.secret.encode(), payload.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def iso_time(venue_ns: int) -> str:
    """`venue_ns` as the venue writes it: ``2026-11-20T09:08:57.715Z``."""
    moment = _EPOCH + timedelta(milliseconds=venue_ns // MILLISECOND_NS)
    # With its zone the text would end in +00:00; the venue writes Z.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def get_request(
    product: str, path: str, parameters: Parameters, context: Context, *, is_public: bool = False
) -> HttpRequest:
    """The GET request of `path` such as ``trade/order``, which is also its bucket."""
    query = query_of(parameters)
    target = f"{API}{path}?{query}" if query else f"{API}{path}"
    return HttpRequest(
        method="GET",
        url=f"{context.endpoints.rest[product]}{target}",
        # The very text that is sent is signed, its query included (docs/venues/okx.md 2.1).
        headers={} if is_public else _signed(context, "GET", target, ""),
        channel=path,
        costs=(Cost(path),),
    )


def post_request(
    product: str,
    path: str,
    content: object,
    context: Context,
    costs: tuple[Cost, ...],
    *,
    expires_ms: int | None = None,
) -> HttpRequest:
    """The POST request of `path` such as ``trade/cancel-order``; `content` is its body.

    `expires_ms` (venue time) goes in a header of its own, which is not signed.
    """
    target, body = f"{API}{path}", orjson.dumps(content)
    return HttpRequest(
        method="POST",
        url=f"{context.endpoints.rest[product]}{target}",
        headers={
            **_signed(context, "POST", target, body.decode()),
            **({} if expires_ms is None else {"expTime": str(expires_ms)}),
        },
        body=body,
        channel=path,
        costs=costs,
    )


def _signed(context: Context, method: str, target: str, body: str) -> dict[str, str]:
    time, credentials = iso_time(context.venue_ns), context.credentials
    return {
        "OK-ACCESS-KEY": credentials.key,
        "OK-ACCESS-SIGN": signature(credentials, f"{time}{method}{target}{body}"),
        "OK-ACCESS-TIMESTAMP": time,
        "OK-ACCESS-PASSPHRASE": credentials.passphrase,
        "Content-Type": "application/json",
    }


def login(context: Context) -> bytes:
    """The sign-in on a private socket: once per connection, before any subscription."""
    # Seconds here, ISO text in the headers of REST (docs/venues/okx.md, trap 17).
    time, credentials = str(context.venue_ns // SECOND_NS), context.credentials
    arguments = {
        "apiKey": credentials.key,
        "passphrase": credentials.passphrase,
        "timestamp": time,
        "sign": signature(credentials, f"{time}GET{LOGIN_PATH}"),
    }
    return orjson.dumps({"op": "login", "args": [arguments]})


def subscription(stage: int, argument: Mapping[str, Any]) -> bytes:
    """The subscription to one channel; each is acknowledged by itself."""
    return orjson.dumps({"id": subscription_id(stage), "op": "subscribe", "args": [dict(argument)]})


def subscription_id(stage: int) -> str:
    """The id of the subscription of one stage: letters and digits only."""
    return f"subscription{stage}"
