"""What a frame means for the connection itself, and how streams are greeted and kept."""

import orjson
import pytest

from tests.venues.frames import judged
from venues.okx import OKX
from venues.request import Context, Credentials
from venues.venue import DATA, Stream, Turn

CONTEXT = Context(Credentials("key", "secret", "pass"), OKX.environments["production"], 10**18)
PRIVATE, BUSINESS = OKX.streams(OKX.products)
LIVE = len(PRIVATE.stages)
SIGNED_IN = b'{"event":"login","code":"0","msg":"","connId":"a4d3ae55"}'


def subscribed(channel: str) -> bytes:
    return orjson.dumps({"id": "x", "event": "subscribe", "arg": {"channel": channel}})


def refused(code: str, **fields: str) -> bytes:
    return orjson.dumps({"event": "error", "code": code, "msg": "no", **fields})


def channels(stream: Stream) -> list[str]:
    frames = [stage.say(CONTEXT, ())[0] for stage in stream.stages[1:]]
    return [orjson.loads(frame)["args"][0]["channel"] for frame in frames]


def test_two_connections_carry_all_products_of_an_account() -> None:
    for stream, feed in ((PRIVATE, "private"), (BUSINESS, "business")):
        assert stream.products == OKX.products
        assert stream.feed == feed
        assert stream.address(CONTEXT, ()) == f"wss://ws.okx.com:8443/ws/v5/{feed}"


def test_an_account_without_contracts_asks_for_no_positions() -> None:
    spot, _ = OKX.streams(("spot",))
    assert channels(spot) == ["orders", "account"]
    assert channels(PRIVATE) == ["orders", "account", "positions"]
    assert channels(BUSINESS) == ["orders-algo", "algo-advance"]
    linear, _ = OKX.streams(("linear",))
    assert linear.products == ("linear",)


def test_orders_of_all_kinds_are_one_subscription() -> None:
    (frame,) = PRIVATE.stages[1].say(CONTEXT, ())
    assert orjson.loads(frame)["args"] == [{"channel": "orders", "instType": "ANY"}]


def test_a_stage_ends_with_its_own_answer_and_no_others() -> None:
    answers = [SIGNED_IN, *map(subscribed, channels(PRIVATE))]
    for stage in range(LIVE + 1):
        for number, answer in enumerate(answers):
            turn = judged(PRIVATE, answer, stage).turn
            assert (turn is Turn.ADVANCE) == (stage == number), (stage, answer)


def test_what_is_pushed_while_we_subscribe_is_data() -> None:
    body = b'{"arg":{"channel":"orders","instType":"ANY"},"eventType":"snapshot","data":[]}'
    for stage in range(LIVE + 1):
        assert judged(PRIVATE, body, stage) == DATA
    counted = b'{"event":"channel-conn-count","channel":"orders","connCount":"2","connId":"a"}'
    assert judged(PRIVATE, counted, 2) == DATA


@pytest.mark.parametrize("code", ["60009", "60005", "60024", "60032", "59999"])
def test_a_refused_sign_in_says_why(code: str) -> None:
    for body in (refused(code), SIGNED_IN.replace(b'"0"', f'"{code}"'.encode())):
        verdict = judged(PRIVATE, body, 0)
        assert verdict.turn is Turn.REFUSED
        assert verdict.reason == f"refused: code {code}"


@pytest.mark.parametrize("code", ["the-key", "1" * 10, "60\u0661", None, 5.5, ["60009"]])
def test_a_code_that_is_no_number_is_not_repeated(code: object) -> None:
    body = orjson.dumps({"event": "error", "code": code, "msg": "passphrase the-key"})
    assert judged(PRIVATE, body, 0).reason == "refused: no code"


@pytest.mark.parametrize("code", ["60004", "60006", "63999", "60014", "50011"])
def test_trouble_that_passes_is_no_refusal(code: str) -> None:
    assert judged(PRIVATE, refused(code), 0).turn is Turn.RECONNECT


def test_an_error_about_a_request_ends_no_connection() -> None:
    assert judged(PRIVATE, refused("60012", id="rq7"), LIVE) == DATA
    assert judged(PRIVATE, refused("60012"), LIVE) == DATA
    assert judged(PRIVATE, refused("60012", id="rq7"), 1) == DATA
    assert judged(PRIVATE, refused("60012", id="subscription1"), 1).turn is Turn.REFUSED


def test_a_subscription_that_is_one_too_many_is_not_taken_for_a_live_one() -> None:
    body = b'{"event":"channel-conn-count-error","channel":"orders","connCount":"30","connId":"a"}'
    verdict = judged(PRIVATE, body, LIVE)
    assert verdict.turn is Turn.REFUSED
    assert verdict.reason == "too many connections to orders"
    other = judged(PRIVATE, body.replace(b"orders", b"the-key"), LIVE)
    assert other.reason == "too many connections to a channel"


def test_a_planned_end_wants_a_successor_first() -> None:
    body = b'{"event":"notice","code":"64008","msg":"upgrade","connId":"a"}'
    assert judged(PRIVATE, body, LIVE).turn is Turn.ENDING
    assert judged(PRIVATE, body.replace(b"64008", b"64999"), LIVE) == DATA


def test_the_ping_is_a_bare_word_and_comes_before_the_venue_loses_patience() -> None:
    for stream in (PRIVATE, BUSINESS):
        assert stream.heartbeat.ping is not None
        assert stream.heartbeat.ping(CONTEXT) == b"ping"
        assert stream.heartbeat.ping_after_ns is not None
        assert stream.heartbeat.ping_after_ns < 25 * 10**9
        assert stream.judge(b"pong").turn is Turn.DATA
    assert b"pong" in OKX.bare_words


def test_ids_of_subscriptions_are_letters_and_digits() -> None:
    for stage in PRIVATE.stages[1:]:
        (frame,) = stage.say(CONTEXT, ())
        name = orjson.loads(frame)["id"]
        assert name.isalnum()
        assert len(name) <= 32
