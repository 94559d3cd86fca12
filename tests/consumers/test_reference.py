"""The reference consumer by itself: what it may know, and what each rule makes it do."""

import json
import re
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from orderloom import topology
from tests.conftest import RunningBroker
from tests.consumers.children import PROGRAM, ReferenceConsumer
from tests.consumers.reference import digest
from tests.sinks.output_topics import OutputTopics
from tests.sinks.records import (
    ACCOUNT,
    VENUE,
    Content,
    a_fill,
    a_history,
    an_order,
    content_of,
    tombstone,
)
from tests.source_tree import Module
from tests.waits import wait_for

WAIT_SECONDS = 60.0
MAY_KNOW = {"confluent_kafka", "orderloom", *sys.stdlib_module_names}


def test_it_knows_the_contract_and_kafka_and_nothing_else() -> None:
    imports = Module(PROGRAM, "reference").imports()
    assert "orderloom" in imports
    assert {name.partition(".")[0] for name in imports} <= MAY_KNOW


@pytest.fixture
def topics(broker: RunningBroker, namespace: str) -> OutputTopics:
    return OutputTopics(broker.bootstrap, namespace)


@pytest.fixture
def consumer(topics: OutputTopics, tmp_path: Path) -> ReferenceConsumer:
    return ReferenceConsumer(topics.bootstrap, topics.namespace, tmp_path / "consumer.db")


def orders(*sequences: int, **fields: Any) -> list[Content]:
    return [content_of(an_order(f"k{one}", sequence=one, **fields)) for one in sequences]


def keys(consumer: ReferenceConsumer) -> set[str]:
    return {key for _, key in consumer.documents("orders")}


def read_all(consumer: ReferenceConsumer, records: int) -> None:
    """Run it until it took so many records, over all its runs."""
    consumer.start()

    def check() -> None:
        assert not consumer.has_ended, consumer.said()

    wait_for(
        lambda: consumer.counts().get("records", 0) >= records, WAIT_SECONDS, consumer.said, check
    )
    assert consumer.stop() == 0


def assert_stops(consumer: ReferenceConsumer, saying: str) -> None:
    consumer.start()
    assert consumer.ended() == 3
    assert re.search(saying, consumer.said())


def plain_fold(history: list[Content]) -> dict[tuple[str, str], dict[str, Any]]:
    """What a history with one epoch leaves, by kind and key."""
    left: dict[tuple[str, str], dict[str, Any]] = {}
    for topic, key, value, _ in history:
        document = json.loads(value or b"{}")
        name = f"{ACCOUNT}/{document['execution_key']}" if topic is topology.FILLS else key.decode()
        left[topic.kind, name] = document
        if value is None:
            del left[topic.kind, name]
    return left


@pytest.mark.broker
def test_it_holds_the_newest_of_each_key_without_what_tombstones_took(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    history = a_history(2, steps=200)
    assert any(value is None for _, _, value, _ in history)
    topics.write(history)
    read_all(consumer, len(history))
    held = consumer.documents("orders", "fills", "positions")
    found = {(topic.split(".")[1], key): json.loads(text) for (topic, key), text in held.items()}
    assert found == plain_fold(history)
    assert not consumer.counts().get("repeats")


@pytest.mark.broker
def test_a_repeat_is_dropped_and_counted(topics: OutputTopics, consumer: ReferenceConsumer) -> None:
    topics.write(orders(1, 2) + orders(2, side="SELL") + orders(3))
    read_all(consumer, 3)
    assert consumer.counts()["repeats"] == 1
    assert not [text for text in consumer.documents("orders").values() if "SELL" in text]


@pytest.mark.broker
@pytest.mark.parametrize("sequences", [(1, 3), (2,)])
def test_a_gap_before_a_young_record_stops_it(
    topics: OutputTopics, consumer: ReferenceConsumer, sequences: tuple[int, ...]
) -> None:
    topics.write(orders(*sequences))
    assert_stops(consumer, "records are missing")
    assert not consumer.documents("orders"), "of that batch, something was kept"


@pytest.mark.broker
def test_a_gap_before_an_old_record_is_compaction(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    consumer.young_seconds = 0
    topics.write(orders(1, 4, 5))
    read_all(consumer, 3)
    assert consumer.counts()["compacted"] == 1
    assert keys(consumer) == {"k1", "k4", "k5"}


@pytest.mark.broker
def test_what_retention_cut_off_is_no_loss_and_a_gap_after_it_is(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    names = [f"spot/SOL/e{number}/1" for number in range(6)]
    fills = [content_of(a_fill(name, sequence=at)) for at, name in enumerate(names)]
    topics.write(fills[1:4])
    name = topology.FILLS.name(VENUE, topics.namespace)
    for cut in topics.admin.delete_records([TopicPartition(name, 0, 2)]).values():
        cut.result(WAIT_SECONDS)
    read_all(consumer, 1)
    assert {key for _, key in consumer.documents("fills")} == {f"{ACCOUNT}/{names[3]}"}
    topics.write(fills[5:])
    assert_stops(consumer, "records are missing")


@pytest.mark.broker
def test_a_new_epoch_drops_the_view_and_what_is_left_of_the_former_one_is_a_repeat(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    another = content_of(an_order("other", account="lab:two"))
    topics.write([*orders(1, 2, 3), another, *orders(1, epoch=1), *orders(4)])
    read_all(consumer, 5)
    assert keys(consumer) == {"k1", "other"}
    assert consumer.counts()["repeats"] == 1


@pytest.mark.broker
def test_executions_published_again_in_a_new_epoch_are_the_same_and_none_is_dropped(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    first, second = "spot/SOL/e1/1", "spot/SOL/e2/1"
    fills = [a_fill(first), a_fill(second, sequence=2), a_fill(second, epoch=1)]
    topics.write(map(content_of, fills))
    read_all(consumer, 3)
    assert {key for _, key in consumer.documents("fills")} == {
        f"{ACCOUNT}/{first}", f"{ACCOUNT}/{second}",
    }  # fmt: skip
    assert not consumer.counts().get("executions published twice")
    topics.write([content_of(a_fill(second, epoch=1, sequence=2))])
    read_all(consumer, 4)
    assert consumer.counts()["executions published twice"] == 1


@pytest.mark.broker
def test_topics_made_again_stop_it(topics: OutputTopics, consumer: ReferenceConsumer) -> None:
    topics.write(orders(1, 2, 3))
    read_all(consumer, 3)
    topics.recreate()
    topics.write(orders(1, 2, 3, 4))
    assert_stops(consumer, "deleted and made again")


@pytest.mark.broker
def test_another_version_of_the_contract_stops_it(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    topic, key, value, headers = content_of(an_order("k1"))
    document = json.loads(value or b"")
    topics.write([(topic, key, json.dumps(document | {"new": 1}).encode(), headers)])
    read_all(consumer, 1)
    topics.write([(topic, key, json.dumps(document | {"v": 2, "sequence": 2}).encode(), headers)])
    assert_stops(consumer, "cannot be read")


@pytest.mark.broker
@pytest.mark.parametrize(
    "foreign",
    [
        {"epoch": "5"},
        {"epoch": 10**7},
        {"epoch": 1.0},
        {"sequence": True},
        {"sequence": 0},
        b"\xff",
    ],
    ids=repr,
)
def test_a_record_that_no_ledger_wrote_stops_it_with_one_line(
    topics: OutputTopics, consumer: ReferenceConsumer, foreign: Any
) -> None:
    """Believed, its number would make repeats of all that the ledger writes after it."""
    topic, key, value, headers = content_of(an_order("k1"))
    if isinstance(foreign, bytes):
        topics.write([(topic, foreign, value, headers)])
    else:
        document = json.loads(value or b"") | foreign
        topics.write([(topic, key, json.dumps(document).encode(), headers)])
    assert_stops(consumer, "cannot be read")
    assert "Traceback" not in consumer.said()


@pytest.mark.broker
def test_after_a_week_away_the_views_are_read_from_empty_and_fills_are_not(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    history = a_history(2, steps=20)
    topics.write(history)
    read_all(consumer, len(history))
    held = digest(consumer.documents("orders", "fills", "positions"))
    fills = sum(topic is topology.FILLS for topic, *_ in history)
    with sqlite3.connect(consumer.file) as db:
        name = topology.ORDERS.name(VENUE, topics.namespace)
        vanished = (name, "its tombstone is gone", ACCOUNT, 0, 1, "{}")
        db.execute("INSERT INTO contents VALUES (?, ?, ?, ?, ?, ?)", vanished)
        db.execute("INSERT OR REPLACE INTO at_end VALUES (1, ?)", (time.time() - 8 * 86_400,))
    read_all(consumer, 2 * len(history) - fills)
    assert digest(consumer.documents("orders", "fills", "positions")) == held
    assert consumer.counts()["records"] == 2 * len(history) - fills


@pytest.mark.broker
def test_a_tombstone_of_a_key_never_seen_is_a_record_like_any_other(
    topics: OutputTopics, consumer: ReferenceConsumer
) -> None:
    topics.write([tombstone("never", sequence=1), *orders(2)])
    read_all(consumer, 2)
    assert keys(consumer) == {"k2"}
