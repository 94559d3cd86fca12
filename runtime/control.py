"""The account registry as it stands in `control`: where each account lies, and its last entry.

It is what lasts of an account's place: `accounts.toml` may say another one tomorrow. A record that
cannot be read, or that contradicts the others, is named and passed: it stops nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition

from orderloom.account import AccountConfig, Home
from orderloom.control import BadControlRecord, HomeElsewhere, Registration, read_control
from runtime.kafka import Place, begin_offsets, connected_admin, end_offsets, reader
from runtime.settings import Settings
from runtime.trouble import PassingTrouble

READ_SECONDS: Final = 10.0
NAMED_MAX: Final = 20
"""So many bad records are named one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Held:
    """The last entry of an account in `control`, and where it lies."""

    config: AccountConfig
    partition: int
    is_removed: bool

    @property
    def home(self) -> Home:
        """Where the account lies, whether it is still registered or not."""
        return Home(self.partition, self.config.environment)


@dataclass(slots=True)
class HeldRegistry:
    """What `control` holds: entries by account, for each where other partitions say it lies, and a
    line for each record that was passed."""

    accounts: dict[str, Held] = field(default_factory=dict)
    elsewhere: dict[str, dict[int, int]] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)


def held_registry(settings: Settings, name: str, venue: str) -> HeldRegistry:
    """What the topic `name`, which is `control` of a venue, holds up to the ends that it has now.

    Raises PassingTrouble, SetupError, KafkaException.
    """
    held, first_ms = HeldRegistry(), dict[str, int]()
    passed = 0
    for message in _records(settings, name):
        partition, at_ms = message.partition() or 0, message.timestamp()[1]
        try:
            said = read_control(message.key(), message.value(), venue, partition)
            if isinstance(said, Registration):
                _take(held, first_ms, Held(said.config, partition, said.is_removed), at_ms)
            elif isinstance(said, HomeElsewhere):
                held.elsewhere.setdefault(said.account, {})[partition] = said.partition
        except BadControlRecord as error:
            passed += 1
            if passed <= NAMED_MAX:
                place = f"{name} partition {partition} offset {message.offset()}"
                held.passed.append(f"{place} is passed: {error}")
    if passed > NAMED_MAX:
        held.passed.append(f"{name}: {passed - NAMED_MAX} more records are passed")
    return held


def _take(held: HeldRegistry, first_ms: dict[str, int], entry: Held, at_ms: int) -> None:
    """Take an entry in; of two partitions that have one, the account lies in the earlier."""
    account = entry.config.id
    before = held.accounts.get(account)
    # By the broker's append time: offsets of two partitions say nothing of each other.
    is_first = before is None or at_ms < first_ms[account]
    if before is None or before.partition == entry.partition or is_first:
        held.accounts[account] = entry
        first_ms[account] = min(at_ms, first_ms.get(account, at_ms))
    if before is not None and before.partition != entry.partition:
        home = held.accounts[account].partition
        other = entry.partition if home == before.partition else before.partition
        held.passed.append(
            f"account {account} lies in partition {home}: its entry in {other} is passed"
        )


def _records(settings: Settings, name: str) -> Iterator[Message]:
    """All records of a topic, up to the ends that it has now."""
    kafka, security = settings.kafka, settings.kafka.client_security()
    admin = connected_admin(kafka.bootstrap, security)
    places = [(name, partition) for partition in range(settings.partitions)]
    begin, end = begin_offsets(admin, places), end_offsets(admin, places)
    # `control` is written without transactions: there is nothing uncommitted in it to hide.
    consumer = reader(kafka.bootstrap, committed=False, security=security)
    consumer.assign([TopicPartition(*place, begin[place]) for place in places])
    try:
        yield from _until(consumer, {at: end[at] for at in places if begin[at] < end[at]})
    finally:
        consumer.close()


def _until(consumer: Consumer, ends: dict[Place, int]) -> Iterator[Message]:
    while ends:
        message = consumer.poll(READ_SECONDS)
        if message is None:
            raise PassingTrouble("Kafka delivers nothing", "see `orderloom doctor`, then try again")
        place, offset = (str(message.topic()), message.partition() or 0), message.offset() or 0
        if message.error() is None:
            yield message
        # A record is followed by the next offset, the report of an end
        # stands at it; a place that is no longer awaited never counts.
        if offset + (message.error() is None) >= ends.get(place, offset + 2):
            del ends[place]
