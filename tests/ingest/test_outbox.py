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
