"""The account registry as it stands in `control`: the last entry of each account.

It is what lasts of an account's place: `accounts.toml` may say another one tomorrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from confluent_kafka import Consumer, Message, TopicPartition

from orderloom.account import AccountConfig, Home
from runtime.kafka import Place, begin_offsets, connected_admin, end_offsets, reader
from runtime.settings import KafkaSettings
from runtime.trouble import PassingTrouble

READ_SECONDS: Final = 10.0
_ENVIRONMENT: Final = AccountConfig.model_fields["environment"].default


@dataclass(frozen=True, slots=True)
class Held:
    """The last entry of an account in `control`, and where it lies."""

    config: dict[str, Any]
    partition: int
    is_removed: bool

    @property
    def home(self) -> Home:
        """Where the account lies, whether it is still registered or not."""
        return Home(self.partition, self.config.get("environment", _ENVIRONMENT))


def held_accounts(kafka: KafkaSettings, name: str, partitions: int) -> dict[str, Held]:
    """The last entry of each account in the topic `name`, up to the ends that it has now.

    Raises PassingTrouble, KafkaException.
    """
    held: dict[str, Held] = {}
    for message in _records(kafka, name, partitions):
        document = orjson.loads(message.value() or b"{}")
        if document.get("type") == "account":
            config, is_removed = document["config"], document.get("removed") is True
            held[config["id"]] = Held(config, message.partition() or 0, is_removed)
    return held


def _records(kafka: KafkaSettings, name: str, partitions: int) -> Iterator[Message]:
    """All records of a topic, up to the ends that it has now."""
    security = kafka.client_security()
    admin = connected_admin(kafka.bootstrap, security)
    places = [(name, partition) for partition in range(partitions)]
    begin, end = begin_offsets(admin, places), end_offsets(admin, places)
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
        if offset + (message.error() is None) >= ends.get(place, offset + 2):
            del ends[place]
