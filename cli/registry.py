"""Makes and checks every topic, and writes the account registry into `control`."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson
import typer
from confluent_kafka import Consumer, Message, TopicPartition

from cli.setting import kafka_told, registered, venues_of
from orderloom.account import AccountConfig
from orderloom.topology import CONTROL, TOPICS
from runtime.kafka import (
    Place,
    begin_offsets,
    connected_admin,
    end_offsets,
    idempotent_producer,
    reader,
)
from runtime.settings import Settings, load_settings
from runtime.topics import TopicSpec, create_topics, require_topics
from runtime.trouble import PassingTrouble, SetupError

SAFE_REPLICATION: Final = 3
FLUSH_SECONDS: Final = 30.0
READ_SECONDS: Final = 10.0

Held = dict[str, tuple[dict[str, Any], int]]
"""The last entry of each account in `control`, and its partition."""


def make_topics(given: list[str] | None) -> None:
    """Make and check the topics of the venues, and write what changed in the registry."""
    settings = load_settings()
    accounts = registered(settings)
    with kafka_told():
        for venue in venues_of(settings, given):
            _make(settings, venue)
            mine = [account for account in accounts if account.venue == venue]
            for account in write_registry(settings, venue, mine):
                typer.echo(f"{venue}: registered {account}")


def specs_of(settings: Settings, venue: str) -> list[TopicSpec]:
    """What the topics of one venue must be on this cluster.

    From three replicas on, a write counts once two have it; a stale replica never leads.
    """
    replication = settings.kafka.replication
    safe = {"unclean.leader.election.enable": "false"}
    if replication >= SAFE_REPLICATION:
        safe["min.insync.replicas"] = "2"
    return [
        TopicSpec(
            topic.name(venue, settings.namespace),
            settings.partitions,
            replication,
            topic.config | safe,
        )
        for topic in TOPICS
    ]


def _make(settings: Settings, venue: str) -> None:
    kafka = settings.kafka
    admin = connected_admin(kafka.bootstrap, kafka.client_security())
    specs = specs_of(settings, venue)
    created = create_topics(admin, specs)
    require_topics(admin, specs)
    typer.echo(f"{venue}: {len(specs)} topics are right, {len(created)} of them made now")


def write_registry(settings: Settings, venue: str, accounts: Iterable[AccountConfig]) -> list[str]:
    """Write each entry that differs from the last one in `control`; the accounts written.

    Raises SetupError for an account that would move to another partition.
    """
    name = CONTROL.name(venue, settings.namespace)
    held, wanted = _held(settings, name), list(accounts)
    for account in wanted:
        _check_place(account, held, settings.partitions)
    changed = [one for one in wanted if held.get(one.id, (None, 0))[0] != _config(one)]
    kafka = settings.kafka
    producer = idempotent_producer(kafka.bootstrap, security=kafka.client_security())
    for account in changed:
        entry = orjson.dumps({"type": "account", "config": _config(account)})
        producer.produce(
            name, entry, account.id.encode(), account.partition_of(settings.partitions)
        )
    if producer.flush(FLUSH_SECONDS):
        raise PassingTrouble(f"{name} was not written in time", "see `orderloom doctor`")
    return [account.id for account in changed]


def _config(account: AccountConfig) -> dict[str, Any]:
    return account.model_dump(mode="json")


def _check_place(account: AccountConfig, held: Held, partitions: int) -> None:
    wanted = account.partition_of(partitions)
    if account.id in held and (before := held[account.id][1]) != wanted:
        raise SetupError(
            f"account {account.id} lies in partition {before}, the registry now says {wanted}",
            f"write partition = {before}: what it did so far would stay behind",
        )


def _held(settings: Settings, name: str) -> Held:
    held: Held = {}
    for message in _records(settings, name):
        document = orjson.loads(message.value() or b"{}")
        if document.get("type") == "account":
            held[document["config"]["id"]] = (document["config"], message.partition() or 0)
    return held


def _records(settings: Settings, name: str) -> Iterator[Message]:
    """All records of a topic, up to the ends that it has now."""
    kafka, security = settings.kafka, settings.kafka.client_security()
    admin = connected_admin(kafka.bootstrap, security)
    places = [(name, partition) for partition in range(settings.partitions)]
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
