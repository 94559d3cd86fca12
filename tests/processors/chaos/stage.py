"""A stage for tests with real worker processes: start, stop, kill, feed, wait, look."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import KafkaException

from orderloom.topology import COMMITS, INPUTS, RAW
from processors.ledger.backlog import KINDS
from runtime.kafka import end_offsets, group_offsets
from tests.processors.ledger_lab import VENUE, Lab
from tests.waits import wait_for

SESSION_SECONDS = 3.0
KEYS = 1_200
LAST_WORDS = 12_000
LOOK_SECONDS = 0.1  # each look asks the broker
OPENED = re.compile(r"^([\d.]+) processors\.ledger\.runner ledger (\d+) is open", re.MULTILINE)


@dataclass
class Worker:
    """One worker process and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def has_logged_its_threads(self) -> bool:
        """Whether its log ends with what `faulthandler` writes of the thread that was signalled."""
        return "Current thread" in self.log.read_text()[-LAST_WORDS:]

    def has_stopped(self) -> bool:
        """Whether it stands still by SIGSTOP."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def openings(self, since: float = 0.0) -> list[int]:
        """The partitions whose ledgers it opened since then (time.time())."""
        text = self.log.read_text()
        return [int(at) for when, at in OPENED.findall(text) if float(when) >= since]


def _holds(condition: Callable[[], bool]) -> bool:
    """Whether it holds; a broker that is not ready to answer has not said so."""
    try:
        return condition()
    except (KafkaException, TimeoutError):
        return False


@dataclass
class Stage:
    """Topics of their own, and the workers on them; use it as a context."""

    bootstrap: str
    namespace: str
    directory: Path
    partitions: int = 6
    settings: dict[str, Any] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    fed: int = 0

    def __enter__(self) -> "Stage":
        self.lab = Lab(self.bootstrap, self.namespace, self.partitions)
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
            worker.process.wait(10)

    def start(
        self,
        variant: str = "",
        crash: tuple[str, int] | None = None,
        stop: tuple[str, int] | None = None,
    ) -> Worker:
        """Start a worker; `crash` is a named point and at which pass it kills itself.

        At `stop` it stops itself in the same way, until it is told to go on.
        """
        config = {
            "bootstrap": self.bootstrap,
            "venue": VENUE,
            "namespace": self.namespace,
            "session_seconds": SESSION_SECONDS,
            "variant": variant,
            "crash": crash,
            "stop": stop,
        } | self.settings
        log = self.directory / f"worker-{len(self.workers)}.log"
        command = [sys.executable, "-m", "tests.processors.chaos.worker_main"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, orjson.dumps(config).decode()],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self.workers.append(Worker(process, log))
        return self.workers[-1]

    @contextlib.contextmanager
    def supervising(self) -> Iterator[None]:
        """Start another worker for each that crashed, as its supervisor would."""
        done = threading.Event()

        def run() -> None:
            seen = 0
            while not done.wait(0.2):
                crashed = sum(worker.process.poll() not in (None, 0) for worker in self.workers)
                for _ in range(crashed - seen):
                    self.start()
                seen = crashed

        supervisor = threading.Thread(target=run)
        supervisor.start()
        try:
            yield
        finally:
            done.set()
            supervisor.join()

    def feed(self, count: int, choose: random.Random | None = None) -> None:
        """Append `count` records over all keys: most to `raw`; does not wait for them."""
        chance = choose or random.Random(self.fed)
        for _ in range(count):
            number = self.fed
            self.fed += 1
            topic = chance.choice(INPUTS) if chance.random() < 0.2 else RAW
            key, partition = b"key %d" % (number % KEYS), number % KEYS % self.partitions
            value = b"event %d" % number
            self.lab.producer.produce(self.lab.name(topic), value, key, partition)
        self.lab.producer.poll(0)

    @contextlib.contextmanager
    def feeding(self, per_second: float, seed: int = 0) -> Iterator[None]:
        """Feed in the background, with bursts, until the context ends."""
        done, chance = threading.Event(), random.Random(seed)

        def run() -> None:
            began, before = time.monotonic(), self.fed
            while not done.wait(0.05):
                due = before + int((time.monotonic() - began) * per_second) - self.fed
                if due > 0 and chance.random() < 0.7:
                    self.feed(due, chance)

        feeder = threading.Thread(target=run)
        feeder.start()
        try:
            yield
        finally:
            done.set()
            feeder.join()
            assert self.lab.producer.flush(30) == 0

    def ends(self) -> dict[tuple[str, int], int]:
        """The end of each input's partitions."""
        return end_offsets(self.lab.admin, self._inputs())

    def _inputs(self) -> list[tuple[str, int]]:
        return [(self.lab.name(at), number) for at in INPUTS for number in range(self.partitions)]

    def group_offsets(self) -> dict[tuple[str, int], int]:
        """The group's committed offsets; asked by a new client, which knows no former broker."""
        settings = self.lab.settings
        return group_offsets(settings.bootstrap, settings.group, self._inputs())

    def assignments(self) -> dict[str, dict[str, set[int]]]:
        """For each member of a settled group: input kind to partitions; empty while it moves."""
        group = self.lab.settings.group
        (future,) = self.lab.admin.describe_consumer_groups([group]).values()
        described = future.result(10)
        if described.state.name != "STABLE":
            return {}
        kinds = {self.lab.name(topic): topic.kind for topic in INPUTS}
        found: dict[str, dict[str, set[int]]] = {}
        for member in described.members:
            owned = found[member.member_id] = {kind: set() for kind in KINDS}
            for place in member.assignment.topic_partitions:
                owned[kinds[place.topic]].add(place.partition)
        return found

    def wait_for(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until a condition holds, or fail with the workers' last words."""
        wait_for(
            lambda: _holds(condition),
            seconds,
            lambda: f"{what}\n{self._last_words()}",
            look_seconds=LOOK_SECONDS,
        )

    def _last_words(self) -> str:
        """What each worker wrote last, and where the threads of the living ones stand."""
        living = self.living()
        for worker in living:
            worker.send(signal.SIGUSR1)
        with contextlib.suppress(AssertionError):
            wait_for(lambda: all(at.has_logged_its_threads() for at in living), 5)
        return "\n".join(
            f"{at.log.name} ({at.process.poll()}):\n{at.log.read_text()[-LAST_WORDS:]}"
            for at in self.workers
        )

    def is_folded(self) -> bool:
        """Whether the group's offsets are at the ends of all inputs that hold anything."""
        return not self.behind()

    def living(self) -> list[Worker]:
        """The workers that run."""
        return [worker for worker in self.workers if worker.process.poll() is None]

    def committed_steps(self) -> dict[tuple[str, int], int]:
        """Up to where committed readers are shown the steps of each partition."""
        places = [(self.lab.name(COMMITS), number) for number in range(self.partitions)]
        return end_offsets(self.lab.admin, places, committed=True)

    def wait_until_all_have_moved(self, before: dict[tuple[str, int], int], seconds: float) -> None:
        """Wait until readers are shown a step of each partition behind `before`."""

        def have_moved() -> bool:
            return all(end > before[place] for place, end in self.committed_steps().items())

        self.wait_for(have_moved, seconds, "every partition commits a step that readers see")

    def behind(self, besides: Container[int] = ()) -> dict[tuple[str, int], tuple[int, int]]:
        """The group's offset and the end of each input where they differ."""
        offsets = self.group_offsets()
        return {
            at: (offsets.get(at, 0), end)
            for at, end in self.ends().items()
            if end and at[1] not in besides and offsets.get(at, 0) != end
        }

    def wait_until_folded(self, seconds: float = 60, besides: Container[int] = ()) -> None:
        """Wait until the group's offsets are at the ends of all inputs that hold anything.

        `besides` are partitions that need not be there.
        """

        behind: dict[tuple[str, int], tuple[int, int]] = {}

        def is_folded() -> bool:
            behind.clear()
            behind.update(self.behind(besides))
            return not behind

        try:
            self.wait_for(is_folded, seconds, "the group's offsets come to the ends of the inputs")
        except AssertionError as error:
            raise AssertionError(f"offset and end of {behind}; {error}") from None

    def wait_until_owned(self, members: int, seconds: float = 40) -> dict[str, dict[str, set[int]]]:
        """Wait until the group is settled with so many members that together own all."""
        found: dict[str, dict[str, set[int]]] = {}

        def is_owned() -> bool:
            nonlocal found
            found = self.assignments()
            owned = [at for of in found.values() for at in of["raw"]]
            return len(found) == members and sorted(owned) == list(range(self.partitions))

        self.wait_for(is_owned, seconds, f"{members} members own all partitions")
        return found

    def faults(self) -> list[str]:
        """What is wrong with the outputs of any partition."""
        return [
            f"partition {partition}: {fault}"
            for partition in range(self.partitions)
            for fault in self.lab.faults(partition)
        ]
