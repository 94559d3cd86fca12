"""One contract, every venue that takes orders: the cases come from the register."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.http import is_named
from orderloom.claim import Verb
from orderloom.identity import own_client_order_id
from orderloom.words import OrderType, PositionSide, ReplyClass, Side, TimeInForce
from tests.venues.test_every_venue import NOW_NS, PASSPHRASE, SECRET, are_costs_of, context_of
from venues import VENUES
from venues.order_entry import (
    Judgement,
    OrderChange,
    OrderEntry,
    OrderName,
    OrderTerms,
    SignedRequest,
    code_in,
)
from venues.request import Context
from venues.venue import MILLISECOND_NS, SECOND_NS, Venue

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


def terms_of(product: str, **changed: Any) -> OrderTerms:
    """A limit order as the product has it."""
    plain: dict[str, Any] = {
        "product": product,
        "symbol": "BTC-USDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "client_order_id": "own17",
        "quantity": Decimal("0.5"),
        "price": Decimal("61000.5"),
        "time_in_force": TimeInForce.GTC,
    }
    return OrderTerms(**(plain | changed))


def requests_of(venue: Venue, context: Context, expires_ns: int) -> list[SignedRequest]:
    """One of every request that the venue has."""
    entry = orders_of(venue)
    made = [entry.cancel(order, context) for order in names_of(venue)]
    change = OrderChange(side=Side.BUY, quantity=Decimal(1), request_id=5)
    dearer = replace(change, price=Decimal(2))
    for product in venue.products:
        mode = "cross" if venue.name == "okx" and product != "spot" else None
        terms = terms_of(product, margin_mode=mode)
        made.append(entry.place(terms, expires_ns, context))
        for venue_id in (None, "17"):
            order = OrderName(product, "BTC-USDT", venue_id, "own17")
            wished = change if product == "spot" else dearer
            made.append(entry.amend(order, wished, expires_ns, context))
    return made


@EVERY_VENUE
def test_a_request_goes_to_an_address_of_the_venue_and_costs_something_there(venue: Venue) -> None:
    context = context_of(venue)
    for made in requests_of(venue, context, NOW_NS + SECOND_NS):
        assert is_named(made.http.url, context.endpoints)
        assert made.http.method != "GET"
        assert made.http.costs
        assert made.http.channel
        are_costs_of(venue, made.http.costs)


@EVERY_VENUE
def test_what_the_log_holds_of_a_request_has_no_key_time_or_signature(venue: Venue) -> None:
    context = context_of(venue)
    later = replace(context, venue_ns=NOW_NS + SECOND_NS)
    pairs = zip(
        requests_of(venue, context, NOW_NS + 2 * SECOND_NS),
        requests_of(venue, later, NOW_NS + 3 * SECOND_NS),
        strict=True,
    )
    for made, again in pairs:
        assert made.canonical == again.canonical
        assert made.http != again.http
        for secret in (SECRET, PASSPHRASE, context.credentials.key):
            assert secret not in made.canonical
            assert secret not in repr(made)
        for word in ("ignature", "timestamp", "expTime", "recvWindow", "1793000000"):
            assert word not in made.canonical
        assert "BTC-USDT" in made.canonical or "lgo" in made.canonical


@EVERY_VENUE
@given(lead_ns=st.integers(-10 * SECOND_NS, 90 * SECOND_NS), now_ns=st.integers(0, 10**9))
def test_no_request_outlives_the_expiry_that_was_asked_for(
    venue: Venue, lead_ns: int, now_ns: int
) -> None:
    context = replace(context_of(venue), venue_ns=NOW_NS + now_ns)
    expires_ns = context.venue_ns + lead_ns
    product = venue.products[0]
    order = OrderName(product, "BTC-USDT", "17", "own17")
    change = OrderChange(side=Side.SELL, quantity=Decimal(1))
    entry = orders_of(venue)
    if lead_ns <= 0:
        with pytest.raises(ValueError, match="expiry"):
            entry.place(terms_of(product), expires_ns, context)
        with pytest.raises(ValueError, match="expiry"):
            entry.amend(order, change, expires_ns, context)
    elif lead_ns >= MILLISECOND_NS:
        for made in (
            entry.place(terms_of(product), expires_ns, context),
            entry.amend(order, change, expires_ns, context),
        ):
            assert made.expires_ns is not None
            assert context.venue_ns - MILLISECOND_NS < made.expires_ns <= expires_ns
            assert made.expires_ns % MILLISECOND_NS == 0


@EVERY_VENUE
@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": ""},
        {"product": "option"},
        {"client_order_id": ""},
        {"client_order_id": "own 17"},
        {"client_order_id": "a" * 37},
        {"client_order_id": "own17\n"},
        {"order_type": OrderType.STOP_MARKET},
        {"order_type": OrderType.MARKET},
        {"order_type": OrderType.MARKET, "time_in_force": None},
        {"order_type": OrderType.LIMIT_MAKER},
        {"time_in_force": None},
        {"time_in_force": TimeInForce.GTD},
        {"time_in_force": TimeInForce.RPI},
        {"quantity": None},
        {"quantity": Decimal(0)},
        {"quantity": Decimal(-1)},
        {"quantity": Decimal("NaN")},
        {"quantity": Decimal("Infinity")},
        {"price": None},
        {"price": Decimal(0)},
        {"price": Decimal("-0.5")},
        {"quote_quantity": Decimal(5)},
        {"quantity": None, "quote_quantity": Decimal(5)},
        {"reduce_only": True},
        {"position_side": PositionSide.LONG},
        {"margin_mode": "portfolio"},
    ],
)
def test_an_order_that_is_none_is_not_placed(venue: Venue, wrong: dict[str, Any]) -> None:
    context = context_of(venue)
    terms = terms_of("spot")
    orders_of(venue).place(terms, NOW_NS + SECOND_NS, context)
    with pytest.raises(ValueError, match=r"order|decimal"):
        orders_of(venue).place(replace(terms, **wrong), NOW_NS + SECOND_NS, context)


@EVERY_VENUE
@given(st.tuples(*[st.text(min_size=1, max_size=9)] * 4))
def test_the_ids_that_we_make_are_taken(venue: Venue, parts: tuple[str, str, str, str]) -> None:
    assert orders_of(venue).client_order_ids.fullmatch(own_client_order_id(*parts))


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
