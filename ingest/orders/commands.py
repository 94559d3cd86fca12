"""Reads `commands` of the partitions that are ours, in a thread of its own and in no group.

Whose a partition is decides the group on `dispatches`; what is read here is decided by that alone,
so nothing of a rebalance waits for it. A command is for the seconds until its `send_by_ns`: whoever
begins to read begins a little before now, and no place is kept.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime.kafka import STALE, WEATHER
from runtime.supervise import Backoff

SINCE_MS: Final = 10_000
"""So far before now reading begins: longer than a command is worth sending."""
NS_PER_MS: Final = 1_000_000
POLL_SECONDS: Final = 0.1
ASK_SECONDS_MAX: Final = 5.0
SAME_TROUBLE_SECONDS: Final = 60.0
_PASSING: Final = {KafkaError._PARTITION_EOF, *STALE, *WEATHER}  # noqa: SLF001  public

_log = logging.getLogger(__name__)


class Commanded(NamedTuple):
    """One record of `commands`, appended then (ns UTC, by the broker's clock)."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    appended_ns: int = 0


class CommandReader:
    """Calls `emit` from its thread with each record; `fail` once, should it end by itself."""

    def __init__(
        self,
        make_reader: Callable[[], Consumer],
        topic: str,
        emit: Callable[[Commanded], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._make_reader = make_reader
        self._topic = topic
        self._emit = emit
        self._fail = fail
        self._wanted: frozenset[int] = frozenset()
        self._read: frozenset[int] = frozenset()
        self._troubled_at = -SAME_TROUBLE_SECONDS
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def follow(self, partitions: Collection[int]) -> None:
        """These are ours from now on; any thread may call."""
        self._wanted = frozenset(partitions)

    def stop(self) -> None:
        """Read no more; blocks for a few seconds at most."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        backoff = Backoff()
        try:
            while not self._is_stopping.is_set():
                try:
                    self._read_on(backoff)
                except KafkaException as error:
                    seconds = backoff.next_seconds()
                    self._say(f"commands are read anew in {seconds:.1f} s: {error}")
                    self._is_stopping.wait(seconds)
        finally:
            # A thread that just died would leave a worker that looks well and sends nothing.
            if not self._is_stopping.is_set():
                self._fail(RuntimeError("the reader of commands ended by our own mistake"))

    def _read_on(self, backoff: Backoff) -> None:
        """With one client, until it is of no more use. Raises KafkaException."""
        consumer = self._make_reader()
        self._read = frozenset()
        try:
            while not self._is_stopping.is_set():
                self._assign(consumer)
                message = consumer.poll(POLL_SECONDS)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    backoff.succeed()
                    self._take(message)
                elif error.code() not in _PASSING:
                    raise KafkaException(error)
        finally:
            consumer.close()

    def _assign(self, consumer: Consumer) -> None:
        wanted = self._wanted
        if gone := self._read - wanted:
            consumer.incremental_unassign(
                [TopicPartition(self._topic, number) for number in sorted(gone)]
            )
        if added := wanted - self._read:
            places = [self._begin(consumer, number) for number in sorted(added)]
            consumer.incremental_assign(places)
        self._read = wanted

    def _begin(self, consumer: Consumer, number: int) -> TopicPartition:
        place = TopicPartition(self._topic, number)
        # Asked for first: what comes meanwhile stands above it.
        _low, end = consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
        place.offset = int(time.time() * 1_000) - SINCE_MS
        (found,) = consumer.offsets_for_times([place], timeout=ASK_SECONDS_MAX)
        place.offset = found.offset if 0 <= found.offset <= end else end
        return place

    def _take(self, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        appended_ns = message.timestamp()[1] * NS_PER_MS
        self._emit(Commanded(partition, offset, message.key(), message.value(), appended_ns))

    def _say(self, line: str) -> None:
        now = time.monotonic()
        if now - self._troubled_at >= SAME_TROUBLE_SECONDS:
            self._troubled_at = now
            _log.warning("%s", line)
