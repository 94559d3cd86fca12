"""Requests of OKX's order entry, by the manual and against the simulated venue."""

import base64
import hashlib
import hmac
import time
from dataclasses import replace
from typing import Any

import pytest
import yarl

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from tests.simulator.okx.okx_box import INVERSE, LINEAR, SPOT, an_account
from tests.simulator.okx.okx_client import Client, a_client
from venues.okx import OKX
from venues.okx.order_entry import ORDERS
from venues.order_entry import Judgement, OrderName, SignedRequest
from venues.rates import Cost
from venues.request import Context, Credentials, Endpoints

NOW_NS = 1_793_000_000_715_999_999
STAMP = "2026-10-26T07:33:20.715Z"
CREDENTIALS = Credentials("AKEY", "very secret", "PASS")
CONTEXT = Context(CREDENTIALS, OKX.environments["production"], NOW_NS)
SYMBOLS = {"spot": SPOT, "linear": LINEAR, "inverse": INVERSE}
CANCEL_PATH, ALGOS_PATH = "/api/v5/trade/cancel-order", "/api/v5/trade/cancel-algos"
STOP = {
    "instId": LINEAR, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "10",
    "slTriggerPx": "148", "slOrdPx": "-1", "algoClOrdId": "stopA1",
}  # fmt: skip
NOT_FOUND = Judgement(ReplyClass.NOT_FOUND, "51400")


@pytest.mark.parametrize(
    ("order", "path", "body", "bucket"),
    [
        (
            OrderName("spot", "BTC-USDT", "2710000000000000001", "desk1"),
            CANCEL_PATH,
            '{"instId":"BTC-USDT","ordId":"2710000000000000001"}',
            "cancel-order",
        ),
        (
            OrderName("linear", "BTC-USDT-SWAP", None, "desk1"),
            CANCEL_PATH,
            '{"instId":"BTC-USDT-SWAP","clOrdId":"desk1"}',
            "cancel-order",
        ),
        (
            OrderName("inverse", "BTC-USD-SWAP", "5", None),
            CANCEL_PATH,
            '{"instId":"BTC-USD-SWAP","ordId":"5"}',
            "cancel-order",
        ),
        (
            OrderName("linear", "BTC-USDT-SWAP", "5", "stop1", is_conditional=True),
            ALGOS_PATH,
            '[{"instId":"BTC-USDT-SWAP","algoId":"5"}]',
            "cancel-algos",
        ),
        (
            OrderName("spot", "BTC-USDT", None, "stop1", is_conditional=True),
            ALGOS_PATH,
            '[{"instId":"BTC-USDT","algoClOrdId":"stop1"}]',
            "cancel-algos",
        ),
    ],
)
def test_a_cancel_is_the_manuals_signed_and_without_a_deadline(
    order: OrderName, path: str, body: str, bucket: str
) -> None:
    request = ORDERS.cancel(order, CONTEXT)
    assert request.http.url == f"https://openapi.okx.com{path}"
    assert (request.http.method, request.http.body) == ("POST", body.encode())
    text = f"{STAMP}POST{path}{body}".encode()
    digest = hmac.new(b"very secret", text, hashlib.sha256).digest()
    assert request.http.headers == {
        "OK-ACCESS-KEY": "AKEY",
        "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
        "OK-ACCESS-TIMESTAMP": STAMP,
        "OK-ACCESS-PASSPHRASE": "PASS",
        "Content-Type": "application/json",
    }
    assert request.http.costs == (Cost(bucket, 1, order.symbol),)
    assert request.canonical == f"POST {path} {body}"
    assert request.expires_ns is None


# ---- the simulated venue


def context_of(client: Client, **changes: str) -> Context:
    account = client.account.model_copy(update=changes)
    return Context(
        Credentials(account.api_key, account.secret, account.passphrase),
        Endpoints(
            rest=dict.fromkeys(OKX.products, f"http://{client.address}"),
            stream=dict.fromkeys(OKX.products, f"ws://{client.address}"),
        ),
        time.time_ns(),
    )


async def answered(client: Client, verb: Verb, product: str, request: SignedRequest) -> Judgement:
    """What the venue's answer to a request means."""
    sent, url = request.http, yarl.URL(request.http.url, encoded=True)
    async with client.http.request(
        sent.method, url, headers=dict(sent.headers), data=sent.body
    ) as answer:
        return ORDERS.judge(verb, product, answer.status, await answer.read())


async def canceled(client: Client, order: OrderName, context: Context | None = None) -> Judgement:
    request = ORDERS.cancel(order, context or context_of(client))
    return await answered(client, Verb.CANCEL, order.product, request)


async def placed(client: Client, product: str, side: str = "buy", **terms: str) -> str:
    """The venue's id of a new order."""
    price = "91000" if product == "inverse" else "140"
    wish = {
        "instId": SYMBOLS[product], "side": side, "ordType": "limit", "sz": "2", "px": price,
        "tdMode": "cash" if product == "spot" else "cross", "stpMode": "cancel_maker",
    }  # fmt: skip
    _, answer = await client.post("trade/order", wish | terms)
    assert answer["code"] == "0", answer
    return str(answer["data"][0]["ordId"])


async def state_of(client: Client, product: str, number: str) -> str:
    (row,) = await client.rows("trade/order", instId=SYMBOLS[product], ordId=number)
    return str(row["state"])


@pytest.mark.parametrize("product", SYMBOLS)
@pytest.mark.parametrize("is_by_own_id", [False, True])
async def test_a_cancel_works_once(product: str, is_by_own_id: bool) -> None:
    async with a_client() as client:
        number = await placed(client, product, clOrdId="own1")
        order = OrderName(product, SYMBOLS[product], None if is_by_own_id else number, "own1")
        assert await canceled(client, order) == Judgement(ReplyClass.ACKED, "0")
        assert await state_of(client, product, number) == "canceled"
        assert await canceled(client, order) == NOT_FOUND


@pytest.mark.parametrize("product", SYMBOLS)
async def test_a_cancel_of_no_order_or_a_filled_one_finds_none(product: str) -> None:
    async with a_client() as client:
        other = Client(client.server, an_account(1), client.http)
        number = await placed(client, product, clOrdId="own1")
        await placed(other, product, "sell")
        assert await state_of(client, product, number) == "filled"
        symbol = SYMBOLS[product]
        for name in ((number, None), (number, "own1"), (None, "own1"), ("99", None), (None, "n")):
            assert await canceled(client, OrderName(product, symbol, *name)) == NOT_FOUND
        judged = await canceled(client, OrderName(product, "NO-SUCH", number))
        assert judged == Judgement(ReplyClass.REFUSED, "51001")


@pytest.mark.parametrize("is_by_own_id", [False, True])
async def test_a_conditional_order_is_canceled_where_it_is_kept(is_by_own_id: bool) -> None:
    async with a_client() as client:
        _, answer = await client.post("trade/order-algo", STOP)
        number = answer["data"][0]["algoId"]
        venue_id, own_id = (None, "stopA1") if is_by_own_id else (number, None)
        plain = OrderName("linear", LINEAR, venue_id, own_id)
        assert await canceled(client, plain) == NOT_FOUND
        order = replace(plain, is_conditional=True)
        assert await canceled(client, order) == Judgement(ReplyClass.ACKED, "0")
        (row,) = await client.rows("trade/order-algo", algoId=number)
        assert row["state"] == "canceled"
        assert (await canceled(client, order)).reply is not ReplyClass.ACKED


@pytest.mark.parametrize("product", SYMBOLS)
@pytest.mark.parametrize(
    ("fault", "reply", "state"),
    [
        ("http_5xx_with_effect", ReplyClass.UNKNOWN, "canceled"),
        ("http_5xx_without_effect", ReplyClass.UNKNOWN, "live"),
        ("http_429", ReplyClass.NOT_EXECUTED, "live"),
        ("http_clock_skew", ReplyClass.NOT_EXECUTED, "live"),
    ],
)
async def test_an_answer_says_no_more_of_a_cancel_than_the_books_bear_out(
    product: str, fault: str, reply: ReplyClass, state: str
) -> None:
    async with a_client() as client:
        number = await placed(client, product)
        await client.control("/control/faults", schedule={fault: {"count": 1, "frames": 1}})
        order = OrderName(product, SYMBOLS[product], number)
        assert (await canceled(client, order)).reply is reply
        assert await state_of(client, product, number) == state


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"api_key": "no-such"}, "50119"), ({"secret": "x"}, "50113"), ({"passphrase": "x"}, "50105")],
)
async def test_a_key_that_the_venue_refuses_cancels_nothing(
    changes: dict[str, Any], code: str
) -> None:
    async with a_client() as client:
        number = await placed(client, "linear")
        order = OrderName("linear", LINEAR, number)
        judged = await canceled(client, order, context_of(client, **changes))
        assert judged == Judgement(ReplyClass.REFUSED, code)
        assert await state_of(client, "linear", number) == "live"
