"""The outbox over a log that refuses what is too large before it is sent, as librdkafka does."""

import asyncio
import random
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from ingest.framing import HEAD_BYTES, Bounds
from ingest.outbox import Address, Outbox, OutboxBounds
from orderloom import raw
from runtime.kafka import idempotent_producer
from tests.ingest.listed_log import ListedLog
from tests.ingest.spoilt_producer import spoil
from tests.waits import until

LARGEST = HEAD_BYTES + 1_000
BOUNDS = OutboxBounds(record=Bounds(3, 10 * LARGEST))


class NarrowLog(ListedLog):
    """A log whose client takes no record larger than `LARGEST`."""

    def produce(self, _topic: str, *, value: bytes, on_delivery: Any, **more: object) -> None:
        if len(value) > LARGEST:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        super().produce(_topic, value=value, on_delivery=on_delivery, **more)


async def test_what_is_held_comes_back_to_nothing_whatever_is_refused_before_it_is_sent() -> None:
    chance = random.Random(1)
    log = NarrowLog()
    outbox = Outbox(log, "raw.toy", "w1", BOUNDS)  # type: ignore[arg-type] # a log that is a list
    try:
        for number in range(1, 201):
            body = b"x" * chance.choice([20, HEAD_BYTES, 2 * LARGEST])
            outbox.put(Address("toy:a", 0, 1), raw.Frame("c", number, "spot", number, body))
            if chance.random() < 0.2:
                await outbox.written("toy:a", 0)
        await outbox.settled()
        assert (outbox.bytes_held, outbox.items_held) == (0, 0)
    finally:
        outbox.close()
    frames = [item for item in log.items if isinstance(item, raw.Frame | raw.Oversize)]
    assert len(frames) == len(log.items)
    assert [item.number for item in frames] == list(range(1, 201))


async def test_a_producer_that_never_sends_again_is_told_of() -> None:
    producer = idempotent_producer("127.0.0.1:1")  # nobody answers
    outbox = Outbox(producer, "raw.toy", "w1", BOUNDS)
    try:
        outbox.put(Address("toy:a", 0, 1), raw.Frame("c", 1, "spot", 1, b"x"))
        spoil(producer)
        with pytest.raises(KafkaException, match="FATAL"):
            await asyncio.wait_for(asyncio.shield(outbox.failed), 30)
    finally:
        outbox.close()


class PartlyAwayLog(ListedLog):
    """A log whose partition 1 has no leader: what is written there is never acknowledged."""

    def produce(self, _topic: str, **what: Any) -> None:
        if what["partition"] != 1:
            super().produce(_topic, **what)


async def test_a_partition_that_takes_nothing_is_seen_beside_others_that_do() -> None:
    log = PartlyAwayLog()
    outbox = Outbox(log, "raw.toy", "w1", BOUNDS)  # type: ignore[arg-type] # a log that is a list
    try:
        for partition in (1, 2):
            outbox.put(Address("toy:a", partition, 1), raw.Frame("c", 1, "spot", 1, b"x"))
        await outbox.settled(2)
        await until(lambda: outbox.seconds_stuck().get(1, 0.0) > 0.1)
        outbox.put(Address("toy:a", 2, 1), raw.Frame("c", 2, "spot", 2, b"x"))
        await outbox.settled(2)
        assert outbox.seconds_stuck().keys() == {1}
        assert outbox.seconds_stuck()[1] > 0.1
    finally:
        outbox.close()


class TinyLog(ListedLog):
    """A topic that takes no record at all: each is reported as too large."""

    def deliver(self) -> None:
        waiting, self._waiting = self._waiting, []
        for _, on_delivery in waiting:
            on_delivery(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)


async def test_a_mistake_in_what_the_loop_calls_later_ends_the_worker() -> None:
    log = TinyLog()
    outbox = Outbox(log, "raw.toy", "w1", BOUNDS)  # type: ignore[arg-type] # a log that is a list
    try:
        outbox.put(Address("toy:a", 0, 1), raw.Frame("c", 1, "spot", 1, b"x"))
        with pytest.raises(AssertionError, match="refuses even a record without a body"):
            await asyncio.wait_for(asyncio.shield(outbox.failed), 10)
    finally:
        outbox.close()


class BrokenLog(ListedLog):
    """A client whose callbacks cannot be served: as out of memory, say."""

    def poll(self, _seconds: float) -> None:
        raise MemoryError("a test")


async def test_whatever_ends_the_thread_that_serves_the_producer_is_told() -> None:
    log = BrokenLog()
    outbox = Outbox(log, "raw.toy", "w1", BOUNDS)  # type: ignore[arg-type] # a log that is a list
    try:
        with pytest.raises(MemoryError):
            await asyncio.wait_for(asyncio.shield(outbox.failed), 10)
    finally:
        outbox.close()
