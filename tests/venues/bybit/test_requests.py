"""Signatures, addresses, and what answers say about slowing down."""

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom.question import About, Question
from tests.venues.frames import answered
from venues.bybit import BYBIT
from venues.rates import Scope, Throttling
from venues.request import Context, Credentials, HttpRequest
from venues.venue import MINUTE_NS, SECOND_NS

NOW_NS = 1_793_000_000_715_999_999
CREDENTIALS = Credentials("AKEY", "very secret")
CONTEXT = Context(CREDENTIALS, BYBIT.environments["production"], NOW_NS)


def signed(text: str) -> str:
    return hmac.new(b"very secret", text.encode(), hashlib.sha256).hexdigest()


def asked(about: About, context: Context = CONTEXT, **fields: Any) -> HttpRequest:
    question = Question(id="q", account="bybit:main", about=about, product="linear", **fields)
    return BYBIT.ask(question, context)


def test_what_is_signed_is_time_key_window_and_the_query_as_it_is_sent() -> None:
    request = asked(About.OPEN_ORDERS, symbol="BTC/ÜSDT")
    query = "category=linear&openOnly=0&symbol=BTC%2F%C3%9CSDT&limit=50"
    assert request.url == f"https://api.bybit.com/v5/order/realtime?{query}"
    assert request.headers == {
        "X-BAPI-API-KEY": "AKEY",
        "X-BAPI-TIMESTAMP": "1793000000715",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": signed(f"1793000000715AKEY5000{query}"),
    }


def test_a_get_has_no_body() -> None:
    assert asked(About.BALANCES).body == b""


def test_public_questions_show_no_key() -> None:
    for about in (About.SERVER_TIME, About.INSTRUMENTS):
        assert not asked(about).headers
    assert asked(About.SERVER_TIME).url == "https://api.bybit.com/v5/market/time"


def test_signing_in_names_a_time_to_come() -> None:
    (stream,) = BYBIT.streams(BYBIT.products)
    (frame,) = stream.stages[0].say(CONTEXT, ())
    assert orjson.loads(frame) == {
        "req_id": "auth",
        "op": "auth",
        "args": ["AKEY", 1793000010715, signed("GET/realtime1793000010715")],
    }


@pytest.mark.parametrize("environment", BYBIT.environments)
def test_every_environment_has_hosts_of_its_own(environment: str) -> None:
    others = [BYBIT.environments[name] for name in BYBIT.environments if name != environment]
    endpoints = BYBIT.environments[environment]
    context = replace(CONTEXT, endpoints=endpoints)
    assert endpoints not in others
    (stream,) = BYBIT.streams(BYBIT.products)
    assert stream.address(context, ()).endswith("/v5/private")
    assert len({*endpoints.rest.values(), *(one.rest["spot"] for one in others)}) == len(
        BYBIT.environments
    )


def waits_for(status: int, headers: dict[str, str], body: bytes) -> Throttling | None:
    return BYBIT.backoff(answered(status, headers, body))


def refused(code: int, time: int = 1_793_000_000_100) -> bytes:
    return orjson.dumps({"retCode": code, "retMsg": "no", "result": {}, "time": time})


@pytest.mark.parametrize("code", [10006, 10403, 20003, 170005, 170222])
def test_too_many_requests_wait_for_the_end_of_the_window(code: int) -> None:
    headers = {"X-Bapi-Limit-Reset-Timestamp": "1793000003600"}
    said = waits_for(200, headers, refused(code))
    assert said is not None
    assert (said.retry_after_ns, said.is_ban) == (3_500_000_000, False)
    for other in ({}, {"x-bapi-limit-reset-timestamp": "soon"}):
        waits = waits_for(200, other, refused(code))
        assert waits is not None
        assert waits.retry_after_ns == SECOND_NS
    far = waits_for(200, {"x-bapi-limit-reset-timestamp": "1893000003600"}, refused(code))
    assert far is not None
    assert far.retry_after_ns == 10 * SECOND_NS


def test_an_address_that_asks_too_often_is_banned_for_ten_minutes() -> None:
    for body in (b"access too frequent", b'{"retMsg":"Access too frequent."}'):
        said = waits_for(403, {}, body)
        assert said is not None
        assert (said.retry_after_ns, said.is_ban) == (10 * MINUTE_NS, True)


def test_a_firewall_is_left_alone_for_a_while_and_a_refusal_of_the_venues_is_none() -> None:
    said = waits_for(403, {}, b"<html>The Amazon CloudFront distribution is configured")
    assert said is not None
    assert (said.retry_after_ns, said.is_ban) == (30 * SECOND_NS, False)
    assert waits_for(403, {}, refused(10010)) is None


def test_protection_of_the_whole_system_is_waited_out() -> None:
    for status, body in ((429, b""), (200, refused(429)), (200, refused(10429))):
        said = waits_for(status, {}, body)
        assert said is not None
        assert (said.retry_after_ns, said.is_ban) == (5 * SECOND_NS, False)
    assert waits_for(200, {}, refused(10016)) is None
    assert waits_for(200, {}, b'{"result":{},"retCode":0,"retMsg":"OK"}') is None


def test_a_request_pays_the_limit_of_its_path_and_that_of_the_address() -> None:
    costs = asked(About.BALANCES).costs
    assert [one.bucket for one in costs] == ["account/wallet-balance", "address"]
    assert [one.bucket for one in asked(About.SERVER_TIME).costs] == ["address"]
    path, address = (BYBIT.buckets[one.bucket] for one in costs)
    assert (path.scope, path.capacity, path.period_ns) == (Scope.ACCOUNT, 50, SECOND_NS)
    assert (address.scope, address.period_ns) == (Scope.ADDRESS, 5 * SECOND_NS)
    assert address.capacity < 600
