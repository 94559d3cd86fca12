"""Placing and amending at OKX, by the manual and against the simulated venue."""

import base64
import hashlib
import hmac
import time
from decimal import Decimal
from typing import Any

import pytest

from orderloom.claim import Verb
from orderloom.words import OrderType, PositionSide, ReplyClass, Side, TimeInForce
from tests.simulator.okx.okx_box import LINEAR, an_account
from tests.simulator.okx.okx_client import Client, a_client
from tests.venues.okx.test_order_entry import (
    CONTEXT,
    STAMP,
    SYMBOLS,
    answered,
    context_of,
)
from venues.okx.order_entry import ORDERS
from venues.order_entry import Judgement, OrderChange, OrderName, OrderTerms
from venues.rates import Cost
from venues.venue import SECOND_NS

EXPIRES_NS = 1_793_000_002_000_999_999
EVERY_PRODUCT = pytest.mark.parametrize("product", SYMBOLS)
PLACE_PATH, AMEND_PATH = "/api/v5/trade/order", "/api/v5/trade/amend-order"
ACKED = Judgement(ReplyClass.ACKED, "0")


def terms(product: str = "linear", **changed: Any) -> OrderTerms:
    plain: dict[str, Any] = {
        "product": product,
        "symbol": SYMBOLS[product],
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "client_order_id": "own1",
        "quantity": Decimal("2.0"),
        "price": Decimal(91000 if product == "inverse" else 140),
        "time_in_force": TimeInForce.GTC,
        "margin_mode": None if product == "spot" else "cross",
    }
    return OrderTerms(**(plain | changed))


MARKET: dict[str, Any] = {
    "order_type": OrderType.MARKET, "price": None, "time_in_force": None, "side": Side.SELL,
}  # fmt: skip
MAKER: dict[str, Any] = {"order_type": OrderType.LIMIT_MAKER, "time_in_force": None}
BY_QUOTE: dict[str, Any] = {
    **MARKET, "side": Side.BUY, "quantity": None, "quote_quantity": Decimal("99.50"),
}  # fmt: skip
OWN = '"clOrdId":"own1","stpMode":"cancel_maker"'
COINS = '"instId":"SOL-USDT","tdMode":"cash"'
SWAP = '"instId":"SOL-USDT-SWAP","tdMode":"cross"'


@pytest.mark.parametrize(
    ("product", "changed", "body"),
    [
        ("spot", {}, f'{COINS},"side":"buy","ordType":"limit","sz":"2","px":"140"'),
        ("spot", MARKET, f'{COINS},"side":"sell","ordType":"market","sz":"2","tgtCcy":"base_ccy"'),
        (
            "spot",
            BY_QUOTE,
            f'{COINS},"side":"buy","ordType":"market","sz":"99.5","tgtCcy":"quote_ccy"',
        ),
        (
            "spot",
            {"margin_mode": "isolated"},
            '"instId":"SOL-USDT","tdMode":"isolated","side":"buy","ordType":"limit","sz":"2",'
            '"px":"140"',
        ),
        ("linear", {}, f'{SWAP},"side":"buy","ordType":"limit","sz":"2","px":"140"'),
        ("linear", MAKER, f'{SWAP},"side":"buy","ordType":"post_only","sz":"2","px":"140"'),
        (
            "linear",
            {"time_in_force": TimeInForce.GTX},
            f'{SWAP},"side":"buy","ordType":"post_only","sz":"2","px":"140"',
        ),
        (
            "linear",
            {"time_in_force": TimeInForce.IOC},
            f'{SWAP},"side":"buy","ordType":"ioc","sz":"2","px":"140"',
        ),
        (
            "linear",
            {"time_in_force": TimeInForce.FOK},
            f'{SWAP},"side":"buy","ordType":"fok","sz":"2","px":"140"',
        ),
        (
            "linear",
            {**MARKET, "reduce_only": True},
            f'{SWAP},"side":"sell","ordType":"market","sz":"2","reduceOnly":true',
        ),
        (
            "linear",
            {**MARKET, "position_side": PositionSide.LONG},
            f'{SWAP},"side":"sell","posSide":"long","ordType":"market","sz":"2"',
        ),
        (
            "inverse",
            {"margin_mode": "isolated"},
            '"instId":"BTC-USD-SWAP","tdMode":"isolated","side":"buy","ordType":"limit","sz":"2",'
            '"px":"91000"',
        ),
    ],
)
def test_a_placement_is_the_manuals_and_has_its_deadline(
    product: str, changed: dict[str, Any], body: str
) -> None:
    request = ORDERS.place(terms(product, **changed), EXPIRES_NS, CONTEXT)
    text = f"{{{body},{OWN}}}"
    assert request.http.url == f"https://openapi.okx.com{PLACE_PATH}"
    assert (request.http.method, request.http.body) == ("POST", text.encode())
    digest = hmac.new(b"very secret", f"{STAMP}POST{PLACE_PATH}{text}".encode(), hashlib.sha256)
    assert request.http.headers["OK-ACCESS-SIGN"] == base64.b64encode(digest.digest()).decode()
    assert request.http.headers["expTime"] == "1793000002000"
    assert request.canonical == f"POST {PLACE_PATH} {text}"
    assert request.expires_ns == 1_793_000_002_000_000_000


@pytest.mark.parametrize(
    ("order", "change", "body"),
    [
        (
            OrderName("linear", LINEAR, "2710", "own1"),
            OrderChange(side=Side.BUY, quantity=Decimal("3.0"), price=Decimal(141), request_id=17),
            '"instId":"SOL-USDT-SWAP","ordId":"2710","reqId":"17","newSz":"3","newPx":"141"',
        ),
        (
            OrderName("linear", LINEAR, None, "own1"),
            OrderChange(side=Side.BUY, price=Decimal("140.5")),
            '"instId":"SOL-USDT-SWAP","clOrdId":"own1","newPx":"140.5"',
        ),
        (
            OrderName("linear", LINEAR, None, "own1"),
            OrderChange(side=Side.BUY, quantity=Decimal(1)),
            '"instId":"SOL-USDT-SWAP","clOrdId":"own1","newSz":"1"',
        ),
    ],
)
def test_an_amendment_is_the_manuals_and_has_its_deadline(
    order: OrderName, change: OrderChange, body: str
) -> None:
    request = ORDERS.amend(order, change, EXPIRES_NS, CONTEXT)
    assert request.http.url == f"https://openapi.okx.com{AMEND_PATH}"
    assert request.http.body == f"{{{body}}}".encode()
    assert request.http.headers["expTime"] == "1793000002000"
    assert request.canonical == f"POST {AMEND_PATH} {{{body}}}"
    assert request.expires_ns == 1_793_000_002_000_000_000


def test_orders_are_counted_by_instrument_and_those_of_contracts_together() -> None:
    change = OrderChange(side=Side.BUY, quantity=Decimal(1))
    for product, symbol in SYMBOLS.items():
        together = () if product == "spot" else (Cost("account-orders"),)
        placed = ORDERS.place(terms(product), EXPIRES_NS, CONTEXT)
        assert placed.http.costs == (Cost("order", market=symbol), *together)
        amended = ORDERS.amend(OrderName(product, symbol, "7"), change, EXPIRES_NS, CONTEXT)
        assert amended.http.costs == (Cost("amend-order", market=symbol), *together)


@pytest.mark.parametrize(
    "wrong", [{"margin_mode": None}, {"margin_mode": "cash"}, {"client_order_id": "own-1"}]
)
def test_what_the_venue_would_not_take_is_not_placed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="order"):
        ORDERS.place(terms(**wrong), EXPIRES_NS, CONTEXT)


@pytest.mark.parametrize(
    ("order", "change"),
    [
        (OrderName("linear", LINEAR, "7"), {}),
        (OrderName("linear", LINEAR, "7"), {"price": Decimal(0)}),
        (OrderName("linear", LINEAR, "7"), {"quantity": Decimal(-1)}),
        (OrderName("linear", LINEAR), {"price": Decimal(1)}),
        (OrderName("linear", "", "7"), {"price": Decimal(1)}),
        (OrderName("linear", LINEAR, "7", is_conditional=True), {"price": Decimal(1)}),
    ],
)
def test_an_amendment_that_is_none_is_not_made(order: OrderName, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="order"):
        ORDERS.amend(order, OrderChange(side=Side.BUY, **change), EXPIRES_NS, CONTEXT)


# ---- the simulated venue


async def placed(client: Client, wanted: OrderTerms) -> Judgement:
    request = ORDERS.place(wanted, time.time_ns() + 2 * SECOND_NS, context_of(client))
    return await answered(client, Verb.PLACE, wanted.product, request)


async def amended(client: Client, order: OrderName, **change: Any) -> Judgement:
    wanted = OrderChange(side=Side.BUY, **change)
    request = ORDERS.amend(order, wanted, time.time_ns() + 2 * SECOND_NS, context_of(client))
    return await answered(client, Verb.AMEND, order.product, request)


async def shown(client: Client, product: str) -> Any:
    """The order of our name; None where the venue has none."""
    symbol = SYMBOLS[product]
    _, answer = await client.get("trade/order", instId=symbol, clOrdId="own1")
    assert answer["code"] in ("0", "51603"), answer
    return answer["data"][0] if answer["data"] else None


@EVERY_PRODUCT
@pytest.mark.parametrize(
    ("changed", "kind", "state"),
    [
        ({}, "limit", "live"),
        (MAKER, "post_only", "live"),
        ({"time_in_force": TimeInForce.IOC}, "ioc", "canceled"),
        ({"time_in_force": TimeInForce.FOK}, "fok", "canceled"),
    ],
)
async def test_a_placement_makes_the_order_that_was_meant(
    product: str, changed: dict[str, Any], kind: str, state: str
) -> None:
    async with a_client() as client:
        wanted = terms(product, **changed)
        assert await placed(client, wanted) == ACKED
        row = await shown(client, product)
        assert (row["side"], row["ordType"], row["state"]) == ("buy", kind, state)
        assert (Decimal(row["px"]), Decimal(row["sz"])) == (wanted.price, wanted.quantity)
        assert row["tdMode"] == ("cash" if product == "spot" else "cross")


@pytest.mark.parametrize(("changed", "unit"), [(MARKET, "base_ccy"), (BY_QUOTE, "quote_ccy")])
async def test_an_order_at_market_is_sized_as_it_says(changed: dict[str, Any], unit: str) -> None:
    async with a_client() as client:
        other = Client(client.server, an_account(1), client.http)
        rests = {"side": Side.SELL if changed is BY_QUOTE else Side.BUY}
        assert await placed(other, terms("spot", client_order_id="theirs", **rests)) == ACKED
        assert await placed(client, terms("spot", **changed)) == ACKED
        row = await shown(client, "spot")
        assert (row["ordType"], row["tgtCcy"], row["state"]) == ("market", unit, "filled")
        assert Decimal(row["sz"]) == (changed.get("quote_quantity") or 2)


@EVERY_PRODUCT
async def test_an_id_that_an_open_order_has_is_a_duplicate_and_no_second_order(
    product: str,
) -> None:
    async with a_client() as client:
        assert await placed(client, terms(product)) == ACKED
        again = await placed(client, terms(product))
        assert again == Judgement(ReplyClass.DUPLICATE_ID, "51016")
        assert len(await client.rows("trade/orders-pending")) == 1


@EVERY_PRODUCT
@pytest.mark.parametrize(
    "wrong",
    [
        {"price": Decimal("140.00000001")},
        {"quantity": Decimal("0.00000001")},
        {"quantity": Decimal(90_000_000)},
        {"symbol": "NO-SUCH"},
    ],
)
async def test_what_the_venue_refuses_is_no_order(product: str, wrong: dict[str, Any]) -> None:
    async with a_client() as client:
        assert (await placed(client, terms(product, **wrong))).reply is ReplyClass.REFUSED
        assert await shown(client, product) is None


@EVERY_PRODUCT
async def test_a_request_that_arrives_after_its_deadline_is_not_carried_out(product: str) -> None:
    async with a_client() as client:
        now_ns = time.time_ns()
        context = context_of(client)
        early = type(context)(context.credentials, context.endpoints, now_ns - 4 * SECOND_NS)
        order = OrderName(product, SYMBOLS[product], None, "own1")
        late = Judgement(ReplyClass.NOT_EXECUTED, "50036")
        past_ns, future_ns = now_ns - 2 * SECOND_NS, now_ns + 60 * SECOND_NS
        request = ORDERS.place(terms(product), past_ns, early)
        assert await answered(client, Verb.PLACE, product, request) == late
        assert await shown(client, product) is None
        request = ORDERS.place(terms(product), future_ns, early)
        assert await answered(client, Verb.PLACE, product, request) == ACKED
        wanted = OrderChange(side=Side.BUY, quantity=Decimal(1))
        change = ORDERS.amend(order, wanted, past_ns, early)
        assert await answered(client, Verb.AMEND, product, change) == late
        assert Decimal((await shown(client, product))["sz"]) == 2


@EVERY_PRODUCT
@pytest.mark.parametrize(
    ("fault", "reply", "is_there"),
    [
        ("http_5xx_with_effect", ReplyClass.UNKNOWN, True),
        ("http_5xx_without_effect", ReplyClass.UNKNOWN, False),
        ("http_429", ReplyClass.NOT_EXECUTED, False),
        ("http_ban", ReplyClass.UNKNOWN, False),
        ("http_clock_skew", ReplyClass.NOT_EXECUTED, False),
    ],
)
async def test_an_answer_says_no_more_of_a_placement_than_the_books_bear_out(
    product: str, fault: str, reply: ReplyClass, is_there: bool
) -> None:
    async with a_client() as client:
        await client.control("/control/faults", schedule={fault: {"count": 1, "frames": 1}})
        assert (await placed(client, terms(product))).reply is reply
        truth = await client.control("/truth")
        orders = truth["accounts"][client.account.name]["orders"]
        assert ["own1"] * is_there == [row["client_order_id"] for row in orders]


@EVERY_PRODUCT
@pytest.mark.parametrize("is_by_own_id", [False, True])
async def test_an_amendment_changes_price_and_quantity_and_keeps_the_ids(
    product: str, is_by_own_id: bool
) -> None:
    async with a_client() as client:
        await placed(client, terms(product))
        number = (await shown(client, product))["ordId"]
        order = OrderName(product, SYMBOLS[product], None if is_by_own_id else number, "own1")
        price = Decimal(90900 if product == "inverse" else 139)
        change = {"quantity": Decimal(3), "price": price, "request_id": 17}
        assert await amended(client, order, **change) == ACKED
        row = await shown(client, product)
        assert (Decimal(row["sz"]), Decimal(row["px"])) == (Decimal(3), price)
        assert (row["ordId"], row["clOrdId"]) == (number, "own1")


@EVERY_PRODUCT
async def test_an_amendment_of_no_order_finds_none(product: str) -> None:
    async with a_client() as client:
        for name in (("99", None), (None, "nobody")):
            order = OrderName(product, SYMBOLS[product], *name)
            judged = await amended(client, order, quantity=Decimal(3))
            assert judged == Judgement(ReplyClass.NOT_FOUND, "51503")
