"""A topic of claims on a real broker, for tests of who may send."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from ingest.orders.claim_topic import SETTINGS, ClaimTopic
from ingest.orders.claims import PartitionClaims
from orderloom.claim import ClaimRecord, read_claim_record
from orderloom.topology import CLAIMS, PARTITION_KEY
from runtime.kafka import connected_admin, end_offsets, idempotent_producer, reader
from runtime.topics import TopicSpec, create_topics

SECONDS_MAX = 60


class Stage:
    """A topic of claims, and what is done with it beside its owners."""

    def __init__(self, bootstrap: str, namespace: str, partitions: int = 1) -> None:
        self.bootstrap = bootstrap
        self.name = CLAIMS.name("toy", namespace)
        self.admin = connected_admin(bootstrap)
        create_topics(self.admin, [TopicSpec(self.name, partitions, 1, CLAIMS.config)])

    @property
    def topic(self) -> ClaimTopic:
        return self.topic_of(0)

    def topic_of(self, partition: int) -> ClaimTopic:
        return ClaimTopic(
            self.name,
            partition,
            lambda: idempotent_producer(self.bootstrap, settings=SETTINGS),
            lambda: reader(self.bootstrap, committed=False),
        )

    @asynccontextmanager
    async def owner(self, life: str) -> AsyncIterator[PartitionClaims]:
        claims = PartitionClaims(self.topic, life, "1")
        try:
            await asyncio.wait_for(claims.take_over(), SECONDS_MAX)
            yield claims
        finally:
            await claims.close()

    def write(self, value: bytes) -> int:
        """Append a record to the first partition; its offset."""
        found: list[int] = []

        def delivered(error: Any, message: Any) -> None:
            assert error is None
            found.append(message.offset())

        producer = idempotent_producer(self.bootstrap)
        producer.produce(
            self.name, key=PARTITION_KEY, value=value, partition=0, on_delivery=delivered
        )
        assert producer.flush(SECONDS_MAX) == 0
        return found[0]

    def end(self) -> int:
        return end_offsets(self.admin, [(self.name, 0)])[self.name, 0]

    def records(self) -> list[ClaimRecord]:
        """All that stands in the first partition."""
        end, found = self.end(), list[ClaimRecord]()
        with closing(reader(self.bootstrap, committed=False)) as consumer:
            consumer.assign([TopicPartition(self.name, 0, 0)])
            while len(found) < end:
                message = consumer.poll(SECONDS_MAX)
                assert message is not None
                if message.error() is None:
                    found.append(read_claim_record(message.value()))
        return found


@contextmanager
def closing(consumer: Consumer) -> Iterator[Consumer]:
    try:
        yield consumer
    finally:
        consumer.close()
