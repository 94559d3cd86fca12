"""The follower against a real broker."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from orderloom.topology import DAY_MS, FILLS, ORDERS
from runtime.broker import EmbeddedBroker
from runtime.kafka import KafkaAwayError
from sinks import standstill
from sinks.follower import (
    Follower,
    LogChangedError,
    LossFoundError,
    TopicMissingError,
    UnreadableRecordError,
    stale_topics,
)
from sinks.record import Record
from sinks.sink import Progress
from tests.conftest import RunningBroker
from tests.sinks.output_topics import OutputTopics
from tests.sinks.records import Content, an_order, content_of, tombstone
from tests.waits import wait_for


@pytest.fixture
def topics(broker: RunningBroker, namespace: str) -> OutputTopics:
    return OutputTopics(broker.bootstrap, namespace)


def read_to_end(follower: Follower) -> list[Record]:
    records: list[Record] = []
    while not follower.is_at_end:
        records += follower.poll(10).records
    return records


def orders(sequences: Iterable[int], key: str = "lab:one/spot/SOL/1") -> list[Content]:
    return [content_of(an_order(key, sequence=number, version=number)) for number in sequences]


def sequences_of(records: Iterable[Record]) -> list[int]:
    return [record.number.sequence for record in records]


def trouble_of(follower: Follower) -> str:
    """What a look at the topics raises, or nothing."""
    try:
        follower.check()
    except KafkaAwayError as error:
        return str(error)
    return ""


@pytest.mark.broker
def test_committed_records_come_in_order_and_aborted_ones_never(topics: OutputTopics) -> None:
    topics.write(orders([1, 2]))
    topics.write(orders([3, 4]), abort=True)
    topics.write(orders([3]))
    with Follower(topics.kafka, topics.named) as follower:
        assert sequences_of(read_to_end(follower)) == [1, 2, 3]
        assert sum(follower.lag().values()) == 0


@pytest.mark.broker
def test_repeats_are_dropped(topics: OutputTopics) -> None:
    topics.write(orders([1, 2, 3]))
    topics.write(orders([2, 3, 4]))
    with Follower(topics.kafka, topics.named) as follower:
        assert sequences_of(read_to_end(follower)) == [1, 2, 3, 4]


@pytest.mark.broker
def test_a_tombstone_brings_its_number_in_its_headers(topics: OutputTopics) -> None:
    topics.write([*orders([1]), tombstone("lab:one/spot/SOL/1", sequence=2)])
    with Follower(topics.kafka, topics.named) as follower:
        record = read_to_end(follower)[-1]
    assert record.message is None
    assert record.series == (ORDERS.name("lab", topics.namespace), "lab:one")
    assert record.number == (0, 2)


@pytest.mark.broker
def test_a_gap_before_a_young_record_stops_it_with_one_line(topics: OutputTopics) -> None:
    topics.write(orders([1, 2, 4]))
    with (
        Follower(topics.kafka, topics.named) as follower,
        pytest.raises(LossFoundError, match=r"lab:one before it: sequence 4 .* follows") as raised,
    ):
        read_to_end(follower)
    assert "\n" not in str(raised.value)


@pytest.mark.broker
def test_it_goes_on_where_it_stopped(topics: OutputTopics) -> None:
    topics.write(orders([1, 2]))
    with Follower(topics.kafka, topics.named) as follower:
        read = read_to_end(follower)
        progress = Progress(
            {(read[-1].name, 0): read[-1].offset + 1},
            {read[-1].series: read[-1].number},
            follower.topic_ids,
        )
    topics.write(orders([3]))
    with Follower(topics.kafka, topics.named, progress) as follower:
        assert sequences_of(read_to_end(follower)) == [3]


@pytest.mark.broker
def test_a_topic_made_again_is_another_topic(topics: OutputTopics) -> None:
    topics.write(orders([1]))
    with Follower(topics.kafka, topics.named) as follower:
        read_to_end(follower)
        progress = Progress(topic_ids=follower.topic_ids)
        topics.recreate()
        with pytest.raises(LogChangedError, match="made again"):
            follower.check()
    with pytest.raises(LogChangedError, match="made again"):
        Follower(topics.kafka, topics.named, progress)


@pytest.mark.broker
def test_a_follower_that_is_brought_nothing_although_there_is_more_says_so(
    topics: OutputTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's word of the ends against what came: a client that is stuck says nothing."""
    monkeypatch.setattr(standstill, "STILL_SECONDS_MAX", 0.3)
    topics.write(orders([1]))
    topics.write(orders([2]), abort=True)
    with Follower(topics.kafka, topics.named) as follower:
        read_to_end(follower)
        for _ in range(5):  # at the ends it may stand as long as it likes
            follower.poll(0.2)
            follower.check()
        follower._consumer.pause(follower._consumer.assignment())
        topics.write(orders([2]))
        wait_for(lambda: "partition 0 is not read on: it stands at 4" in trouble_of(follower))
        assert follower.poll(0.1).records == ()


@pytest.mark.broker
def test_an_offset_that_is_gone_stops_it(topics: OutputTopics) -> None:
    topics.write(orders([1]))
    beyond = Progress({(next(iter(topics.named)), 0): 1_000})
    with pytest.raises(LogChangedError, match="1000 comes next"):
        Follower(topics.kafka, topics.named, beyond)


@pytest.mark.broker
def test_a_record_of_another_contract_stops_it(topics: OutputTopics) -> None:
    topics.write([(ORDERS, b"key", b'{"v": 2}', [])])
    with (
        Follower(topics.kafka, topics.named) as follower,
        pytest.raises(UnreadableRecordError, match="offset 0 cannot be read"),
    ):
        read_to_end(follower)


@pytest.mark.broker
def test_a_missing_topic_is_named(topics: OutputTopics) -> None:
    with pytest.raises(TopicMissingError, match="no-such"):
        Follower(topics.kafka, {"no-such": ORDERS})


def test_views_away_for_longer_than_tombstones_are_kept_begin_from_empty() -> None:
    topics = {"orders.lab": ORDERS, "fills.lab": FILLS}
    now_ms = 100 * DAY_MS

    def stale(days: int) -> tuple[str, ...]:
        at_end_ms = dict.fromkeys(topics, now_ms - days * DAY_MS)
        return stale_topics(topics, Progress(at_end_ms=at_end_ms), now_ms)

    assert stale(8) == ("orders.lab",)
    assert stale(6) == ()
    assert stale_topics(topics, Progress(), now_ms) == ()


def test_a_view_away_for_long_is_stale_whatever_else_was_read_meanwhile() -> None:
    topics, now_ms = {"orders.lab": ORDERS, "orders.other": ORDERS}, 100 * DAY_MS
    progress = Progress(at_end_ms={"orders.lab": now_ms - 30 * DAY_MS, "orders.other": now_ms})
    assert stale_topics(topics, progress, now_ms) == ("orders.lab",)


@pytest.mark.broker
def test_each_topic_is_at_its_end_by_itself(topics: OutputTopics) -> None:
    topics.write(orders([1, 2, 3]))
    seen: set[str] = set()
    with Follower(topics.kafka, topics.named) as follower:
        while not follower.is_at_end:
            batch = follower.poll(10, most=1)
            seen |= set(batch.at_end_ms)
            assert not {name for name, _ in batch.offsets}.intersection(batch.at_end_ms)
        assert set(follower.poll(0).at_end_ms) == seen == set(topics.named)


@pytest.mark.broker
def test_a_broker_that_went_away_is_reported_in_one_line(
    namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.kafka.ASK_SECONDS_MAX", 1.0)
    with EmbeddedBroker(tmp_path / "broker", heap_mib=256) as broker:
        topics = OutputTopics(broker.bootstrap, namespace)
        with Follower(topics.kafka, topics.named) as follower:
            broker.kill()
            with pytest.raises(KafkaAwayError, match=r"^Kafka: .*: if it lasts, see") as raised:
                follower.check()
    assert "KafkaError{" not in str(raised.value)
