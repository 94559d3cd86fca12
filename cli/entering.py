"""What the commands share that write into the log: appends with their places, later answers."""

import sys
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from cli.printable import printable
from orderloom import topology
from orderloom.answer import IntentAnswer
from orderloom.codec import UnreadableMessage, read
from runtime.kafka import idempotent_producer, reader
from runtime.settings import Settings

APPEND_SECONDS_MAX: Final = 10.0
ASK_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.2
UNANSWERED: Final = 75
"""Exit status: what becomes of it is not known yet."""


class Appended(NamedTuple):
    """What became of an append: its place, or why none is known; then it may stand all the same."""

    partition: int
    offset: int | None
    why: str = ""


def append(
    settings: Settings,
    topic: topology.Topic,
    venue: str,
    records: Iterable[tuple[int, bytes, bytes]],
) -> list[Appended]:
    """Append records, each acknowledged by all replicas; what became of each, in their order."""
    kafka, name = settings.kafka, topic.name(venue, settings.namespace)
    limit = {"message.timeout.ms": int(APPEND_SECONDS_MAX * 1_000)}
    producer = idempotent_producer(
        kafka.bootstrap, security=kafka.client_security(), settings=limit
    )
    found: dict[int, Appended] = {}

    def reported(number: int, error: KafkaError | None, message: Message) -> None:
        # The error first: the offset of one that failed means nothing.
        offset = None if error is not None else message.offset()
        why = "no place was told" if error is None else error.str()
        partition = message.partition() or 0
        found[number] = Appended(partition, offset, "" if offset is not None else why)

    wanted = list(records)
    for number, (partition, key, value) in enumerate(wanted):

        def report(error: KafkaError | None, message: Message, number: int = number) -> None:
            reported(number, error, message)

        producer.produce(name, key=key, value=value, partition=partition, on_delivery=report)
    producer.flush(APPEND_SECONDS_MAX + 1)
    lacking = "Kafka did not answer"
    return [
        found.get(number, Appended(partition, None, lacking))
        for number, (partition, _key, _value) in enumerate(wanted)
    ]


def answers_from_now(settings: Settings, venue: str, partitions: Iterable[int]) -> Consumer:
    """Reads the answers of these partitions to what is written from now on."""
    kafka, name = settings.kafka, topology.ANSWERS.name(venue, settings.namespace)
    consumer = reader(kafka.bootstrap, committed=True, security=kafka.client_security())
    places = [TopicPartition(name, partition) for partition in partitions]
    for place in places:
        _low, place.offset = consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
    consumer.assign(places)
    return consumer


def next_answers(consumer: Consumer) -> Iterator[tuple[int, IntentAnswer, bytes]]:
    """Those that came, with their partition; after a moment none. Raises KafkaException."""
    message = consumer.poll(POLL_SECONDS)
    if message is None:
        return
    error = message.error()
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  public
            raise KafkaException(error)
        return
    value = message.value() or b""
    try:
        answer = read(topology.ANSWERS, value)
    except UnreadableMessage as unreadable:
        sys.stderr.write(f"orderloom: an answer is passed: {unreadable}\n")
        return
    assert isinstance(answer, IntentAnswer)
    yield message.partition() or 0, answer, value


def show(answer: IntentAnswer, value: bytes, *, as_json: bool) -> None:
    """Print one answer."""
    if as_json:
        sys.stdout.buffer.write(value + b"\n")
        sys.stdout.flush()
        return
    words = [answer.order or answer.account, answer.outcome]
    words += [answer.status] if answer.status else []
    words += [f"{answer.orders} orders"] if answer.orders is not None else []
    words += [f"code {answer.code}"] if answer.code else []
    words += [f"left: {', '.join(answer.left)}"] if answer.left else []
    words += [answer.reason] if answer.reason else []
    sys.stdout.write(printable("  ".join(map(str, words))) + "\n")
    sys.stdout.flush()
