"""Signatures, addresses, environments, and what answers say about slowing down."""

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom.question import About, Question
from tests.venues.frames import answered
from venues.okx import OKX
from venues.okx.requests import iso_time
from venues.request import Context, Credentials, HttpRequest

NOW_NS = 1_793_000_000_715_999_999
CREDENTIALS = Credentials("AKEY", "very secret", "PASS")
CONTEXT = Context(CREDENTIALS, OKX.environments["production"], NOW_NS)


def signed(text: str) -> str:
    digest = hmac.new(b"very secret", text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def asked(about: About, context: Context = CONTEXT, **fields: Any) -> HttpRequest:
    question = Question(id="q", account="okx:main", about=about, product="linear", **fields)
    return OKX.ask(question, context)


def test_a_time_is_iso_with_milliseconds_and_no_rounding_up() -> None:
    assert iso_time(NOW_NS) == "2026-10-26T07:33:20.715Z"
    assert iso_time(1_793_000_000_000_000_000) == "2026-10-26T07:33:20.000Z"


def test_what_is_signed_is_time_method_and_path_with_its_query() -> None:
    request = asked(About.ORDER, symbol="BTC-USDT-SWAP", client_order_id="desk1")
    target = "/api/v5/trade/order?instId=BTC-USDT-SWAP&clOrdId=desk1"
    assert request.url == f"https://openapi.okx.com{target}"
    assert request.headers["OK-ACCESS-TIMESTAMP"] == "2026-10-26T07:33:20.715Z"
    assert request.headers["OK-ACCESS-SIGN"] == signed(f"2026-10-26T07:33:20.715ZGET{target}")
    assert request.headers["OK-ACCESS-KEY"] == "AKEY"
    assert request.headers["OK-ACCESS-PASSPHRASE"] == "PASS"
    assert (request.body, request.channel) == (b"", "trade/order")


def test_public_questions_show_no_key() -> None:
    for about in (About.SERVER_TIME, About.INSTRUMENTS):
        assert not [name for name in asked(about).headers if name.startswith("OK-")]


def test_signing_in_counts_in_seconds() -> None:
    for stream in OKX.streams(OKX.products):
        (frame,) = stream.stages[0].say(CONTEXT, ())
        assert orjson.loads(frame) == {
            "op": "login",
            "args": [
                {
                    "apiKey": "AKEY",
                    "passphrase": "PASS",
                    "timestamp": "1793000000",
                    "sign": signed("1793000000GET/users/self/verify"),
                }
            ],
        }


@pytest.mark.parametrize("environment", ["demo", "demo-eea", "demo-us"])
def test_demo_is_told_apart_by_a_header_and_its_sockets_hosts(environment: str) -> None:
    context = replace(CONTEXT, endpoints=OKX.environments[environment])
    assert context.endpoints.headers == {"x-simulated-trading": "1"}
    assert not context.endpoints.stream_headers
    assert not CONTEXT.endpoints.headers
    for stream in OKX.streams(OKX.products):
        assert "pap.okx.com:8443/ws/v5/" in stream.address(context, ())


def test_too_many_requests_is_a_code_whatever_the_status() -> None:
    for status in (200, 429):
        for code in ("50011", "50040", "50061"):
            said = OKX.backoff(
                answered(status, {}, f'{{"code":"{code}","msg":"x","data":[]}}'.encode())
            )
            assert said is not None
            assert (said.retry_after_ns, said.is_ban) == (2_000_000_000, False)
    assert OKX.backoff(answered(200, {}, b'{"code":"50013","msg":"Systems are busy.","data":[]}'))
    assert OKX.backoff(answered(200, {}, b'{"code":"51603","msg":"x","data":[]}')) is None
    assert OKX.backoff(answered(200, {}, b'{"data":[],"msg":"","code":"0"}')) is None


def test_a_firewall_that_answers_in_html_is_left_alone_for_a_while() -> None:
    assert OKX.backoff(answered(403, {}, b"<html>")) is not None
    assert OKX.backoff(answered(403, {}, b'{"code":"50110","msg":"IP is not in the list"}')) is None


@pytest.mark.parametrize("status", [200, 429])
def test_too_many_orders_of_the_account_close_the_limit_of_all_its_instruments(
    status: int,
) -> None:
    for code, bucket in (("50061", "account-orders"), ("50011", ""), ("50040", "")):
        throttling = OKX.backoff(answered(status, {}, b'{"code":"%s"}' % code.encode()))
        assert throttling is not None
        assert throttling.bucket == bucket
