"""Topics, settings, workers and a reader of `raw`, for tests of the edge on a real broker."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from confluent_kafka import Consumer, TopicPartition

from orderloom import topology
from orderloom.command import DecidedCommand
from orderloom.question import Question
from orderloom.raw import ConnectionChange, Item, RawRecord, decode
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
[venues.{venue}]
rest = {{ {rest} }}
stream = {{ {stream} }}
"""
ACCOUNT = """
[[accounts]]
id = "{account}"
products = {products}
key = "file:{key}"
partition = {partition}
"""


@dataclass(frozen=True)
class Place:
    """A venue on this machine: its addresses, and the keys of its accounts by their ids."""

    venue: str
    products: tuple[str, ...]
    rest: str
    stream: str
    keys: dict[str, tuple[str, str]]


def toy_place(toy: ToyServer) -> Place:
    """The toy venue, with one account for each partition."""
    keys = {f"toy:a{number}": ("me", "secret") for number in range(PARTITIONS)}
    return Place("toy", ("TOY",), toy.rest, toy.stream, keys)


class Cluster:
    """Everything around the workers of one test; `records` are those of `raw` read so far."""

    def __init__(self, bootstrap: str, namespace: str, directory: Path, place: Place) -> None:
        self.bootstrap = bootstrap
        self.namespace = namespace
        self.directory = directory
        self.place = place
        self.accounts = tuple(place.keys)
        self.records: dict[int, list[RawRecord]] = {number: [] for number in range(PARTITIONS)}
        self.processes: list[subprocess.Popen[bytes]] = []
        self._reader: Consumer | None = None
        self._producer = idempotent_producer(bootstrap)
        self._make_topics()

    @property
    def registry(self) -> Path:
        return self.directory / "accounts.toml"

    @property
    def topic(self) -> str:
        return topology.RAW.name(self.place.venue, self.namespace)

    @property
    def dispatches(self) -> str:
        return topology.DISPATCHES.name(self.place.venue, self.namespace)

    def write_key(self, number: int, key: str, secret: str) -> None:
        """What account `number` signs with from now on."""
        file = self.directory / f"key-{number}.json"
        file.touch(0o600)
        file.write_text(json.dumps({"key": key, "secret": secret}))

    def register(
        self, *numbers: int, disabled: int | None = None, moved: int | None = None
    ) -> None:
        """Write the registry: these accounts, one in each partition."""
        products = json.dumps(list(self.place.products))
        entries = [
            ACCOUNT.format(
                account=self.accounts[number],
                products=products,
                key=self.directory / f"key-{number}.json",
                partition=(number + (number == moved)) % PARTITIONS,
            )
            + ("enabled = false\n" if number == disabled else "")
            for number in numbers
        ]
        self.registry.write_text("".join(entries))

    def settings_file(self, ingest: str = "") -> Path:
        """The settings; all accounts are registered where no registry was written yet."""
        for number, pair in enumerate(self.place.keys.values()):
            self.write_key(number, *pair)
        if not self.registry.exists():
            self.register(*range(len(self.accounts)))
        settings = self.directory / "orderloom.toml"
        settings.write_text(
            SETTINGS.format(
                namespace=self.namespace,
                partitions=PARTITIONS,
                accounts=self.registry,
                bootstrap=self.bootstrap,
                ingest=ingest,
                venue=self.place.venue,
                rest=self._addresses(self.place.rest),
                stream=self._addresses(self.place.stream),
            )
        )
        return settings

    def _addresses(self, address: str) -> str:
        return ", ".join(f'{product} = "{address}"' for product in self.place.products)

    def start_worker(
        self, member: str, ingest: str = "", module: str = "tests.ingest.toy_worker"
    ) -> "subprocess.Popen[bytes]":
        """One worker as a process; what it says stands in a file of its name."""
        command = [sys.executable, "-m", module, self.place.venue, member]
        environment = os.environ | {"ORDERLOOM_CONFIG": str(self.settings_file(ingest))}
        with (self.directory / f"{member}.log").open("ab") as log:
            process = subprocess.Popen(leashed(command), stderr=log, env=environment)
        self.processes.append(process)
        return process

    def words_of(self, member: str) -> list[str]:
        """What a worker has logged."""
        lines = (self.directory / f"{member}.log").read_text().splitlines()
        return [json.loads(line)["message"] for line in lines if line.startswith("{")]

    def is_paused(self, member: str) -> bool:
        """Whether a worker says that it does not read its sockets."""
        return 'orderloom_sockets_paused{venue="toy"} 1.0' in self.metrics_of(member)

    def metrics_of(self, member: str) -> str:
        """What a worker shows at `/metrics`."""
        with urllib.request.urlopen(f"{self._address_of(member)}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def health_of(self, member: str) -> tuple[int, dict[str, str]]:
        """What a worker says at `/healthz`: the status, and each part with its trouble."""
        try:
            with urllib.request.urlopen(f"{self._address_of(member)}/healthz", timeout=5) as answer:
                return answer.status, json.loads(answer.read())["parts"]
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["parts"]

    def _address_of(self, member: str) -> str:
        [started, *_] = [line for line in self.words_of(member) if "health at" in line]
        return started.rpartition(" ")[2]

    def dispatch(self, number: int, question: Question, at_ns: int | None = None) -> None:
        """Write one question for account `number`."""
        account = self.accounts[number]
        document = {
            "v": 1,
            "id": question.id,
            "type": "question",
            "account": account,
            "question": question.document(),
            "at_ns": at_ns or time.time_ns(),
        }
        self.dispatch_bytes(number, orjson.dumps(document))

    def command(self, number: int, command: DecidedCommand) -> None:
        """Write one command of account `number`."""
        name = topology.COMMANDS.name(self.place.venue, self.namespace)
        key = self.accounts[number].encode()
        self._producer.produce(name, key=key, value=command.encoded(), partition=number)
        self._producer.flush(10)

    def dispatch_bytes(self, number: int, value: bytes) -> None:
        """Write one record of `dispatches`, whatever it holds."""
        key = self.accounts[number].encode()
        self._producer.produce(self.dispatches, key=key, value=value, partition=number)
        self._producer.flush(10)

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

    def changes(self, change: str) -> int:
        """How many connections were written to have become `change`."""
        return sum(getattr(item, "change", "") == change for item in self.items(ConnectionChange))

    def committed(self, number: int) -> int:
        """The offset that the group has committed in one partition."""
        group = {"group.id": f"{self.namespace}ingest.{self.place.venue}"}
        asking = reader(self.bootstrap, committed=True, settings=group)
        try:
            [place] = asking.committed([TopicPartition(self.dispatches, number)], timeout=10)
            return int(place.offset)
        finally:
            asking.close()

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
        topics = (
            topology.RAW, topology.DISPATCHES, topology.CONTROL, topology.COMMANDS,
            topology.CLAIMS,
        )  # fmt: skip
        specs = [
            TopicSpec(topic.name(self.place.venue, self.namespace), PARTITIONS, 1, topic.config)
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
def a_cluster(bootstrap: str, namespace: str, directory: Path, place: Place) -> Iterator[Cluster]:
    """Topics of a test's own, and workers that end with it."""
    cluster = Cluster(bootstrap, namespace, directory, place)
    try:
        yield cluster
    finally:
        cluster.stop()
