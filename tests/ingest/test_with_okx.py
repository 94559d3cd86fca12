"""OKX's wire through the edge and the state, to the last fill: no broker, but a log that is a list.

Two connections carry three products, and liquidations have an identity in REST alone: so what the
venue's own books hold is reached only if streams, questions and the fold agree on what OKX says.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from ingest.connection import Patience
from ingest.gate import Gate
from ingest.http import HttpClient
from ingest.limits import Limits
from ingest.outbox import Outbox
from ingest.partition import OwnedPartition
from ingest.questions import Log, ask
from ingest.requester import Requester
from ingest.requesters import Clock
from ingest.runner import StreamRunner
from ingest.stream import Manner, Pauses, StreamKeeper
from ingest.venue_clock import VenueClock
from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.question import Question
from orderloom.raw import ConnectionChange, Frame, encode
from processors.account.pace import Pace
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from runtime.clock import boottime_ns, wall_ns
from simulator.config import FaultConfig, SimulatorConfig, sample_accounts
from simulator.server import Server, start
from tests.ingest.listed_log import ListedLog
from tests.processors.partition_lab import Run
from venues.okx import OKX
from venues.request import Credentials, Endpoints

SECOND_NS = 10**9
SECONDS_MAX = 60
MESSAGES = 800
PACE = Pace(
    period_ns=3 * SECOND_NS, timeout_ns=5 * SECOND_NS, retry_ns=SECOND_NS // 2,
    lookback_ns=3600 * SECOND_NS,
)  # fmt: skip
FAULTS = (
    "drop", "duplicate", "reorder", "disconnect", "planned_disconnect", "liquidation", "adl",
    "late_fill", "http_partial_page", "http_429",
)  # fmt: skip
WRONG = (
    "fills_lost", "fills_invented", "fills_wrong", "fills_doubled", "wrong_states",
    "wrong_positions", "dead_letters",
)  # fmt: skip


class Line:
    """One account from the venue's sockets to the state; `pump` lets a moment pass."""

    def __init__(
        self, server: Server, log: ListedLog, outbox: Outbox, requester: Requester
    ) -> None:
        self.server = server
        self.http = aiohttp.ClientSession()
        self.log = log
        self.run = Run(PartitionFold(OKX, 0, PACE))
        self.owned = OwnedPartition(0, 1, outbox)
        self._outbox = outbox
        self._requester = requester
        self._folded = self._sent = 0
        self._alive_ns = 0
        self._asking: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Own the partition, register the account, and keep its streams."""
        self.owned.announce(self._requester.now())
        account = AccountConfig(id=self._requester.account, products=OKX.products, key="env:KEY")
        control = {"type": "account", "config": account.model_dump(mode="json")}
        self._fold(topology.CONTROL, account.id, orjson.dumps(control))
        names = (f"w1-{number}" for number in range(1, 1000))
        manner = Manner(Patience(), Pauses(trouble_ns=SECOND_NS // 50), random.Random(1))
        for stream in OKX.streams(OKX.products):
            keeper = StreamKeeper(
                stream, names.__next__, lambda now: self._requester.context("spot", now), manner
            )
            address = self.owned.address(account.id)
            self.owned.runners.append(StreamRunner(keeper, self._requester, self._outbox, address))

    async def pump(self) -> None:
        """Tick the streams, fold what came, and ask what the account wants to know."""
        self.owned.tick()
        now_ns = time.time_ns()
        if now_ns - self._alive_ns > SECOND_NS:
            self._alive_ns = now_ns
            self.owned.say_alive(self._requester.now())
        for record in self.log.records[self._folded :]:
            self._fold(topology.RAW, record.account, encode(record))
            self._folded += 1
        self.run.step(None, now_ns)
        for output in self.run.outputs[self._sent :]:
            self._sent += 1
            if output.topic is topology.DISPATCHES:
                self._ask(orjson.loads(output.value or b"")["question"])
        await asyncio.sleep(0.01)

    def _fold(self, topic: topology.Topic, key: str, value: bytes) -> None:
        record = InputRecord(topic, 0, self._folded, time.time_ns(), key.encode(), value)
        self.run.step(record, time.time_ns())

    def _ask(self, fields: dict[str, Any]) -> None:
        address = self.owned.address(self._requester.account)
        log = Log(
            lambda item: self._outbox.put(address, item),
            lambda: self._outbox.room(address.account, 0),
        )
        task = asyncio.create_task(ask(Question.model_validate(fields), self._requester, log))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def until_true(self, what: str) -> dict[str, Any]:
        """Pump until the state holds what the venue's books hold; the verdict about them."""
        verdict: dict[str, Any] = {}
        end_s = time.monotonic() + SECONDS_MAX
        while self.blind or not verdict or any(verdict[name] for name in WRONG):
            assert time.monotonic() < end_s, (what, self.blind, verdict)
            await self.pump()
            if not self.blind:
                verdict = self.run.verdict(await self.truth())
        return verdict

    async def truth(self) -> Any:
        """The venue's own books."""
        async with self.http.get(f"http://{self.server.address}/truth") as answer:
            return await answer.json()

    async def control(self, path: str, **body: object) -> None:
        """Tell the box what to do."""
        await self.http.post(f"http://{self.server.address}/control/{path}", json=body)

    @property
    def blind(self) -> list[Any]:
        return self.run.partition.accounts[self._requester.account].streams.blind

    async def stop(self) -> None:
        for task in tuple(self._asking):
            task.cancel()
        await self.owned.stop("the test ends")
        await self.http.close()


@asynccontextmanager
async def a_line(**settings: Any) -> AsyncIterator[Line]:
    accounts = sample_accounts(1, venue="okx")
    server = await start(SimulatorConfig(venue="okx", accounts=accounts, seed=1, **settings))
    one, log, http = accounts[0], ListedLog(), HttpClient(wall_ns)
    outbox = Outbox(log, "raw.okx", "w1")  # type: ignore[arg-type] # a log that is a list
    requester = Requester(
        account=one.name,
        venue=OKX,
        credentials=Credentials(one.api_key, one.secret, one.passphrase),
        endpoints=Endpoints(
            dict.fromkeys(OKX.products, f"http://{server.address}"),
            dict.fromkeys(OKX.products, f"ws://{server.address}"),
        ),
        clocks={product: VenueClock() for product in OKX.products},
        ip_group="default",
        gate=Gate(Limits(OKX.buckets, boottime_ns()), boottime_ns),
        http=http,
        now=Clock(),
    )
    line = Line(server, log, outbox, requester)
    try:
        line.begin()
        yield line
        assert not outbox.failed.done()
    finally:
        await line.stop()
        outbox.close()
        await http.close()
        await server.close()


async def traded(line: Line, rate: float) -> dict[str, Any]:
    """Trade for a while; the verdict once the state holds what the venue's books hold."""
    await line.until_true("before any trade")
    await line.control("traffic", rate=rate, running=True)
    while line.server.box.feed.messages < MESSAGES:
        await line.pump()
    await line.control("quiesce", open_orders="leave")
    return await line.until_true("after trading")


async def test_all_that_the_venues_books_hold_is_published() -> None:
    async with a_line() as line:
        verdict = await traded(line, 1_000)
        assert verdict["from_stream"] > 50
        frames = [item for item in line.log.items if isinstance(item, Frame)]
        assert {frame.product for frame in frames} == {OKX.products[0]}


@pytest.mark.chaos
async def test_what_faults_take_away_is_healed() -> None:
    faults = FaultConfig(probability=dict.fromkeys(FAULTS, 0.02))
    async with a_line(faults=faults) as line:
        verdict = await traded(line, 400)
        assert verdict["healed"] > 0


async def test_a_lost_connection_blinds_every_product_until_all_were_looked_up() -> None:
    async with a_line() as line:
        await line.until_true("before any trade")
        await line.server.box.sockets.end_all(planned=False)
        async with asyncio.timeout(SECONDS_MAX):
            while not line.blind:
                await line.pump()
        assert {interval.product for interval in line.blind} == set(OKX.products)
        await line.until_true("after the loss")
        changes = [item for item in line.log.items if isinstance(item, ConnectionChange)]
        assert [item.change for item in changes].count("LIVE") == 4
