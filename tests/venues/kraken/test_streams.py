"""What a frame means for the connections themselves, and how they are greeted and kept."""

import orjson
import pytest

from tests.venues.frames import judged, samples
from tests.venues.kraken.wire import CASES
from venues.kraken import KRAKEN
from venues.request import Context, Credentials
from venues.venue import DATA, Turn

CONTEXT = Context(Credentials("key", "c2VjcmV0"), KRAKEN.environments["production"], 10**18)
SPOT, FUTURES = KRAKEN.streams(KRAKEN.products)
TOKEN = samples("kraken").prepared
CHALLENGE = CASES["futures_connection: a challenge"].body


def test_each_system_has_a_connection_of_its_own() -> None:
    assert (SPOT.products, FUTURES.products) == (("spot",), ("linear", "inverse"))
    assert SPOT.address(CONTEXT, (TOKEN,)) == "wss://ws-auth.kraken.com/v2"
    assert FUTURES.address(CONTEXT, ()) == "wss://futures.kraken.com/ws/v1"
    assert [one.products for one in KRAKEN.streams(("inverse",))] == [("inverse",)]
    assert [one.products for one in KRAKEN.streams(("spot",))] == [("spot",)]


def test_each_subscription_of_spot_carries_the_token() -> None:
    said = [orjson.loads(stage.say(CONTEXT, (TOKEN,))[0]) for stage in SPOT.stages]
    assert [one["params"] for one in said] == [
        {
            "channel": "executions",
            "snap_orders": True,
            "snap_trades": True,
            "order_status": True,
            "token": "TKN",
        },
        {"channel": "balances", "snapshot": True, "token": "TKN"},
    ]


def test_each_private_feed_carries_the_signed_challenge() -> None:
    said = [orjson.loads(stage.say(CONTEXT, (CHALLENGE,))[0]) for stage in FUTURES.stages]
    assert said[0] == {"event": "challenge", "api_key": "key"}
    feeds = {one["feed"]: one for one in said[1:]}
    assert list(feeds) == ["open_orders_verbose", "fills", "open_positions", "balances",
        "heartbeat"]  # fmt: skip
    assert feeds["heartbeat"] == {"event": "subscribe", "feed": "heartbeat"}
    challenge = "c100b894-1729-464d-ace1-52dbce11db42"
    assert all(
        one["original_challenge"] == challenge and one["signed_challenge"]
        for name, one in feeds.items()
        if name != "heartbeat"
    )


@pytest.mark.parametrize(
    ("body", "turn"),
    [
        (b'{"error":[],"result":{"token":"TKN","expires":900}}', Turn.ADVANCE),
        (b'{"error":["EAPI:Invalid key"]}', Turn.REFUSED),
        (b'{"error":["EGeneral:Permission denied"]}', Turn.REFUSED),
        (b'{"error":["EAPI:Invalid nonce"]}', Turn.RECONNECT),
        (b'{"error":["EAPI:Rate limit exceeded"]}', Turn.RECONNECT),
        (b'{"error":["EService:Unavailable"]}', Turn.RECONNECT),
        (b'{"error":[],"result":{}}', Turn.RECONNECT),
        (b"<html>", Turn.RECONNECT),
    ],
)
def test_a_token_is_one_a_refusal_or_trouble_that_passes(body: bytes, turn: Turn) -> None:
    assert SPOT.prepare is not None
    assert SPOT.prepare.judge(200, body).turn is turn


def test_a_refused_subscription_says_why_in_our_own_table() -> None:
    refused = CASES["spot_connection: a subscription is refused"].body
    verdict = judged(SPOT, refused, 0)
    assert (verdict.turn, verdict.reason) == (
        Turn.REFUSED, "refused: EGeneral:Permission denied",
    )  # fmt: skip
    assert judged(SPOT, refused, 1) == DATA  # it answers the first
    assert judged(SPOT, refused, len(SPOT.stages)) == DATA
    other = refused.replace(b"EGeneral:Permission denied", b"the-key is bad")
    assert judged(SPOT, other, 0).reason == "refused: no code"


def test_a_feed_that_is_refused_ends_the_greeting() -> None:
    for name in ("a feed that is not known", "a subscription failed"):
        body = CASES[f"futures_connection: {name}"].body
        assert judged(FUTURES, body, 1).turn is Turn.REFUSED
        assert judged(FUTURES, body, len(FUTURES.stages)) == DATA


@pytest.mark.parametrize(
    ("said", "turn"),
    [
        ("apiLimitExceeded", Turn.RECONNECT),
        ("Server Error", Turn.RECONNECT),
        ("Unavailable", Turn.RECONNECT),
        ("nonceBelowThreshold", Turn.RECONNECT),
        ("authenticationError", Turn.REFUSED),
        ("Invalid feed", Turn.REFUSED),
        (7, Turn.REFUSED),
    ],
)
def test_trouble_of_futures_that_passes_is_no_refused_key(said: object, turn: Turn) -> None:
    body = orjson.dumps({"event": "error", "message": said})
    assert judged(FUTURES, body, 0).turn is turn
    assert judged(FUTURES, body, 1).turn is turn


def test_snapshots_that_come_before_their_acks_are_data() -> None:
    for name, case in CASES.items():
        if name.startswith(("executions", "spot_balances", "open_orders", "fills")):
            stream = SPOT if case.product == "spot" else FUTURES
            for stage in range(len(stream.stages) + 1):
                assert judged(stream, case.body, stage) == DATA


def test_both_are_pinged_by_the_clock_and_futures_by_the_protocol() -> None:
    assert SPOT.heartbeat.ping is not None
    assert orjson.loads(SPOT.heartbeat.ping(CONTEXT)) == {"method": "ping", "req_id": 0}
    assert FUTURES.heartbeat.ping is None
    assert SPOT.heartbeat.ping_every_ns == FUTURES.heartbeat.ping_every_ns == 20 * 10**9


def test_a_word_that_is_no_word_is_data() -> None:
    for body in (b'{"event":{},"feed":[]}', b'{"method":[],"success":{}}', b'{"event":["error"]}'):
        for stream in (SPOT, FUTURES):
            for stage in range(len(stream.stages) + 1):
                assert judged(stream, body, stage) == DATA
