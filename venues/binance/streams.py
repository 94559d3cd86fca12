"""Binance's private connections. Pure.

Spot: the WebSocket API, one subscription per connection; a ping frame every 20 s, the connection
ends after 24 h. USD-M: a listen key in the address, a ping frame every 3 minutes, 24 h.
Manual: "User Data Stream" of both, "WebSocket API general information". A stream whose key expired
or whose list of events is missing stays open and silent, so the list is always said.
"""

from typing import Any, Final

from venues.binance.reading import LINEAR, SPOT
from venues.binance.requests import (
    BUCKETS,
    SUBSCRIPTION_ID,
    listen_key_of,
    listen_key_request,
    subscription,
)
from venues.document import parse, said_code
from venues.query import query_of
from venues.rates import Cost
from venues.request import Context
from venues.venue import (
    DATA,
    MINUTE_NS,
    SECOND_NS,
    BadFrame,
    Heard,
    Heartbeat,
    KeepAlive,
    Preparation,
    Stage,
    Stream,
    Turn,
    Verdict,
)

# Ten minutes less than the venue lets a connection live (docs/venues/binance.md 2.6).
LIFE_NS: Final = (24 * 60 - 10) * MINUTE_NS
KEEP_ALIVE_NS: Final = 30 * MINUTE_NS
SPOT_CONNECT_WEIGHT: Final = 4  # the handshake and the subscription, of the weight of REST
SPOT_SILENCE_NS_MAX: Final = 65 * SECOND_NS  # three pings missed
LINEAR_SILENCE_NS_MAX: Final = 390 * SECOND_NS  # two pings missed
KEY_LOST: Final = -1125
LINEAR_EVENTS: Final = (
    "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ALGO_UPDATE", "TRADE_LITE", "MARGIN_CALL",
    "ACCOUNT_CONFIG_UPDATE", "listenKeyExpired",
)  # fmt: skip
# A server that is going to be shut down still delivers ("open a new connection before the old one
# dies"); behind the other two words nothing comes any more, though the socket stays open.
_ENDING_WORDS: Final = {
    "serverShutdown": Verdict(Turn.ENDING, "the venue shuts this server down"),
    "eventStreamTerminated": Verdict(Turn.RECONNECT, "the venue ended the subscription"),
    "listenKeyExpired": Verdict(Turn.RECONNECT, "the listen key expired"),
}
_ENDINGS: Final = tuple(word.encode() for word in _ENDING_WORDS)


def spot_stream() -> Stream:
    """The private stream of Spot: connect, subscribe, LIVE."""
    return Stream(
        products=(SPOT,),
        address=lambda context, _heard: f"{context.endpoints.stream[SPOT]}/ws-api/v3",
        judge=_judge_spot,
        heartbeat=Heartbeat(silence_ns_max=SPOT_SILENCE_NS_MAX),
        stages=(Stage(lambda context, _heard: (subscription(context),), _judge_spot),),
        life_ns=LIFE_NS,
        connect_costs=(Cost(BUCKETS[SPOT], SPOT_CONNECT_WEIGHT),),
    )


def linear_stream() -> Stream:
    """The private stream of USD-M: get a listen key, connect, LIVE."""
    return Stream(
        products=(LINEAR,),
        address=_linear_address,
        judge=_ending,
        heartbeat=Heartbeat(silence_ns_max=LINEAR_SILENCE_NS_MAX),
        # The account has one key: POST gives the one that is
        # there and extends it (docs/venues/binance.md 2.5).
        prepare=Preparation(lambda context: listen_key_request("POST", context)),
        keep_alive=KeepAlive(
            lambda context, _heard: listen_key_request("PUT", context),
            *(KEEP_ALIVE_NS, _is_key_lost, _is_key_kept),
        ),
        life_ns=LIFE_NS,
    )


def streams(products: tuple[str, ...]) -> tuple[Stream, ...]:
    """The connections that an account with these products needs."""
    made = {SPOT: spot_stream, LINEAR: linear_stream}
    return tuple(made[product]() for product in products)


def _linear_address(context: Context, heard: Heard) -> str:
    # Encoded: whatever came in the key's place must not change the address.
    key = query_of({"listenKey": listen_key_of(heard[0])})
    base = context.endpoints.stream[LINEAR]
    # Without the route or the events it connects, and
    # nothing ever comes (docs/venues/binance.md 1.2).
    return f"{base}/private/ws?{key}&events={'/'.join(LINEAR_EVENTS)}"


def _is_key_lost(_status: int, body: bytes) -> bool:
    document = _read(body)
    # By the code alone: a 400 or 500 without it says nothing of the key, which may live on.
    return document is not None and document.get("code") == KEY_LOST


def _is_key_kept(status: int, body: bytes) -> bool:
    document = _read(body)
    # A proxy, or the venue itself, may say an error with a good status.
    return status == 200 and document is not None and "code" not in document


def _judge_spot(frame: bytes) -> Verdict:
    # Replies are the only frames that begin with an id; events begin with their subscription.
    if b'"status"' in frame and b'"event"' not in frame:
        return _judge_reply(frame)
    return _ending(frame)


def _judge_reply(frame: bytes) -> Verdict:
    reply = _read(frame)
    if reply is None or "status" not in reply:
        return DATA
    if reply.get("status") != 200:
        # Without an id it is about the session: the key died (docs/venues/binance.md 2.3).
        is_ours = reply.get("id") in (SUBSCRIPTION_ID, None)
        return Verdict(_turn_of(reply.get("status")), _refusal_of(reply)) if is_ours else DATA
    return Verdict(Turn.ADVANCE) if reply.get("id") == SUBSCRIPTION_ID else DATA


def _turn_of(status: object) -> Turn:
    """Over the limit, banned, or in trouble of its own: nothing is wrong with the key."""
    is_passing = isinstance(status, int) and (status in (418, 429) or status >= 500)
    return Turn.RECONNECT if is_passing else Turn.REFUSED


def _refusal_of(reply: dict[str, Any]) -> str:
    error = reply.get("error")
    code = error.get("code") if isinstance(error, dict) else reply.get("status")
    return f"refused: {said_code(code)}"


def _ending(frame: bytes) -> Verdict:
    """What the few frames mean that end a stream; they are looked into, all others not."""
    if not any(word in frame for word in _ENDINGS):
        return DATA
    document = _read(frame)
    # The word may stand in a client order id: the event's own name decides,
    # be it in Spot's envelope, in that of a combined stream, or bare.
    inner = None if document is None else document.get("event", document.get("data", document))
    name = inner.get("e") if isinstance(inner, dict) else None
    return _ENDING_WORDS.get(name, DATA) if isinstance(name, str) else DATA


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        document = parse(body)
    except BadFrame:
        return None  # for the connection it is data; the processors keep it as a dead letter
    return document if isinstance(document, dict) else None
