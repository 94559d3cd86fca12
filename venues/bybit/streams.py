"""Bybit's private connection. Pure.

One socket reports orders, executions, positions and balances of all products. It signs in, then
subscribes to all its topics at once. The client pings every 20 s, whatever comes; a socket without
traffic is closed after ten minutes. There is no limit of life, and no notice before an end.
Nothing is pushed on subscribing: what holds is asked for by REST. Manual: "Connect".
"""

from collections.abc import Callable
from typing import Final

from venues.bybit.replies import BUSY_CODES
from venues.bybit.requests import PING, SIGN_IN, SUBSCRIBE, sign_in, subscription
from venues.bybit.words import SPOT
from venues.document import Document, object_in, said_code
from venues.rates import Cost
from venues.venue import (
    DATA,
    SECOND_NS,
    Heartbeat,
    Stage,
    Stream,
    Turn,
    Verdict,
)

CONNECT_BUCKET: Final = "connect"
PING_EVERY_NS: Final = 20 * SECOND_NS
SILENCE_NS_MAX: Final = 50 * SECOND_NS  # two pings without an answer
# Topics of all products together: they may not be mixed with those of one (docs/venues/bybit.md 3).
TOPICS: Final = ("order", "execution", "wallet")
POSITION_TOPIC: Final = "position"


def streams(products: tuple[str, ...]) -> tuple[Stream, ...]:
    """The connection that an account with these products needs."""
    with_positions = any(one != SPOT for one in products)
    topics = (*TOPICS, POSITION_TOPIC) if with_positions else TOPICS
    private = Stream(
        products=products,
        address=lambda context, _heard: f"{context.endpoints.stream[products[0]]}/v5/private",
        judge=lambda _frame: DATA,  # once it is LIVE nothing that comes is about the connection
        heartbeat=Heartbeat(SILENCE_NS_MAX, lambda _context: PING, ping_every_ns=PING_EVERY_NS),
        stages=(
            Stage(lambda context, _heard: (sign_in(context),), _judge_of(SIGN_IN)),
            Stage(lambda _context, _heard: (subscription(topics),), _judge_of(SUBSCRIBE)),
        ),
        connect_costs=(Cost(CONNECT_BUCKET),),
    )
    return (private,)


def _judge_of(operation: str) -> Callable[[bytes], Verdict]:
    """What ends the stage of that operation."""

    def judge(frame: bytes) -> Verdict:
        # Nearly all frames end here: a push names its topic, and no operation.
        if b'"op"' not in frame:
            return DATA
        # What cannot be read is data here; the processors keep it as a dead letter.
        answer = object_in(frame)
        if answer.get("op") != operation:
            return DATA
        return Verdict(Turn.ADVANCE) if _is_success(answer) else _refusal(answer)

    return judge


def _is_success(answer: Document) -> bool:
    """In either dialect: private sockets say `success`, those for orders `retCode`."""
    code = answer.get("retCode")
    return answer.get("success") is True or (type(code) is int and code == 0)


def _refusal(answer: Document) -> Verdict:
    code = answer.get("retCode")
    # A refusal waits a minute and longer: too long where nothing is wrong with the key.
    is_passing = type(code) is int and str(code) in BUSY_CODES
    turn = Turn.RECONNECT if is_passing else Turn.REFUSED
    return Verdict(turn, f"refused: {said_code(code)}")
