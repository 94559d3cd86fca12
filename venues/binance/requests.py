"""Binance's requests: signatures, the Spot subscription, the USD-M listen key. Pure.

Manual: "Request security" of both products, "WebSocket API: SIGNED request". The rules:

- REST: parameters are percent-encoded first and signed as they stand; `signature` comes last.
- WebSocket API: parameters sorted by name, joined without percent-encoding.
- Both: HMAC-SHA256 with the secret, as hex; `timestamp` in ms of the venue's clock.
"""

import hashlib
import hmac
from typing import Final

import orjson

from venues.binance.reading import LINEAR, SPOT
from venues.document import fields_of, needed_text, parse
from venues.query import Parameters, query_of
from venues.rates import Cost
from venues.request import Context, Credentials, HttpRequest
from venues.venue import MILLISECOND_NS

RECEIVE_WINDOW_MS: Final = 5000
"""Until when after `timestamp` the venue may accept a request: its own default, said aloud."""
SUBSCRIPTION_ID: Final = "user-data"
LISTEN_KEY_PATH: Final = "/fapi/v1/listenKey"
BUCKETS: Final = {SPOT: "spot-weight", LINEAR: "linear-weight"}
SPOT_ORDERS: Final = "spot-orders"
LINEAR_ORDERS: Final = "linear-orders"
LINEAR_ORDERS_MINUTE: Final = "linear-orders-minute"
ORDER_BUCKETS: Final = {SPOT: (SPOT_ORDERS,), LINEAR: (LINEAR_ORDERS, LINEAR_ORDERS_MINUTE)}
"""Limits of orders, the narrowest first."""


def signature(credentials: Credentials, payload: str) -> str:
    """HMAC-SHA256 of `payload` as hex."""
    return hmac.new(credentials.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def signed_query(
    parameters: Parameters, context: Context, window_ms: int = RECEIVE_WINDOW_MS
) -> str:
    """`parameters` with time, window and signature, as a query."""
    # Percent-encoded before it is signed: else Spot
    # refuses it with -1022 (docs/venues/binance.md 2.1).
    query = query_of(
        {
            **parameters,
            "recvWindow": window_ms,
            "timestamp": context.venue_ns // MILLISECOND_NS,
        }
    )
    return f"{query}&signature={signature(context.credentials, query)}"


def http_request(
    product: str,
    call: tuple[str, str],
    query: str,
    context: Context,
    weight: int,
    *,
    is_public: bool = False,
) -> HttpRequest:
    """The request of `call` (method, path), with what it costs, and the key if it is not public."""
    method, path = call
    base = context.endpoints.rest[product]
    return HttpRequest(
        method=method,
        url=f"{base}{path}?{query}" if query else f"{base}{path}",
        # Who asks for what is public may have none, and an empty one is a bad one.
        headers={} if is_public else {"X-MBX-APIKEY": context.credentials.key},
        channel=f"{method} {path.rpartition('/')[2]}",
        # Weight is counted by address: the accounts behind
        # one share the bucket (docs/venues/binance.md 9).
        costs=(Cost(BUCKETS[product], weight),),
    )


def subscription(context: Context) -> bytes:
    """Spot: the request that starts the private stream on a WebSocket API connection.

    `userDataStream.subscribe.signature` takes any kind of key and needs no logon.
    """
    parameters: dict[str, str | int] = {
        "apiKey": context.credentials.key,
        "recvWindow": RECEIVE_WINDOW_MS,
        "timestamp": context.venue_ns // MILLISECOND_NS,
    }
    # Sorted and not encoded, unlike REST's (docs/venues/binance.md 2.3).
    payload = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
    parameters["signature"] = signature(context.credentials, payload)
    return orjson.dumps(
        {
            "id": SUBSCRIPTION_ID,
            "method": "userDataStream.subscribe.signature",
            "params": parameters,
        }
    )


def listen_key_request(method: str, context: Context) -> HttpRequest:
    """USD-M: POST gives the account's one key or extends it, PUT extends it for 60 minutes.

    Never DELETE: all processes of an account share the key.
    """
    return http_request(LINEAR, (method, LISTEN_KEY_PATH), "", context, 1)


def listen_key_of(answer: bytes) -> str:
    """The key in the answer to a POST.

    Raises:
        BadFrame: there is none.
    """
    return needed_text(fields_of(parse(answer), "listenKey answer"), "listenKey")
