"""One contract, every venue that takes orders: the cases come from the register."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.http import is_named
from orderloom.claim import Verb
from orderloom.words import ReplyClass
from tests.venues.test_every_venue import PASSPHRASE, SECRET, are_costs_of, context_of
from venues import VENUES
from venues.order_entry import Judgement, OrderEntry, OrderName, code_in
from venues.venue import Venue

TAKING_ORDERS = {name: venue for name, venue in VENUES.items() if venue.orders is not None}
EVERY_VENUE = pytest.mark.parametrize("venue", TAKING_ORDERS.values(), ids=list(TAKING_ORDERS))
IDS = (("17", None), (None, "own17"), ("17", "own17"))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
CODES = st.one_of(
    st.integers(-6000, 66000),
    st.integers(-6000, 66000).map(str),
    st.sampled_from(["0", "200"]),
    JSON,
)
FIELDS = ("code", "msg", "data", "sCode", "sMsg", "orderId", "algoId", "status", "amendedOrder")


def orders_of(venue: Venue) -> OrderEntry:
    assert venue.orders is not None
    return venue.orders


def names_of(venue: Venue) -> list[OrderName]:
    return [
        OrderName(product, "BTC-USDT", ids[0], ids[1], is_conditional)
        for product in venue.products
        for ids in IDS
        for is_conditional in (False, True)
    ]


def test_binance_and_okx_take_orders() -> None:
    assert set(TAKING_ORDERS) == {"binance", "okx"}


@EVERY_VENUE
def test_a_cancel_goes_to_an_address_of_the_venue_and_costs_something_there(venue: Venue) -> None:
    context = context_of(venue)
    for order in names_of(venue):
        request = orders_of(venue).cancel(order, context).http
        assert is_named(request.url, context.endpoints)
        assert request.method != "GET"
        assert request.costs
        assert request.channel
        are_costs_of(venue, request.costs)


@EVERY_VENUE
def test_what_the_log_holds_of_a_request_has_no_key_time_or_signature(venue: Venue) -> None:
    context = context_of(venue)
    for order in names_of(venue):
        request = orders_of(venue).cancel(order, context)
        again = orders_of(venue).cancel(order, replace(context, venue_ns=context.venue_ns + 10**9))
        assert request.canonical == again.canonical
        assert request.http != again.http
        for secret in (SECRET, PASSPHRASE, context.credentials.key, "ignature", "timestamp"):
            assert secret not in request.canonical
            assert secret not in repr(request.http) or secret in ("ignature", "timestamp")
        assert (order.venue_order_id or order.client_order_id or "") in request.canonical


@EVERY_VENUE
@pytest.mark.parametrize(
    "wrong",
    [
        {"venue_order_id": None, "client_order_id": None},
        {"venue_order_id": "", "client_order_id": ""},
        {"symbol": ""},
        {"product": "option"},
    ],
)
@pytest.mark.parametrize("is_conditional", [False, True])
def test_an_order_that_cannot_be_named_is_not_canceled(
    venue: Venue, wrong: dict[str, Any], is_conditional: bool
) -> None:
    order = OrderName(venue.products[0], "BTCUSDT", "17", "own17", is_conditional)
    with pytest.raises(ValueError, match="order"):
        orders_of(venue).cancel(replace(order, **wrong), context_of(venue))


@EVERY_VENUE
@given(body=st.binary(max_size=40) | JSON.map(lambda it: repr(it).encode()))
def test_a_body_that_is_no_json_object_is_unknown(venue: Venue, body: bytes) -> None:
    for status in (200, 400, 429, 503):
        for verb in Verb:
            judged = orders_of(venue).judge(verb, venue.products[0], status, body)
            assert judged == Judgement(ReplyClass.UNKNOWN)


@EVERY_VENUE
@given(
    verb=st.sampled_from(Verb),
    status=st.integers(100, 599) | st.sampled_from([200, 400, 401, 429, 503]),
    answer=st.dictionaries(st.sampled_from(FIELDS), CODES),
    row=st.none() | st.dictionaries(st.sampled_from(FIELDS), CODES),
)
def test_nothing_that_comes_back_makes_the_judge_raise(
    venue: Venue, verb: Verb, status: int, answer: dict[str, Any], row: dict[str, Any] | None
) -> None:
    if row is not None:
        answer["data"] = [row]
    for product in (*venue.products, "option"):
        judged = orders_of(venue).judge(verb, product, status, json.dumps(answer).encode())
        assert judged.reply in set(ReplyClass)
        assert judged.code.lstrip("-").isdecimal() or not judged.code
        if 500 <= status < 503 or status > 503 or 201 <= status < 400:
            assert judged.reply is ReplyClass.UNKNOWN


@EVERY_VENUE
@pytest.mark.parametrize("status", [100, 200, 201, 302, 400, 401, 403, 409, 418, 429, 500, 503])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"{", b'{"data":[]}', b"\xff", b"0"])
def test_an_empty_or_unreadable_body_is_unknown_whatever_its_status(
    venue: Venue, status: int, body: bytes
) -> None:
    for product in venue.products:
        for verb in Verb:
            judged = orders_of(venue).judge(verb, product, status, body)
            assert judged == Judgement(ReplyClass.UNKNOWN)


def test_a_code_is_no_longer_than_codes_are() -> None:
    for code, told in ((-2011, "-2011"), ("51400", "51400"), (0, "0")):
        assert code_in({"code": code}, "code") == told
    for other in (None, True, 1.5, "AKEY", "1" * 10, [1], {"a": 1}, "--1", "1 "):
        assert code_in({"code": other}, "code") == ""
