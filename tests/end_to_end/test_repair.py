"""`orderloom repair` on the whole product: a lost ledger, trimmed raw, the venue's own books."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from rich.console import Console

from cli.demo import DemoOptions, Play, plan_of
from orderloom import topology
from orderloom.account import AccountState
from orderloom.topology import Topic
from runtime.kafka import begin_offsets, connected_admin, end_offsets
from runtime.settings import KafkaSettings
from runtime.topics import TopicSpec, create_topics
from sinks.follower import Follower
from tests.markers import wait_for_markers
from tests.waits import wait_for
from trial.stage import Stage, Worker
from trial.venues import PARTITIONS
from trial.verdict import Published, judge

if TYPE_CHECKING:
    from sinks.record import Record

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.soak, pytest.mark.timeout(900)]

VENUE = "binance"
WAIT_SECONDS = 120.0
KEPT = 3
FOLLOWED = (
    topology.ORDERS, topology.FILLS, topology.POSITIONS, topology.ACCOUNTS, topology.DIFFERENCES,
)  # fmt: skip
WRONGS = (
    "fills_lost", "fills_invented", "fills_wrong", "fills_doubled", "wrong_states",
    "wrong_positions", "open_blind_intervals",
)  # fmt: skip


@dataclass
class House:
    """A stage on which trading has ended; its ingest runs on, and the venue answers."""

    stage: Stage

    @cached_property
    def admin(self) -> AdminClient:
        return connected_admin(self.stage.broker.bootstrap)

    def name(self, topic: Topic) -> str:
        return topic.name(VENUE, self.stage.plan.namespace)

    def places(self, topic: Topic) -> list[tuple[str, int]]:
        return [(self.name(topic), number) for number in range(PARTITIONS)]

    def stop_workers(self, kind: str = "process") -> None:
        """End every worker of a kind, as an operator does."""
        for worker in self.stage.workers:
            if worker.name.startswith(kind) and worker.is_running:
                worker.was_killed = True
                worker.child.terminate()
                worker.child.wait(WAIT_SECONDS)

    def start_worker(self) -> Worker:
        return self.stage.launch_worker("process", VENUE)

    def lose_the_ledger(self) -> None:
        """Delete the topic of all state, and make it again."""
        name = self.name(topology.LEDGER)
        wait_for_markers(self.stage.broker.bootstrap)
        self.admin.delete_topics([name])[name].result(30)
        spec = TopicSpec(name, PARTITIONS, 1, topology.LEDGER.config)
        wait_for(
            lambda: bool(create_topics(self.admin, [spec])), WAIT_SECONDS, "the topic is made again"
        )

    def trim_raw(self) -> None:
        """Remove all of `raw` but its last records: nothing in them reports any execution."""
        ends = end_offsets(self.admin, self.places(topology.RAW))
        cuts = [TopicPartition(*place, end - KEPT) for place, end in ends.items()]
        for future in self.admin.delete_records(cuts).values():
            future.result(30)

    def repair(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `orderloom repair` as a person does, without a terminal."""
        return subprocess.run(
            [sys.executable, "-m", "cli.main", "repair", VENUE, *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"ORDERLOOM_CONFIG": str(self.stage.settings_file)},
        )

    def truth(self) -> dict[str, Any]:
        return asyncio.run(self.stage.truth())

    def rows_of_the_sink(self) -> list[tuple[str, str, int]]:
        """Account, execution and offset-free number of each fill that the sink holds."""
        path = self.stage.plan.directory / "orderloom.sqlite"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return db.execute("SELECT account, execution_key, venue_ns FROM fills").fetchall()


@dataclass
class Seen:
    """What a new consumer finds: the last epoch of everything."""

    published: Published
    accounts: dict[str, AccountState]
    differences: list[Any]

    @property
    def epochs(self) -> set[int]:
        return {account.epoch for account in self.accounts.values()}

    @property
    def is_well(self) -> bool:
        return all(account.sync == "SYNCED" for account in self.accounts.values())


def seen_by_a_new_consumer(house: House) -> Seen:
    """Read every output topic from its beginning, and keep the last epoch of each account."""
    topics = {house.name(topic): topic for topic in FOLLOWED}
    records: list[Record] = []
    with Follower(KafkaSettings(bootstrap=house.stage.broker.bootstrap), topics) as follower:
        while not follower.is_at_end:
            records += follower.poll(1.0).records
    last: dict[str, int] = {}
    for record in records:
        last[record.account] = max(record.number.epoch, last.get(record.account, 0))
    seen = Seen(Published(), {}, [])
    for record in records:
        if record.number.epoch == last[record.account]:
            take(seen, record.topic, record.key, record.message)
    seen.published.open_blind = sum(
        interval.closed_ns is None for one in seen.accounts.values() for interval in one.blind
    )
    return seen


def take(seen: Seen, topic: Topic, key: str, message: Any) -> None:
    if topic is topology.FILLS:
        seen.published.take_fill(message)
    elif topic is topology.POSITIONS and message is not None:
        seen.published.take_position(message)
    elif topic is topology.DIFFERENCES:
        seen.differences.append(message)
    elif topic is topology.ACCOUNTS:
        seen.accounts[key] = message
    elif topic is topology.ORDERS:
        seen.published.orders.pop(key, None)
        if message is not None:
            seen.published.orders[key] = message


def wait_until_well(house: House, epoch: int) -> Seen:
    """Until a worker has asked about all that was blind, in the new epoch."""
    found: list[Seen] = []

    def is_well() -> bool:
        found.append(seen_by_a_new_consumer(house))
        return found[-1].is_well and found[-1].epochs == {epoch}

    wait_for(is_well, WAIT_SECONDS, "the accounts are not in sync after the repair")
    return found[-1]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("repair")
    options = DemoOptions(
        minutes=0.25, rate=80, kills=0, seed=seed, venues=(VENUE,), faults={"drop": 10},
        directory=directory,
    )  # fmt: skip
    stage = Stage.build(plan_of(options))
    try:
        asyncio.run(Play(stage, options, Console()).run())
        stage.launch("sink", "sink", "sqlite")
        made = House(stage)
        wait_for((directory / "orderloom.sqlite").exists, WAIT_SECONDS, "the sink makes its file")
        yield made
    finally:
        stage.stop()


def check_what_came_of_it(house: House, seen: Seen) -> dict[str, Any]:
    truth = house.truth()
    verdict = judge(seen.published, truth)
    wrong = {name: verdict["details"].get(name, verdict[name]) for name in WRONGS if verdict[name]}
    assert not wrong, wrong
    assert verdict["fills"] > 100
    rows = len([row for books in truth["accounts"].values() for row in books["fills"]])
    wait_for(
        lambda: len(house.rows_of_the_sink()) == rows, WAIT_SECONDS, "the sink holds each fill once"
    )
    return verdict


def test_a_lost_ledger_is_repaired_while_ingest_runs_on(house: House) -> None:
    before = seen_by_a_new_consumer(house)
    house.stop_workers()
    house.lose_the_ledger()
    worker = house.start_worker()
    wait_for(
        lambda: "partition 0 is stopped" in worker.log.read_text(),
        WAIT_SECONDS,
        "the worker says why it stops",
    )
    [line] = [
        json.loads(line)["message"]
        for line in worker.log.read_text().splitlines()
        if "partition 0 is stopped" in line
    ]
    assert line.endswith("run `orderloom repair`, which rebuilds it and raises the epoch")
    refused = house.repair("--yes")
    assert refused.returncode == 78, refused
    assert "is owned by a worker" in refused.stderr
    assert "stop every `orderloom process` of this venue" in refused.stderr
    house.stop_workers()
    unasked = house.repair()
    assert unasked.returncode == 78
    assert "there is no terminal to ask at" in unasked.stderr
    assert "partition 3: " in unasked.stdout
    done = house.repair("--yes", "--author", "ada", "--reason", "the topic was deleted")
    assert done.returncode == 0, done.stderr
    assert "partition 0: repaired, in epoch 1" in done.stdout
    assert "nothing to repair" in house.repair("--yes").stdout
    house.start_worker()
    seen = wait_until_well(house, 1)
    check_what_came_of_it(house, seen)
    assert seen.published.fills.keys() == before.published.fills.keys()
    assert {one.kind for one in seen.differences} <= {one.kind for one in before.differences}


def test_what_trimmed_raw_lacks_comes_back_by_questions(house: House) -> None:
    epoch = max(seen_by_a_new_consumer(house).epochs) + 1
    house.stop_workers()
    house.trim_raw()
    house.lose_the_ledger()
    assert all(begin_offsets(house.admin, house.places(topology.RAW)).values())
    done = house.repair("--yes")
    assert done.returncode == 0, done.stderr
    assert "raw is not whole (it begins at offset" in done.stdout
    assert "start the venue's ingest anew" in done.stdout
    blind = seen_by_a_new_consumer(house)
    assert blind.accounts
    for account in blind.accounts.values():
        reasons = [one.reason for one in account.blind if one.closed_ns is None]
        assert any(reason.startswith("raw is not whole") for reason in reasons), account
        assert account.sync == "CATCHING_UP"
    lost = [one for one in blind.differences if one.kind == "LOST_EVIDENCE"]
    assert lost
    assert all(one.rule == "open" for one in lost)
    assert {one.unbounded for one in blind.published.positions.values()} == {True}
    house.stop_workers("ingest")
    house.stage.launch_worker("ingest", VENUE)
    house.start_worker()
    seen = wait_until_well(house, epoch)
    check_what_came_of_it(house, seen)
    rules: dict[tuple[Any, ...], str] = {}
    for one in seen.differences:
        if one.kind == "LOST_EVIDENCE":
            rules[one.account, one.product, one.symbol, one.ours["position_side"]] = one.rule
    assert rules
    assert set(rules.values()) == {"the venue told all of them again"}
    assert not any(one.unbounded for one in seen.published.positions.values())
