"""One membership in the group on `dispatches`, from joining to leaving.

A partition is *gained* only once the coordinator has accepted a commit of ours in it; that commit's
metadata carries the generation, which rises with every new owner, and the owner. So a partition
that was lost to a broken line and comes back untouched is *continued*: its sockets were kept, and
nobody else wrote.

Revoked means: close, then let go. Lost (the session ended) means: perhaps another owns it now, so
what we write is evidence only, and the next assignment shows it.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from ingest.group_events import Assigned, Event, Gained, Lost, Received, Revoked, Rewound
from orderloom.raw import GENERATION_LEAD_SECONDS
from runtime.trouble import SetupError

POLL_SECONDS = 0.1
ASK_SECONDS_MAX = 5.0
AGAIN_SECONDS = 0.5
RELEASE_SECONDS_MAX = 5.0
SAME_TROUBLE_SECONDS = 60.0
_END = KafkaError._PARTITION_EOF  # noqa: SLF001  the client's name for it
_NO_OFFSET = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001  the client's name for it
_FATAL = KafkaError._FATAL  # noqa: SLF001  the client's name for it

_log = logging.getLogger(__name__)


class MemberTakenError(SetupError):
    """Another process joined the group under our member's name."""


@dataclass(slots=True)
class Identity:
    """Who we are in this life: `owner` begins with the member's name.

    `generations` are the last that we tried to hold, by partition; `announced` those for which
    `Gained` was emitted: a commit whose answer was lost has one that nobody works under.
    """

    topic: str
    member: str
    owner: str
    generations: dict[int, int] = field(default_factory=dict)
    announced: dict[int, int] = field(default_factory=dict)


class Membership:
    """Runs on one consumer, in one thread; `emit` is called with each event.

    `unread`: why the topic cannot be read, or ""; for any thread.
    """

    def __init__(
        self, consumer: Consumer, identity: Identity, emit: Callable[[Event], None]
    ) -> None:
        self._consumer = consumer
        self._identity = identity
        self._emit = emit
        self._opening: set[int] = set()
        self._open_again_at = 0.0
        self._paused: frozenset[int] = frozenset()
        self._committed: dict[int, int] = {}
        self._troubles: dict[str, float] = {}
        self._is_waited_for = True
        self.unread = ""

    def join(self) -> None:
        """Subscribe; the rest happens in `turn`."""
        self._consumer.subscribe(
            [self._identity.topic],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )

    def turn(self, to_commit: dict[int, int], is_full: bool) -> None:
        """Open, commit, and read at most one record. Raises KafkaException, MemberTakenError."""
        self._open()
        self._pause_and_resume(is_full)
        self._commit(to_commit, is_waited_for=False)
        message = self._consumer.poll(POLL_SECONDS)
        if message is None:
            return
        if (error := message.error()) is not None:
            self._trouble(error, message)
            return
        partition, offset, value = message.partition(), message.offset(), message.value()
        assert partition is not None
        assert offset is not None
        self.unread = ""
        self._emit(Received(partition, offset, value or b""))

    def leave(self, to_commit: dict[int, int], *, is_waited_for: bool) -> None:
        """Leave the group; our partitions are released first if `is_waited_for`, else lost."""
        self._is_waited_for = is_waited_for
        if is_waited_for:
            self._commit(to_commit, is_waited_for=True)
        self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Start where the group stands; nothing is read before `_open` has confirmed it."""
        if partitions:
            places = consumer.committed(partitions, timeout=ASK_SECONDS_MAX)
            for place in places:
                place.offset = self._begin(place)
            # The strategy is cooperative (`group_reader`): what
            # we hold already is not in the list and stays.
            consumer.incremental_assign(places)
            consumer.pause(places)
            self._opening |= {place.partition for place in places}
            self._paused |= self._opening
            self.unread = ""
        self._emit(Assigned(tuple(place.partition for place in consumer.assignment())))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if not self._is_waited_for:
            # We leave after trouble: nobody is there to close the streams in order.
            self._lost(consumer, partitions)
            return
        numbers = self._forget(partitions)
        event = Revoked(numbers)
        self._emit(event)
        if not event.released.wait(RELEASE_SECONDS_MAX):
            _log.warning("partitions %s are given up with streams still closing", numbers)
        for number in numbers:
            # Given up in order, so never continued: whoever
            # gets it next, we too, has a new generation.
            self._identity.generations.pop(number, None)
            self._identity.announced.pop(number, None)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Generations are kept: if nobody takes it over
        # meanwhile it goes on under its own (decision 0503).
        self._emit(Lost(self._forget(partitions)))

    def _forget(self, partitions: list[TopicPartition]) -> tuple[int, ...]:
        numbers = tuple(place.partition for place in partitions)
        self._opening -= set(numbers)
        self._paused -= set(numbers)
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
            self._identity.announced[number] = gained.generation
            self._emit(gained)

    def _confirm(self, number: int) -> Gained:
        place = TopicPartition(self._identity.topic, number)
        [held] = self._consumer.committed([place], timeout=ASK_SECONDS_MAX)
        before, owner = metadata_of(held)
        ours = self._identity.generations.get(number)
        self._check_name(owner, before, ours)
        # Our own last entry: nobody owned it in between, and the kept sockets missed nothing.
        is_continued = owner == self._identity.owner and before == self._identity.announced.get(
            number
        )
        generation = before if is_continued else next_generation(before, int(time.time()))
        offset = self._begin(held)
        # Noted before the commit, whose answer may be lost although the group has taken it.
        self._identity.generations[number] = generation
        self._consumer.commit(offsets=[self._place(number, offset)], asynchronous=False)
        self._committed[number] = offset
        return Gained(number, generation, offset, is_continued)

    def _check_name(self, owner: str, generation: int, ours: int | None) -> None:
        """Somebody who took over from us within this life must not bear our name."""
        is_namesake = owner.startswith(f"{self._identity.member}~")
        # Where we held none yet in this life it is that of
        # an ended one: a restart, and no second process.
        if ours is not None and generation > ours and is_namesake:
            raise MemberTakenError(
                f"another ingest worker runs under the member name {self._identity.member}",
                "give each worker a name of its own",
            )

    def _place(self, number: int, offset: int) -> TopicPartition:
        generation = self._identity.generations[number]
        metadata = {"generation": generation, "owner": self._identity.owner}
        return TopicPartition(self._identity.topic, number, offset, orjson.dumps(metadata).decode())

    def _pause_and_resume(self, is_full: bool) -> None:
        ours = {place.partition for place in self._consumer.assignment()}
        paused = frozenset(ours if is_full else self._opening & ours)
        if newly := paused - self._paused:
            self._consumer.pause(self._places(newly))
        if again := (self._paused - paused) & ours:
            self._consumer.resume(self._places(again))
        self._paused = paused

    def _places(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._identity.topic, number) for number in partitions]

    def _commit(self, wanted: dict[int, int], *, is_waited_for: bool) -> None:
        """Commit what is new, of what is confirmed to be ours."""
        places = [
            self._place(number, offset)
            for number, offset in wanted.items()
            if number in self._committed and self._committed[number] != offset
        ]
        if not places:
            return
        try:
            if is_waited_for:
                self._consumer.commit(offsets=places, asynchronous=False)
            else:
                self._consumer.commit(offsets=places)
        except KafkaException as error:
            _log.info("progress is not committed (questions may be asked again): %s", error)
        else:
            # Also where the answer is not awaited: what is
            # lost costs a question asked again, no fact.
            self._committed |= {place.partition: place.offset for place in places}

    def _trouble(self, error: KafkaError, message: Message) -> None:
        if error.code() == _END:
            self.unread = ""
            return
        if error.fatal() or error.code() == _FATAL:  # of a consumer, only the code says it
            raise KafkaException(error)
        if error.code() == _NO_OFFSET:
            self._begin_again(error, message)
            return
        self.unread = (
            f"{self._identity.topic} cannot be read ({error.str()}): see that it exists "
            "(`orderloom topics`) and that this user may read it; it is tried again"
        )
        now = time.monotonic()
        if now - self._troubles.get(error.name(), -SAME_TROUBLE_SECONDS) >= SAME_TROUBLE_SECONDS:
            self._troubles[error.name()] = now
            _log.error("%s", self.unread)

    def _begin_again(self, error: KafkaError, message: Message) -> None:
        partition = message.partition()
        assert partition is not None
        _log.error(
            "%s partition %d: the offset where we stood no longer exists (%s). The topic was "
            "trimmed or made anew; questions are read from its beginning, lost ones are asked "
            "again by their timers",
            self._identity.topic,
            partition,
            error.str(),
        )
        place = TopicPartition(self._identity.topic, partition)
        low, _high = self._consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
        self._consumer.incremental_unassign([place])  # the client cannot seek after this error
        self._consumer.incremental_assign([TopicPartition(self._identity.topic, partition, low)])
        self._paused -= {partition}
        if partition in self._committed:  # with a topic, what its groups committed is deleted
            self._consumer.commit(offsets=[self._place(partition, low)], asynchronous=False)
            self._committed[partition] = low
        self._emit(Rewound(partition, low))


def next_generation(before: int, now_s: int) -> int:
    """The generation after `before`: the time in seconds, or one more if that is not later.

    One that lies far ahead (a clock was wrong, or somebody else committed) is not outbid: nobody
    would believe what is written under it (`GENERATION_LEAD_SECONDS`).
    """
    # Half of the lead that is believed (decision 0108): the broker's clock may be behind ours.
    latest = now_s + GENERATION_LEAD_SECONDS // 2
    if before >= latest:
        _log.error(
            "the group's last generation is %d, which is no time of ours: %d follows; look at this "
            "machine's clock, and who may commit in the group",
            before,
            latest,
        )
    return min(max(before + 1, now_s), latest)


def metadata_of(place: TopicPartition) -> tuple[int, str]:
    """The generation and owner that a committed offset names; (0, "") if it names none."""
    try:
        held = orjson.loads(place.metadata or "")
        return int(held["generation"]), str(held["owner"])
    except (ValueError, TypeError, LookupError):
        return 0, ""
