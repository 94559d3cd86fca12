"""Bybit's private connection. Pure.

One socket reports orders, executions, positions and balances of all products. It signs in, then
subscribes to all its topics at once. The client pings every 20 s, whatever comes; a socket without
traffic is closed after ten minutes. There is no limit of life, and no notice before an end.
Nothing is pushed on subscribing: what holds is asked for by REST. Manual: "Connect".
"""

from typing import Final

from venues.bybit.replies import BUSY_CODES
from venues.bybit.requests import PING, SIGN_IN, SUBSCRIBE, sign_in, subscription
from venues.bybit.words import SPOT
from venues.document import Document, object_in, said_code
from venues.venue import (
    DATA,
    SECOND_NS,
    Context,
    Heartbeat,
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
STAGES: Final = (SIGN_IN, SUBSCRIBE)


def streams(products: tuple[str, ...]) -> tuple[Stream, ...]:
    """The connection that an account with these products needs."""
    product, *others = products
    with_positions = any(one != SPOT for one in products)
    topics = (*TOPICS, POSITION_TOPIC) if with_positions else TOPICS

    def greeting(context: Context, stage: int) -> tuple[bytes, ...]:
        return (subscription(topics) if stage else sign_in(context),)

    private = Stream(
        product=product,
        address=lambda context, _answer: f"{context.endpoints.stream[product]}/v5/private",
        greeting=greeting,
        judge=_judge,
        heartbeat=Heartbeat(SILENCE_NS_MAX, PING, ping_every_ns=PING_EVERY_NS),
        stages=len(STAGES),
        connect_bucket=CONNECT_BUCKET,
        others=tuple(others),
    )
    return (private,)


def _judge(frame: bytes, stage: int) -> Verdict:
    # Nearly all frames end here: a push names its topic, and no operation.
    if b'"op"' not in frame or stage >= len(STAGES):
        return DATA
    # What cannot be read is data here; the processors keep it as a dead letter.
    answer = object_in(frame)
    if answer.get("op") != STAGES[stage]:
        return DATA
    return Verdict(Turn.ADVANCE) if _is_success(answer) else _refusal(answer)


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
