"""What `orderloom doctor` looks at, part by part; it writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.findings import Finding, Mark
from cli.hangs import check_hangs
from cli.lag import check_lag
from cli.registry import registry_news, specs_of
from cli.setting import checked_settings, placed, venues_of
from cli.sight import check_keys, check_sight
from orderloom import topology
from orderloom.account import AccountConfig
from runtime.clock import wall_ns
from runtime.kafka import cluster_id, connected_admin, end_offsets, reader
from runtime.kafka_causes import CAUSES
from runtime.settings import Settings
from runtime.topics import check_topics
from runtime.trouble import SettingsError, SetupError

ASK_SECONDS: Final = 10.0
SKEW_SECONDS_MAX: Final = 2.0
IDLE_SECONDS: Final = 10.0
MS: Final = 1_000


def examine() -> Iterator[Finding]:
    """Everything, in an order in which each part needs those before it."""
    try:
        settings = checked_settings()
        accounts = placed(settings)
        venues = venues_of(settings)
    except SettingsError as error:
        yield from (Finding(Mark.WRONG, "settings", line) for line in error.lines)
        return
    yield Finding(Mark.WELL, "settings", f"venues {', '.join(venues)}; {_namespace(settings)}")
    yield from check_accounts(accounts, settings.partitions)
    yield from check_keys(accounts)
    try:
        admin = connected_admin(settings.kafka.bootstrap, settings.kafka.client_security())
        yield Finding(Mark.WELL, "broker", f"{settings.kafka.bootstrap}, {cluster_id(admin)}")
        for venue in venues:
            yield from _check_venue(admin, settings, venue, accounts)
    except SetupError as error:
        yield Finding(Mark.WRONG, "broker", str(error))
    except KafkaException as error:
        yield Finding(Mark.WRONG, "broker", f"{CAUSES.words_of(error)}: is the cluster well?")


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
    yield from _check_registry(settings, venue, accounts)
    yield from check_hangs(admin, settings, venue)
    yield from check_lag(admin, settings, venue)
    yield from check_sight(settings, venue, accounts)
    yield _check_clock(admin, settings, venue)


def _check_registry(
    settings: Settings, venue: str, accounts: Iterable[AccountConfig]
) -> Iterator[Finding]:
    """Whether the processors know the registry as it is, and whether `control` holds but that."""
    mine = [account for account in accounts if account.venue == venue]
    try:
        news = registry_news(settings, venue, mine)
    except SetupError as error:
        yield Finding(Mark.WRONG, "registry", f"{venue}: {error}")
        return
    for line in news.passed:
        yield Finding(Mark.WRONG, "registry", f"{line}: who may write there?")
    unknown = [f"{one.account} {one.word}" for one in news.accounts]
    unknown += [] if unknown or not news.homes else ["where accounts lie"]
    if unknown:
        line = (
            f"{venue}: the processors do not know yet: {', '.join(unknown)}; run `orderloom topics`"
        )
        yield Finding(Mark.NOTE, "registry", line)
    else:
        yield Finding(Mark.WELL, "registry", f"{venue}: the processors know it as it is")


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
            awaited -= message.error() is not None  # each partition reports its end once
            newest = max(newest, 0 if message.error() else message.timestamp()[1])
    finally:
        consumer.close()
    return newest or None
