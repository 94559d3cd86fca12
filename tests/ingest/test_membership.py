"""One membership in the group on `dispatches`, on a real broker."""

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from ingest.group_events import Event, Received, Revoked, Rewound
from ingest.membership import Identity, Membership, metadata_of
from orderloom import topology
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

    def tell(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Revoked):
            event.released.set()

    def received(self) -> list[int]:
        return [event.offset for event in self.events if isinstance(event, Received)]

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


@pytest.fixture
def stage(broker: RunningBroker, namespace: str) -> Iterator[Stage]:
    return Stage(broker.bootstrap, namespace)


def test_a_topic_made_anew_is_read_from_its_beginning_and_progress_begins_there(
    stage: Stage,
) -> None:
    stage.write(5)
    membership = Membership(stage.consumer(), stage.identity(), stage.tell)
    membership.join()
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
