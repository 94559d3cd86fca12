"""When each frame became readable, as a committed consumer of `orders` meets it."""

import sys
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
from confluent_kafka import Message, TopicPartition

from bench.task import Task
from orderloom import raw
from orderloom.topology import ORDERS, RAW, Topic
from runtime.kafka import connected_admin, end_offsets, reader

Place = tuple[int, int, int]
"""Partition, offset, and place in the record."""
Name = tuple[str, str, int]
"""Account, connection and number of a frame."""
POLL_SECONDS: Final = 0.2
MESSAGES_MAX: Final = 500
READ_SECONDS_MAX: Final = 10.0


@dataclass(slots=True)
class Sightings:
    """What became readable under one key: causes, rising, and when each was met (monotonic s)."""

    causes: list[Place] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def first(self, place: Place) -> float | None:
        """When the frame at `place` could first be read in what it caused, or a later one."""
        index = bisect_left(self.causes, place)
        return self.at[index] if index < len(self.at) else None


def order_sighted(message: Message) -> tuple[bytes, Place] | None:
    """The key and the cause of a record of `orders`; None for a tombstone."""
    value = message.value()
    if value is None:
        return None
    cause = orjson.loads(value)["cause"]
    return message.key() or b"", (cause["partition"], cause["offset"], cause["place"])


def relayed_sighted(message: Message) -> tuple[bytes, Place] | None:
    """A relayed record: all frames of the record that its key names are readable."""
    partition, offset = map(int, (message.key() or b"").split())
    return b"%d" % partition, (partition, offset, sys.maxsize)


class Watcher:
    """Reads `orders` as a consumer does, in a thread; a context manager."""

    def __init__(
        self, task: Task, sighted: Callable[[Message], tuple[bytes, Place] | None]
    ) -> None:
        self.sightings: defaultdict[bytes, Sightings] = defaultdict(Sightings)
        self.last_at = 0.0
        self._sighted = sighted
        self._stop = threading.Event()
        self._consumer = reader(task.bootstrap, committed=True)
        self._consumer.assign(_from_zero(task, ORDERS))
        self._thread = threading.Thread(target=self._run, name="watcher")

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            first = self._consumer.poll(POLL_SECONDS)
            messages = [] if first is None else [first, *self._consumer.consume(MESSAGES_MAX, 0)]
            for message in messages:
                if message.error() is None:
                    self._note(message)

    def _note(self, message: Message) -> None:
        now = time.monotonic()
        sighted = self._sighted(message)
        if sighted is not None:
            key, cause = sighted
            self.sightings[key].causes.append(cause)
            self.sightings[key].at.append(now)
            self.last_at = now


def places_of(task: Task) -> dict[Name, Place]:
    """Where each frame stands in `raw`, read back from it."""
    places: dict[Name, Place] = {}
    for message in _all(task, RAW):
        record = raw.decode(message.value() or b"")
        for place, item in enumerate(record.items):
            if isinstance(item, raw.Frame):
                name = (record.account, item.connection, item.number)
                places[name] = (message.partition() or 0, message.offset() or 0, place)
    return places


def _all(task: Task, topic: Topic) -> Iterator[Message]:
    """Every record of a topic, to the ends that it has now."""
    admin, name = connected_admin(task.bootstrap), task.topic(topic)
    ends = end_offsets(admin, [(name, number) for number in range(task.partitions)])
    missing = {partition: end for (_, partition), end in ends.items() if end}
    consumer = reader(task.bootstrap, committed=False)
    consumer.assign(_from_zero(task, topic))
    while missing:
        message = consumer.poll(READ_SECONDS_MAX)
        assert message is not None, f"{name} cannot be read to its end"
        if message.error() is None:
            yield message
            if (message.offset() or 0) + 1 >= missing.get(message.partition() or 0, 0):
                missing.pop(message.partition() or 0, None)
    consumer.close()


def _from_zero(task: Task, topic: Topic) -> list[TopicPartition]:
    name = task.topic(topic)
    return [TopicPartition(name, number, 0) for number in range(task.partitions)]


def percentiles(values: Iterable[float], shares: Sequence[float]) -> list[float]:
    """The value below which each share of them lies."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in shares]
