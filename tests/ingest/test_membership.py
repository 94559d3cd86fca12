"""One membership in the group on `dispatches`, on a real broker."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from ingest.group_events import Event, Gained, Received, Revoked, Rewound
from ingest.membership import Identity, Membership, metadata_of, next_generation
from orderloom import topology
from orderloom.raw import GENERATION_LEAD_SECONDS
from runtime.kafka import connected_admin, group_reader, idempotent_producer, reader
from runtime.topics import TopicSpec, create_topics
from tests.conftest import RunningBroker

pytestmark = pytest.mark.broker
SECONDS_MAX = 40
P = 0


class Stage:
    """A topic of one partition, and members of a group on it; `events` are what they told."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self.bootstrap = bootstrap
        self.group = f"{namespace}members"
        self.topic = topology.DISPATCHES.name("toy", namespace)
        self.admin = connected_admin(bootstrap)
        self.events: list[Event] = []
        self.make_topic()

    def make_topic(self) -> None:
        create_topics(self.admin, [TopicSpec(self.topic, 1, 1, topology.DISPATCHES.config)])

    def make_topic_anew(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result(20)
        self.make_topic()

    def identity(self, member: str = "w1") -> Identity:
        return Identity(self.topic, member, f"{member}~1")

    def consumer(self, member: str = "w1") -> Consumer:
        return group_reader(self.bootstrap, self.group, member)

    def write(self, times: int) -> None:
        producer = idempotent_producer(self.bootstrap)
        for number in range(times):
            producer.produce(self.topic, value=b"%d" % number, partition=P)
        producer.flush(10)

    def emit(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Revoked):
            event.released.set()

    def received(self) -> list[int]:
        return [event.offset for event in self.events if isinstance(event, Received)]

    def gained(self) -> list[Gained]:
        return [event for event in self.events if isinstance(event, Gained)]

    def member(self, consumer: Any, identity: Identity) -> Membership:
        """A membership that has just been told of the partition."""
        membership, before = Membership(consumer, identity, self.emit), len(self.gained())
        membership.join()
        self.turn_until(membership, lambda: len(self.gained()) > before)
        return membership

    def commit_as(self, owner: str, generation: int) -> None:
        """What another worker leaves behind that owned the partition, once its group is empty."""
        metadata = orjson.dumps({"generation": generation, "owner": owner}).decode()
        place = TopicPartition(self.topic, P, 0, metadata)
        other = reader(self.bootstrap, committed=True, settings={"group.id": self.group})
        give_up = time.monotonic() + SECONDS_MAX
        while metadata_of(self.committed())[1] != owner:
            assert time.monotonic() < give_up, "the members before are not forgotten"
            with suppress(KafkaException):  # a member's session is not over yet
                other.commit(offsets=[place], asynchronous=False)
        other.close()

    def committed(self) -> TopicPartition:
        asking = reader(self.bootstrap, committed=True, settings={"group.id": self.group})
        try:
            [place] = asking.committed([TopicPartition(self.topic, P)], timeout=10)
            return place
        finally:
            asking.close()

    def turn_until(
        self, membership: Membership, is_so: Callable[[], bool], done: int | None = None
    ) -> None:
        """Let a membership go on until a condition holds, with dispatches below `done` done."""
        give_up = time.monotonic() + SECONDS_MAX
        while not is_so():
            assert time.monotonic() < give_up, f"never came about; told {self.events}"
            membership.turn({} if done is None else {P: done}, is_full=False)


class Deaf:
    """A consumer whose first commit arrives, and whose answer does not."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self.answers_lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def commit(self, **what: Any) -> Any:
        answer = self._consumer.commit(**what)
        if self.answers_lost == 0:
            self.answers_lost = 1
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return answer


@pytest.fixture
def stage(broker: RunningBroker, namespace: str) -> Stage:
    return Stage(broker.bootstrap, namespace)


def test_a_topic_made_anew_is_read_from_its_beginning_and_progress_begins_there(
    stage: Stage,
) -> None:
    stage.write(5)
    membership = stage.member(stage.consumer(), stage.identity())
    stage.turn_until(membership, lambda: stage.received() == [0, 1, 2, 3, 4])
    stage.turn_until(membership, lambda: stage.committed().offset == 5, done=5)
    before = metadata_of(stage.committed())
    stage.make_topic_anew()
    stage.events.clear()
    stage.write(2)
    stage.turn_until(membership, lambda: stage.received() == [0, 1])
    assert stage.events[0] == Rewound(P, 0)
    assert (stage.committed().offset, metadata_of(stage.committed())) == (0, before)
    stage.turn_until(membership, lambda: stage.committed().offset == 2, done=2)
    membership.leave({}, is_waited_for=True)


def test_a_topic_that_cannot_be_read_is_told_until_it_can(stage: Stage) -> None:
    stage.topic += "-later"
    membership = Membership(stage.consumer(), stage.identity(), stage.emit)
    membership.join()
    stage.turn_until(membership, lambda: "cannot be read" in membership.unread)
    assert "\n" not in membership.unread
    stage.make_topic()
    stage.turn_until(membership, lambda: membership.unread == "")
    membership.leave({}, is_waited_for=True)


def test_a_partition_that_nobody_had_in_between_goes_on_under_its_generation(stage: Stage) -> None:
    identity = stage.identity()
    for _ in range(2):
        stage.member(stage.consumer(), identity).leave({}, is_waited_for=False)
    first, second = stage.gained()
    assert (first.is_continued, second.is_continued) == (False, True)
    assert first.generation == second.generation


def test_a_generation_of_no_time_is_not_outbid(stage: Stage) -> None:
    """Who joins after it works under one that the processors believe."""
    stage.commit_as("w2~1", 2**62)
    identity = stage.identity()
    membership = stage.member(stage.consumer(), identity)
    [gained] = stage.gained()
    membership.leave({}, is_waited_for=True)
    assert abs(gained.generation - time.time()) < GENERATION_LEAD_SECONDS


@pytest.mark.parametrize(
    ("before", "follows"),
    [
        (0, 1_000),
        (999, 1_000),
        (1_000, 1_001),
        (1_200, 1_201),
        (2**62, 1_000 + GENERATION_LEAD_SECONDS // 2),
    ],
)
def test_a_generation_rises_and_stays_near_its_time(before: int, follows: int) -> None:
    assert next_generation(before, 1_000) == follows


def test_a_generation_whose_confirmation_was_lost_is_not_one_that_goes_on(stage: Stage) -> None:
    identity = stage.identity()
    stage.member(stage.consumer(), identity).leave({}, is_waited_for=False)
    stage.commit_as("w2~1", stage.gained()[0].generation + 1)
    deaf = Deaf(stage.consumer())
    stage.member(deaf, identity).leave({}, is_waited_for=False)
    first, second = stage.gained()
    assert deaf.answers_lost == 1
    assert not second.is_continued
    assert second.generation > first.generation + 1
    assert metadata_of(stage.committed()) == (second.generation, identity.owner)
