"""The broker, topics, feeding and child processes of the bench."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Self

from bench.frames import RawMessage
from bench.task import PARTITIONS, VENUE, Task
from orderloom.topology import RAW, TOPICS
from runtime.kafka import connected_admin, idempotent_producer
from runtime.leash import leashed
from runtime.topics import TopicSpec, create_topics

ROOT = Path(__file__).parent.parent
ANSWER_SECONDS_MAX = 120.0
END_SECONDS_MAX = 10.0
FEED_LINGER_MS = 5
QUEUE_FULL_SECONDS = 0.1


class PeerFailed(Exception):
    """A measured process ended, or said nothing for two minutes."""


class Child:
    """One measured process; it speaks in lines of JSON on its standard output."""

    def __init__(self, module: str, task: Task, log: Path, python: str = sys.executable) -> None:
        self._name = module.rpartition(".")[2]
        self._log = log
        path = os.pathsep.join((str(ROOT), str(ROOT / "schemas")))
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                leashed([python, "-m", module, task.argument()]),
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,  # or `select` would not see lines that Python holds already
            )

    def expect(self, kind: str) -> dict[str, Any]:
        """The next line of this kind. Raises PeerFailed."""
        give_up = time.monotonic() + ANSWER_SECONDS_MAX
        while time.monotonic() < give_up:
            line = self._line(give_up - time.monotonic())
            with contextlib.suppress(ValueError):
                document = json.loads(line)
                if isinstance(document, dict) and document.get("is") == kind:
                    return document
        raise PeerFailed(f"{self._name} did not say {kind!r} in time: see {self._log}")

    def _line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return b""
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(f"{self._name} ended ({self._process.wait()}): see {self._log}")
        return line

    def go_on(self) -> None:
        """Let it go on that waits for a word."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """End it: in order if it will, else by force."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class Stage:
    """What every measurement stands on."""

    def __init__(self, bootstrap: str, logs: Path) -> None:
        self.bootstrap = bootstrap
        self.admin = connected_admin(bootstrap)
        self._logs = logs
        self._numbers = count(1)

    @contextlib.contextmanager
    def task(self, warm: int = 0, measured: int = 0, fold: str = "product") -> Iterator[Task]:
        """A task with topics of its own, which are deleted afterwards."""
        task = Task(self.bootstrap, f"b{next(self._numbers)}.", warm, measured, fold)
        names = [task.topic(topic) for topic in TOPICS]
        create_topics(
            self.admin,
            [TopicSpec(task.topic(topic), PARTITIONS, 1, topic.config) for topic in TOPICS],
        )
        try:
            yield task
        finally:
            for future in self.admin.delete_topics(names).values():
                future.result()

    def child(self, name: str, task: Task, python: str = sys.executable) -> Child:
        """Start `bench/workers/<name>.py`; a context manager that ends it."""
        return Child(f"bench.workers.{name}", task, self._logs / f"{name}.log", python)

    def feed(self, task: Task, records: Iterable[RawMessage]) -> None:
        """Write records to `raw`, as fast as the broker takes them, and wait until they stand."""
        name = RAW.name(VENUE, task.namespace)
        producer = idempotent_producer(task.bootstrap, settings={"linger.ms": FEED_LINGER_MS})
        for record in records:
            while True:
                try:
                    producer.produce(name, record.value, record.key, record.partition)
                    break
                except BufferError:
                    producer.poll(QUEUE_FULL_SECONDS)
        if left := producer.flush(ANSWER_SECONDS_MAX):
            raise PeerFailed(f"{left} records were not written to {name} in time")
