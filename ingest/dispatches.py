"""Membership in the group on `dispatches`: which partitions are ours, and what is asked in them.

A thread of its own polls the consumer, so that a busy event loop costs no membership; it tells the
loop by events. A partition is *gained* only once the coordinator has accepted a commit of ours in
it; that commit's metadata carries the generation, which rises with every new owner, and the owner.
So a partition that was lost to a broken line and comes back untouched is *continued*: its sockets
were kept, and nobody else wrote.

Revoked means: close, then let go. Lost (the session ended) means: perhaps another owns it now, so
what we write is evidence only, and the next assignment tells.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

POLL_SECONDS = 0.1
ASK_SECONDS_MAX = 5.0
AGAIN_SECONDS = 0.5
RELEASE_SECONDS_MAX = 5.0
SAME_TROUBLE_SECONDS = 60.0
_PASSING = frozenset({KafkaError._PARTITION_EOF})  # noqa: SLF001  the client's name for it

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gained:
    """A partition is ours under `generation`, read from `offset`.

    `is_continued`: it was ours before, and nobody had it in between.
    """

    partition: int
    generation: int
    offset: int
    is_continued: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """Partitions are to be given up; `released` is awaited, for a few seconds."""

    partitions: tuple[int, ...]
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Lost:
    """Partitions that may be another's by now."""

    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """The whole assignment after a rebalance: what was lost and is not in it is another's."""

    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """One record of `dispatches`."""

    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The consumer can go on no more."""

    error: Exception


Event = Gained | Revoked | Lost | Assigned | Received | Failed


class Dispatches:
    """Reads `topic` in a group. `tell` is called from this reader's thread with each event.

    `is_full` (asked from that thread) pauses the reading while it holds.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        owner: str,
        tell: Callable[[Event], None],
        is_full: Callable[[], bool],
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._owner = owner
        self._tell = tell
        self._is_full = is_full
        self._opening: set[int] = set()
        self._open_again_at = 0.0
        self._generations: dict[int, int] = {}
        self._was_paused: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        self._to_commit: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._troubles: dict[str, float] = {}
        self._is_stopping = threading.Event()
        self._is_abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatches", daemon=True)

    def start(self) -> None:
        """Join the group."""
        self._thread.start()

    def commit(self, offsets: dict[int, int]) -> None:
        """Commit these offsets soon; any thread may call."""
        with self._lock:
            self._to_commit |= offsets

    def abandon(self) -> None:
        """Nobody will answer our events any more: wait for none."""
        self._is_abandoned.set()

    def stop(self) -> None:
        """Leave: partitions are revoked and released first. Blocks for a few seconds at most."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                [self._topic],
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._lost,
            )
            while not self._is_stopping.is_set():
                self._turn()
        except KafkaException as error:
            self._fail(error)
        finally:
            self._fail(RuntimeError("the reader of dispatches ended by our own mistake"))
            self._consumer.close()

    def _fail(self, error: Exception) -> None:
        if not self._is_stopping.is_set():
            self._is_stopping.set()
            self._tell(Failed(error))

    def _turn(self) -> None:
        self._open()
        self._pause_and_resume()
        self._commit_progress()
        message = self._consumer.poll(POLL_SECONDS)
        if message is None:
            return
        if (error := message.error()) is not None:
            self._trouble(error, message)
            return
        partition, offset, value = message.partition(), message.offset(), message.value()
        assert partition is not None
        assert offset is not None
        self._tell(Received(partition, offset, value or b""))

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Start where the group stands; nothing is read before `_open` has confirmed it."""
        if partitions:
            places = consumer.committed(partitions, timeout=ASK_SECONDS_MAX)
            for place in places:
                place.offset = self._begin(place)
            consumer.incremental_assign(places)
            consumer.pause(places)
            self._opening |= {place.partition for place in places}
            self._was_paused |= self._opening
        self._tell(Assigned(tuple(place.partition for place in consumer.assignment())))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = self._forget(partitions)
        told = Revoked(numbers)
        self._tell(told)
        if self._is_abandoned.is_set():
            told.released.set()
        if not told.released.wait(RELEASE_SECONDS_MAX):
            _log.warning("partitions %s are given up with streams still closing", numbers)
        self._commit_progress(partitions=numbers)
        consumer.incremental_unassign(partitions)
        for number in numbers:
            self._generations.pop(number, None)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._tell(Lost(self._forget(partitions)))

    def _forget(self, partitions: list[TopicPartition]) -> tuple[int, ...]:
        numbers = tuple(place.partition for place in partitions)
        self._opening -= set(numbers)
        self._was_paused -= set(numbers)
        for number in numbers:
            self._committed.pop(number, None)
        return numbers

    def _begin(self, place: TopicPartition) -> int:
        """The committed offset; in a partition that was never read, its first one."""
        if place.offset >= 0:
            return place.offset
        low, _high = self._consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
        return low

    def _open(self) -> None:
        """Confirm ownership of new partitions by a commit that the coordinator must accept."""
        if not self._opening or time.monotonic() < self._open_again_at:
            return
        for number in sorted(self._opening):
            try:
                gained = self._confirm(number)
            except KafkaException as error:
                self._open_again_at = time.monotonic() + AGAIN_SECONDS
                _log.info("partition %d is not confirmed yet: %s", number, error)
                return
            self._opening.discard(number)
            self._tell(gained)

    def _confirm(self, number: int) -> Gained:
        place = TopicPartition(self._topic, number)
        [held] = self._consumer.committed([place], timeout=ASK_SECONDS_MAX)
        before, owner = _metadata_of(held)
        is_continued = owner == self._owner and before == self._generations.get(number)
        generation = before if is_continued else max(before + 1, int(time.time()))
        offset = self._begin(held)
        self._consumer.commit(offsets=[self._place(number, offset, generation)], asynchronous=False)
        self._generations[number] = generation
        self._committed[number] = offset
        return Gained(number, generation, offset, is_continued)

    def _place(self, number: int, offset: int, generation: int) -> TopicPartition:
        metadata = orjson.dumps({"generation": generation, "owner": self._owner}).decode()
        return TopicPartition(self._topic, number, offset, metadata)

    def _pause_and_resume(self) -> None:
        ours = {place.partition for place in self._consumer.assignment()}
        paused = frozenset(ours if self._is_full() else self._opening & ours)
        if newly := paused - self._was_paused:
            self._consumer.pause(self._places(newly))
        if again := (self._was_paused - paused) & ours:
            self._consumer.resume(self._places(again))
        self._was_paused = paused

    def _places(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in partitions]

    def _commit_progress(self, partitions: tuple[int, ...] | None = None) -> None:
        """Commit what is new; when `partitions` are given up, theirs, and wait for it."""
        with self._lock:
            wanted, self._to_commit = self._to_commit, {}
        places = [
            self._place(number, offset, self._generations[number])
            for number, offset in wanted.items()
            if number in self._generations
            and number not in self._opening
            and self._committed.get(number) != offset
            and (partitions is None or number in partitions)
        ]
        if not places:
            return
        try:
            if partitions is None:
                self._consumer.commit(offsets=places)
            else:
                self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            _log.info("progress is not committed (questions may be asked again): %s", error)
        else:
            self._committed |= {place.partition: place.offset for place in places}

    def _trouble(self, error: KafkaError, message: Message) -> None:
        if error.code() in _PASSING:
            return
        if error.fatal():
            raise KafkaException(error)
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001  the client's name
            _log.error(
                "%s partition %s: the offset where we stood no longer exists (%s). The topic was "
                "trimmed or made anew; questions are read from its beginning, lost ones are asked "
                "again by their timers",
                self._topic,
                message.partition(),
                error.str(),
            )
            partition = message.partition()
            assert partition is not None
            place = TopicPartition(self._topic, partition)
            low, _high = self._consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
            self._consumer.seek(TopicPartition(self._topic, partition, low))
            return
        self._say_once(error)

    def _say_once(self, error: KafkaError) -> None:
        now = time.monotonic()
        if now - self._troubles.get(error.name(), -SAME_TROUBLE_SECONDS) >= SAME_TROUBLE_SECONDS:
            self._troubles[error.name()] = now
            _log.error(
                "%s cannot be read (%s): see that it exists (`orderloom topics`) and that this "
                "user may read it; it is tried again",
                self._topic,
                error.str(),
            )


def _metadata_of(place: TopicPartition) -> tuple[int, str]:
    """The generation and owner that a committed offset names; (0, "") if it names none."""
    try:
        held = orjson.loads(place.metadata or "")
        return int(held["generation"]), str(held["owner"])
    except (ValueError, TypeError, LookupError):
        return 0, ""
