"""A partition that stands still is found, whoever lives in its group."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from cli.findings import Mark
from cli.lag import STILL_NS, Group, check_lag, last_moves, still_lines
from cli.registry import specs_of
from orderloom import topology
from processors.ledger import mark
from processors.ledger.commit_record import CommitRecord
from processors.ledger.settings import LedgerSettings
from runtime.kafka import connected_admin, idempotent_producer
from runtime.settings import Settings
from runtime.topics import create_topics
from tests.conftest import RunningBroker
from tests.waits import wait_for

VENUE = "binance"
STEP = CommitRecord(7, 1, {}, "", (), 9, True, "f", "c", "d", "e", number=12)
NOW_NS = 1_763_726_400_000_000_000
GROUP = Group("g", 1, "STABLE", {}, 259, has_begun=True)


def test_a_partition_that_moves_no_more_is_named_with_the_time() -> None:
    moved = {0: NOW_NS - STILL_NS, 3: NOW_NS - STILL_NS - 1_000_000_000}
    assert list(still_lines(VENUE, moved, NOW_NS)) == [
        "partition 3 of binance stands still since 2025-11-21 11:59:29 UTC (31 s): "
        "look at the log of `orderloom process binance`"
    ]


def test_a_group_with_a_partition_that_stands_still_is_not_well() -> None:
    assert GROUP.finding("x").mark is Mark.WELL
    assert GROUP.finding("x", is_still=True).mark is Mark.WRONG
    nobody = Group("g", 0, "EMPTY", {}, 259, has_begun=True).finding("orderloom process binance")
    assert (nobody.mark, "start one with" in nobody.line) == (Mark.NOTE, True)


@pytest.mark.broker
def test_a_partition_moves_with_its_commits_and_waits_from_its_oldest_unread_record_on(
    broker: RunningBroker, namespace: str
) -> None:
    settings = Settings.model_validate(
        {"namespace": namespace, "partitions": 2, "kafka": {"bootstrap": broker.bootstrap}}
    )
    admin = connected_admin(broker.bootstrap)
    create_topics(admin, specs_of(settings, VENUE))
    ledger = LedgerSettings(broker.bootstrap, VENUE, namespace)
    raw, commits = ledger.topic_name(topology.RAW), ledger.topic_name(topology.COMMITS)
    appended: list[int] = []

    def write(topic: str, value: bytes = b"{}") -> int:
        producer = idempotent_producer(broker.bootstrap)
        producer.produce(
            topic, value, partition=1, headers={mark.MARK: mark.Mark(12, 5).encoded()},
            on_delivery=lambda _, m: appended.append(m.timestamp()[1]),
        )  # fmt: skip
        assert producer.flush(30) == 0
        return appended[-1] * 1_000_000

    write(raw)
    waits_ns = write(raw)
    assert last_moves(ledger, {(raw, 1): 1}, 0) == {1: waits_ns}
    assert last_moves(ledger, {(raw, 1): 1}) == {}, "it waits for less than 30 s"
    write(commits)  # a step's mark, and no step
    assert last_moves(ledger, {(raw, 1): 1}, 0) == {1: waits_ns}
    moved_ns = waits_ns

    def has_moved() -> bool:
        nonlocal moved_ns
        moved_ns = write(commits, STEP.encoded())
        return moved_ns > waits_ns

    wait_for(has_moved)
    assert last_moves(ledger, {(raw, 1): 1}, 0) == {1: moved_ns}

    _commit(broker, ledger.group, TopicPartition(raw, 1, 1))
    process, ingest = check_lag(admin, settings, VENUE)
    assert process.mark is Mark.NOTE
    assert f"{ledger.group}: 0 workers, 1 records behind: start one" in process.line
    assert "0 records behind" in ingest.line
    stands, _ = check_lag(admin, settings, VENUE, still_ns=0)
    assert stands.mark is Mark.WRONG


def _commit(broker: RunningBroker, group: str, at: TopicPartition) -> None:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group})
    consumer.commit(offsets=[at], asynchronous=False)
    consumer.close()
