"""Broker, process, ingest and sink are killed in random order under trading over both venues.

Kafka, our own processes and what carries topics outside: each dies by SIGKILL and is started again.
A reference consumer, written from the contract alone, reads through all of it. The seed is
`ORDERLOOM_TEST_SEED`; `make soak` trades for ten minutes, and again at the venues' own rate limits.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from cli.demo import DemoOptions, Play, plan_of
from orderloom import topology
from runtime.broker import EmbeddedBroker
from runtime.kafka import connected_admin, end_offsets
from tests.conftest import FORGETFUL
from tests.consumers.children import ReferenceConsumer
from tests.end_to_end.test_chaos import in_short
from tests.sinks.contents import contents_of_file
from trial.stage import Stage, Worker
from trial.venues import PARTITIONS
from trial.verdict import is_clean

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.timeout(2_400)]

FAULTS = {
    "drop": 20, "duplicate": 60, "delay": 20, "reorder": 60, "disconnect": 6, "half_open": 1,
    "http_5xx": 4, "http_429": 2, "http_partial_page": 1, "late_fill": 4, "liquidation": 2,
}  # fmt: skip
SHORT = DemoOptions(minutes=1.6, rate=120, accounts=4, faults=FAULTS)
AT_THE_LIMIT: dict[str, Any] = {"limits": 1, "minutes": 5.0}
"""The venues' own rate limits, not ten times as much: recovery has to wait for them."""
LONG = replace(SHORT, minutes=10.0, faults={name: 4 * count for name, count in FAULTS.items()})
BROKER_SECONDS, OTHERS_SECONDS = 32, 8
"""About how often the broker is killed, and how often one of the others."""
SYNCED_SECONDS_MAX = 90.0
"""How long after quiet every account is SYNCED, and covered up to the quiet."""
READ_SECONDS_MAX = 60.0
FOLLOWED = (topology.ORDERS, topology.FILLS, topology.POSITIONS)


class Killing(Play):
    """A play in which everything but the simulated venues is killed again and again."""

    def __init__(self, stage: Stage, options: DemoOptions) -> None:
        super().__init__(stage, options, Console())
        self.chance = random.Random(options.seed)
        self.kills: Counter[str] = Counter()
        self.planned = 0
        self.seconds_to_sync = 0.0
        directory = stage.plan.directory
        self.consumer = ReferenceConsumer("", stage.plan.namespace, directory / "reference.sqlite")
        self.sink: Worker | None = None

    async def _trade(self) -> None:
        self.consumer.bootstrap = self.stage.broker.bootstrap
        self.consumer.start()
        self._start_sink()
        await super()._trade()

    def _scenes(self, seconds: float) -> list[tuple[float, Callable[[], None]]]:
        """Who dies when: spread over the run, in an order that the seed decides."""
        workers = product(("process", "ingest"), self.options.venues)
        others: list[Callable[[], None]] = [
            partial(self._replace, kind, venue) for kind, venue in workers
        ]
        others.append(self._replace_sink)
        deaths: list[Callable[[], None]] = [self._kill_broker] * max(
            3, int(seconds / BROKER_SECONDS)
        )
        rounds = max(1, int(seconds / OTHERS_SECONDS / len(others)))
        deaths += others * rounds
        self.chance.shuffle(deaths)
        self.planned = len(deaths)
        step = seconds * 0.85 / len(deaths)
        return [(seconds * 0.05 + step * number, death) for number, death in enumerate(deaths)]

    async def _is_short(self, elapsed: float) -> bool:
        """On a slow machine a start of Kafka takes long: trading goes on until all have died."""
        return self.kills.total() < self.planned or await super()._is_short(elapsed)

    def _kill_broker(self) -> None:
        """Down for as long as a start takes; from this thread, on which its leash hangs."""
        self.kills["broker"] += 1
        self._say("[yellow]killed Apache Kafka (SIGKILL)[/yellow]")
        self.stage.broker.kill()
        self.stage.broker.start()
        self._say("[yellow]Apache Kafka is back[/yellow]")

    def _replace(self, kind: str, venue: str) -> None:
        self._kill(kind, venue)
        self._join(kind, venue)

    def _kill(self, kind: str, venue: str) -> None:
        self.stage.kill(kind, venue)
        self.kills[kind] += 1

    def _start_sink(self) -> None:
        self.sink = self.stage.launch("sink", "sink", "sqlite")

    def _replace_sink(self) -> None:
        assert self.sink is not None
        self.sink.was_killed = True
        self.sink.child.kill()
        self.sink.child.wait()
        self.kills["sink"] += 1
        self._start_sink()

    async def _come_to_rest(self) -> None:
        began = time.monotonic()
        await super()._come_to_rest()
        self.seconds_to_sync = time.monotonic() - began
        admin = connected_admin(self.stage.broker.bootstrap)
        names = [
            topic.name(venue, self.stage.plan.namespace)
            for venue in self.options.venues
            for topic in FOLLOWED
        ]
        ends = end_offsets(admin, [(name, at) for name in names for at in range(PARTITIONS)])
        await self._until(lambda: self.consumer.has_reached(ends), READ_SECONDS_MAX, "it has read")
        await self._until(
            self._sink_holds_all, READ_SECONDS_MAX, "the sink holds what is published"
        )

    def _sink_holds_all(self) -> bool:
        assert self.reading is not None
        held = self.rows_of_the_sink()
        published = self.reading.published
        return len(held["orders"]) >= len(published.orders) and len(held["fills"]) >= len(
            published.first
        )

    def rows_of_the_sink(self) -> dict[str, dict[str, dict[str, Any]]]:
        return contents_of_file(str(self.stage.plan.directory / "orderloom.sqlite"))


@dataclass
class Outcome:
    """What a run ended with."""

    play: Killing
    verdict: dict[str, Any]
    counts: dict[str, int]
    status: int
    sink: dict[str, dict[str, dict[str, Any]]]


def played(options: DemoOptions) -> Outcome:
    stage = Stage.build(plan_of(options))
    stage.broker = EmbeddedBroker(stage.plan.directory / "broker", settings=FORGETFUL)
    play = Killing(stage, options)
    try:
        verdict = asyncio.run(play.run())
        status = play.consumer.stop()
        return Outcome(play, verdict, play.consumer.counts(), status, play.rows_of_the_sink())
    finally:
        if play.consumer.child is not None:
            play.consumer.kill()
        stage.stop()


@pytest.fixture(
    scope="module",
    params=["plenty", pytest.param("at the rate limit", marks=pytest.mark.soak)],
)
def outcome(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    is_soak: bool,
    request: pytest.FixtureRequest,
) -> Outcome:
    directory: Path = tmp_path_factory.mktemp("killed")
    options = replace(LONG if is_soak else SHORT, seed=seed, directory=directory)
    return played(options if request.param == "plenty" else replace(options, **AT_THE_LIMIT))


def test_the_books_are_the_venues(outcome: Outcome) -> None:
    seconds = round(outcome.play.seconds_to_sync, 1)
    print(in_short(outcome.verdict), outcome.counts, f"in sync {seconds} s after quiet")
    assert is_clean(outcome.verdict), in_short(outcome.verdict)


def test_everything_was_killed(outcome: Outcome) -> None:
    kills = outcome.play.kills
    assert set(kills) == {"broker", "process", "ingest", "sink"}
    assert kills["broker"] >= 3
    assert outcome.verdict["fills"] > 500


def test_the_contract_held_for_a_reader_that_read_through_it_all(outcome: Outcome) -> None:
    assert outcome.status == 0, outcome.play.consumer.said()
    assert outcome.counts["records"] > 1_000
    assert {name: count for name, count in outcome.counts.items() if count} == {
        "records": outcome.counts["records"]
    }


def test_every_account_is_synced_soon_after_quiet(outcome: Outcome) -> None:
    assert outcome.play.seconds_to_sync < SYNCED_SECONDS_MAX


def test_the_sink_holds_each_execution_and_order_once(outcome: Outcome) -> None:
    assert outcome.play.reading is not None
    published = outcome.play.reading.published
    assert len(outcome.sink["fills"]) == len(published.first)
    assert set(published.orders) <= set(outcome.sink["orders"])
