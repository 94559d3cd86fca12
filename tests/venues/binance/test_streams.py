"""What a frame means for the connection itself, and how streams are made and kept."""

from tests.venues.frames import judged
from venues.binance import BINANCE
from venues.request import Context, Credentials
from venues.venue import DATA, Stream, Turn

CONTEXT = Context(Credentials("key", "secret"), BINANCE.environments["demo"], 1)


def stream(product: str) -> Stream:
    (found,) = BINANCE.streams((product,))
    return found


def test_the_spot_stream_is_live_when_its_subscription_is_answered() -> None:
    spot = stream("spot")
    (stage,) = spot.stages
    verdict = stage.judge(b'{"id":"user-data","status":200,"result":{"subscriptionId":0}}')
    assert verdict.turn is Turn.ADVANCE


def test_an_event_before_the_subscriptions_answer_is_data() -> None:
    event = b'{"subscriptionId":0,"event":{"e":"executionReport","c":"user-data","status":200}}'
    assert judged(stream("spot"), event, 0) == DATA


def test_a_refused_subscription_says_why_by_its_code_and_repeats_no_words() -> None:
    body = b'{"id":"user-data","status":400,"error":{"code":-1022,"msg":"bad: apiKey=the-key"}}'
    verdict = judged(stream("spot"), body, 0)
    assert (verdict.turn, verdict.reason) == (Turn.REFUSED, "refused: code -1022")
    bare = b'{"id":"user-data","status":400,"error":"the-key"}'
    assert judged(stream("spot"), bare, 0).reason == "refused: code 400"


def test_a_key_that_dies_in_mid_session_is_a_refusal() -> None:
    body = b'{"id":null,"status":401,"error":{"code":-2015,"msg":"Invalid API-key."}}'
    assert stream("spot").judge(body).turn is Turn.REFUSED


def test_the_reply_to_anothers_request_is_data() -> None:
    body = b'{"id":"rq-7","status":400,"error":{"code":-2010,"msg":"no"}}'
    assert stream("spot").judge(body) == DATA


def test_the_frames_that_end_a_stream_ask_for_another() -> None:
    spot, linear = stream("spot"), stream("linear")
    terminated = b'{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}'
    assert spot.judge(terminated).turn is Turn.RECONNECT
    for body in (
        b'{"e":"listenKeyExpired","E":1,"listenKey":"k"}',
        b'{"stream":"k","data":{"e":"listenKeyExpired","E":1}}',
    ):
        assert linear.judge(body).turn is Turn.RECONNECT


def test_a_planned_shutdown_lets_a_successor_come_first() -> None:
    assert stream("spot").judge(b'{"event":{"e":"serverShutdown","E":1}}').turn is Turn.ENDING


def test_an_order_that_is_named_like_an_ending_ends_nothing() -> None:
    body = b'{"e":"ORDER_TRADE_UPDATE","o":{"c":"listenKeyExpired"}}'
    assert stream("linear").judge(body) == DATA


def test_a_listen_key_is_kept_alive_with_put_and_never_deleted() -> None:
    linear = stream("linear")
    assert linear.prepare is not None
    assert linear.keep_alive is not None
    assert linear.prepare.request(CONTEXT).method == "POST"
    request = linear.keep_alive.request(CONTEXT, (b'{"listenKey":"k"}',))
    assert (request.method, request.channel) == ("PUT", "PUT listenKey")
    assert "signature" not in request.url


def test_a_lost_key_is_known_by_its_code_alone() -> None:
    kept = stream("linear").keep_alive
    assert kept is not None
    assert kept.is_lost(400, b'{"code":-1125,"msg":"This listenKey does not exist."}')
    for body in (b"{}", b"", b'{"code":-1003}', b"[]"):
        assert not kept.is_lost(400, body)
    assert kept.is_kept(200, b'{"listenKey":"k"}')
    assert kept.is_kept(200, b"{}")
    for status, body in ((200, b'{"code":-1000,"msg":"busy"}'), (200, b"<html>"), (500, b"{}")):
        assert not kept.is_kept(status, body)


def test_connections_are_renewed_before_the_venue_ends_them() -> None:
    for product in BINANCE.products:
        life_ns = stream(product).life_ns
        assert life_ns is not None
        assert 23 * 3600 * 10**9 < life_ns < 24 * 3600 * 10**9
