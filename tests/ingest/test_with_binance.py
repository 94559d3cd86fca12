"""The edge with Binance's description against Binance in a box: its real wire, on this machine."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import TopicPartition

from orderloom import topology
from orderloom.question import About, Question
from orderloom.raw import Answer, ClockSample, Connection, Failure, Frame, Item, RawRecord, decode
from runtime.kafka import connected_admin, idempotent_producer, reader
from runtime.leash import leashed
from runtime.topics import TopicSpec, create_topics
from simulator.config import SimulatorConfig, TrafficConfig, sample_accounts
from simulator.server import Server, start
from tests.conftest import RunningBroker

pytestmark = pytest.mark.broker
PARTITIONS = 4
SECONDS_MAX = 40
QUESTIONS = {
    "spot": (About.OPEN_ORDERS, About.ORDER_HISTORY, About.TRADES, About.BALANCES),
    "linear": (
        About.OPEN_ORDERS,
        About.ORDER_HISTORY,
        About.TRADES,
        About.BALANCES,
        About.POSITIONS,
    ),
}
BY_SYMBOL = (About.ORDER_HISTORY, About.TRADES)


@pytest.fixture
async def box() -> AsyncIterator[Server]:
    traffic = TrafficConfig(rate=200, running=False)
    server = await start(SimulatorConfig(accounts=sample_accounts(4), traffic=traffic, seed=7))
    try:
        yield server
    finally:
        await server.close()


class Bench:
    """Topics, settings and one worker as a process; `records` are what stands in `raw`."""

    def __init__(self, bootstrap: str, namespace: str, directory: Path, box: Server) -> None:
        self.bootstrap, self.namespace, self.directory, self.box = (
            bootstrap,
            namespace,
            directory,
            box,
        )
        self.records: list[RawRecord] = []
        topics = (topology.RAW, topology.DISPATCHES)
        names = [topic.name("binance", namespace) for topic in topics]
        create_topics(connected_admin(bootstrap), [TopicSpec(name, PARTITIONS) for name in names])
        self._reader = reader(bootstrap, committed=True)
        self._reader.assign([TopicPartition(names[0], n, 0) for n in range(PARTITIONS)])
        self.worker = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        entries = []
        for number, account in enumerate(sample_accounts(4)):
            key = self.directory / f"{number}.json"
            key.write_text(json.dumps({"key": account.api_key, "secret": account.secret}))
            key.chmod(0o600)
            entries.append(
                f'[[accounts]]\nid = "{account.name}"\nproducts = ["spot", "linear"]\n'
                f'key = "file:{key}"\npartition = {number}\n'
            )
        (self.directory / "accounts.toml").write_text("".join(entries))
        http, socket = f"http://{self.box.address}", f"ws://{self.box.address}"
        settings = self.directory / "orderloom.toml"
        settings.write_text(
            f'namespace = "{self.namespace}"\npartitions = {PARTITIONS}\n'
            f'accounts_file = "{self.directory}/accounts.toml"\n'
            f'[kafka]\nbootstrap = "{self.bootstrap}"\n[venues.binance]\n'
            f'rest = {{ spot = "{http}", linear = "{http}" }}\n'
            f'stream = {{ spot = "{socket}", linear = "{socket}" }}\n'
        )
        environment = os.environ | {"ORDERLOOM_CONFIG": str(settings)}
        with (self.directory / "worker.log").open("ab") as log:
            return subprocess.Popen(
                leashed([sys.executable, "-m", "ingest", "binance", "w1"]),
                stderr=log,
                env=environment,
            )

    def ask(self, number: int, **fields: object) -> None:
        account = sample_accounts(4)[number].name
        question = Question.model_validate({"account": account} | fields)
        document = {
            "v": 1,
            "id": question.id,
            "type": "question",
            "account": account,
            "question": question.document(),
            "at_ns": time.time_ns(),
        }
        producer = idempotent_producer(self.bootstrap)
        topic = topology.DISPATCHES.name("binance", self.namespace)
        producer.produce(topic, value=orjson.dumps(document), partition=number)
        producer.flush(10)

    def items(self, kind: type[Item]) -> list[Item]:
        return [item for one in self.records for item in one.items if isinstance(item, kind)]

    def changes(self, change: str) -> int:
        return sum(getattr(item, "change", "") == change for item in self.items(Connection))

    async def until(self, is_so: "object") -> None:
        give_up = time.monotonic() + SECONDS_MAX
        while not is_so():  # type: ignore[operator] # a condition
            assert time.monotonic() < give_up, (self.directory / "worker.log").read_text()[-3000:]
            await asyncio.to_thread(self._read)

    def _read(self) -> None:
        for message in self._reader.consume(500, 0.1):
            if message.error() is None:
                self.records.append(decode(message.value() or b""))

    def stop(self) -> None:
        self.worker.kill()
        self.worker.wait()
        self._reader.close()


@pytest.fixture
def bench(
    broker: RunningBroker, namespace: str, tmp_path: Path, box: Server
) -> "AsyncIterator[Bench]":
    made = Bench(broker.bootstrap, namespace, tmp_path, box)
    yield made
    made.stop()


async def test_every_message_of_the_box_is_in_the_log_and_every_question_is_answered(
    bench: Bench, box: Server
) -> None:
    await bench.until(lambda: bench.changes("LIVE") == 8)
    assert len(bench.items(ClockSample)) in (0, 2 * PARTITIONS)
    traffic = TrafficConfig(rate=300, running=True)
    box.box.venue.traders.config = traffic
    await _trade(box, 300)
    await bench.until(lambda: len(bench.items(Frame)) >= box.box.feed.messages + 4)
    for product, abouts in QUESTIONS.items():
        for about in abouts:
            symbol = "BTCUSDT" if about in BY_SYMBOL else None
            bench.ask(0, id=f"{product}-{about}", product=product, about=about, symbol=symbol)
    await bench.until(lambda: len(bench.items(Answer)) + len(bench.items(Failure)) >= 9)
    assert bench.items(Failure) == []
    answers = [one for one in bench.items(Answer) if isinstance(one, Answer)]
    assert {one.status for one in answers} == {200}
    assert all(one.is_last for one in answers)
    await box.box.sockets.end_all(planned=False)
    await bench.until(lambda: bench.changes("LIVE") == 16)
    assert bench.changes("CLOSED") == 8
    assert bench.changes("REFUSED") == 0


async def _trade(box: Server, steps: int) -> None:
    for _ in range(steps):
        box.box.venue.traders.step()
        await asyncio.sleep(0)
