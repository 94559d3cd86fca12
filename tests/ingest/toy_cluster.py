"""Topics, settings, workers and a reader of `raw` for tests of the toy venue on a real broker."""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from confluent_kafka import Consumer, TopicPartition

from orderloom import topology
from orderloom.question import Question
from orderloom.raw import Item, RawRecord, decode
from runtime.kafka import connected_admin, idempotent_producer, reader
from runtime.leash import leashed
from runtime.topics import TopicSpec, create_topics
from tests.ingest.toy_server import ToyServer

PARTITIONS = 4
SECONDS_MAX = 40
SETTINGS = """
namespace = "{namespace}"
partitions = {partitions}
accounts_file = "{accounts}"
[kafka]
bootstrap = "{bootstrap}"
[ingest]
{ingest}
[venues.toy]
rest = {{ TOY = "{rest}" }}
stream = {{ TOY = "{stream}" }}
"""
ACCOUNT = """
[[accounts]]
id = "toy:a{number}"
products = ["TOY"]
key = "file:{key}"
partition = {number}
"""


class ToyCluster:
    """Everything around the workers of one test; `records` are those of `raw` read so far."""

    def __init__(self, bootstrap: str, namespace: str, directory: Path, toy: ToyServer) -> None:
        self.bootstrap = bootstrap
        self.namespace = namespace
        self.directory = directory
        self.records: dict[int, list[RawRecord]] = {number: [] for number in range(PARTITIONS)}
        self.processes: list[subprocess.Popen[bytes]] = []
        self._toy = toy
        self._reader: Consumer | None = None
        self._make_topics()

    @property
    def topic(self) -> str:
        return topology.RAW.name("toy", self.namespace)

    def settings_file(self, ingest: str = "") -> Path:
        """One account in each partition."""
        (self.directory / "key.json").write_text('{"key":"me","secret":"s"}')
        (self.directory / "key.json").chmod(0o600)
        accounts = self.directory / "accounts.toml"
        key = self.directory / "key.json"
        accounts.write_text(
            "".join(ACCOUNT.format(number=number, key=key) for number in range(PARTITIONS))
        )
        file = self.directory / "orderloom.toml"
        file.write_text(
            SETTINGS.format(
                namespace=self.namespace,
                partitions=PARTITIONS,
                accounts=accounts,
                bootstrap=self.bootstrap,
                ingest=ingest,
                rest=self._toy.rest,
                stream=self._toy.stream,
            )
        )
        return file

    def start_worker(self, member: str, ingest: str = "") -> "subprocess.Popen[bytes]":
        """One worker as a process; what it says stands in a file of its name."""
        command = [sys.executable, "-m", "tests.ingest.toy_worker"]
        with (self.directory / f"{member}.log").open("ab") as log:
            process = subprocess.Popen(
                leashed([*command, str(self.settings_file(ingest)), member]), stderr=log
            )
        self.processes.append(process)
        return process

    def words_of(self, member: str) -> list[str]:
        """What a worker has logged."""
        lines = (self.directory / f"{member}.log").read_text().splitlines()
        return [json.loads(line)["message"] for line in lines if line.startswith("{")]

    def is_paused(self, member: str) -> bool:
        """Whether a worker says that it does not read its sockets."""
        [started, *_] = [line for line in self.words_of(member) if "health at" in line]
        with urllib.request.urlopen(f"{started.rpartition(' ')[2]}/metrics", timeout=5) as answer:
            return b'orderloom_sockets_paused{venue="toy"} 1.0' in answer.read()

    def dispatch(self, number: int, question: Question, at_ns: int | None = None) -> None:
        """Write one question for account `number`."""
        producer = idempotent_producer(self.bootstrap)
        document = {
            "v": 1,
            "id": question.id,
            "type": "question",
            "account": f"toy:a{number}",
            "question": question.document(),
            "at_ns": at_ns or time.time_ns(),
        }
        topic = topology.DISPATCHES.name("toy", self.namespace)
        key = f"toy:a{number}".encode()
        producer.produce(topic, key=key, value=orjson.dumps(document), partition=number)
        producer.flush(10)

    def items(self, kind: type[Item], account: str | None = None) -> list[Item]:
        """All items of one kind that were read so far (of one account)."""
        return [
            item
            for records in self.records.values()
            for record in records
            for item in record.items
            if isinstance(item, kind) and account in (None, record.account)
        ]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Read on until a condition holds; the test fails if it does not come about."""
        give_up = time.monotonic() + SECONDS_MAX
        while not is_so():
            assert time.monotonic() < give_up, f"never came about; read {self._summary()}"
            await asyncio.to_thread(self._read)

    def _summary(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for records in self.records.values():
            for record in records:
                for item in record.items:
                    found[item.KIND] = found.get(item.KIND, 0) + 1
        return found

    def _read(self) -> None:
        if self._reader is None:
            self._reader = reader(self.bootstrap, committed=True)
            self._reader.assign([TopicPartition(self.topic, n, 0) for n in range(PARTITIONS)])
        for message in self._reader.consume(500, 0.1):
            if message.error() is None:
                value, partition = message.value(), message.partition()
                assert value is not None
                assert partition is not None
                self.records[partition].append(decode(value))

    def _make_topics(self) -> None:
        topics = (topology.RAW, topology.DISPATCHES)
        specs = [
            TopicSpec(topic.name("toy", self.namespace), PARTITIONS, 1, topic.config)
            for topic in topics
        ]
        create_topics(connected_admin(self.bootstrap), specs)

    def stop(self) -> None:
        """End the workers that this test started."""
        for process in self.processes:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.close()


@contextmanager
def a_cluster(
    bootstrap: str, namespace: str, directory: Path, toy: ToyServer
) -> Iterator[ToyCluster]:
    """Topics of a test's own, and workers that end with it."""
    cluster = ToyCluster(bootstrap, namespace, directory, toy)
    try:
        yield cluster
    finally:
        cluster.stop()
