"""The adapter against the simulated venue, which other hands wrote from the same manual."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, cast

import aiohttp
import yarl

from orderloom.event import Event, Execution, OrderReport
from orderloom.identity import execution_key
from orderloom.question import About, Question
from orderloom.words import Source, Status
from simulator.config import sample_accounts
from simulator.instrument import Product
from tests.simulator.binance.client import Client, a_client
from venues.binance import BINANCE
from venues.document import parse
from venues.request import Context, Credentials, Endpoints, HttpRequest
from venues.venue import Heard, Inbound, Page, Stream, Turn

MESSAGES = 800


def context_of(client: Client) -> Context:
    account = client.account
    return Context(
        Credentials(account.api_key, account.secret),
        Endpoints(
            rest=dict.fromkeys(BINANCE.products, f"http://{client.address}"),
            stream=dict.fromkeys(BINANCE.products, f"ws://{client.address}"),
        ),
        time.time_ns(),
    )


async def perform(client: Client, request: HttpRequest, number: int = 1) -> Page:
    async with client.http.request(
        request.method, yarl.URL(request.url, encoded=True), headers=dict(request.headers)
    ) as answer:
        return Page(number, request, answer.status, await answer.read())


async def ask(client: Client, about: About, product: str, **fields: Any) -> list[Event]:
    """Everything that the answer to a question says, page by page; each must be complete."""
    question = Question(id="q", account="binance:one", about=about, product=product, **fields)
    said: list[Event] = []
    request: HttpRequest | None = BINANCE.ask(question, context_of(client))
    number = 0
    while request is not None:
        number += 1
        page = await perform(client, request, number)
        assert BINANCE.is_complete_answer(page), (request.url, page.status, page.body[:300])
        inbound = Inbound(parse(page.body), Source.QUERY, product)
        translation = BINANCE.translate(inbound)
        assert translation.unknown == ()
        said.extend(translation.events)
        request = BINANCE.next_page(question, page, context_of(client))
    return said


@asynccontextmanager
async def live(client: Client, stream: Stream) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection as the description has it: prepared, addressed, greeted."""
    context = context_of(client)
    heard: Heard = ()
    if stream.prepare is not None:
        heard = ((await perform(client, stream.prepare.request(context))).body,)
    async with client.http.ws_connect(
        yarl.URL(stream.address(context, heard), encoded=True)
    ) as websocket:
        for stage in stream.stages:
            for frame in stage.say(context, heard):
                await websocket.send_str(frame.decode())
            answer = await websocket.receive_str(timeout=5)
            assert stage.judge(answer.encode()).turn is Turn.ADVANCE, answer
        yield websocket


def keys(events: list[Event]) -> set[str]:
    return {
        execution_key(e.product, e.symbol, str(e.exec_id), str(e.venue_order_id))
        for e in events
        if isinstance(e, Execution)
    }


async def trade(client: Client) -> None:
    await client.control("/control/traffic", rate=3_000, running=True)
    while (await client.control("/truth/summary"))["messages"] < MESSAGES:
        pass
    await client.control("/control/quiesce", open_orders="leave")


async def heard_on(websocket: aiohttp.ClientWebSocketResponse, wanted: set[str]) -> list[Event]:
    """What a stream says until it has told of all wanted executions."""
    events: list[Event] = []
    while not wanted <= keys(events):
        body = (await websocket.receive_str(timeout=5)).encode()
        translation = BINANCE.translate(Inbound(parse(body), Source.STREAM))
        assert translation.unknown == (), body
        events.extend(translation.events)
    return events


def books_of(truth: dict[str, Any], client: Client, product: str) -> set[str]:
    return {
        execution_key(product, fill["symbol"], str(fill["exec_id"]), str(fill["venue_order_id"]))
        for fill in truth["accounts"][client.account.name]["fills"]
        if fill["product"] == product
    }


def symbols_of(client: Client, product: str) -> tuple[str, ...]:
    return client.account.symbols[cast(Product, product)]


async def test_streams_and_questions_report_every_execution_in_the_books() -> None:
    async with a_client(*sample_accounts(1)) as client:
        spot, linear = BINANCE.streams(BINANCE.products)
        async with live(client, spot) as first, live(client, linear) as second:
            await trade(client)
            truth = await client.control("/truth")
            for product, websocket in (("spot", first), ("linear", second)):
                books = books_of(truth, client, product)
                assert len(books) > 20
                assert keys(await heard_on(websocket, books)) == books
                symbols = symbols_of(client, product)
                since_ns = time.time_ns() - 3_600 * 10**9
                asked = [
                    event
                    for symbol in symbols
                    for event in await ask(
                        client, About.TRADES, product, symbol=symbol, since_ns=since_ns
                    )
                ]
                assert keys(asked) == books


async def test_every_question_is_signed_answered_and_understood() -> None:
    async with a_client(*sample_accounts(1)) as client:
        await trade(client)
        for product in BINANCE.products:
            symbol = symbols_of(client, product)[0]
            times = await perform(
                client,
                BINANCE.ask(
                    Question(
                        id="q", account="binance:one", about=About.SERVER_TIME, product=product
                    ),
                    context_of(client),
                ),
            )
            assert abs(BINANCE.server_time(times.body) - time.time_ns()) < 60 * 10**9
            assert len(await ask(client, About.INSTRUMENTS, product)) > 100
            assert await ask(client, About.BALANCES, product)
            history = await ask(client, About.ORDER_HISTORY, product, symbol=symbol)
            assert history
            open_now = {
                event.venue_order_id
                for event in await ask(client, About.OPEN_ORDERS, product)
                if isinstance(event, OrderReport)
            }
            assert open_now
            order = next(e for e in history if isinstance(e, OrderReport))
            (found,) = await ask(
                client, About.ORDER, product, symbol=symbol, venue_order_id=order.venue_order_id
            )
            assert found == order
        assert await ask(client, About.POSITIONS, "linear")


async def test_an_order_that_never_was_is_no_complete_answer_but_a_readable_one() -> None:
    async with a_client(*sample_accounts(1)) as client:
        question = Question(
            id="q", account="binance:one", about=About.ORDER, product="linear",
            symbol=client.account.symbols["linear"][0], venue_order_id="1",
        )  # fmt: skip
        page = await perform(client, BINANCE.ask(question, context_of(client)))
        assert page.status == 400
        assert not BINANCE.is_complete_answer(page)
        (reply,) = BINANCE.translate(Inbound(parse(page.body), Source.QUERY, "linear")).events
        assert "NOT_FOUND" in repr(reply)


async def test_a_conditional_order_is_asked_for_where_it_is_kept_before_and_after_its_trigger() -> (
    None
):
    async with a_client() as client:
        symbol = client.account.symbols["linear"][0]
        price, no_mode = "100", {"selfTradePreventionMode": "NONE"}
        stop = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": price}
        terms = {"symbol": symbol, "side": "SELL", "quantity": "4", "clientAlgoId": "stop-1"}
        _, placed = await client.ask("POST", "/fapi/v1/algoOrder", **stop, **terms, **no_mode)
        algo_id = str(placed["algoId"])

        async def order(about: About = About.ORDER, **named: Any) -> OrderReport:
            (report,) = await ask(client, about, "linear", symbol=symbol, **named)
            assert isinstance(report, OrderReport)
            return report

        names: dict[str, Any] = {"is_conditional": True, "venue_order_id": algo_id}
        waiting = await order(**names)
        assert (waiting.status, waiting.trigger_price) == (Status.WAITING_TRIGGER, Decimal(100))
        assert (waiting.venue_order_id, waiting.client_order_id) == (algo_id, "stop-1")
        assert await order(is_conditional=True, client_order_id="stop-1") == waiting
        for about in (About.OPEN_ORDERS, About.ORDER_HISTORY):
            assert await order(about) == waiting
        limit = {"symbol": symbol, "type": "LIMIT", "timeInForce": "GTC", **no_mode}
        for side, bid, quantity in (("BUY", "99", "4"), ("SELL", price, "1"), ("BUY", price, "1")):
            wish = {"side": side, "price": bid, "quantity": quantity}
            await client.ask("POST", "/fapi/v1/order", **limit, **wish)
        became = await order(**names)
        assert (became.is_ended, became.filled_quantity) == (True, Decimal(4))
        assert became.alias_ids == (algo_id,)
        itself = await order(venue_order_id=became.venue_order_id)
        assert (itself.client_order_id, itself.status) == ("stop-1", Status.FILLED)
