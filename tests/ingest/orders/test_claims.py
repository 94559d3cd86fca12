"""The claim log on a real broker: owners that race, a kill, a broker that hangs."""

import asyncio
import dataclasses
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer

from ingest.orders.claim_topic import NotClaimed
from ingest.orders.claims import RECORD_BYTES_MAX, PartitionClaims
from orderloom.claim import (
    BadClaimRecord,
    Claim,
    Command,
    Kill,
    KillScope,
    NotSent,
    Verb,
    encode_claim_record,
)
from orderloom.claim_log import ClaimLog
from orderloom.topology import CLAIMS
from runtime.broker import EmbeddedBroker
from runtime.topics import TopicSpec, create_topics
from tests.conftest import RunningBroker
from tests.ingest.orders.claim_stage import SECONDS_MAX, Stage
from tests.ingest.spoilt_producer import spoil

pytestmark = pytest.mark.broker
ACCOUNT = "toy:main"
FAR_NS = 1 << 62


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

        async def race(owner: PartitionClaims, name: str, command: Command) -> None:
            if await claimed(owner, a_claim(owner.life, command)):
                won[name].add(command.id)

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
    for owner in (first, second):
        for command_id in won["first" if owner is first else "second"]:
            named = log.named(command_id)
            assert named is not None
            assert named.counts
            assert named.claim is not None
            assert named.claim.life == owner.life
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
            await claimed(owner, a_claim(owner.life, command))
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
        assert not await claimed(owner, a_claim(owner.life, command))
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
        assert await claimed(former, a_claim(former.life, command))
        left = a_command(3, command.seen)
    async with stage.owner("later") as later:
        assert not await claimed(later, a_claim(later.life, command))
        assert await claimed(later, a_claim(later.life, a_command(2, stage.end())))
        # Decided before it came, and claimed by nobody.
        assert await claimed(later, a_claim(later.life, left))


async def test_a_record_that_says_nothing_known_stops_the_partition(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        stage.write(b'{"type":"PARDON"}')
        with pytest.raises(BadClaimRecord, match="PARDON"):
            await asyncio.wait_for(owner.broke(), SECONDS_MAX)
        assert owner.refusal(a_command(1, stage.end())) is not None
        assert not await claimed(owner, a_claim(owner.life, a_command(1, stage.end())))


async def test_a_command_is_claimed_once_also_when_it_is_asked_twice_at_once(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        claim = a_claim(owner.life, a_command(1, stage.end()))
        told = await asyncio.gather(claimed(owner, claim), claimed(owner, claim))
        assert sorted(told) == [False, True]
    assert sum(isinstance(one, Claim) for one in stage.records()) == 1


async def test_a_claim_that_is_too_large_is_not_appended(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        large = a_claim(owner.life, a_command(1, stage.end()))
        large = large.model_copy(update={"request": "x" * RECORD_BYTES_MAX})
        assert not await claimed(owner, large)
    assert not any(isinstance(one, Claim) for one in stage.records())


async def test_a_claim_that_a_broker_takes_too_long_over_is_never_sent(
    tmp_path: Path, namespace: str
) -> None:
    with EmbeddedBroker(tmp_path / "broker", report=print) as broker:
        stage = Stage(broker.bootstrap, namespace)
        async with stage.owner("life") as owner:
            command = a_command(1, stage.end())
            broker.suspend()
            # Until its last thread stands still, 100 ms later, it may answer.
            await asyncio.to_thread(os.waitid, os.P_PID, broker.pid, os.WSTOPPED)
            try:
                assert not await claimed(owner, a_claim(owner.life, command))
            finally:
                broker.resume()
            await asyncio.wait_for(owner.said(), SECONDS_MAX)
            assert not await claimed(owner, a_claim(owner.life, command))
            assert await claimed(owner, a_claim(owner.life, a_command(2, stage.end())))
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
        assert not await claimed(owner, a_claim(owner.life, command))
        await asyncio.wait_for(owner.said(), SECONDS_MAX)
    log = ClaimLog()
    for offset, record in enumerate(stage.records()):
        log.apply(offset, record)
    assert log.is_unsent(command)


async def test_a_producer_with_a_fatal_error_is_made_anew(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    made, is_again = list[Producer](), threading.Event()

    def make() -> Producer:
        made.append(stage.topic.make_producer())
        if len(made) == 2:
            is_again.set()
        return made[-1]

    claims = PartitionClaims(dataclasses.replace(stage.topic, make_producer=make), "life", "1")
    try:
        await asyncio.wait_for(claims.take_over(), SECONDS_MAX)
        spoil(made[0])
        assert await asyncio.to_thread(is_again.wait, SECONDS_MAX)
        assert await claimed(claims, a_claim(claims.life, a_command(1, stage.end())))
    finally:
        await claims.close()
    assert len(made) == 2


async def test_a_claim_whose_sender_is_stopped_is_not_sent_and_leaves_nothing(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        first, second = a_command(1, stage.end()), a_command(2, stage.end())
        sender = asyncio.create_task(owner.claim(a_claim(owner.life, first)))
        await asyncio.sleep(0)
        sender.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sender
        await asyncio.wait_for(owner.said(), SECONDS_MAX)
        assert await claimed(owner, a_claim(owner.life, second))  # so each below it was read
        assert owner.last_look(first) is not None
        assert owner._claimer is not None
        assert not owner._claimer._flying
    log = ClaimLog()
    for offset, record in enumerate(stage.records()):
        log.apply(offset, record)
    assert log.is_unsent(first)


async def test_who_stops_waiting_for_the_log_to_break_stops_nothing(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(owner.broke(), 0.01)
        assert await claimed(owner, a_claim(owner.life, a_command(1, stage.end())))


async def test_a_log_that_was_made_anew_stops_the_partition(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        stage.admin.delete_topics([stage.name])[stage.name].result()
        create_topics(stage.admin, [TopicSpec(stage.name, 1, 1, CLAIMS.config)])
        with pytest.raises(KafkaException):
            await asyncio.wait_for(owner.broke(), SECONDS_MAX)
        assert not await claimed(owner, a_claim(owner.life, a_command(1, 0)))


async def test_a_reader_that_cannot_be_made_is_told_and_not_waited_for(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    made = list[Consumer]()

    def make() -> Consumer:
        if made:
            return Consumer({"group.id": "g", "no such": ""})  # which the client refuses
        made.append(stage.topic.make_reader())
        return made[0]

    claims = PartitionClaims(dataclasses.replace(stage.topic, make_reader=make), "life", "1")
    try:
        with pytest.raises(KafkaException):
            await asyncio.wait_for(claims.take_over(), SECONDS_MAX)
    finally:
        await claims.close()


async def test_who_closes_sends_nothing_from_that_moment(
    broker: RunningBroker, namespace: str
) -> None:
    stage = Stage(broker.bootstrap, namespace)
    async with stage.owner("life") as owner:
        command = a_command(1, stage.end())
        assert await claimed(owner, a_claim(owner.life, command))
        closing = asyncio.create_task(owner.close())
        await asyncio.sleep(0)
        assert not closing.done()
        assert owner.last_look(command) is not None  # no kill is read any more
        await closing
