"""Makes and checks every topic, and writes the account registry into `control`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import typer
from confluent_kafka import KafkaError, Message

from cli.printable import printable
from cli.setting import checked_settings, placed, venues_of
from orderloom.account import AccountConfig
from orderloom.control import HomeElsewhere, Registration
from orderloom.topology import CONTROL, TOPICS
from runtime.control import Held, HeldRegistry, held_registry
from runtime.kafka import connected_admin, idempotent_producer, readable_kafka_errors
from runtime.settings import Settings
from runtime.topics import TopicSpec, create_topics, require_topics, safe_config
from runtime.trouble import PassingTrouble, SetupError
from venues import VENUES

FLUSH_SECONDS: Final = 30.0
REFUSED: Final = (
    "mend that (who may write: `orderloom topics --acl`), then run `orderloom topics` again"
)
REMOVED: Final = "removed"


@dataclass(frozen=True, slots=True)
class News:
    """What `control` does not say yet of an account: ``registered``, ``disabled``, ``removed``."""

    account: str
    partition: int
    word: str
    config: AccountConfig

    @property
    def entry(self) -> bytes:
        """The record for `control`."""
        return Registration(self.config, self.word == REMOVED).encoded()


@dataclass(frozen=True, slots=True)
class RegistryNews:
    """What differs between the registry and `control`.

    `homes` are for partitions that do not know yet where an account lies; `passed` has a line for
    each record of `control` that is none.
    """

    accounts: list[News]
    homes: list[tuple[HomeElsewhere, int]]
    passed: list[str]


def make_topics(given: list[str] | None) -> None:
    """Make and check the topics of the venues, and write what changed in the registry.

    A venue whose last account was taken out of the registry is looked at as well. Raises SetupError
    before anything is written where an entry cannot be meant.
    """
    settings = checked_settings()
    accounts = placed(settings)
    with readable_kafka_errors():
        for venue in given or sorted({*venues_of(settings), *_known(settings)}):
            _make(settings, venue)
            mine = [account for account in accounts if account.venue == venue]
            for news in write_registry(settings, venue, mine):
                typer.echo(f"{venue}: {news.word} {news.account}")


def _known(settings: Settings) -> list[str]:
    """The venues that the cluster has a registry of."""
    kafka = settings.kafka
    topics = connected_admin(kafka.bootstrap, kafka.client_security()).list_topics(timeout=10)
    return [one for one in VENUES if CONTROL.name(one, settings.namespace) in topics.topics]


def specs_of(settings: Settings, venue: str) -> list[TopicSpec]:
    """What the topics of one venue must be on this cluster."""
    replication = settings.kafka.replication
    safe = safe_config(replication)
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


def write_registry(settings: Settings, venue: str, accounts: Iterable[AccountConfig]) -> list[News]:
    """Write each entry that differs from the last one in `control`; what was written.

    An account that is registered no more gets an entry that says so; nothing is deleted. Raises
    SetupError for an account that would move to another partition or environment, and for an entry
    that Kafka does not take.
    """
    found = registry_news(settings, venue, accounts)
    for line in found.passed:
        said = printable(f"{line}; who may write there: `orderloom topics --acl`")
        typer.echo(said, err=True)
    name, kafka = CONTROL.name(venue, settings.namespace), settings.kafka
    producer = idempotent_producer(kafka.bootstrap, security=kafka.client_security())
    refused: list[str] = []

    def note(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            refused.append(f"{(message.key() or b'').decode()} ({error.str()})")

    records = [(news.account, news.entry, news.partition) for news in found.accounts]
    records += [(home.account, home.encoded(), partition) for home, partition in found.homes]
    for account, value, partition in records:
        producer.produce(name, value, account.encode(), partition, on_delivery=note)
        producer.poll(0)
    if producer.flush(FLUSH_SECONDS):
        raise PassingTrouble(f"{name} was not written in time", "see `orderloom doctor`")
    if refused:
        raise SetupError(f"{name} does not take {refused[0]}", REFUSED)
    return found.accounts


def registry_news(
    settings: Settings, venue: str, accounts: Iterable[AccountConfig]
) -> RegistryNews:
    """What differs between the registry and `control`; it writes nothing.

    Raises SetupError for an account that would move to another partition or environment.
    """
    registry = held_registry(settings, CONTROL.name(venue, settings.namespace), venue)
    held, partitions = registry.accounts, settings.partitions
    wanted = {account.id: account for account in accounts}
    for account in wanted.values():
        _check_place(account, held, partitions)
    changed = [one for one in wanted.values() if _is_news(one, held.get(one.id))]
    gone = [name for name in held if name not in wanted and not held[name].is_removed]
    news = [
        *(_news_of(account, partitions) for account in changed),
        *(_removal_of(account, held[account]) for account in gone),
    ]
    return RegistryNews(news, list(_homes_missing(registry, news, partitions)), registry.passed)


def _homes_missing(
    registry: HeldRegistry, news: Iterable[News], partitions: int
) -> Iterator[tuple[HomeElsewhere, int]]:
    """Where each account lies, for every other partition whose records do not say so."""
    homes = {account: held.partition for account, held in registry.accounts.items()}
    homes |= {one.account: one.partition for one in news}
    for account, home in homes.items():
        noted = registry.elsewhere.get(account, {})
        for partition in range(partitions):
            # Else evidence of it would be believed there (decision 0108).
            if partition != home and noted.get(partition) != home:
                yield HomeElsewhere(account, home), partition


def _is_news(account: AccountConfig, held: Held | None) -> bool:
    return held is None or held.is_removed or held.config != account


def _news_of(account: AccountConfig, partitions: int) -> News:
    word = "registered" if account.enabled else "disabled"
    return News(account.id, account.partition_of(partitions), word, account)


def _removal_of(account: str, held: Held) -> News:
    # An entry and no tombstone: where it lay must outlast it (decision 0605).
    config = held.config.model_copy(update={"enabled": False})
    return News(account, held.partition, REMOVED, config)


def _check_place(account: AccountConfig, held: Mapping[str, Held], partitions: int) -> None:
    if account.id in held and (move := account.move_from(held[account.id].home, partitions)):
        raise SetupError(*move)
