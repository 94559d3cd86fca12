"""Kraken's private connections, one of each system. Pure.

Manual: "Get Websockets Token", "Executions", "Balances", "Ping" (Spot WebSocket v2); "Challenge",
"Open Orders (Verbose)", "Heartbeat" (Futures WebSocket). Spot wants a token of REST in each
subscription; it is fetched for each connection and used at once. Futures gives a challenge on the
socket, which is signed; each feed is subscribed to and acknowledged by itself. Snapshots follow
their subscriptions.
"""

from collections.abc import Callable
from typing import Final

import orjson

from venues.document import Document, fields_of, needed_text, object_in, parse
from venues.kraken.limits import CONNECT_BUCKET
from venues.kraken.replies import BUSY, NONCE, REASONS, known_code
from venues.kraken.requests import signed_challenge, spot_request
from venues.kraken.words import FUTURES, SPOT
from venues.rates import Cost
from venues.request import Context
from venues.venue import (
    DATA,
    SECOND_NS,
    Heard,
    Heartbeat,
    Preparation,
    Stage,
    Stream,
    Turn,
    Verdict,
    by_status,
)

PING_EVERY_NS: Final = 20 * SECOND_NS
SILENCE_NS_MAX: Final = 50 * SECOND_NS  # both systems say something every second
PING: Final = b'{"method":"ping","req_id":0}'
CHANNELS: Final[tuple[dict[str, str | bool], ...]] = (
    # All of the status, and the last 50 fills: they close small gaps for nothing.
    {"channel": "executions", "snap_orders": True, "snap_trades": True, "order_status": True},
    {"channel": "balances", "snapshot": True},
)
FEEDS: Final = ("open_orders_verbose", "fills", "open_positions", "balances", "heartbeat")
"""The verbose one reports orders too that failed as they came (docs/venues/kraken.md 3.4)."""
PUBLIC_FEEDS: Final = frozenset({"heartbeat"})
CHALLENGE: Final = "challenge"
FAILED: Final = ("error", "alert", "subscribed_failed")


def streams(products: tuple[str, ...]) -> tuple[Stream, ...]:
    """The connections that an account with these products needs."""
    contracts = tuple(one for one in FUTURES if one in products)
    found = [_spot()] if SPOT in products else []
    return (*found, _futures(contracts)) if contracts else tuple(found)


def _spot() -> Stream:
    return Stream(
        products=(SPOT,),
        address=_spot_address,
        judge=lambda _frame: DATA,  # once it is LIVE nothing that comes is about the connection
        heartbeat=Heartbeat(SILENCE_NS_MAX, lambda _context: PING, ping_every_ns=PING_EVERY_NS),
        stages=tuple(
            Stage(_subscription(number, asked), _channel_judge(number, str(asked["channel"])))
            for number, asked in enumerate(CHANNELS, 1)
        ),
        prepare=Preparation(
            lambda context: spot_request("GetWebSocketsToken", {}, context), _token_judge
        ),
        connect_costs=(Cost(CONNECT_BUCKET),),
    )


def _spot_address(context: Context, heard: Heard) -> str:
    token_of(heard)  # without one the socket would be opened for nothing
    return f"{context.endpoints.stream[SPOT]}/v2"


def token_of(heard: Heard) -> str:
    """The token that was fetched for this connection.

    Raises:
        BadFrame: the answer holds none.
    """
    answer = fields_of(parse(heard[0]), "answer")
    return needed_text(fields_of(answer.get("result"), "result"), "token")


def _token_judge(status: int, body: bytes) -> Verdict:
    if status != 200:
        return by_status(status, body)
    answer = object_in(body)
    errors, result = answer.get("error"), answer.get("result")
    if errors == [] and type(result) is dict and type(result.get("token")) is str:
        return Verdict(Turn.ADVANCE)
    if type(errors) is list and errors and type(errors[0]) is str:
        return _refusal(errors[0])
    return Verdict(Turn.RECONNECT, "no token and no error")


def _refusal(said: str) -> Verdict:
    """What a refusal means; of its words those are shown that stand in our own table."""
    code = known_code(said)
    is_passing = code in NONCE or (code is not None and REASONS[code] in BUSY)
    turn = Turn.RECONNECT if is_passing else Turn.REFUSED
    return Verdict(turn, f"refused: {code or 'no code'}")


def _words(answer: Document, name: str) -> str:
    said = answer.get(name)
    return said if type(said) is str else ""


def _subscription(
    number: int, asked: dict[str, str | bool]
) -> Callable[[Context, Heard], tuple[bytes, ...]]:
    def say(_context: Context, heard: Heard) -> tuple[bytes, ...]:
        given = {**asked, "token": token_of(heard)}
        return (orjson.dumps({"method": "subscribe", "params": given, "req_id": number}),)

    return say


def _channel_judge(number: int, channel: str) -> Callable[[bytes], Verdict]:
    """What ends the stage of that channel; a refusal is known by the number that we gave."""

    def judge(frame: bytes) -> Verdict:
        if b'"method"' not in frame:  # nearly all frames end here
            return DATA
        # What cannot be read is data here; the processors keep it as a dead letter.
        answer = object_in(frame)
        if answer.get("method") != "subscribe":
            return DATA
        result = answer.get("result")
        if answer.get("success") is True:
            is_ours = type(result) is dict and result.get("channel") == channel
            return Verdict(Turn.ADVANCE) if is_ours else DATA
        if answer.get("req_id") not in (number, None):
            return DATA
        return _refusal(_words(answer, "error"))

    return judge


# ---- Futures


def _futures(products: tuple[str, ...]) -> Stream:
    return Stream(
        products=products,
        address=lambda context, _heard: f"{context.endpoints.stream[products[0]]}/ws/v1",
        judge=lambda _frame: DATA,
        # No frame of ours proves life there, but the protocol's own ping.
        heartbeat=Heartbeat(SILENCE_NS_MAX, ping_every_ns=PING_EVERY_NS),
        stages=(
            Stage(_ask_challenge, _event_judge(CHALLENGE, "message")),
            *(Stage(_feed(name), _event_judge("subscribed", "feed", name)) for name in FEEDS),
        ),
        connect_costs=(Cost(CONNECT_BUCKET),),
    )


def _ask_challenge(context: Context, _heard: Heard) -> tuple[bytes, ...]:
    return (orjson.dumps({"event": CHALLENGE, "api_key": context.credentials.key}),)


def _feed(name: str) -> Callable[[Context, Heard], tuple[bytes, ...]]:
    def say(context: Context, heard: Heard) -> tuple[bytes, ...]:
        asked = {"event": "subscribe", "feed": name}
        if name not in PUBLIC_FEEDS:
            challenge = needed_text(fields_of(parse(heard[0]), "answer"), "message")
            asked |= {
                "api_key": context.credentials.key,
                "original_challenge": challenge,
                "signed_challenge": signed_challenge(context.credentials, challenge),
            }
        return (orjson.dumps(asked),)

    return say


def _event_judge(event: str, field: str, value: str = "") -> Callable[[bytes], Verdict]:
    """What ends a stage: the event, with any text in `field` or with `value`."""

    def judge(frame: bytes) -> Verdict:
        if b'"event"' not in frame:
            return DATA
        answer = object_in(frame)
        if answer.get("event") in FAILED:
            return _refusal(_words(answer, "message"))
        said = answer.get(field)
        is_ours = said == value if value else type(said) is str and bool(said)
        return Verdict(Turn.ADVANCE) if answer.get("event") == event and is_ours else DATA

    return judge
