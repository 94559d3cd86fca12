"""What a frame means for the connection itself, and how the stream is greeted and kept."""

import orjson
import pytest

from tests.venues.bybit.wire import CASES
from tests.venues.frames import judged
from venues.bybit import BYBIT
from venues.request import Context, Credentials
from venues.venue import DATA, Stream, Turn

CONTEXT = Context(Credentials("key", "secret"), BYBIT.environments["production"], 10**18)
(STREAM,) = BYBIT.streams(BYBIT.products)
SIGNED_IN = CASES["connection: signed in"].body
SUBSCRIBED = CASES["connection: subscribed"].body


def topics(stream: Stream) -> list[str]:
    (frame,) = stream.stages[1].say(CONTEXT, (SIGNED_IN,))
    asked = orjson.loads(frame)
    assert asked["op"] == "subscribe"
    return list(asked["args"])


def test_one_connection_carries_all_products_of_an_account() -> None:
    assert STREAM.products == BYBIT.products
    assert STREAM.address(CONTEXT, ()) == "wss://stream.bybit.com/v5/private"
    assert topics(STREAM) == ["order", "execution", "wallet", "position"]


def test_an_account_without_contracts_asks_for_no_positions() -> None:
    (spot,) = BYBIT.streams(("spot",))
    assert topics(spot) == ["order", "execution", "wallet"]
    assert spot.products == ("spot",)


def test_a_stage_ends_with_its_own_answer_and_no_others() -> None:
    answers = [SIGNED_IN, SUBSCRIBED]
    for stage in range(len(STREAM.stages) + 1):
        for number, answer in enumerate(answers):
            turn = judged(STREAM, answer, stage).turn
            assert (turn is Turn.ADVANCE) == (stage == number), (stage, answer)
    orders = CASES["connection: signed in on a socket for orders"].body
    assert judged(STREAM, orders, 0).turn is Turn.ADVANCE


def test_what_is_pushed_and_what_answers_our_ping_is_data() -> None:
    for name, case in CASES.items():
        if name.startswith(("orders_push", "wallet", "connection: our ping")):
            assert [judged(STREAM, case.body, stage) for stage in range(3)] == [DATA] * 3


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("socket_replies: a sign-in is refused", 0),
        ("socket_replies: a subscription is refused", 1),
    ],
)
def test_a_refusal_while_greeting_is_one_and_shows_none_of_its_words(name: str, stage: int) -> None:
    verdict = judged(STREAM, CASES[name].body, stage)
    assert (verdict.turn, verdict.reason) == (Turn.REFUSED, "refused: no code")
    assert judged(STREAM, CASES[name].body, len(STREAM.stages)) == DATA


@pytest.mark.parametrize("success", [None, 1, "true", {}])
def test_only_a_success_is_one(success: object) -> None:
    body = orjson.dumps({"success": success, "op": "auth"})
    assert judged(STREAM, body, 0).turn is Turn.REFUSED


@pytest.mark.parametrize(
    ("code", "turn"),
    [(10003, Turn.REFUSED), (10004, Turn.REFUSED), (10016, Turn.RECONNECT), (429, Turn.RECONNECT)],
)
def test_trouble_that_passes_is_no_refusal(code: int, turn: Turn) -> None:
    body = orjson.dumps({"retCode": code, "retMsg": "the-key", "op": "auth"})
    verdict = judged(STREAM, body, 0)
    assert (verdict.turn, verdict.reason) == (turn, f"refused: code {code}")


def test_the_ping_goes_out_whatever_comes_in() -> None:
    heartbeat = STREAM.heartbeat
    assert heartbeat.ping_after_ns is None
    assert heartbeat.ping_every_ns == 20 * 10**9
    assert heartbeat.silence_ns_max > 2 * heartbeat.ping_every_ns
    assert heartbeat.ping is not None
    assert orjson.loads(heartbeat.ping(CONTEXT))["op"] == "ping"
