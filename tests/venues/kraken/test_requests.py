"""Signatures, addresses, and what answers say about slowing down."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from orderloom.question import About, Question
from tests.venues.frames import answered
from venues.kraken import KRAKEN
from venues.kraken.requests import signature, signed_challenge
from venues.rates import Scope, Throttling
from venues.request import Context, Credentials, HttpRequest
from venues.venue import MINUTE_NS, SECOND_NS

SPOT_SECRET = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)
FUTURES_SECRET = (
    "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"
)
NOW_NS = 1_616_492_376_594_000_000
CONTEXT = Context(
    Credentials("AKEY", SPOT_SECRET), KRAKEN.environments["production"], NOW_NS, 1616492376594000
)


def asked(about: About, product: str = "spot", **fields: Any) -> HttpRequest:
    question = Question(id="q", account="kraken:main", about=about, product=product, **fields)
    return KRAKEN.ask(question, CONTEXT)


def test_the_signature_of_spot_is_that_of_the_manual() -> None:
    form = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    said = sha256(f"1616492376594{form}".encode()).digest()
    assert signature(CONTEXT.credentials, b"/0/private/AddOrder" + said) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_the_challenge_of_futures_is_signed_as_in_the_manual() -> None:
    credentials = Credentials("PUB", FUTURES_SECRET)
    assert signed_challenge(credentials, "c100b894-1729-464d-ace1-52dbce11db42") == (
        "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
    )


def test_what_is_signed_of_spot_is_the_form_as_it_is_sent() -> None:
    request = asked(About.BALANCES)
    assert (request.method, request.url) == ("POST", "https://api.kraken.com/0/private/BalanceEx")
    assert request.body == b"nonce=1616492376594000"
    assert request.headers["API-Key"] == "AKEY"
    assert len(request.headers["API-Sign"]) == 88


def test_what_is_signed_of_futures_is_the_path_without_its_first_part() -> None:
    request = asked(About.OPEN_ORDERS, "inverse")
    assert request.url == "https://futures.kraken.com/derivatives/api/v3/openorders"
    said = sha256(b"/api/v3/openorders").digest()
    assert request.headers["Authent"] == signature(CONTEXT.credentials, said)
    assert (request.method, request.body) == ("GET", b"")


def test_a_secret_that_is_none_makes_a_signature_that_is_wrong_and_no_error() -> None:
    for secret in ("", "x", "not base64!", "abcde"):
        context = replace(CONTEXT, credentials=Credentials("AKEY", secret))
        question = Question(id="q", account="kraken:main", about=About.BALANCES, product="spot")
        assert KRAKEN.ask(question, context).headers["API-Sign"]


def test_public_questions_show_no_key() -> None:
    for about in (About.SERVER_TIME, About.INSTRUMENTS):
        for product in KRAKEN.products:
            assert set(asked(about, product).headers) == {"User-Agent"}


def test_a_request_pays_what_it_costs() -> None:
    weights = {
        about: asked(about, since_ns=NOW_NS).costs[0].weight
        for about in (About.OPEN_ORDERS, About.TRADES, About.ORDER_HISTORY)
    }
    assert weights == {About.OPEN_ORDERS: 1, About.TRADES: 4, About.ORDER_HISTORY: 1}
    bucket = KRAKEN.buckets["spot"]
    assert (bucket.capacity, bucket.period_ns) == (14, 42 * SECOND_NS)
    assert asked(About.TRADES, "linear", since_ns=NOW_NS).costs[0].bucket == "history"
    assert asked(About.BALANCES, "linear").costs[0].bucket == "derivatives"


def waits_for(status: int, body: bytes, path: str = "", **headers: str) -> Throttling | None:
    return KRAKEN.backoff(answered(status, headers, body, path))


@pytest.mark.parametrize(
    "code", ["EAPI:Rate limit exceeded", "EOrder:Rate limit exceeded", "EAuth:Too many requests"]
)
def test_too_many_requests_are_waited_out(code: str) -> None:
    said = waits_for(200, f'{{"error":["{code}"]}}'.encode())
    assert said == Throttling(10 * SECOND_NS)
    assert waits_for(429, b"<html>") == Throttling(10 * SECOND_NS)


def test_a_throttled_request_waits_until_the_time_that_is_named() -> None:
    body = b'{"error":["EService: Throttled: 1793000007"]}'
    at = "Sun, 25 Oct 2026 15:33:20 GMT"
    assert waits_for(200, body, date="Mon, 26 Oct 2026 07:33:20 GMT") == Throttling(7 * SECOND_NS)
    assert waits_for(200, body, date=at) == Throttling(2 * MINUTE_NS)
    assert waits_for(200, body) == Throttling(10 * SECOND_NS)


def test_a_lockout_is_a_ban_of_all() -> None:
    said = waits_for(200, b'{"error":["EGeneral:Temporary lockout"]}')
    assert said == Throttling(15 * MINUTE_NS, is_ban=True)


@pytest.mark.parametrize("code", ["EAPI:Invalid key", "EAPI:Invalid signature"])
def test_an_account_whose_key_is_refused_knocks_seldom_before_all_are_locked_out(code: str) -> None:
    assert waits_for(200, f'{{"error":["{code}"]}}'.encode()) == Throttling(MINUTE_NS)
    assert KRAKEN.buckets["spot"].scope is Scope.ACCOUNT
    for other in ("EAPI:Invalid nonce", "EGeneral:Permission denied"):
        assert waits_for(200, f'{{"error":["{other}"]}}'.encode()) is None


def test_the_budget_of_the_history_comes_back_slowly() -> None:
    body = b'{"result":"error","error":"apiLimitExceeded"}'
    assert waits_for(200, body, "derivatives/api/v3/openorders") == Throttling(10 * SECOND_NS)
    assert waits_for(200, body, "api/history/v3/orders") == Throttling(MINUTE_NS)
    assert waits_for(200, b'{"result":"error","error":"notFound"}') is None
    assert waits_for(200, b'{"error":["EOrder:Unknown order"]}') is None
