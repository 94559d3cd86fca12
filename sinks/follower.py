"""Follows output topics by the consumer's contract (docs/contract.md), without a group.

Committed records only, each partition in order, repeats dropped. Where going on would hide a loss
it stops with one line: a gap before a young record, an offset that is gone, a topic made again.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from orderloom.codec import UnreadableMessage
from orderloom.topology import DAY_MS, Topic
from runtime.clock import wall_ns
from runtime.kafka import (
    KafkaAwayError,
    begin_offsets,
    connected_admin,
    end_offsets,
    readable_kafka_errors,
    reader,
    topic_ids,
)
from runtime.settings import KafkaSettings
from runtime.trouble import SetupError
from sinks.numbering import Gap, Numbering, Standing, is_compacted
from sinks.record import Batch, Place, Record, record_of
from sinks.sink import Progress
from sinks.standstill import Standstill

BATCH_RECORDS: Final = 1_000
ASK_SECONDS_MAX: Final = 10.0
CHECK_SECONDS: Final = 10.0
"""How often topics are looked at, and an idle sink notes that it is at the end."""
TOMBSTONES_MS: Final = 7 * DAY_MS
REBUILD: Final = "stop what depends on it, then read everything again (a sink: `--rebuild`)"

# The codes of librdkafka itself begin with an underscore.
_GONE: Final = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)  # noqa: SLF001  so
_MISSING: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  its public name
)


class LossFoundError(SetupError):
    """Records are missing where none may be."""


class LogChangedError(SetupError):
    """The topic is not the one that was read before, or no longer holds what comes next."""


class TopicMissingError(SetupError):
    """A topic to follow does not exist, or may not be read."""


class UnreadableRecordError(SetupError):
    """A record does not hold to this version of the contract."""


def stale_topics(topics: Mapping[str, Topic], progress: Progress, now_ms: int) -> tuple[str, ...]:
    """The names of those to be read from empty: longer ago than tombstones are kept.

    A key that vanished meanwhile may have no tombstone any more, and would stand for ever.
    """
    return tuple(
        name
        for name, topic in topics.items()
        if is_compacted(topic) and now_ms - progress.at_end_ms.get(name, now_ms) > TOMBSTONES_MS
    )


class Follower:
    """Reads `topics` (by full name) on from `progress`; a context manager.

    Raises BrokerUnreachableError, KafkaAwayError, TopicMissingError, LogChangedError. `topic_ids`
    are those of the topics that it reads.
    """

    @readable_kafka_errors()
    def __init__(
        self, kafka: KafkaSettings, topics: Mapping[str, Topic], progress: Progress | None = None
    ) -> None:
        self._topics = dict(topics)
        progress = progress or Progress()
        security = kafka.client_security()
        self._admin = connected_admin(kafka.bootstrap, security)
        self.topic_ids = self._checked_ids(progress.topic_ids)
        self._numbering = Numbering(progress.numbers)
        begin = begin_offsets(self._admin, _places(self._admin, topics))
        # Where retention cut something off, an account's first record may be any (decision 0602).
        self._cut = {place for place, offset in begin.items() if offset > 0}
        self._next = _start(self._admin, begin, progress.offsets)
        self._at_end: set[Place] = set()
        self._reached = dict(self._next)
        self._standstill = Standstill()
        self._checked_at = time.monotonic()
        # Without a group: an offset committed there could
        # not change together with a row (decision 0601).
        self._consumer: Consumer = reader(kafka.bootstrap, committed=True, security=security)
        self._consumer.assign([TopicPartition(*place, at) for place, at in self._next.items()])

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._consumer.close()

    @property
    def is_at_end(self) -> bool:
        """Whether every partition was read to its end, as it was a moment ago."""
        return len(self._at_end) == len(self._next)

    @readable_kafka_errors()
    def poll(self, seconds: float, most: int = BATCH_RECORDS) -> Batch:
        """The next new records, at most `most`; empty where none came within `seconds`.

        Raises LossFoundError, LogChangedError, TopicMissingError, UnreadableRecordError, and
        KafkaAwayError for what is the broker's.
        """
        records, offsets = [], {}
        for message in self._messages(seconds, most):
            place = (str(message.topic()), message.partition() or 0)
            if (error := message.error()) is not None:
                self._note(place, message, error)
                continue
            record = self._record(place, message)
            # Also past a repeat: its place is read, though nothing is made of it.
            offsets[place] = self._next[place] = self._reached[place] = record.offset + 1
            self._at_end.discard(place)
            if self._is_new(record):
                records.append(record)
        now_ms = wall_ns() // 1_000_000
        return Batch(tuple(records), offsets, dict.fromkeys(self._topics_at_end(), now_ms))

    def _topics_at_end(self) -> set[str]:
        return set(self._topics) - {name for name, _ in self._next.keys() - self._at_end}

    @readable_kafka_errors()
    def lag(self) -> dict[str, int]:
        """By topic, how many offsets lie between what was read and the end last heard of."""
        behind = dict.fromkeys(self._topics, 0)
        for place, position in self._next.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
            if place not in self._at_end:
                behind[place[0]] += max(0, end - position)
        return behind

    def check_if_due(self) -> bool:
        """Look as `check` does, every ten seconds; whether it was time."""
        if time.monotonic() - self._checked_at < CHECK_SECONDS:
            return False
        self._checked_at = time.monotonic()
        self.check()
        return True

    @readable_kafka_errors()
    def check(self) -> None:
        """Ask whether the topics are still the same, and whether they are read on.

        Raises LogChangedError, TopicMissingError, KafkaAwayError.
        """
        self._checked_ids(self.topic_ids)
        reached = dict(self._reached)
        ends = end_offsets(self._admin, reached, committed=True)
        if still := self._standstill.look(reached, ends, time.monotonic()):
            name, partition = still[0]
            raise KafkaAwayError(
                f"{name} partition {partition} is not read on: it stands at {reached[still[0]]}, "
                f"and {ends[still[0]]} are there ({len(still)} partitions in all)",
                "the connections are made anew; if it lasts, see `orderloom doctor`",
            )

    def _messages(self, seconds: float, most: int) -> Iterator[Message]:
        first = self._consumer.poll(seconds)
        if first is not None:
            yield first
            # Only what is at hand: the first record must not wait for company.
            yield from self._consumer.consume(most - 1, 0)

    def _note(self, place: Place, message: Message, error: KafkaError) -> None:
        """An end, or trouble with one partition."""
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's own name
            self._at_end.add(place)
            # Behind what is shown to nobody too: ends of transactions, and what was aborted.
            self._reached[place] = message.offset() or 0
            return
        if trouble := _trouble(place, error):
            raise trouble
        if not error.retriable():
            raise KafkaException(error)

    def _record(self, place: Place, message: Message) -> Record:
        at = (*place, message.offset() or 0)
        value = message.value()
        content = (message.key() or b"", value, _headers(message) if value is None else ())
        try:
            return record_of(self._topics[place[0]], at, message.timestamp()[1], content)
        except UnreadableMessage as error:
            raise UnreadableRecordError(
                f"{place[0]} partition {at[1]} offset {at[2]} cannot be read ({error})",
                "install the version of orderloom that its writer has",
            ) from None

    def _is_new(self, record: Record) -> bool:
        age_ms = wall_ns() // 1_000_000 - record.append_ms
        try:
            is_cut = (record.name, record.partition) in self._cut
            standing = self._numbering.take(
                record.series, record.number, age_ms, record.topic, is_cut=is_cut
            )
        except Gap as gap:
            raise LossFoundError(
                f"{record.name} partition {record.partition} offset {record.offset} lacks records "
                f"of {record.account} before it: {gap}, and it is {age_ms // 1000} s old",
                REBUILD,
            ) from None
        return standing is not Standing.REPEAT

    def _checked_ids(self, before: Mapping[str, str]) -> dict[str, str]:
        try:
            now = topic_ids(self._admin, self._topics)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
            names = ", ".join(sorted(self._topics))
            raise TopicMissingError(
                f"not all of these topics exist: {names}",
                "create them with `orderloom topics`, or correct namespace and venues",
            ) from None
        changed = [name for name in now if before.get(name, now[name]) != now[name]]
        if changed:
            raise LogChangedError(f"{', '.join(changed)} was deleted and made again", REBUILD)
        return now


def _places(admin: AdminClient, names: Iterable[str]) -> list[Place]:
    """Every partition of the topics."""
    known = admin.list_topics(timeout=ASK_SECONDS_MAX).topics
    return [(name, partition) for name in names for partition in sorted(known[name].partitions)]


def _start(
    admin: AdminClient, begin: Mapping[Place, int], kept: Mapping[Place, int]
) -> dict[Place, int]:
    """Where each partition is read on. Raises LogChangedError where that place is gone."""
    end = end_offsets(admin, begin)
    for place, offset in kept.items():
        # Below: retention took what comes next. Above:
        # it is another log (docs/contract.md, rule 9).
        if place in begin and not begin[place] <= offset <= end[place]:
            raise LogChangedError(
                f"{place[0]} partition {place[1]} holds offsets {begin[place]} to {end[place]}, "
                f"and {offset} comes next",
                REBUILD,
            )
    return dict(begin) | {place: offset for place, offset in kept.items() if place in begin}


def _headers(message: Message) -> list[tuple[str, bytes]]:
    headers = message.headers() or []
    return [(name, value.encode() if isinstance(value, str) else value or b"null")
            for name, value in dict(headers).items()]  # fmt: skip


def _trouble(place: Place, error: KafkaError) -> SetupError | None:
    """What a person must mend, if it is that."""
    where = f"{place[0]} partition {place[1]}"
    if error.code() in _GONE:
        return LogChangedError(f"{where} no longer holds what comes next", REBUILD)
    if error.code() in _MISSING:
        return TopicMissingError(f"{where} does not exist", "create it with `orderloom topics`")
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return TopicMissingError(f"{where} may not be read", "allow it: `orderloom topics --acl`")
    return None
