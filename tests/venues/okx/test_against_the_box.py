"""The adapter against the simulated venue, which other hands wrote from the same manual."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
import yarl

from orderloom.event import Event, Execution, InstrumentReport, OrderReport, Reply
from orderloom.identity import execution_key
from orderloom.question import About, Question
from orderloom.words import Reason, Source
from simulator.config import AccountConfig, SimulatorConfig, sample_accounts
from simulator.server import start
from venues.document import read
from venues.okx import OKX
from venues.request import Context, Credentials, Endpoints, HttpRequest
from venues.venue import Inbound, Page, Stream, Turn

MESSAGES = 600
HOUR_NS = 3_600 * 10**9


@dataclass
class TrialVenue:
    """A simulated OKX, and one of its accounts."""

    address: str
    account: AccountConfig
    http: aiohttp.ClientSession

    @property
    def context(self) -> Context:
        account = self.account
        return Context(
            Credentials(account.api_key, account.secret, account.passphrase),
            Endpoints(
                rest=dict.fromkeys(OKX.products, f"http://{self.address}"),
                stream=dict.fromkeys(OKX.products, f"ws://{self.address}"),
            ),
            time.time_ns(),
        )

    async def perform(self, request: HttpRequest, number: int = 1) -> Page:
        async with self.http.request(
            request.method, yarl.URL(request.url, encoded=True), headers=dict(request.headers)
        ) as answer:
            return Page(number, request, answer.status, await answer.read())

    async def control(self, path: str, **body: object) -> Any:
        url = f"http://{self.address}{path}"
        request = self.http.post(url, json=body) if body else self.http.get(url)
        async with request as answer:
            return await answer.json()

    async def trade(self) -> None:
        """Trade for a while, then no more."""
        await self.control("/control/traffic", rate=3_000, running=True)
        while (await self.control("/truth/summary"))["messages"] < MESSAGES:
            pass
        await self.control("/control/quiesce", open_orders="leave")


@asynccontextmanager
async def a_box() -> AsyncIterator[TrialVenue]:
    accounts = sample_accounts(1, venue="okx")
    server = await start(SimulatorConfig(venue="okx", accounts=accounts))
    async with aiohttp.ClientSession() as http:
        try:
            yield TrialVenue(server.address, accounts[0], http)
        finally:
            await server.close()


def said_by(body: bytes, source: Source, product: str | None = None) -> tuple[Event, ...]:
    translation = OKX.translate(Inbound(read(body, OKX.bare_words), source, product))
    assert translation.unknown == (), body
    return translation.events


async def ask(box: TrialVenue, about: About, product: str, **fields: Any) -> list[Event]:
    """Everything that the answer to a question says, page by page; each must be complete."""
    question = Question(id="q", account="okx:one", about=about, product=product, **fields)
    said: list[Event] = []
    request: HttpRequest | None = OKX.ask(question, box.context)
    number = 0
    while request is not None:
        number += 1
        page = await box.perform(request, number)
        assert OKX.is_complete_answer(page), (request.url, page.status, page.body[:300])
        said.extend(said_by(page.body, Source.QUERY, product))
        request = OKX.next_page(question, page, box.context)
    return said


@asynccontextmanager
async def live(box: TrialVenue, stream: Stream) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection as the description has it: addressed, then greeted stage by stage."""
    url = yarl.URL(stream.address(box.context, ()), encoded=True)
    async with box.http.ws_connect(url) as websocket:
        for stage in stream.stages:
            for frame in stage.say(box.context, ()):
                await websocket.send_str(frame.decode())
            turn = Turn.DATA
            while turn is not Turn.ADVANCE:
                answer = await websocket.receive_str(timeout=5)
                turn = stage.judge(answer.encode()).turn
                assert turn in (Turn.DATA, Turn.ADVANCE), answer
        yield websocket


def keys(events: list[Event]) -> set[str]:
    return {
        execution_key(e.product, e.symbol, str(e.exec_id), str(e.venue_order_id))
        for e in events
        if isinstance(e, Execution)
    }


def books_of(truth: dict[str, Any], box: TrialVenue) -> set[str]:
    return {
        execution_key(
            fill["product"], fill["symbol"], str(fill["exec_id"]), str(fill["venue_order_id"])
        )
        for fill in truth["accounts"][box.account.name]["fills"]
    }


def is_named_by_the_stream(key: str) -> bool:
    """A liquidation's execution has an id in REST alone."""
    return not key.rsplit("/", 2)[1].startswith("-")


async def heard_on(websocket: aiohttp.ClientWebSocketResponse, wanted: set[str]) -> list[Event]:
    """What a stream says until it has told of all wanted executions."""
    events: list[Event] = []
    while not wanted <= keys(events):
        body = (await websocket.receive_str(timeout=5)).encode()
        events.extend(said_by(body, Source.STREAM))
    return events


async def test_streams_and_questions_report_every_execution_in_the_books() -> None:
    async with a_box() as box:
        private, business = OKX.streams(OKX.products)
        async with live(box, private) as websocket, live(box, business):
            await box.trade()
            books = books_of(await box.control("/truth"), box)
            named = {key for key in books if is_named_by_the_stream(key)}
            assert {key.partition("/")[0] for key in named} == set(OKX.products)
            heard = await heard_on(websocket, named)
            assert keys(heard) == named
            since_ns = time.time_ns() - HOUR_NS
            asked: list[Event] = []
            for product in OKX.products:
                asked += await ask(box, About.TRADES, product, since_ns=since_ns)
            assert keys(asked) == books
            agree(heard, asked)


def agree(heard: list[Event], asked: list[Event]) -> None:
    """What both sources say of one execution is the same."""
    told = {
        (e.product, e.symbol, e.exec_id, e.venue_order_id): e
        for e in asked
        if isinstance(e, Execution)
    }
    for mine in (e for e in heard if isinstance(e, Execution)):
        theirs = told[mine.product, mine.symbol, mine.exec_id, mine.venue_order_id]
        for name in Execution.__slots__:
            ours, other = getattr(mine, name), getattr(theirs, name)
            assert ours is None or other is None or ours == other, (name, mine, theirs)


@pytest.mark.parametrize("product", OKX.products)
async def test_every_question_is_signed_answered_and_understood(product: str) -> None:
    async with a_box() as box:
        await box.trade()
        asked = Question(id="q", account="okx:one", about=About.SERVER_TIME, product=product)
        times = await box.perform(OKX.ask(asked, box.context))
        assert abs(OKX.server_time(times.body) - time.time_ns()) < 60 * 10**9
        sizes = [e for e in await ask(box, About.INSTRUMENTS, product) if e.product == product]
        assert sizes
        assert all(isinstance(e, InstrumentReport) and e.contract_size for e in sizes)
        assert await ask(box, About.BALANCES, product)
        if OKX.profiles[product].has_positions:
            assert await ask(box, About.POSITIONS, product)
        orders = await ask(box, About.ORDER_HISTORY, product)
        orders += await ask(box, About.OPEN_ORDERS, product)
        order = next(
            e for e in orders
            if isinstance(e, OrderReport) and e.product == product and e.filled_quantity
        )  # fmt: skip
        named = {"symbol": order.symbol, "venue_order_id": order.venue_order_id}
        assert await ask(box, About.ORDER, product, **named) == [order]
        trades = await ask(box, About.TRADES, product, **named)
        by_id = {e.exec_id: e.last_quantity for e in trades if isinstance(e, Execution)}
        assert sum(quantity or 0 for quantity in by_id.values()) == order.filled_quantity


async def test_conditional_orders_are_reported_and_answered_where_the_venue_keeps_them() -> None:
    async with a_box() as box:
        _, business = OKX.streams(OKX.products)
        async with live(box, business) as websocket:
            await box.trade()
            rows = (await box.control("/truth"))["accounts"][box.account.name]["orders"]
            ended = {
                row["venue_order_id"]: row["status"] for row in rows if row.get("child_ids") == []
            }
            triggered = {row["venue_order_id"] for row in rows if row.get("child_ids")}
            told: dict[str | None, OrderReport] = {}
            while any(one not in told or told[one].status != ended[one] for one in ended):
                body = (await websocket.receive_str(timeout=5)).encode()
                for event in said_by(body, Source.STREAM):
                    assert isinstance(event, OrderReport)
                    told[event.venue_order_id] = event
            assert ended
            assert triggered
            asked = [*sorted(ended)[:8], *sorted(triggered)[:8]]  # 20 may be asked in two seconds
            for row in (row for row in rows if row["venue_order_id"] in asked):
                named = {"symbol": row["symbol"], "venue_order_id": row["venue_order_id"]}
                said = await ask(box, About.ORDER, row["product"], is_conditional=True, **named)
                if row["venue_order_id"] in ended:
                    assert said == [replace(told[row["venue_order_id"]], change_id=None)]
                else:
                    ids = {e.venue_order_id for e in said if isinstance(e, OrderReport)}
                    assert ids == set(row["child_ids"])
            listed = [
                e
                for about in (About.OPEN_ORDERS, About.ORDER_HISTORY)
                for e in await ask(box, about, "linear", since_ns=time.time_ns() - HOUR_NS)
                if isinstance(e, OrderReport)
            ]
            assert ended.keys() <= {e.venue_order_id for e in listed}
            contracts = {row["venue_order_id"] for row in rows if row["product"] != "spot"}
            aliases = {alias for e in listed for alias in e.alias_ids}
            assert triggered & contracts <= aliases  # a question about contracts asks for no coins


async def test_an_order_that_never_was_is_no_complete_answer_but_a_readable_one() -> None:
    async with a_box() as box:
        symbol = box.account.symbols["linear"][0]
        asked = Question(
            id="q", account="okx:one", about=About.ORDER, product="linear", symbol=symbol,
            venue_order_id="1",
        )  # fmt: skip
        page = await box.perform(OKX.ask(asked, box.context))
        assert page.status == 200
        assert not OKX.is_complete_answer(page)
        (reply,) = said_by(page.body, Source.QUERY, "linear")
        assert isinstance(reply, Reply)
        assert reply.reason is Reason.NOT_FOUND


async def test_a_ping_is_answered_by_a_word_that_is_no_dead_letter() -> None:
    async with a_box() as box:
        for stream in OKX.streams(OKX.products):
            async with live(box, stream) as websocket:
                assert stream.heartbeat.ping is not None
                await websocket.send_str(stream.heartbeat.ping(box.context).decode())
                body = b""
                while body not in OKX.bare_words:
                    body = (await websocket.receive_str(timeout=5)).encode()
                assert stream.judge(body).turn is Turn.DATA
                assert said_by(body, Source.STREAM) == ()


async def test_a_wrong_passphrase_is_refused_with_the_venues_words() -> None:
    async with a_box() as box:
        box.account = box.account.model_copy(update={"passphrase": "wrong"})
        private, _ = OKX.streams(OKX.products)
        url = yarl.URL(private.address(box.context, ()), encoded=True)
        async with box.http.ws_connect(url) as websocket:
            (frame,) = private.stages[0].say(box.context, ())
            await websocket.send_str(frame.decode())
            verdict = private.stages[0].judge((await websocket.receive_str(timeout=5)).encode())
        assert verdict.turn is Turn.REFUSED
        assert "600" in verdict.reason
