"""Many accounts behind one address, after an outage: all are in sync again, and by when.

The venue of the simulator with its own limits, the edge and the state of a partition in one
process; times are a thirtieth of the real ones. While ingest is away the accounts go on asking, as
they would for hours, and all of it is read at once when it is back.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from ingest import requesters
from ingest.edge import Edge
from ingest.group_events import Gained, Received
from ingest.outbox import Outbox
from ingest.registry import Entry
from ingest.requesters import Clock, Requesters, connection_names
from ingest.stream import Pauses
from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.dispatch import read_dispatch
from orderloom.raw import Answer, encode
from processors.account.pace import Pace
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from runtime.settings import Settings
from simulator.binance.settings import BinanceSettings
from simulator.config import SimulatorConfig, sample_accounts
from simulator.server import Server, start
from tests.ingest.edge_on_loopback import no_claims
from tests.ingest.listed_log import ListedLog
from tests.processors.partition_lab import Run
from venues.binance import BINANCE, limits
from venues.request import Credentials, HttpRequest
from venues.venue import Page, Profiles

SECOND_NS = 10**9
ACCOUNTS = 8
SCALE = 30
WINDOW_SECONDS = 60 / SCALE
WEIGHT = {"spot": 1000, "linear": 800}
"""Of a window; the venue's own is 6000 and 2400 for about as many accounts as can be caught up."""
PACE = Pace(
    period_ns=30 * SECOND_NS // SCALE, timeout_ns=30 * SECOND_NS // SCALE,
    retry_ns=2 * SECOND_NS // SCALE, lookback_ns=3600 * SECOND_NS,
)  # fmt: skip
AWAY_SECONDS = 4.0
CYCLES = 2
"""A cycle that began before the stream was back proves nothing about the time until then."""
MARGIN = 4.0
"""Over the least time that the limit allows, for what windows and their ends leave unused.

Seen are 1.6 to 3.0, by where in the venue's window the outage ends: a third cycle may be needed.
Who asks again and again for what waits already never comes to an end.
"""
TRIES, WAIT_MARGIN = 2, 6.0
ASKED_MAX = 6
"""Once at first, three times more while ingest was away, and while the line outlasts patience."""
REFUSED_MAX = 3


class Partition:
    """The accounts of one partition, from the venue's sockets to the state."""

    def __init__(
        self, server: Server, its_requesters: Requesters, log: ListedLog, edge: Edge
    ) -> None:
        self.server = server
        self.edge = edge
        self.log = log
        venue = its_requesters.public.venue
        self.run = Run(PartitionFold(replace(venue, profiles=quick_profiles()), 0, PACE))
        self.dispatched: list[bytes] = []
        self._requesters = its_requesters
        self._folded = self._received = self._sent = 0
        self._alive_at = 0.0
        self.is_away = False

    def register(self) -> None:
        for account in self._requesters.accounts.values():
            document = {"type": "account", "config": account.model_dump(mode="json")}
            self._fold(topology.CONTROL, account.id, orjson.dumps(document))

    async def pump(self) -> None:
        """Let a moment pass: sockets, records, timers, dispatches."""
        if not self.is_away:
            self.edge.tick()
            if time.monotonic() - self._alive_at > 0.2:
                self._alive_at = time.monotonic()
                self.edge.say_alive()
        for record in self.log.records[self._folded :]:
            self._fold(topology.RAW, record.account, encode(record))
            self._folded += 1
        self.run.step(None, time.time_ns())
        for output in self.run.outputs[self._sent :]:
            self._sent += 1
            if output.topic is topology.DISPATCHES:
                self.dispatched.append(output.value or b"")
        while not self.is_away and self._received < len(self.dispatched):
            value = self.dispatched[self._received]
            await self.edge.handle(Received(0, self._received, value))
            self._received += 1
        await asyncio.sleep(0.005)

    def _fold(self, topic: topology.Topic, key: str, value: bytes) -> None:
        record = InputRecord(topic, 0, self._folded, time.time_ns(), key.encode(), value)
        self.run.step(record, time.time_ns())

    async def during(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.pump()

    async def until_synced(self, seconds_max: float) -> float:
        """Pump until all accounts are in sync; how long that took."""
        began = time.monotonic()
        while self.unsynced:
            took = time.monotonic() - began
            assert took < seconds_max, (took, self.unsynced, self.times_asked().most_common(3))
            await self.pump()
        return time.monotonic() - began

    def work_seconds(self) -> float:
        """How long the venue's limits make one cycle of all accounts last."""
        venue = self._requesters.public.venue
        weights: dict[str, float] = defaultdict(float)
        for value in {_content_of(value): value for value in self.dispatched}.values():
            asked = read_dispatch(value)
            context = self._requesters.by_account[asked.account].context(
                "spot", self._requesters.clock()
            )
            request: HttpRequest | None = venue.ask(asked.question, context)
            while request is not None:
                for cost in request.costs:
                    weights[cost.bucket] += cost.weight
                page = Page(1, request, 200, b"[]")
                request = venue.next_page(asked.question, page, context)
        rates = {name: bucket.capacity / WINDOW_SECONDS for name, bucket in venue.buckets.items()}
        return max(weights[name] / rate for name, rate in rates.items())

    @property
    def unsynced(self) -> list[str]:
        states = self.run.partition.accounts
        return [one for one in self._requesters.accounts if not states[one].is_synced]

    def times_asked(self) -> Counter[str]:
        """How often each question about a span was decided, whatever its id."""
        questions = [orjson.loads(value)["question"] for value in self.dispatched]
        return Counter(_content(one) for one in questions if "since_ns" in one)

    def times_answered(self) -> Counter[str]:
        """How often the venue gave the first page of each of them."""
        answers = [item for item in self.log.items if isinstance(item, Answer) and item.page == 1]
        asked = [answer.question for answer in answers]
        return Counter(_content(one) for one in asked if "since_ns" in one)


def _content_of(dispatch: bytes) -> str:
    return _content(orjson.loads(dispatch)["question"])


def _content(question: dict[str, Any]) -> str:
    """What is asked, whatever its id; without a span it is the same in each cycle."""
    return str(sorted((question | {"id": ""}).items()))


def quick_profiles() -> Profiles:
    return {
        product: replace(profile, visibility_lag_ns=profile.visibility_lag_ns // SCALE)
        for product, profile in BINANCE.profiles.items()
    }


@asynccontextmanager
async def a_partition(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Partition]:
    pauses = Pauses(SECOND_NS // 100, SECOND_NS // 10)
    monkeypatch.setattr(requesters, "Pauses", lambda: pauses)
    monkeypatch.setattr(limits, "PAUSE_NS", limits.PAUSE_NS // SCALE)
    samples = sample_accounts(ACCOUNTS)
    its_limits = BinanceSettings(
        spot_weight=WEIGHT["spot"], linear_weight=WEIGHT["linear"], window_s=WINDOW_SECONDS
    )
    server = await start(SimulatorConfig(accounts=samples, face=its_limits))
    venue = replace(
        BINANCE,
        buckets={
            f"{product}-weight": replace(
                BINANCE.buckets[f"{product}-weight"],
                capacity=weight,
                period_ns=int(WINDOW_SECONDS * SECOND_NS),
            )
            for product, weight in WEIGHT.items()
        },
    )
    rest, stream = f"http://{server.address}", f"ws://{server.address}"
    given = {"rest": dict.fromkeys(WEIGHT, rest), "stream": dict.fromkeys(WEIGHT, stream)}
    settings = Settings.model_validate({"venues": {"binance": given}})
    entries = [
        Entry(
            AccountConfig(
                id=one.name,
                products=tuple(WEIGHT),
                key="file:k",
                partition=0,
                symbols=dict(one.symbols.items()),
            ),
            Credentials(one.api_key, one.secret),
        )
        for one in samples
    ]
    log, its_requesters = ListedLog(), Requesters(settings, venue, entries, Clock())
    outbox = Outbox(log, "raw", "w1")  # type: ignore[arg-type] # a log that is a list
    edge = Edge(its_requesters, outbox, connection_names("w1"), 1, no_claims())
    try:
        yield Partition(server, its_requesters, log, edge)
        assert not outbox.failed.done()
    finally:
        await edge.stop()
        outbox.close()
        await its_requesters.stop()
        await server.close()


async def test_all_accounts_behind_one_address_catch_up_within_the_time_that_its_limit_gives(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[float] = []
    while not taken or (taken[-1] > MARGIN and len(taken) < TRIES):
        caplog.clear()
        with monkeypatch.context() as patch:
            taken.append(await recovery(patch))
        # Requests that the network bunches may be one too many for the venue's own window.
        assert caplog.text.count("the next of its kind waits") <= REFUSED_MAX
    assert taken[-1] <= MARGIN, taken


async def recovery(monkeypatch: pytest.MonkeyPatch) -> float:
    """How long it takes after an outage, over the least time that the limit allows."""
    async with a_partition(monkeypatch) as partition:
        await partition.edge.clocks.start()
        partition.register()
        partition.is_away = True
        await partition.during(AWAY_SECONDS)
        work = partition.work_seconds()
        await partition.edge.handle(Gained(0, 1, 0, is_continued=False))
        partition.is_away = False
        seconds = await partition.until_synced(WAIT_MARGIN * CYCLES * work)
        assert work > 2 * PACE.timeout_ns / SECOND_NS, "the line is no longer than the patience"
        print(f"in sync after {seconds:.1f} s; {work:.1f} s of work a cycle")
        assert max(partition.times_asked().values()) <= ASKED_MAX
        answered = partition.times_answered()  # twice where an answer and its repetition cross
        assert answered.total() < 1.25 * len(answered), "work that was done twice"
        return seconds / (CYCLES * work)
