"""The claim log on a real broker: owners that race, a kill, a broker that hangs."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from ingest.orders.claims import SETTINGS, ClaimTopic, NotClaimed, PartitionClaims
from orderloom.claim import (
    BadClaimRecord,
    Claim,
    ClaimRecord,
    Command,
    Kill,
    KillScope,
    NotSent,
    Verb,
    encode_claim_record,
    read_claim_record,
)
from orderloom.claim_log import ClaimLog
from orderloom.topology import CLAIMS, PARTITION_KEY
from runtime.broker import EmbeddedBroker
from runtime.kafka import connected_admin, end_offsets, idempotent_producer, reader
from runtime.topics import TopicSpec, create_topics
from tests.conftest import RunningBroker

pytestmark = pytest.mark.broker
ACCOUNT = "toy:main"
FAR_NS = 1 << 62
SECONDS_MAX = 60


class Stage:
    """A topic of one partition, and what is done with it beside its owners."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self.bootstrap = bootstrap
        self.name = CLAIMS.name("toy", namespace)
        self.admin = connected_admin(bootstrap)
        create_topics(self.admin, [TopicSpec(self.name, 1, 1, CLAIMS.config)])

    @property
    def topic(self) -> ClaimTopic:
        return ClaimTopic(
            self.name,
            0,
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
        """Append a record; its offset."""
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
        """All that stands in the log."""
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


def a_command(number: int, seen: int, **more: Any) -> Command:
    fields: dict[str, Any] = {"verb": Verb.PLACE, "strategy": "maker", "send_by_ns": FAR_NS} | more
    return Command(
        id=f"c{number}", account=ACCOUNT, product="spot", symbol="BTCUSDT", seen=seen, **fields
    )


def a_claim(life: str, command: Command) -> Claim:
    return Claim(life=life, command=command, intent=0, expires_ns=None, request="{}", sha256="00")


async def claimed(owner: PartitionClaims, claim: Claim) -> bool:
    try:
        await asyncio.wait_for(owner.claim(claim), SECONDS_MAX)
    except NotClaimed:
        return False
    return owner.last_look(claim.command) is None


async def test_of_two_owners_that_race_for_each_command_one_sends_it(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("first") as first, stage.owner("second") as second:
        # Else the first stops out of courtesy, which decides nothing.
        first._claimer._is_superseded = False  # type: ignore[union-attr]
        commands = [a_command(number, stage.end()) for number in range(200)]
        won = {"first": set[str](), "second": set[str]()}

        async def race(owner: PartitionClaims, life: str, command: Command) -> None:
            if await claimed(owner, a_claim(life, command)):
                won[life].add(command.id)

        for at in range(0, len(commands), 20):  # twenty in flight at each of the two
            few = commands[at : at + 20]
            await asyncio.gather(
                *(race(first, "first", one) for one in few),
                *(race(second, "second", one) for one in reversed(few)),
            )
        await asyncio.gather(first.said(), second.said())
    assert not won["first"] & won["second"]
    assert won["first"] | won["second"] == {one.id for one in commands}
    assert won["first"]
    assert won["second"]
    # Whoever reads the log finds the same.
    log = ClaimLog()
    for offset, record in enumerate(stage.records()):
        log.apply(offset, record)
    for life, ids in won.items():
        for command_id in ids:
            named = log.named(command_id)
            assert named is not None
            assert named.counts
            assert named.claim is not None
            assert named.claim.life == life
    assert not any(log.is_unsent(one) for one in commands)


async def test_a_kill_stops_what_was_decided_before_it_and_nothing_later(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        before = stage.end()
        kill = stage.write(
            encode_claim_record(Kill(scope=KillScope(strategy="maker"), author="me"))
        )
        told = [
            await claimed(owner, a_claim("life", command))
            for command in (
                a_command(1, before),
                a_command(2, before, strategy="taker"),
                a_command(3, kill + 1),
            )
        ]
        assert told == [False, True, True]


async def test_what_was_claimed_too_late_is_not_sent_and_the_log_says_so(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        command = a_command(1, stage.end(), send_by_ns=1)
        assert not await claimed(owner, a_claim("life", command))
        await asyncio.wait_for(owner.said(), SECONDS_MAX)
    log = ClaimLog()
    for offset, record in enumerate(stage.records()):
        log.apply(offset, record)
    assert log.is_unsent(command)


async def test_a_new_process_claims_nothing_that_a_former_one_claimed(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("former") as former:
        command = a_command(1, stage.end())
        assert await claimed(former, a_claim("former", command))
    async with stage.owner("later") as later:
        assert not await claimed(later, a_claim("later", command))
        assert await claimed(later, a_claim("later", a_command(2, stage.end())))


async def test_a_record_that_says_nothing_known_stops_the_partition(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        stage.write(b'{"type":"PARDON"}')
        with pytest.raises(BadClaimRecord, match="PARDON"):
            await asyncio.wait_for(owner.broken, SECONDS_MAX)
        assert not await claimed(owner, a_claim("life", a_command(1, stage.end())))


async def test_a_claim_that_a_broker_takes_too_long_over_is_never_sent(
    tmp_path: Path, namespace: str
) -> None:
    with EmbeddedBroker(tmp_path / "broker", report=print) as broker:
        stage = Stage(broker.bootstrap, namespace)
        async with stage.owner("life") as owner:
            command = a_command(1, stage.end())
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                assert not await claimed(owner, a_claim("life", command))
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            await asyncio.wait_for(owner.said(), SECONDS_MAX)
            assert not await claimed(owner, a_claim("life", command))
            assert await claimed(owner, a_claim("life", a_command(2, stage.end())))
        records = stage.records()
    said = [one for one in records if isinstance(one, NotSent) and one.command_id == command.id]
    assert said
    log = ClaimLog()
    for offset, record in enumerate(records):
        log.apply(offset, record)
    assert log.is_unsent(command)


async def test_a_claim_whose_neighbours_cannot_be_read_is_given_up(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        assert owner._reader is not None
        owner._is_closed.set()  # the reader ends
        await asyncio.to_thread(owner._reader.join)
        owner._is_closed.clear()
        owner._poller = threading.Thread(target=owner._poll, daemon=True)
        owner._poller.start()
        command = a_command(1, stage.end())
        stage.write(encode_claim_record(Kill(scope=KillScope(), author="me")))
        assert not await claimed(owner, a_claim("life", command))
        await asyncio.wait_for(owner.said(), SECONDS_MAX)
    log = ClaimLog()
    for offset, record in enumerate(stage.records()):
        log.apply(offset, record)
    assert log.is_unsent(command)
