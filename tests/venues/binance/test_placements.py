"""Placing and amending at Binance, by the manual and against the simulated venue."""

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from orderloom.claim import Verb
from orderloom.words import OrderType, PositionSide, ReplyClass, Side, TimeInForce
from tests.simulator.binance.box import SYMBOL, an_account
from tests.simulator.binance.client import Client, a_client
from tests.venues.binance.test_against_the_box import context_of, perform
from venues.binance import BINANCE
from venues.binance.order_entry import ORDERS
from venues.binance.requests import signature
from venues.order_entry import Judgement, OrderChange, OrderName, OrderTerms, SignedRequest
from venues.rates import Cost
from venues.request import Context, Credentials
from venues.venue import SECOND_NS

CREDENTIALS = Credentials("the-key", "the-secret")
NOW_NS = 1_793_000_000_123_456_789
CONTEXT = Context(CREDENTIALS, BINANCE.environments["production"], NOW_NS)
EXPIRES_NS = 1_793_000_002_000_999_999
TIMES = "recvWindow=1877&timestamp=1793000000123"
PATHS = {"spot": "/api/v3/order", "linear": "/fapi/v1/order"}
BOTH = pytest.mark.parametrize("product", PATHS)
SAID = "newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_MAKER"


def terms(product: str = "spot", **changed: Any) -> OrderTerms:
    plain: dict[str, Any] = {
        "product": product,
        "symbol": SYMBOL,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "client_order_id": "own-1",
        "quantity": Decimal("4.000"),
        "price": Decimal("140.00"),
        "time_in_force": TimeInForce.GTC,
    }
    return OrderTerms(**(plain | changed))


MARKET: dict[str, Any] = {
    "order_type": OrderType.MARKET, "price": None, "time_in_force": None, "side": Side.SELL,
}  # fmt: skip
MAKER: dict[str, Any] = {"order_type": OrderType.LIMIT_MAKER, "time_in_force": None}
BY_QUOTE: dict[str, Any] = {**MARKET, "quantity": None, "quote_quantity": Decimal("99.50")}
FOK = {"time_in_force": TimeInForce.FOK}


@pytest.mark.parametrize(
    ("product", "changed", "query"),
    [
        ("spot", {}, "side=BUY&type=LIMIT&timeInForce=GTC&quantity=4&price=140"),
        ("spot", FOK, "side=BUY&type=LIMIT&timeInForce=FOK&quantity=4&price=140"),
        ("spot", MAKER, "side=BUY&type=LIMIT_MAKER&quantity=4&price=140"),
        ("spot", MARKET, "side=SELL&type=MARKET&quantity=4"),
        ("spot", BY_QUOTE, "side=SELL&type=MARKET&quoteOrderQty=99.5"),
        (
            "linear",
            {},
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=4&price=140&positionSide=BOTH",
        ),
        (
            "linear",
            MAKER,
            "side=BUY&type=LIMIT&timeInForce=GTX&quantity=4&price=140&positionSide=BOTH",
        ),
        (
            "linear",
            {**MARKET, "reduce_only": True},
            "side=SELL&type=MARKET&quantity=4&positionSide=BOTH&reduceOnly=true",
        ),
        (
            "linear",
            {**MARKET, "position_side": PositionSide.LONG},
            "side=SELL&type=MARKET&quantity=4&positionSide=LONG",
        ),
    ],
)
def test_a_placement_is_the_manuals_and_ends_with_its_expiry(
    product: str, changed: dict[str, Any], query: str
) -> None:
    request = ORDERS.place(terms(product, **changed), EXPIRES_NS, CONTEXT)
    host = "https://api.binance.com" if product == "spot" else "https://fapi.binance.com"
    said = f"symbol=SOLUSDT&{query}&newClientOrderId=own-1&{SAID}"
    sent = f"{said}&{TIMES}"
    signed = signature(CREDENTIALS, sent)
    assert request.http.url == f"{host}{PATHS[product]}?{sent}&signature={signed}"
    assert (request.http.method, request.http.body) == ("POST", b"")
    assert request.canonical == f"POST {PATHS[product]}?{said}"
    assert request.expires_ns == 1_793_000_002_000_000_000


@pytest.mark.parametrize(
    ("order", "change", "path", "query"),
    [
        (
            OrderName("spot", SYMBOL, "7700123", "own-1"),
            OrderChange(side=Side.BUY, quantity=Decimal("3.000"), request_id=9001),
            "/api/v3/order/amend/keepPriority",
            "orderId=7700123&newClientOrderId=own-1&newQty=3",
        ),
        (
            OrderName("spot", SYMBOL, None, "own-1"),
            OrderChange(side=Side.BUY, quantity=Decimal(3)),
            "/api/v3/order/amend/keepPriority",
            "origClientOrderId=own-1&newClientOrderId=own-1&newQty=3",
        ),
        (
            OrderName("linear", SYMBOL, "551200341", "own-1"),
            OrderChange(
                side=Side.SELL, quantity=Decimal("0.025"), price=Decimal(90950), request_id=9001
            ),
            "/fapi/v1/order",
            "orderId=551200341&side=SELL&quantity=0.025&price=90950&modifyId=9001",
        ),
        (
            OrderName("linear", SYMBOL, None, "own-1"),
            OrderChange(side=Side.SELL, quantity=Decimal("0.025"), price=Decimal(90950)),
            "/fapi/v1/order",
            "origClientOrderId=own-1&side=SELL&quantity=0.025&price=90950",
        ),
    ],
)
def test_an_amendment_is_the_manuals_and_ends_with_its_expiry(
    order: OrderName, change: OrderChange, path: str, query: str
) -> None:
    request = ORDERS.amend(order, change, EXPIRES_NS, CONTEXT)
    sent = f"symbol=SOLUSDT&{query}&{TIMES}"
    assert request.http.url.endswith(
        f"binance.com{path}?{sent}&signature={signature(CREDENTIALS, sent)}"
    )
    assert request.http.method == "PUT"
    assert request.canonical == f"PUT {path}?symbol=SOLUSDT&{query}"
    assert request.expires_ns == 1_793_000_002_000_000_000


def test_what_counts_as_an_order_is_paid_to_the_accounts_own_limits() -> None:
    change = OrderChange(side=Side.BUY, quantity=Decimal(3), price=Decimal(1))
    paid = {
        product: (
            ORDERS.place(terms(product), EXPIRES_NS, CONTEXT).http.costs,
            ORDERS.amend(
                OrderName(product, SYMBOL, "7", "own-1"),
                replace(change, price=None) if product == "spot" else change,
                EXPIRES_NS,
                CONTEXT,
            ).http.costs,
        )
        for product in PATHS
    }
    orders = (Cost("linear-orders"), Cost("linear-orders-minute"))
    assert paid["spot"] == (
        (Cost("spot-orders"), Cost("spot-weight")),
        (Cost("spot-weight", 4),),
    )
    assert paid["linear"] == (orders, orders)


def test_the_window_is_never_longer_than_usual() -> None:
    request = ORDERS.place(terms(), NOW_NS + 60 * SECOND_NS, CONTEXT)
    assert "recvWindow=5000&" in request.http.url
    assert request.expires_ns == 1_793_000_005_123_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin_mode": "cross"},
        {"reduce_only": True, "position_side": PositionSide.LONG},
        {"client_order_id": "autoclose-1"},
        {"client_order_id": "adl_autoclose"},
        {"client_order_id": "settlement_autoclose-1"},
        {"client_order_id": "delivery_autoclose-1"},
        {"client_order_id": "a.b"},
    ],
)
def test_what_usd_m_would_take_otherwise_than_meant_is_not_placed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="order"):
        ORDERS.place(terms("linear", **wrong), EXPIRES_NS, CONTEXT)


def test_spot_has_no_orders_that_are_canceled_rather_than_take() -> None:
    with pytest.raises(ValueError, match="GTX"):
        ORDERS.place(terms(time_in_force=TimeInForce.GTX), EXPIRES_NS, CONTEXT)


@pytest.mark.parametrize(
    ("order", "change"),
    [
        (OrderName("spot", SYMBOL, "7", "own-1"), {"price": Decimal(1), "quantity": Decimal(1)}),
        (OrderName("spot", SYMBOL, "7", "own-1"), {}),
        (OrderName("spot", SYMBOL, "7"), {"quantity": Decimal(1)}),
        (OrderName("linear", SYMBOL, "7"), {"price": Decimal(1)}),
        (OrderName("linear", SYMBOL, "7"), {"quantity": Decimal(1)}),
        (OrderName("linear", SYMBOL, "7"), {"price": Decimal(1), "quantity": Decimal(-1)}),
        (OrderName("linear", SYMBOL), {"price": Decimal(1), "quantity": Decimal(1)}),
        (
            OrderName("linear", SYMBOL, "7", is_conditional=True),
            {"price": Decimal(1), "quantity": Decimal(1)},
        ),
    ],
)
def test_an_amendment_that_is_none_is_not_made(order: OrderName, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="order"):
        ORDERS.amend(order, OrderChange(side=Side.BUY, **change), EXPIRES_NS, CONTEXT)


# ---- the simulated venue


async def answered(client: Client, verb: Verb, product: str, request: SignedRequest) -> Judgement:
    page = await perform(client, request.http)
    return ORDERS.judge(verb, product, page.status, page.body)


async def placed(client: Client, wanted: OrderTerms) -> Judgement:
    request = ORDERS.place(wanted, time.time_ns() + 2 * SECOND_NS, context_of(client))
    return await answered(client, Verb.PLACE, wanted.product, request)


async def amended(client: Client, order: OrderName, **change: Any) -> Judgement:
    wanted = OrderChange(side=Side.BUY, **change)
    request = ORDERS.amend(order, wanted, time.time_ns() + 2 * SECOND_NS, context_of(client))
    return await answered(client, Verb.AMEND, order.product, request)


async def shown(client: Client, product: str, name: str = "own-1") -> Any:
    """The order of that name; None where the venue has none."""
    path = PATHS[product]
    status, row = await client.ask("GET", path, symbol=SYMBOL, origClientOrderId=name)
    assert status == 200 or row["code"] == -2013, row
    return row if status == 200 else None


ACKED = Judgement(ReplyClass.ACKED)


@BOTH
@pytest.mark.parametrize(
    ("changed", "kind", "status"),
    [
        ({}, ("LIMIT", "GTC"), "NEW"),
        (MAKER, ("LIMIT_MAKER", "GTX"), "NEW"),
        ({"time_in_force": TimeInForce.IOC}, ("LIMIT", "IOC"), "EXPIRED"),
    ],
)
async def test_a_placement_makes_the_order_that_was_meant(
    product: str, changed: dict[str, Any], kind: tuple[str, str], status: str
) -> None:
    async with a_client() as client:
        assert await placed(client, terms(product, **changed)) == ACKED
        row = await shown(client, product)
        assert (row["side"], row["status"]) == ("BUY", status)
        assert (Decimal(row["price"]), Decimal(row["origQty"])) == (Decimal(140), Decimal(4))
        assert row["selfTradePreventionMode"] == "EXPIRE_MAKER"
        if changed is MAKER:
            assert kind[0 if product == "spot" else 1] in (row["type"], row["timeInForce"])
        else:
            assert (row["type"], row["timeInForce"]) == kind


@BOTH
async def test_an_order_at_market_takes_what_rests(product: str) -> None:
    async with a_client() as client:
        await placed(client, terms(product))
        other = Client.__new__(Client)
        other.address, other.account, other.http = client.address, an_account(1), client.http
        assert await placed(other, terms(product, **MARKET)) == ACKED
        assert (await shown(client, product))["status"] == "FILLED"


@BOTH
async def test_an_id_that_an_open_order_has_is_a_duplicate_and_no_second_order(
    product: str,
) -> None:
    async with a_client() as client:
        assert await placed(client, terms(product)) == ACKED
        again = await placed(client, terms(product))
        assert again == Judgement(
            ReplyClass.DUPLICATE_ID, "-2010" if product == "spot" else "-4116"
        )
        path = PATHS[product].replace("order", "openOrders")
        assert len((await client.ask("GET", path, symbol=SYMBOL))[1]) == 1


@BOTH
@pytest.mark.parametrize(
    "wrong",
    [
        {"price": Decimal("140.00000001")},
        {"quantity": Decimal("0.00001")},
        {"quantity": Decimal(90_000_000)},
        {"symbol": "NOSUCH"},
    ],
)
async def test_what_the_venue_refuses_is_no_order(product: str, wrong: dict[str, Any]) -> None:
    async with a_client() as client:
        assert (await placed(client, terms(product, **wrong))).reply is ReplyClass.REFUSED
        assert await shown(client, product) is None


@BOTH
async def test_what_never_takes_is_refused_where_it_would(product: str) -> None:
    async with a_client() as client:
        sell = {"side": Side.SELL, "client_order_id": "theirs"}
        await placed(client, terms(product, **sell))
        code = "-2010" if product == "spot" else "-5022"
        judged = await placed(client, terms(product, **MAKER))
        assert judged == Judgement(ReplyClass.REFUSED, code)
        assert await shown(client, product) is None


@BOTH
async def test_a_request_that_arrives_after_its_expiry_is_not_carried_out(product: str) -> None:
    async with a_client() as client:
        context, began_ns = context_of(client), time.time_ns() - 4 * SECOND_NS
        before = Context(context.credentials, context.endpoints, began_ns)
        judged = []
        for lead_ns in (2 * SECOND_NS, 60 * SECOND_NS):
            request = ORDERS.place(terms(product), began_ns + lead_ns, before)
            judged.append(await answered(client, Verb.PLACE, product, request))
        assert judged == [Judgement(ReplyClass.NOT_EXECUTED, "-1021"), ACKED]


@BOTH
@pytest.mark.parametrize(
    ("fault", "reply", "is_there"),
    [
        ("http_5xx_with_effect", ReplyClass.UNKNOWN, True),
        ("http_5xx_without_effect", ReplyClass.UNKNOWN, False),
        ("http_429", ReplyClass.NOT_EXECUTED, False),
        ("http_ban", ReplyClass.NOT_EXECUTED, False),
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
        assert ["own-1"] * is_there == [row["client_order_id"] for row in orders]


@pytest.mark.parametrize("is_by_own_id", [False, True])
async def test_an_amendment_of_spot_lowers_the_quantity_and_keeps_the_name(
    is_by_own_id: bool,
) -> None:
    async with a_client() as client:
        await placed(client, terms())
        number = str((await shown(client, "spot"))["orderId"])
        order = OrderName("spot", SYMBOL, None if is_by_own_id else number, "own-1")
        assert await amended(client, order, quantity=Decimal(3)) == ACKED
        row = await shown(client, "spot")
        assert (Decimal(row["origQty"]), str(row["orderId"])) == (Decimal(3), number)
        refused = Judgement(ReplyClass.REFUSED, "-2038")
        assert await amended(client, order, quantity=Decimal(3)) == refused
        assert await amended(client, order, quantity=Decimal(4)) == refused


async def test_an_amendment_of_usd_m_changes_price_and_quantity() -> None:
    async with a_client() as client:
        await placed(client, terms("linear"))
        number = str((await shown(client, "linear"))["orderId"])
        order = OrderName("linear", SYMBOL, number, "own-1")
        change = {"quantity": Decimal(5), "price": Decimal("139.50"), "request_id": 9001}
        assert await amended(client, order, **change) == ACKED
        row = await shown(client, "linear")
        assert (Decimal(row["origQty"]), Decimal(row["price"])) == (Decimal(5), Decimal("139.5"))
        assert str(row["orderId"]) == number
        again = await amended(client, order, **change)
        assert again == Judgement(ReplyClass.REFUSED, "-5027")


@BOTH
async def test_an_amendment_of_no_order_finds_none(product: str) -> None:
    async with a_client() as client:
        change = {"quantity": Decimal(3)} | ({"price": Decimal(1)} if product == "linear" else {})
        for name in (("99", "nobody"), (None, "nobody")):
            judged = await amended(client, OrderName(product, SYMBOL, *name), **change)
            assert judged == Judgement(ReplyClass.NOT_FOUND, "-2013")
