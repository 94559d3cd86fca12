"""Signatures against the manual's own worked examples, and the limits' answers."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from orderloom.question import About, Question
from tests.venues.frames import answered
from venues.binance import BINANCE
from venues.binance.requests import listen_key_of, signature, signed_query, subscription
from venues.request import Context, Credentials
from venues.venue import MINUTE_NS, SECOND_NS, BadFrame

# "SIGNED Endpoint Examples for POST /api/v3/order" of the manual of Spot.
EXAMPLE = Credentials(
    "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
)
CONTEXT = Context(EXAMPLE, BINANCE.environments["production"], 1_499_827_319_559_000_000)


def test_a_signature_is_the_manuals() -> None:
    payload = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
        "&timestamp=1499827319559"
    )
    expected = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert signature(EXAMPLE, payload) == expected
    terms: dict[str, str | int] = {
        "symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1,
        "price": "0.1",
    }  # fmt: skip
    assert signed_query(terms, CONTEXT) == f"{payload}&signature={expected}"


def test_what_is_signed_is_what_is_sent_percent_encoded_first() -> None:
    query = signed_query({"symbol": "币安&x=1"}, CONTEXT)
    payload, _, given = query.rpartition("&signature=")
    assert payload.isascii()
    assert payload.startswith("symbol=%E5%B8%81%E5%AE%89%26x%3D1&")
    assert given == signature(EXAMPLE, payload)


def test_the_subscription_signs_its_sorted_parameters_without_encoding() -> None:
    request = orjson.loads(subscription(CONTEXT))
    given = request["params"]
    assert request["method"] == "userDataStream.subscribe.signature"
    assert type(given["timestamp"]) is int
    payload = f"apiKey={EXAMPLE.key}&recvWindow=5000&timestamp=1499827319559"
    assert given["signature"] == signature(EXAMPLE, payload)


def test_public_questions_carry_no_signature_and_signed_ones_the_venues_time() -> None:
    def query(about: About) -> dict[str, list[str]]:
        question = Question(id="q", account="binance:main", about=about, product="spot")
        return parse_qs(urlsplit(BINANCE.ask(question, CONTEXT).url).query)

    assert query(About.SERVER_TIME) == {}
    assert query(About.INSTRUMENTS) == {}
    assert query(About.BALANCES)["timestamp"] == ["1499827319559"]


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"listenKey":7}', b"[]", b'{"code":-1}'])
def test_an_answer_without_a_listen_key_is_a_bad_frame(answer: bytes) -> None:
    with pytest.raises(BadFrame):
        listen_key_of(answer)


def test_a_listen_key_cannot_change_the_address() -> None:
    (stream,) = BINANCE.streams(("linear",))
    address = stream.address(CONTEXT, (b'{"listenKey":"a&events=b/../c"}',))
    assert address.startswith(
        "wss://fstream.binance.com/private/ws?listenKey=a%26events%3Db%2F..%2Fc&events=ORDER_"
    )


def test_retry_after_is_in_seconds_and_a_ban_until_in_the_venues_own_time() -> None:
    def wait(status: int, headers: dict[str, str], body: bytes = b"{}") -> tuple[float, bool]:
        said = BINANCE.backoff(answered(status, headers, body))
        assert said is not None
        return said.retry_after_ns / 1e9, said.is_ban

    assert wait(429, {"Retry-After": "7"}) == (7, False)
    assert wait(418, {"retry-after": "300"}) == (300, True)
    banned = b'{"code":-1003,"msg":"Way too many requests; IP banned until 1793000060000."}'
    date = {"Date": "Mon, 26 Oct 2026 03:33:20 GMT"}
    seconds, is_ban = wait(418, date, banned)
    assert seconds == pytest.approx(60, abs=86_400)
    assert is_ban
    assert wait(418, {}, banned) == (120, True)
    assert wait(429, {"Retry-After": "99999999"})[0] == 3 * 24 * 3600


def test_a_firewall_asks_for_a_pause_and_a_refusal_with_a_code_does_not() -> None:
    said = BINANCE.backoff(answered(403, {"Retry-After": "7"}, b"<html>"))
    assert said is not None
    assert said.retry_after_ns == 7 * SECOND_NS
    assert BINANCE.backoff(answered(403, {}, b"<html>")) is not None
    assert BINANCE.backoff(answered(403, {}, b'{"code":-2015,"msg":"Invalid API-key"}')) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "9" * 400}, {"Retry-After": "-5"}, {"Retry-After": "1e999"},
        {"Date": "Mon, 01 Jan 9999 00:00:00 -9999999999"}, {"Date": "x" * 9999}, {"Date": "\ud800"},
    ],
)  # fmt: skip
def test_a_ban_whose_end_cannot_be_read_is_a_ban_all_the_same(headers: dict[str, str]) -> None:
    banned = b'{"code":-1003,"msg":"Way too many requests; IP banned until 1793000060000."}'
    said = BINANCE.backoff(answered(418, headers, banned))
    assert said is not None
    assert said.is_ban
    assert MINUTE_NS <= said.retry_after_ns <= 3 * 24 * 60 * MINUTE_NS


def test_an_overloaded_venue_asks_for_a_pause_and_another_503_does_not() -> None:
    assert BINANCE.backoff(answered(503, {}, b'{"code":-1008,"msg":"x"}')) is not None
    assert BINANCE.backoff(answered(503, {}, b'{"code":-1000,"msg":"Unknown error"}')) is None


def test_the_secret_decides_the_signature() -> None:
    other = replace(CONTEXT, credentials=Credentials(EXAMPLE.key, "other"))
    assert signed_query({}, CONTEXT) != signed_query({}, other)


def test_a_refusal_closes_the_limit_that_was_reached_and_no_other() -> None:
    def closed(path: str, code: int) -> str:
        body = b'{"code":%d,"msg":"a text"}' % code
        throttling = BINANCE.backoff(answered(429, {}, body, path))
        assert throttling is not None
        return throttling.bucket

    for path in ("api/v3/order", "api/v3/openOrders"):
        assert closed(path, -1003) == "spot-weight"
        assert closed(path, -1015) == "spot-orders"
    assert closed("fapi/v1/order", -1003) == "linear-weight"
    assert closed("fapi/v1/order", -1015) == "linear-orders"
    assert closed("api/v3/order", -1) == ""
