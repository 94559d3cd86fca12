"""Requests of Binance's order entry, by the manual and against the simulated venue."""

import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from tests.simulator.binance.box import SYMBOL, an_account
from tests.simulator.binance.client import Client, a_client
from tests.venues.binance.test_against_the_box import context_of, perform
from venues.binance import BINANCE
from venues.binance.order_entry import ORDERS
from venues.binance.requests import signature
from venues.order_entry import Judgement, OrderName
from venues.rates import Cost
from venues.request import Context, Credentials

CREDENTIALS = Credentials("the-key", "the-secret")
NOW_NS = 1_793_000_000_123_456_789
CONTEXT = Context(CREDENTIALS, BINANCE.environments["production"], NOW_NS)
TIMES = "recvWindow=5000&timestamp=1793000000123"
SPOT_PATH, LINEAR_PATH, ALGO_PATH = "/api/v3/order", "/fapi/v1/order", "/fapi/v1/algoOrder"
LIMIT = {
    "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "4",
    "price": "140.00", "newClientOrderId": "own-1",
}  # fmt: skip
STOP = {
    "symbol": SYMBOL, "side": "SELL", "algoType": "CONDITIONAL", "type": "STOP_MARKET",
    "triggerPrice": "100", "quantity": "4", "clientAlgoId": "stop-1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("order", "path", "query"),
    [
        (
            OrderName("spot", "SOLUSDT", "7700123", "osp-17"),
            SPOT_PATH,
            "symbol=SOLUSDT&orderId=7700123&newClientOrderId=osp-17",
        ),
        (OrderName("spot", "SOLUSDT", "7700123"), SPOT_PATH, "symbol=SOLUSDT&orderId=7700123"),
        (
            OrderName("spot", "SOLUSDT", None, "osp-17"),
            SPOT_PATH,
            "symbol=SOLUSDT&origClientOrderId=osp-17&newClientOrderId=osp-17",
        ),
        (
            OrderName("spot", "SOLUSDT", "7700123", "osp-17", is_conditional=True),
            SPOT_PATH,
            "symbol=SOLUSDT&orderId=7700123&newClientOrderId=osp-17",
        ),
        (
            OrderName("spot", "币安&x=1", None, "a/b:c"),
            SPOT_PATH,
            "symbol=%E5%B8%81%E5%AE%89%26x%3D1&origClientOrderId=a%2Fb%3Ac"
            "&newClientOrderId=a%2Fb%3Ac",
        ),
        (
            OrderName("linear", "BTCUSDT", "551200341", "osp-f-31"),
            LINEAR_PATH,
            "symbol=BTCUSDT&orderId=551200341",
        ),
        (
            OrderName("linear", "BTCUSDT", None, "osp-f-31"),
            LINEAR_PATH,
            "symbol=BTCUSDT&origClientOrderId=osp-f-31",
        ),
        (
            OrderName("linear", "BTCUSDT", "2200441", "sl-31", is_conditional=True),
            ALGO_PATH,
            "algoId=2200441",
        ),
        (
            OrderName("linear", "BTCUSDT", None, "sl-31", is_conditional=True),
            ALGO_PATH,
            "clientAlgoId=sl-31",
        ),
    ],
)
def test_a_cancel_is_the_manuals_signed_and_with_its_own_window(
    order: OrderName, path: str, query: str
) -> None:
    request = ORDERS.cancel(order, CONTEXT)
    host = "https://api.binance.com" if order.product == "spot" else "https://fapi.binance.com"
    sent = f"{query}&{TIMES}"
    assert request.http.url == f"{host}{path}?{sent}&signature={signature(CREDENTIALS, sent)}"
    assert (request.http.method, request.http.body) == ("DELETE", b"")
    assert request.http.headers == {"X-MBX-APIKEY": "the-key"}
    assert request.http.costs == (Cost(f"{order.product}-weight", 1),)
    assert request.canonical == f"DELETE {path}?{query}"
    assert request.expires_ns == 1_793_000_005_123_000_000


def test_an_order_is_never_named_by_two_ids_at_once() -> None:
    for product in ("spot", "linear"):
        url = ORDERS.cancel(OrderName(product, "SOLUSDT", "7", "own"), CONTEXT).http.url
        assert "orderId=7" in urlsplit(url).query
        assert "origClientOrderId" not in url


# ---- the simulated venue


async def canceled(client: Client, order: OrderName, late_ns: int = 0) -> Judgement:
    """What the venue says to a cancel that is sent so late."""
    context = context_of(client)
    built = Context(context.credentials, context.endpoints, context.venue_ns - late_ns)
    page = await perform(client, ORDERS.cancel(order, built).http)
    return ORDERS.judge(Verb.CANCEL, order.product, page.status, page.body)


async def placed(client: Client, path: str, **terms: Any) -> str:
    """The venue's id of a new order of an account."""
    status, answer = await client.ask("POST", path, **terms)
    assert status == 200, answer
    return str(answer.get("orderId") or answer["algoId"])


async def shown(client: Client, path: str, **named: Any) -> Any:
    status, answer = await client.ask("GET", path, **named)
    assert status == 200, answer
    return answer


@pytest.mark.parametrize(("product", "path"), [("spot", SPOT_PATH), ("linear", LINEAR_PATH)])
@pytest.mark.parametrize("is_by_own_id", [False, True])
async def test_a_cancel_works_and_the_order_keeps_its_name(
    product: str, path: str, is_by_own_id: bool
) -> None:
    async with a_client() as client:
        number = await placed(client, path, **LIMIT)
        order = OrderName(product, SYMBOL, None if is_by_own_id else number, "own-1")
        assert await canceled(client, order) == Judgement(ReplyClass.ACKED)
        row = await shown(client, path, symbol=SYMBOL, orderId=number)
        assert (row["status"], row["clientOrderId"]) == ("CANCELED", "own-1")
        assert await canceled(client, order) == Judgement(ReplyClass.NOT_FOUND, "-2011")


@pytest.mark.parametrize(("product", "path"), [("spot", SPOT_PATH), ("linear", LINEAR_PATH)])
async def test_a_cancel_of_no_order_or_a_filled_one_finds_none(product: str, path: str) -> None:
    async with a_client() as client:
        other = Client.__new__(Client)
        other.address, other.account, other.http = client.address, an_account(1), client.http
        number = await placed(client, path, **LIMIT)
        sell = {"side": "SELL", "newClientOrderId": "theirs"}
        await placed(other, path, **(LIMIT | sell))
        row = await shown(client, path, symbol=SYMBOL, orderId=number)
        assert row["status"] == "FILLED"
        not_found = Judgement(ReplyClass.NOT_FOUND, "-2011")
        for name in ((number, None), (number, "own-1"), (None, "own-1"), ("99", None), (None, "n")):
            assert await canceled(client, OrderName(product, SYMBOL, *name)) == not_found
        refused = await canceled(client, OrderName(product, "NOSUCH", number))
        assert refused == Judgement(ReplyClass.REFUSED, "-1121")


@pytest.mark.parametrize("is_by_own_id", [False, True])
async def test_a_conditional_order_is_canceled_where_it_is_kept(is_by_own_id: bool) -> None:
    async with a_client() as client:
        number = await placed(client, ALGO_PATH, **STOP)
        venue_id, own_id = (None, "stop-1") if is_by_own_id else (number, None)
        plain = OrderName("linear", SYMBOL, venue_id, own_id)
        assert (await canceled(client, plain)).reply is ReplyClass.NOT_FOUND
        order = replace(plain, is_conditional=True)
        assert await canceled(client, order) == Judgement(ReplyClass.ACKED, "200")
        row = await shown(client, ALGO_PATH, algoId=number)
        assert row["algoStatus"] == "CANCELED"


@pytest.mark.parametrize(("product", "path"), [("spot", SPOT_PATH), ("linear", LINEAR_PATH)])
async def test_a_cancel_that_is_late_by_its_window_is_not_carried_out(
    product: str, path: str
) -> None:
    async with a_client() as client:
        number = await placed(client, path, **LIMIT)
        order = OrderName(product, SYMBOL, number, "own-1")
        judged = await canceled(client, order, late_ns=6 * 10**9)
        assert judged == Judgement(ReplyClass.NOT_EXECUTED, "-1021")
        row = await shown(client, path, symbol=SYMBOL, orderId=number)
        assert row["status"] == "NEW"


@pytest.mark.parametrize(("product", "path"), [("spot", SPOT_PATH), ("linear", LINEAR_PATH)])
@pytest.mark.parametrize(
    ("fault", "reply", "status"),
    [
        ("http_5xx_with_effect", ReplyClass.UNKNOWN, "CANCELED"),
        ("http_5xx_without_effect", ReplyClass.UNKNOWN, "NEW"),
        ("http_429", ReplyClass.NOT_EXECUTED, "NEW"),
        ("http_clock_skew", ReplyClass.NOT_EXECUTED, "NEW"),
    ],
)
async def test_an_answer_says_no_more_of_a_cancel_than_the_books_bear_out(
    product: str, path: str, fault: str, reply: ReplyClass, status: str
) -> None:
    async with a_client() as client:
        number = await placed(client, path, **LIMIT)
        await client.control("/control/faults", schedule={fault: {"count": 1, "frames": 1}})
        order = OrderName(product, SYMBOL, number, "own-1")
        assert (await canceled(client, order)).reply is reply
        row = await shown(client, path, symbol=SYMBOL, orderId=number)
        assert row["status"] == status


async def test_a_key_that_the_venue_does_not_know_cancels_nothing() -> None:
    async with a_client() as client:
        context = context_of(client)
        unknown = Context(Credentials("no-such-key", "secret"), context.endpoints, time.time_ns())
        for product in BINANCE.products:
            request = ORDERS.cancel(OrderName(product, SYMBOL, "1"), unknown)
            page = await perform(client, request.http)
            judged = ORDERS.judge(Verb.CANCEL, product, page.status, page.body)
            assert judged == Judgement(ReplyClass.REFUSED, "-2015")
