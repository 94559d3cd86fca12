"""Transactions left hanging, made on a healthy broker: what a killed one leaves, at will.

The transactions are those of a real ledger (the donor), written once more under the other ledger's
ids, in turn, by clients that leave partitions out of what they tell the coordinator: these get no
marker, as where a coordinator died between its decision and its markers. Kafka refuses such writes
by itself; the broker of these tests is told not to (`transaction.partition.verification.enable`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer
from aiokafka.structs import TopicPartition

from orderloom.topology import COMMITS, RAW, Topic
from processors.ledger.backlog import KINDS
from processors.ledger.commit_record import CommitRecord, checksums
from processors.ledger.mark import mark_of
from processors.ledger.settling import TOPIC_OF
from processors.ledger.tails import TAIL_RECORDS, hanging
from processors.ledger.writer import TURNS
from tests.processors.ledger_lab import Lab, drain, small_steps
from tests.waits import wait_for

COMMIT, ABORT, OPEN = "commit", "abort", "open"
Headers = list[tuple[str, bytes]]
Records = list[tuple[bytes, bytes | None, Headers]]
Transaction = Mapping[str, Records]
"""What one transaction writes, by the topic's kind."""


@dataclass(frozen=True)
class Ending:
    """How a transaction ends, and in which topics its markers are never written."""

    word: str
    hanging: frozenset[str] = frozenset()


def ending(word: str, *hanging: Topic) -> Ending:
    return Ending(word, frozenset(topic.kind for topic in hanging))


PER_STEP = TAIL_RECORDS + 16
"""More than an opening looks back at first: what hangs begins before its window."""
EVENTS = [b"%d" % number for number in range(3 * PER_STEP)]


def donated(bootstrap: str, namespace: str, target: Lab) -> list[Transaction]:
    """The transactions of an opening, its attempt and three steps over `EVENTS`, as `target`'s."""
    donor = Lab(bootstrap, f"{namespace}donor.")
    donor.configure(step=small_steps(PER_STEP))
    donor.feed(RAW, EVENTS)
    ledger = donor.open()
    drain(ledger)
    ledger.close()
    ids = donor.log.topic_ids()
    others = target.log.topic_ids()
    found: dict[int, dict[str, Records]] = {}
    for topic in TOPIC_OF.values():
        number = 0
        for message in donor.committed(topic):
            headers = [
                (name, _bytes(value)) for name, value in dict(message.headers() or ()).items()
            ]
            mark = mark_of(headers)
            number = mark.number if mark else number
            value = message.value()
            for kind, own in ids.items():
                value = value and value.replace(own.encode(), others[kind].encode())
            if topic is COMMITS and value:
                value = _of_inputs(value, target)
            records = found.setdefault(number, {}).setdefault(topic.kind, [])
            records.append((message.key() or b"", value, headers))
    return [found[number] for number in sorted(found)]


def _of_inputs(value: bytes, target: Lab) -> bytes:
    """A commit record that says the append times of `target`'s inputs."""
    step, inputs = CommitRecord.decoded(value), target.inputs()
    ranges = ((kind, step.inputs[kind]) for kind in KINDS)
    records = [record for kind, (first, end) in ranges for record in inputs[kind][first:end]]
    return replace(step, checksums=checksums(records)).encoded()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def write(lab: Lab, transactions: Iterable[tuple[Transaction, Ending]]) -> None:
    """Write these one after another as `lab`'s partition 0 would, each ended as it says.

    What bears no mark is written with the id of the even numbers.
    """
    asyncio.run(_write(lab, list(transactions)))


def _wait_for_markers(lab: Lab, kinds: Iterable[str]) -> None:
    """As a ledger waits for its former transaction, but for what shall hang."""
    wait_for(lambda: not hanging(lab.log, 0).keys() & kinds, what="the markers of what has ended")


async def _write(lab: Lab, transactions: list[tuple[Transaction, Ending]]) -> None:
    producers = [
        AIOKafkaProducer(
            bootstrap_servers=lab.bootstrap, transactional_id=lab.settings.transactional_id(0, turn)
        )
        for turn in range(TURNS)
    ]
    hung: list[set[str]] = [set() for _ in producers]
    for producer in producers:
        await producer.start()
    for transaction, end in transactions:
        turn = _number_of(transaction) % TURNS
        producer = producers[turn]
        await producer.begin_transaction()
        listed = producer._txn_manager.txn_partitions
        unlisted = {TopicPartition(lab.name(TOPIC_OF[kind]), 0) for kind in end.hanging}
        listed |= unlisted  # so the coordinator is not told of them
        for kind, records in transaction.items():
            for key, value, headers in records:
                await producer.send(lab.name(TOPIC_OF[kind]), value, key, 0, headers=headers)
        await producer.flush()
        listed -= unlisted
        if end.word == COMMIT:
            await producer.commit_transaction()
        elif end.word == ABORT:
            await producer.abort_transaction()
        hung[turn] -= transaction.keys()
        hung[turn] |= end.hanging
        if end.word != OPEN:
            _wait_for_markers(lab, transaction.keys() - set().union(*hung))
    # What is open stays open, as a killed process leaves it.
    for producer in producers:
        producer._closed = True
        await producer._sender.close()
        await producer.client.close()


def _number_of(transaction: Transaction) -> int:
    marks = [mark_of(headers) for records in transaction.values() for _, _, headers in records]
    return next((mark.number for mark in marks if mark is not None), 0)
