"""What the ledger's tests share: topics, feeding, reading back, and the exact check."""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from confluent_kafka import KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from orderloom.topology import COMMITS, DEAD_LETTERS, DIFFERENCES, FILLS, INPUTS, RAW, TOPICS, Topic
from processors.ledger.backlog import KINDS
from processors.ledger.commit_record import CommitRecord, bytes_hash, chained
from processors.ledger.ledger import Ledger, MakeState
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.opening import read_state, restored
from processors.ledger.settings import LedgerSettings, StepBounds
from processors.ledger.settling import settle as settle_log
from processors.ledger.state import PLACE_KEY, encoded
from processors.ledger.step import InputRecord, StepChanges
from processors.ledger.step_size import StepSize
from processors.ledger.trouble import LedgerLost
from processors.ledger.writer import LedgerWriter, Probe, no_probe
from processors.replay.audit import Audit, Culprit
from runtime.kafka import (
    Place,
    begin_offsets,
    connected_admin,
    end_offsets,
    idempotent_producer,
    reader,
)
from runtime.topics import TopicSpec, create_topics
from tests.markers import wait_for_markers
from tests.processors.counting_state import CountingState
from tests.waits import comes_about, wait_for

VENUE = "lab"
RECREATIONS_MAX, RECREATED_SECONDS_MAX = 3, 15.0


@dataclass
class Lab:
    """One venue's topics on a broker, of its own; and ledgers on them without Faust."""

    bootstrap: str
    namespace: str
    partitions: int = 1
    fed: int = 0
    settings: LedgerSettings = field(init=False)
    log: LedgerLog = field(init=False)
    memory: Memory = field(init=False)
    states: list[CountingState] = field(default_factory=list)
    ledgers: list[Ledger] = field(default_factory=list)
    make_state: Callable[[], CountingState] = CountingState
    kind: type[CountingState] = CountingState
    """What its faults are found with: a state that publishes as that of its ledgers does."""

    def __post_init__(self) -> None:
        self.configure()
        self.admin = connected_admin(self.bootstrap)
        self.producer = idempotent_producer(self.bootstrap)
        create_topics(self.admin, [self._spec(topic) for topic in TOPICS])
        self._wait_for_leaders()
        self.log = LedgerLog(self.settings)
        self.forget()

    def configure(self, **changes: Any) -> None:
        """Set the ledger's settings anew."""
        self.settings = LedgerSettings(
            **{"bootstrap": self.bootstrap, "venue": VENUE, "namespace": self.namespace} | changes
        )
        if hasattr(self, "log"):
            self.log = LedgerLog(self.settings)
            self.forget()

    def forget(self) -> None:
        """As after the start of another process."""
        self.memory = Memory(StepSize(self.settings.step.messages))

    def name(self, topic: Topic) -> str:
        return self.settings.topic_name(topic)

    def feed(self, topic: Topic, values: Iterable[bytes | tuple[bytes, bytes]]) -> None:
        """Append records to partition 0, and wait until they are there; key `a` if none given."""
        for value in values:
            key, body = value if isinstance(value, tuple) else (b"a", value)
            self.producer.produce(self.name(topic), body, key, 0)
            self.fed += topic is RAW
        assert self.producer.flush(30) == 0

    def trim(self, topic: Topic, offset: int) -> None:
        """Remove the first records of a topic, up to an offset; all of them up to -1."""
        place = TopicPartition(self.name(topic), 0, offset)
        for future in self.admin.delete_records([place]).values():
            future.result(30)

    def open(
        self, probe: Probe = no_probe, make: Callable[..., Ledger] = Ledger, partition: int = 0
    ) -> Ledger:
        """Open a ledger with a counting state.

        It is kept: a client that is let go of within a transaction, as a test that breaks off
        there would, may end the process (`LedgerLog.retire`).
        """
        self.ledgers.append(make(self.log, partition, self._new_state, self.memory, probe))
        return self.ledgers[-1]

    def deliver(self, ledger: Ledger) -> None:
        """Hand all that was fed to an opened ledger, as Faust would, and let it fold."""
        for records in self.inputs(ledger.partition).values():
            ledger.take(records)
        drain(ledger)

    @property
    def state(self) -> CountingState:
        """The state of the ledger opened last."""
        return self.states[-1]

    def committed(self, topic: Topic, partition: int = 0) -> list[Message]:
        """All committed records of a partition, to its true end."""
        place = (self.name(topic), partition)
        begin, end = (
            begin_offsets(self.admin, [place])[place],
            end_offsets(self.admin, [place])[place],
        )
        consumer = reader(self.bootstrap, committed=True)
        consumer.assign([TopicPartition(*place, begin)])
        found, position = [], begin
        while position < end:
            message = consumer.poll(10)
            assert message is not None, f"{place} stays at {position} of {end}"
            position = (message.offset() or 0) + (0 if message.error() else 1)
            if message.error() is None:
                found.append(message)
        consumer.close()
        return found

    def values(self, topic: Topic, partition: int = 0) -> list[bytes]:
        return [message.value() or b"" for message in self.committed(topic, partition)]

    def values_in_order(self, partition: int = 0) -> list[bytes]:
        """The outputs in the order of their sequence."""
        return sorted(self.values(FILLS, partition), key=lambda value: int(value.split(b",")[0]))

    def commits(self, partition: int = 0) -> list[dict[str, Any]]:
        return [orjson.loads(value) for value in self.values(COMMITS, partition)]

    def inputs(self, partition: int = 0) -> dict[str, list[InputRecord]]:
        """Every record of the inputs, by kind."""
        return {
            topic.kind: [
                InputRecord(
                    topic,
                    partition,
                    message.offset() or 0,
                    message.timestamp()[1] * 1_000_000,
                    message.key(),
                    message.value(),
                )
                for message in self.committed(topic, partition)
            ]
            for topic in INPUTS
        }

    def faults(self, partition: int = 0) -> list[str]:
        """What is wrong with a partition's outputs; see `replay_faults`."""
        outputs = [*self.values(FILLS, partition), *self.values(DIFFERENCES, partition)]
        letters = self.values(DEAD_LETTERS, partition)
        steps = [CommitRecord.decoded(value) for value in self.values(COMMITS, partition)]
        return replay_faults(self.inputs(partition), steps, outputs, letters, self.kind)

    def _wait_for_leaders(self) -> None:
        """Partitions just made may still have none."""
        places = [(self.name(topic), at) for topic in TOPICS for at in range(self.partitions)]
        wait_for(lambda: ends_of(self.admin, places))

    def _new_state(self, _partition: int) -> CountingState:
        self.states.append(self.make_state())
        return self.states[-1]

    def _spec(self, topic: Topic) -> TopicSpec:
        return TopicSpec(self.name(topic), self.partitions, 1, topic.config)


def come_to(lab: Lab, make_state: MakeState | None = None, **place: Any) -> None:
    """Write a step without records that comes to this place, as its ledger's owner."""
    make = make_state or (lambda _: lab.make_state())
    own, state = restored(read_state(lab.log, 0), 0, make)
    assert own.place is not None
    changes = state.changes()
    chain, exact = chained(own.place.chain, changes), changes.exact_digest
    after = replace(own.place, step=own.place.step + 1, chain=chain, exact=exact)
    after = replace(after, **place)
    writer = LedgerWriter(lab.log, 0)
    writer.fence()
    settle_log(lab.log, 0, writer)
    step = CommitRecord(
        step=after.step,
        partition=0,
        inputs={kind: (own.place.next[kind], after.next[kind]) for kind in KINDS},
        bytes_hash=bytes_hash([]),
        left_out=(),
        clock_ns=after.clock_ns,
        ticked=False,
        fold="",
        config=lab.settings.config_digest,
        content_digest="",
        exact_digest=after.exact,
        number=writer.next_number,
        chain=chain,
    )
    records = [*changes.state.items(), (PLACE_KEY, encoded(after))]
    writer.commit(records, changes.outputs, step.encoded())
    writer.close()


class AlwaysOurs:
    """A group that takes every commit."""

    def confirm(self, _partition: int) -> bool:
        return True

    def skip_to(self, _partition: int, _offsets: object) -> bool:
        return True


def replay_faults(
    inputs: dict[str, list[InputRecord]],
    steps: list[CommitRecord],
    outputs: list[bytes],
    dead_letters: list[bytes],
    kind_of_state: type[CountingState] = CountingState,
) -> list[str]:
    """Fold the inputs anew as the commit records say, and compare with what was published.

    Finds inputs never folded or folded twice, steps missing or repeated, other outputs, and other
    chains and digests.
    """
    audit = Audit(lambda *_: kind_of_state(is_real=False), kind_of_state().version)
    faults, differences, folded = [], list[str](), dict.fromkeys(KINDS, 0)
    expected: list[bytes] = []
    for number, step in enumerate(steps, start=1):
        if step.step != number:
            faults.append(f"commit {number} says step {step.step}")
        records = []
        for kind in KINDS:
            first, end = step.inputs[kind]
            if first != folded[kind]:
                faults.append(f"step {number} reads {kind} from {first}, read to {folded[kind]}")
            records += inputs[kind][first:end]
            folded[kind] = end
        difference = audit.take(step, records)
        differences += [str(difference)] if difference else []
        if difference is not None and difference.culprit is not Culprit.RULE:
            changes = audit.refold.fold(step, records)  # go on: what else is wrong shall show
            audit.begin_after(step)
        else:
            changes = audit.changes or StepChanges()
        expected += [output.value or b"" for output in changes.outputs]
    faults += differences[:1]
    faults += [
        f"{kind} folded to {folded[kind]} of {len(inputs[kind])}"
        for kind in KINDS
        if folded[kind] != len(inputs[kind])
    ]
    return faults + _differences(expected, outputs + dead_letters)


def _differences(expected: list[bytes], found: list[bytes]) -> list[str]:
    """Lost and doubled outputs; where both sets are the same, the first that is out of place."""
    lost, more = set(expected) - set(found), set(found) - set(expected)
    faults = [f"lost {len(lost)} outputs: {sorted(lost)[:3]}"] if lost else []
    faults += [f"{len(more)} outputs that no fold made: {sorted(more)[:3]}"] if more else []
    if (doubled := len(found) - len(set(found))) > 0:
        faults.append(f"doubled {doubled} outputs")
    pairs = itertools.zip_longest(sorted(expected), sorted(found))
    if not faults and any(one != other for one, other in pairs):
        faults.append("outputs differ")
    return faults


def small_steps(messages: int, seconds: float = 1.0, size: int = 16 << 20) -> StepBounds:
    return StepBounds(messages, size, seconds)


def drain(ledger: Ledger, steps_max: int = 1_000) -> None:
    """Advance until nothing is behind."""
    for _ in range(steps_max):
        if not ledger.advance(0.2) and not ledger.is_behind:
            return
    raise AssertionError("the ledger never comes to its inputs' ends")


def settle(lab: Lab, openings_max: int = 30) -> Ledger:
    """Open again after each loss, as a runner does, until all inputs are folded."""
    for _ in range(openings_max):
        try:
            ledger = lab.open()
            drain(ledger)
        except LedgerLost:
            continue
        return ledger
    raise AssertionError("the ledger never settles")


def left_out(lab: Lab) -> list[tuple[str, int, str]]:
    return [tuple(entry[:3]) for commit in lab.commits() for entry in commit["left_out"]]


def recreate(lab: Lab, topic: Topic) -> None:
    """Delete a topic and create another of its name; return when Kafka shows the new one, empty.

    Its metadata tell of the new one while the partition is still the old one's, for a moment; and
    where the old one was being removed just then, for good: then it is made once more.
    """
    name = lab.name(topic)
    spec = TopicSpec(name, 1, 1, topic.config)
    for _ in range(RECREATIONS_MAX):
        wait_for_markers(lab.bootstrap)
        lab.admin.delete_topics([name])[name].result(30)
        wait_for(lambda: create_topics(lab.admin, [spec]))
        if asyncio.run(comes_about(lambda: is_empty(lab, name), RECREATED_SECONDS_MAX)):
            return
    raise AssertionError(f"Kafka never shows the new {name}")


def is_empty(lab: Lab, name: str) -> bool:
    """Whether a topic's first partition is there and holds nothing."""
    return ends_of(lab.admin, [(name, 0)]) == {(name, 0): 0}


def ends_of(admin: AdminClient, places: list[Place]) -> dict[Place, int]:
    """Their end offsets; none while one of them has no leader yet."""
    try:
        return end_offsets(admin, places)
    except KafkaException:
        return {}
