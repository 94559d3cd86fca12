"""Clients and topics against a real broker."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from runtime.broker import EmbeddedBroker
from runtime.kafka import (
    BrokerUnreachableError,
    OncePerCause,
    begin_offsets,
    cluster_id,
    connected_admin,
    end_offsets,
    ends_for,
    group_offsets,
    group_reader,
    idempotent_producer,
    reader,
    topic_ids,
    transactional_producer,
)
from runtime.topics import TopicSpec, create_topics
from runtime.trouble import SettingsError
from tests.waits import wait_for


def read_to_end(consumer: Consumer, topic: str) -> list[bytes | None]:
    """The values of partition 0 from its beginning to the end that this reader sees."""
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes | None] = []
    while True:
        message = consumer.poll(10)
        assert message is not None
        error = message.error()
        if error is None:
            values.append(message.value())
        elif error.code() == KafkaError._PARTITION_EOF:
            return values
        else:
            raise KafkaException(error)


@pytest.mark.parametrize(
    ("security", "words"),
    [
        ({"security.protokol": "SSL"}, 'No such configuration property: "security.protokol"'),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, "sasl.username and sasl."),
    ],
)
def test_security_that_kafkas_client_refuses_is_named_as_such(
    security: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        connected_admin("127.0.0.1:1", security)
    assert "kafka.security cannot be used" in str(caught.value)
    assert words in str(caught.value)


@pytest.fixture
def topic(broker: Any, namespace: str) -> str:
    create_topics(connected_admin(broker.bootstrap), [TopicSpec(namespace, 1)])
    return namespace


def send(producer: Producer, topic: str, *values: bytes) -> None:
    for value in values:
        producer.produce(topic, value, partition=0)


@pytest.mark.broker
def test_a_committed_reader_sees_nothing_of_an_aborted_transaction(broker: Any, topic: str) -> None:
    writer = transactional_producer(broker.bootstrap, topic)
    writer.init_transactions(30)
    for value, ends_well in ((b"kept", True), (b"dropped", False)):
        writer.begin_transaction()
        send(writer, topic, value)
        writer.flush(10)
        writer.commit_transaction(30) if ends_well else writer.abort_transaction(30)
    assert read_to_end(reader(broker.bootstrap, committed=True), topic) == [b"kept"]
    assert read_to_end(reader(broker.bootstrap, committed=False), topic) == [b"kept", b"dropped"]


@pytest.mark.broker
def test_a_second_holder_of_a_transactional_id_fences_the_first(broker: Any, topic: str) -> None:
    first, second = (transactional_producer(broker.bootstrap, topic) for _ in range(2))
    first.init_transactions(30)
    second.init_transactions(30)
    first.begin_transaction()
    send(first, topic, b"too late")
    with pytest.raises(KafkaException) as caught:
        first.commit_transaction(30)
    assert caught.value.args[0].fatal() or caught.value.args[0].txn_requires_abort()


@pytest.mark.broker
def test_the_end_of_an_open_transaction_is_seen_only_by_the_uncommitted(
    broker: Any, topic: str
) -> None:
    admin = connected_admin(broker.bootstrap)
    writer = transactional_producer(broker.bootstrap, topic)
    writer.init_transactions(30)
    writer.begin_transaction()
    send(writer, topic, b"a", b"b")
    writer.flush(10)
    place = (topic, 0)
    assert end_offsets(admin, [place]) == {place: 2}
    assert end_offsets(admin, [place], committed=True) == {place: 0}
    for is_committed, end in ((True, 0), (False, 2)):
        asking = reader(broker.bootstrap, committed=is_committed)
        assert ends_for(asking, [place], 10) == {place: end}
        asking.close()
    assert begin_offsets(admin, [place]) == {place: 0}
    writer.abort_transaction(30)


@pytest.mark.broker
def test_an_offset_that_does_not_exist_is_an_error_and_not_a_reset(broker: Any, topic: str) -> None:
    consumer = reader(broker.bootstrap, committed=True)
    consumer.assign([TopicPartition(topic, 0, 1000)])
    message = consumer.poll(10)
    assert message is not None
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError._AUTO_OFFSET_RESET


@pytest.mark.broker
def test_a_message_of_ten_megabytes_goes_through(broker: Any, namespace: str) -> None:
    config = {"max.message.bytes": str(16 << 20)}
    create_topics(connected_admin(broker.bootstrap), [TopicSpec(namespace, 1, config=config)])
    producer = idempotent_producer(broker.bootstrap)
    send(producer, namespace, b"x" * (10 << 20), b"next")
    assert producer.flush(30) == 0
    values = read_to_end(reader(broker.bootstrap, committed=True), namespace)
    assert [len(value or b"") for value in values] == [10 << 20, 4]


@pytest.mark.broker
def test_a_topic_made_again_has_another_id(broker: Any, topic: str) -> None:
    admin = connected_admin(broker.bootstrap)
    before = topic_ids(admin, [topic])
    admin.delete_topics([topic])[topic].result(20)
    wait_for(lambda: ids_of(admin, topic) is None)
    create_topics(admin, [TopicSpec(topic, 1)])
    wait_for(lambda: ids_of(admin, topic) is not None)
    assert ids_of(admin, topic) != before
    assert len(cluster_id(admin)) == 22


def ids_of(admin: Any, topic: str) -> Any:
    try:
        return topic_ids(admin, [topic])
    except KafkaException:
        return None


@pytest.mark.broker
def test_a_group_reader_is_given_the_partitions_of_its_topic(broker: Any, topic: str) -> None:
    consumer = group_reader(broker.bootstrap, topic, "member-1")
    given: list[TopicPartition] = []
    consumer.subscribe([topic], on_assign=lambda _consumer, places: given.extend(places))
    while not given:
        consumer.poll(1)
    assert [(at.topic, at.partition) for at in given] == [(topic, 0)]
    consumer.close()


@pytest.mark.broker
def test_what_a_group_has_committed_is_known_without_joining_it(broker: Any, topic: str) -> None:
    places = [(topic, 0), (topic, 1)]
    assert group_offsets(broker.bootstrap, f"{topic}-group", places) == {}
    member = group_reader(broker.bootstrap, f"{topic}-group", "one")
    member.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
    member.close()
    assert group_offsets(broker.bootstrap, f"{topic}-group", places) == {(topic, 0): 0}


@pytest.mark.broker
def test_a_new_cluster_may_be_asked_for_a_group_at_once(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, heap_mib=256) as made:
        assert group_offsets(made.bootstrap, "nobody", [("none", 0)]) == {}


def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.kafka.ASK_SECONDS_MAX", 0.3)
    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:9 .*`orderloom broker`"):
        connected_admin("127.0.0.1:9")


def test_a_cause_is_logged_once_a_minute_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    callback = OncePerCause("reader", clock=lambda: now[0])
    for _ in range(5):
        callback(KafkaError(KafkaError._TRANSPORT, "refused"))
    callback(KafkaError(KafkaError._AUTHENTICATION, "who are you"))
    now[0] = 61.0
    callback(KafkaError(KafkaError._TRANSPORT, "refused"))
    assert [record.getMessage() for record in caplog.records] == [
        "kafka reader: refused",
        "kafka reader: who are you",
        "kafka reader: refused (4 more like it)",
    ]
