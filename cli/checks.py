"""What `orderloom doctor` looks at, part by part; it writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.registry import registry_news, specs_of
from cli.setting import registered, venues_of
from orderloom import topology
from orderloom.account import AccountConfig
from processors.ledger.settings import LedgerSettings
from runtime.clock import wall_ns
from runtime.kafka import cluster_id, connected_admin, end_offsets, group_offsets, reader
from runtime.settings import Settings, load_settings
from runtime.topics import check_topics
from runtime.trouble import SettingsError, SetupError

ASK_SECONDS: Final = 10.0
LAG_RECORDS: Final = 10_000
SKEW_SECONDS_MAX: Final = 2.0
IDLE_SECONDS: Final = 10.0
MS: Final = 1_000


class Mark(StrEnum):
    """How a finding is meant."""

    WELL = "ok"
    NOTE = "note"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about one part."""

    mark: Mark
    part: str
    line: str


def examine() -> Iterator[Finding]:
    """Everything, in an order in which each part needs those before it."""
    try:
        settings = load_settings()
        accounts = registered(settings)
        venues = venues_of(settings)
    except SettingsError as error:
        yield from (Finding(Mark.WRONG, "settings", line) for line in error.lines)
        return
    yield Finding(Mark.WELL, "settings", f"venues {', '.join(venues)}; {_namespace(settings)}")
    yield from check_accounts(accounts, settings.partitions)
    try:
        admin = connected_admin(settings.kafka.bootstrap, settings.kafka.client_security())
        yield Finding(Mark.WELL, "broker", f"{settings.kafka.bootstrap}, {cluster_id(admin)}")
        for venue in venues:
            yield from _check_venue(admin, settings, venue, accounts)
    except SetupError as error:
        yield Finding(Mark.WRONG, "broker", str(error))
    except KafkaException as error:
        yield Finding(Mark.WRONG, "broker", f"{error.args[0]}: is the cluster well?")


def _namespace(settings: Settings) -> str:
    return f"namespace {settings.namespace!r}, {settings.partitions} partitions"


def check_accounts(accounts: Iterable[AccountConfig], partitions: int) -> Iterator[Finding]:
    """Whether accounts are spread: those of one partition share one worker's thread."""
    by_venue: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for account in accounts:
        if account.enabled:
            by_venue[account.venue][account.partition_of(partitions)].append(account.id)
    if not by_venue:
        yield Finding(Mark.NOTE, "accounts", "none is enabled")
    for venue, places in sorted(by_venue.items()):
        enabled = sum(map(len, places.values()))
        line = f"{venue}: {enabled} enabled, in {len(places)} of {partitions} partitions"
        yield Finding(Mark.WELL, "accounts", line)
        yield from _check_spread(places, partitions - len(places))


def _check_spread(places: Mapping[int, list[str]], free: int) -> Iterator[Finding]:
    for partition, names in sorted(places.items()):
        if len(names) > 1 and free:
            line = f"{', '.join(sorted(names))} share partition {partition} while {free} are empty"
            yield Finding(Mark.NOTE, "accounts", f"{line}: write partition = N before they trade")


def _check_venue(
    admin: AdminClient, settings: Settings, venue: str, accounts: Iterable[AccountConfig]
) -> Iterator[Finding]:
    lines = check_topics(admin, specs_of(settings, venue))
    if lines:
        yield from (Finding(Mark.WRONG, "topics", line) for line in lines)
        return
    yield Finding(Mark.WELL, "topics", f"{venue}: {len(topology.TOPICS)} are right")
    yield _check_registry(settings, venue, accounts)
    ledger = LedgerSettings(settings.kafka.bootstrap, venue, settings.namespace)
    ingest = f"{settings.namespace}ingest.{venue}"
    yield from _check_lag(admin, settings, venue, ledger.group, topology.INPUTS)
    yield from _check_lag(admin, settings, venue, ingest, (topology.DISPATCHES,))
    yield _check_clock(admin, settings, venue)


def _check_registry(settings: Settings, venue: str, accounts: Iterable[AccountConfig]) -> Finding:
    """Whether the processors know the registry as it is."""
    mine = [account for account in accounts if account.venue == venue]
    try:
        news = registry_news(settings, venue, mine)
    except SetupError as error:
        return Finding(Mark.WRONG, "registry", f"{venue}: {error}")
    if not news:
        return Finding(Mark.WELL, "registry", f"{venue}: the processors know it as it is")
    told = ", ".join(f"{one.account} {one.word}" for one in news)
    line = f"{venue}: the processors do not know yet: {told}; run `orderloom topics`"
    return Finding(Mark.NOTE, "registry", line)


def _check_lag(
    admin: AdminClient,
    settings: Settings,
    venue: str,
    group: str,
    topics: Iterable[topology.Topic],
) -> Iterator[Finding]:
    """How far a group's offsets are behind the ends, and whether anybody is in it."""
    names = [topic.name(venue, settings.namespace) for topic in topics]
    places = [(name, part) for name in names for part in range(settings.partitions)]
    kafka = settings.kafka
    at = group_offsets(kafka.bootstrap, group, places, security=kafka.client_security())
    ends = end_offsets(admin, places)
    behind = sum(max(0, ends[place] - at.get(place, 0)) for place in places)
    members, state = _members(admin, group)
    line = f"{group}: {members} workers, {behind} records behind"
    if not members:
        command = "ingest" if group.startswith(f"{settings.namespace}ingest") else "process"
        yield Finding(Mark.NOTE, "lag", f"{line}: start one with `orderloom {command} {venue}`")
    elif behind > LAG_RECORDS:
        yield Finding(Mark.NOTE, "lag", f"{line}: it catches up, or needs more workers ({state})")
    else:
        yield Finding(Mark.WELL, "lag", line)


def _members(admin: AdminClient, group: str) -> tuple[int, str]:
    try:
        future = admin.describe_consumer_groups([group], request_timeout=ASK_SECONDS)[group]
        described = future.result()
    except KafkaException:  # nobody was ever in it
        return 0, "EMPTY"
    return len(described.members), described.state.name


def _check_clock(admin: AdminClient, settings: Settings, venue: str) -> Finding:
    """Our clock beside the broker's, as far as the newest record of `raw` shows it."""
    name = topology.RAW.name(venue, settings.namespace)
    newest_ms = _newest_append_ms(admin, settings, name)
    if newest_ms is None:
        return Finding(Mark.NOTE, "clock", f"{venue}: nothing was appended yet to compare with")
    age = (wall_ns() / 1_000_000 - newest_ms) / MS
    if age < -SKEW_SECONDS_MAX:
        line = f"{venue}: this clock is at least {-age:.1f} s behind the broker's"
        return Finding(Mark.WRONG, "clock", f"{line}: check both machines' time service")
    if age > IDLE_SECONDS:
        return Finding(Mark.NOTE, "clock", f"{venue}: the newest record is {age:.0f} s old")
    return Finding(Mark.WELL, "clock", f"{venue}: the newest record is {max(age, 0):.1f} s old")


def _newest_append_ms(admin: AdminClient, settings: Settings, name: str) -> int | None:
    places = [(name, partition) for partition in range(settings.partitions)]
    lasts = [(place, end - 1) for place, end in end_offsets(admin, places).items() if end > 0]
    if not lasts:
        return None
    security = settings.kafka.client_security()
    consumer = reader(settings.kafka.bootstrap, committed=False, security=security)
    consumer.assign([TopicPartition(*place, last) for place, last in lasts])
    newest, awaited = 0, len(lasts)
    try:
        while awaited and (message := consumer.poll(ASK_SECONDS)) is not None:
            awaited -= message.error() is not None  # each partition tells its end once
            newest = max(newest, 0 if message.error() else message.timestamp()[1])
    finally:
        consumer.close()
    return newest or None
