"""The reference consumer beside the real workers: killed at random, and begun after compaction.

Nobody tells it anything but the contract. What it holds is compared with a plain read of the topics
up to where it came.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from rich.console import Console

from cli.demo import DemoOptions, Play, plan_of
from orderloom import topology
from runtime.kafka import connected_admin, end_offsets, reader
from tests.consumers.children import ReferenceConsumer
from tests.consumers.reference import digest
from tests.waits import comes_about, until
from trial.stage import Stage
from trial.venues import PARTITIONS
from trial.verdict import is_clean

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.soak, pytest.mark.timeout(900)]

OPTIONS = DemoOptions(minutes=0.6, rate=60, accounts=4, kills=2)
SHOWN = (topology.ORDERS, topology.FILLS, topology.POSITIONS)
COMPACTED = (topology.ORDERS, topology.POSITIONS)
SHOWN_KINDS = tuple(topic.kind for topic in SHOWN)
KILLS_MIN = 10
WAIT_SECONDS = 180.0
PROGRESS_SECONDS = 10.0
HALF_OF = 2  # rule 4's hour is half of the two that compaction spares
COMPACTION_SPARES_SECONDS = 10
COMPACT_SOON = {
    "segment.ms": "1000",
    "min.compaction.lag.ms": str(COMPACTION_SPARES_SECONDS * 1000),
    "min.cleanable.dirty.ratio": "0.01",
}
Place = tuple[str, int]


@dataclass
class Outcome:
    """What a run ended with."""

    verdict: dict[str, Any]
    alive: ReferenceConsumer
    empty: ReferenceConsumer
    after_kills: tuple[str, str] = ("", "")
    counts: dict[str, int] = field(default_factory=dict)
    records_before: int = 0
    records_after: int = 0


@dataclass
class Topics:
    """The topics of one run, read plainly: no numbers, no state, from the beginning."""

    bootstrap: str
    namespace: str
    venues: tuple[str, ...]

    def places(self, topics: tuple[topology.Topic, ...]) -> list[Place]:
        names = [topic.name(venue, self.namespace) for venue in self.venues for topic in topics]
        return [(name, partition) for name in names for partition in range(PARTITIONS)]

    def ends(self, topics: tuple[topology.Topic, ...] = SHOWN) -> dict[Place, int]:
        return end_offsets(connected_admin(self.bootstrap), self.places(topics))

    def read(self, until: dict[Place, int]) -> Iterator[Message]:
        """Every record below these offsets."""
        with closing(reader(self.bootstrap, committed=True)) as consumer:
            consumer.assign([TopicPartition(*place, 0) for place in until])
            left = set(until)
            while left:
                for message in consumer.consume(1000, 1.0):
                    place = (str(message.topic()), message.partition() or 0)
                    if message.error() is not None or (message.offset() or 0) >= until[place]:
                        left.discard(place)
                    else:
                        yield message

    def digest(self, until: dict[Place, int]) -> str:
        """Of what stands in the topics below these offsets."""
        held: dict[tuple[str, str], str] = {}
        for message in self.read(until):
            name, key = str(message.topic()), (message.key() or b"").decode()
            document = json.loads(message.value() or b"null")
            if topology.FILLS.kind in name.split("."):
                key = f"{key}/{document['execution_key']}"
            if document is None:
                held.pop((name, key), None)
            else:
                held[name, key] = json.dumps(document, sort_keys=True)
        return digest(held)

    def superseded(self, marks: dict[Place, int]) -> int:
        """How many records below the marks have a newer one of their key, also below."""
        seen: set[tuple[str, bytes]] = set()
        count = 0
        for message in self.read(marks):
            key = (str(message.topic()), message.key() or b"")
            count += key in seen
            seen.add(key)
        return count

    def compact_soon(self) -> None:
        """Settings under which compaction happens within half a minute."""
        resources = [
            ConfigResource(
                ConfigResource.Type.TOPIC,
                topic.name(venue, self.namespace),
                incremental_configs=[
                    ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                    for name, value in COMPACT_SOON.items()
                ],
            )
            for topic in COMPACTED
            for venue in self.venues
        ]
        admin = connected_admin(self.bootstrap)
        for future in admin.incremental_alter_configs(resources).values():
            future.result(WAIT_SECONDS)


@dataclass
class Killing:
    """Runs a consumer and kills it at random moments, at least so often, until told to stop."""

    consumer: ReferenceConsumer
    chance: random.Random
    kills_min: int
    is_over: bool = False

    async def run(self) -> None:
        while not self.is_over or self.consumer.kills < self.kills_min:
            before = self.consumer.progress()
            self.consumer.start()
            if self.chance.random() < 0.8:  # else, wherever it stands: even before it has begun
                await self._progress(before + self.chance.randint(1, 300))
            await asyncio.sleep(self.chance.random())
            assert not self.consumer.has_ended, self.consumer.said()
            self.consumer.kill()

    async def _progress(self, enough: int) -> None:
        """Until it has come so far, or does not get on: nothing need be there to be read."""
        await comes_about(lambda: self.consumer.progress() >= enough, PROGRESS_SECONDS)


class WatchedPlay(Play):
    """The demo's play with consumers that are killed through it, and compaction after it."""

    def __init__(self, stage: Stage, options: DemoOptions) -> None:
        super().__init__(stage, options, Console())
        self.chance = random.Random(options.seed)
        self.topics: Topics
        self.outcome: Outcome

    def _consumer(self, name: str) -> ReferenceConsumer:
        return ReferenceConsumer(
            self.stage.broker.bootstrap,
            self.stage.plan.namespace,
            self.stage.plan.directory / f"{name}.db",
        )

    async def _trade(self) -> None:
        plan = self.stage.plan
        self.topics = Topics(self.stage.broker.bootstrap, plan.namespace, plan.venues)
        self.outcome = Outcome({}, self._consumer("alive"), self._consumer("empty"))
        async with self._killing(KILLS_MIN):
            await super()._trade()

    @asynccontextmanager
    async def _killing(self, kills: int) -> AsyncIterator[None]:
        """While this lasts, the consumer is killed, at least so many times."""
        alive = self.outcome.alive
        killing = Killing(alive, self.chance, alive.kills + kills)
        task = asyncio.create_task(killing.run())
        yield
        killing.is_over = True
        await task

    async def _judge(self) -> dict[str, Any]:
        alive, empty = self.outcome.alive, self.outcome.empty
        self.outcome.after_kills = await self._compared(alive)
        self.outcome.counts = alive.counts()
        for consumer in (alive, empty):
            consumer.young_seconds = COMPACTION_SPARES_SECONDS / HALF_OF
        await self._compact()
        await self._compared(alive)
        await self._compared(empty)
        return await super()._judge()

    async def _compact(self) -> None:
        """More trading, through which the consumer lives, until the old records are gone.

        A segment is closed, and so can be compacted, only when something is written after it.
        """
        marks = self.topics.ends(COMPACTED)
        self.outcome.records_before = await asyncio.to_thread(self.topics.superseded, marks)
        self.topics.compact_soon()
        for venue in self.options.venues:
            await self.stage.control(venue, "/control/traffic", {"running": True})

        async def is_compacted() -> bool:
            left = self.outcome.records_after = await asyncio.to_thread(
                self.topics.superseded, marks
            )
            return not left

        def what() -> str:
            return f"{self.outcome.records_after} records were not compacted"

        async with self._killing(1):
            await until(is_compacted, WAIT_SECONDS, what, look_seconds=1)
        await self._come_to_rest()

    async def _compared(self, consumer: ReferenceConsumer) -> tuple[str, str]:
        """Let it read to the end; its digest, and that of the topics up to where it came."""
        ends = self.topics.ends()
        consumer.start()
        assert await comes_about(
            lambda: consumer.has_ended or consumer.has_reached(ends), WAIT_SECONDS
        )
        assert consumer.stop() == 0, consumer.said()
        places = consumer.places()
        until_there = {place: places[place] for place in ends}
        topics = await asyncio.to_thread(self.topics.digest, until_there)
        return digest(consumer.documents(*SHOWN_KINDS)), topics


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Outcome:
    directory: Path = tmp_path_factory.mktemp("consumers")
    options = replace(OPTIONS, seed=seed, directory=directory)
    stage = Stage.build(plan_of(options))
    try:
        play = WatchedPlay(stage, options)
        play.outcome.verdict = asyncio.run(play.run())
        return play.outcome
    finally:
        stage.stop()


def test_the_topics_themselves_were_right(outcome: Outcome) -> None:
    assert is_clean(outcome.verdict), outcome.verdict
    assert outcome.verdict["kills"] == {"process": 4, "ingest": 4}


def test_killed_at_random_it_holds_what_the_topics_hold(outcome: Outcome) -> None:
    held, said = outcome.after_kills
    assert outcome.alive.kills >= KILLS_MIN
    assert held == said


def test_it_met_no_gap_and_no_repeat_and_nothing_was_published_twice(outcome: Outcome) -> None:
    counts = (outcome.counts, outcome.alive.counts(), outcome.empty.counts())
    print(outcome.alive.kills, *counts)
    assert outcome.counts["records"] > 2_000
    assert not outcome.counts.get("compacted"), "a gap, and compaction had not come yet"
    for one in counts:
        for name in ("repeats", "versions not rising", "executions published twice"):
            assert not one.get(name), name


def test_begun_empty_after_compaction_it_holds_the_same(outcome: Outcome) -> None:
    assert outcome.records_before > 1_000
    assert outcome.records_after == 0
    assert outcome.empty.counts()["compacted"] > 100
    alive = outcome.alive.documents(*SHOWN_KINDS)
    assert len(alive) > 500
    assert digest(alive) == digest(outcome.empty.documents(*SHOWN_KINDS))


def test_its_positions_are_the_sums_of_its_fills(outcome: Outcome) -> None:
    sums: dict[tuple[str, ...], Decimal] = {}
    for text in outcome.alive.documents(topology.FILLS.kind).values():
        fill = json.loads(text)
        sign = (1 if fill["side"] == "BUY" else -1) if fill["kind"] != "BUST" else 0
        key = (fill["account"], fill["product"], fill["symbol"], fill["position_side"] or "NET")
        sums[key] = sums.get(key, Decimal(0)) + sign * Decimal(fill["quantity"])
    nets: dict[tuple[str, ...], Decimal] = {}
    for position in map(json.loads, outcome.alive.documents(topology.POSITIONS.kind).values()):
        key = tuple(position[name] for name in ("account", "product", "symbol", "position_side"))
        nets[key] = nets.get(key, Decimal(0)) + Decimal(position["net"])  # over margin modes
    assert sums
    assert {key: net for key, net in nets.items() if net} == {k: n for k, n in sums.items() if n}
