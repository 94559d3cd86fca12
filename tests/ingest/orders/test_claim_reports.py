"""What an append's delivery report says: its error first, and a place only with its append time."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from ingest.orders.claim_topic import ClaimTopic, NotAppended
from ingest.orders.claimer import Claimer
from ingest.orders.claims import WINDOW_MS, PartitionClaims
from orderloom.claim import Claim, Command, Done, Verb
from orderloom.claim_log import ClaimLog

TIMED_OUT = KafkaError._MSG_TIMED_OUT


class ReportingProducer:
    """A client that reports of each append what it was told to."""

    def __init__(self, error: KafkaError | None, message: Message) -> None:
        self._report = error, message
        self._waiting = list[Callable[..., None]]()
        self._is_there = threading.Event()

    def produce(self, *_args: Any, on_delivery: Callable[..., None], **_more: Any) -> None:
        self._waiting.append(on_delivery)
        self._is_there.set()

    def poll(self, seconds: float) -> None:
        if self._is_there.wait(seconds):
            self._is_there.clear()
            while self._waiting:
                self._waiting.pop()(*self._report)

    def purge(self, **_more: Any) -> None:
        pass


class ScriptedReader:
    """A client that is told these errors, one after another, and nothing else."""

    def __init__(self, *errors: int) -> None:
        self._errors = list(errors)

    def offsets_for_times(self, asked: list[TopicPartition], **_more: Any) -> list[TopicPartition]:
        return [TopicPartition(asked[0].topic, asked[0].partition, 0)]

    def assign(self, _places: list[TopicPartition]) -> None:
        pass

    def poll(self, seconds: float) -> Message | None:
        if not self._errors:
            threading.Event().wait(seconds)
            return None
        return Message(topic="claims", partition=0, error=KafkaError(self._errors.pop(0)))

    def close(self) -> None:
        pass


def no_reader() -> Consumer:
    raise AssertionError("nothing is read before our own record stands")


def some_claims(
    error: KafkaError | None = None,
    message: Message | None = None,
    make_reader: Callable[[], Any] = no_reader,
) -> PartitionClaims:
    producer: Any = ReportingProducer(error, Message() if message is None else message)
    return PartitionClaims(ClaimTopic("claims", 0, lambda: producer, make_reader), "life", "1")


@pytest.mark.parametrize(
    ("error", "offset", "kind", "why"),
    [
        (TIMED_OUT, 0, TIMESTAMP_LOG_APPEND_TIME, "timed out"),
        (TIMED_OUT, 1, TIMESTAMP_LOG_APPEND_TIME, "timed out"),
        (None, -1, TIMESTAMP_LOG_APPEND_TIME, "without a place"),
        # By the writer's own clock, a stopped one would never be late.
        (None, 5, TIMESTAMP_CREATE_TIME, "without a place and its append time"),
    ],
)
async def test_an_append_counts_by_a_report_without_an_error_and_with_a_place(
    error: int | None, offset: int, kind: int, why: str
) -> None:
    message = Message(topic="claims", partition=0, offset=offset, timestamp=(kind, 1_000))
    claims = some_claims(None if error is None else KafkaError(error), message)
    try:
        with pytest.raises(NotAppended, match=why):
            await claims.take_over()
    finally:
        await claims.close()


@pytest.mark.parametrize(
    "error", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._AUTO_OFFSET_RESET]
)
async def test_what_a_reader_cannot_read_on_from_is_told_and_not_waited_for(error: int) -> None:
    message = Message(
        topic="claims", partition=0, offset=0, timestamp=(TIMESTAMP_LOG_APPEND_TIME, 1)
    )
    passing = KafkaError._PARTITION_EOF, KafkaError._TRANSPORT
    claims = some_claims(None, message, lambda: ScriptedReader(*passing, error))
    try:
        with pytest.raises(KafkaException) as caught:
            await asyncio.wait_for(claims.take_over(), 60)
        assert caught.value.args[0].code() == error
    finally:
        await claims.close()


async def test_no_two_objects_have_a_name_in_common() -> None:
    first, second = some_claims(), some_claims()
    assert first.life != second.life
    command = Command(
        id="c1", verb=Verb.PLACE, account="toy:main", strategy="maker", product="spot",
        symbol="BTCUSDT", seen=0, send_by_ns=0,
    )  # fmt: skip
    claim = Claim(
        life=second.life, command=command, intent=0, expires_ns=None, request="", sha256=""
    )
    with pytest.raises(AssertionError):
        await first.claim(claim)
    for claims in (first, second):
        await claims.close()


async def test_what_is_older_than_a_window_is_let_go_of_and_nothing_later() -> None:
    claims, log = some_claims(), ClaimLog()
    claimer = Claimer(claims.life, log)
    begins = []
    for offset, at_ms in enumerate((0, WINDOW_MS, 2 * WINDOW_MS - 1, 2 * WINDOW_MS, 4 * WINDOW_MS)):
        claimer.read(offset, Done(command_ids=()))
        claims._let_go(claimer, offset, at_ms)
        begins.append(log.begin)
    assert begins == [0, 0, 0, 1, 3]
    await claims.close()
