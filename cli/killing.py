"""The work of `orderloom kill` and `orderloom resume`: trading stops, by a record of the log.

A kill is one record of `claims` in each partition of its scope. From its acknowledgement on nothing
goes out there but what was claimed below it: the partition is *fenced*. That what was open is gone
is another thing, which the answers tell as the exchange shows it.
"""

import getpass
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from cli.entering import (
    ASK_SECONDS_MAX,
    UNANSWERED,
    Appended,
    answers_from_now,
    append,
    next_answers,
    show,
)
from cli.setting import checked_settings, registered
from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.claim import (
    BadClaimRecord,
    Claim,
    ClaimRecord,
    Kill,
    KillScope,
    encode_claim_record,
    read_claim_record,
)
from orderloom.claim_log import BrokenClaimLog, ClaimLog
from orderloom.control import Resumption
from orderloom.words import IntentOutcome
from runtime.clock import wall_ns
from runtime.kafka import readable_kafka_errors, reader
from runtime.settings import Settings
from runtime.trouble import SettingsError
from venues import VENUES

WINDOW_MS: Final = 10 * 60_000
"""So much of the log below a kill is looked through: longer than any request of ours lives."""
CLOCK_NS_MAX: Final = 5 * 1_000_000_000
"""The exchange's clock is behind ours by no more; a request lives until its expiry by that."""
READ_SECONDS_MAX: Final = 10.0
STRATEGY: Final = "@kill"
LEFT: Final = 1
GONE: Final = frozenset({IntentOutcome.CLOSED})


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asked for: a venue, or an account of it; `only` of a product or symbol."""

    scope: str
    only: str | None = None
    reason: str = ""
    wait_seconds: float = 30.0
    json: bool = False


def kill(wish: Wish) -> int:
    """Stop trading in a scope; the exit status. Raises SetupError."""
    settings = checked_settings()
    venue, scope, accounts = _scope(settings, wish)
    partitions = _partitions(settings, scope, accounts)
    with readable_kafka_errors():
        consumer = answers_from_now(settings, venue, partitions)
        try:
            fenced = _fence(settings, venue, scope, partitions, wish.reason)
            is_gone = _watch(consumer, fenced, _awaited(settings, accounts, fenced), wish)
        finally:
            consumer.close()
    if any(one.offset is None for one in fenced):
        return UNANSWERED
    return is_gone


def resume(wish: Wish) -> int:
    """Lift each kill of exactly this scope. Raises SetupError."""
    settings = checked_settings()
    venue, scope, accounts = _scope(settings, wish)
    author = getpass.getuser()
    status = 0
    with readable_kafka_errors():
        for partition in _partitions(settings, scope, accounts):
            found = [at for at, one in _kills(settings, venue, partition) if one.scope == scope]
            if not found:
                sys.stdout.write(f"partition {partition}: no kill of this scope\n")
                continue
            said = Resumption(tuple(found), author, wish.reason)
            record = (partition, topology.PARTITION_KEY, said.encoded())
            (appended,) = append(settings, topology.CONTROL, venue, [record])
            if appended.offset is None:
                status = UNANSWERED
                sys.stdout.write(f"partition {partition}: not known to be lifted: {appended.why}\n")
            else:
                sys.stdout.write(f"partition {partition}: lifted, kills {found}\n")
    return status


def _scope(settings: Settings, wish: Wish) -> tuple[str, KillScope, list[AccountConfig]]:
    """The venue, what is covered, and the registered accounts that are concerned."""
    product, _, symbol = (wish.only or "").partition("/")
    parts = {"product": product or None, "symbol": symbol or None}
    venue, is_account, _ = wish.scope.partition(":")
    if venue not in VENUES:
        raise SettingsError(
            [f"no venue {venue!r}: write a venue, or an account such as binance:main"]
        )
    accounts = [one for one in registered(settings) if one.venue == venue]
    if not is_account:
        return venue, KillScope(**parts), accounts
    accounts = [one for one in accounts if one.id == wish.scope]
    if not accounts:
        raise SettingsError([f"no account {wish.scope} is registered"])
    return venue, KillScope(account=wish.scope, **parts), accounts


def _partitions(
    settings: Settings, scope: KillScope, accounts: Iterable[AccountConfig]
) -> list[int]:
    """The partitions of a scope: of a venue all, of an account its own."""
    if scope.account is None:
        return list(range(settings.partitions))
    return [one.partition_of(settings.partitions) for one in accounts]


def _fence(
    settings: Settings, venue: str, scope: KillScope, partitions: list[int], reason: str
) -> list[Appended]:
    value = encode_claim_record(Kill(scope=scope, author=getpass.getuser(), reason=reason))
    key = topology.PARTITION_KEY if scope.account is None else scope.account.encode()
    records = [(partition, key, value) for partition in partitions]
    fenced = append(settings, topology.CLAIMS, venue, records)
    for one in fenced:
        if one.offset is None:
            sys.stdout.write(
                f"partition {one.partition}: NOT KNOWN TO BE FENCED ({one.why}): run it again\n"
            )
            continue
        sys.stdout.write(f"partition {one.partition}: fenced at {one.offset}\n")
        for claim in _below(settings, venue, one.partition, one.offset, scope):
            command = claim.command
            sys.stdout.write(
                f"  may still arrive: {command.verb} {command.symbol} of {command.account}, "
                f"command {command.id}\n"
            )
    sys.stdout.flush()
    return fenced


def _below(
    settings: Settings, venue: str, partition: int, offset: int, scope: KillScope
) -> list[Claim]:
    """At most what of the scope was claimed below a kill and may still reach the exchange."""
    log: ClaimLog | None = None
    try:
        for at, record in _records(settings, venue, partition, WINDOW_MS, offset):
            log = log or ClaimLog(at)
            log.apply(at, record)
    except (BadClaimRecord, BrokenClaimLog) as error:
        sys.stdout.write(f"  what stands below cannot be told: {error}\n")
        return []
    return [] if log is None else log.may_arrive(scope, offset, wall_ns() - CLOCK_NS_MAX)


def _kills(settings: Settings, venue: str, partition: int) -> Iterator[tuple[int, Kill]]:
    """All kills that a partition's log still holds."""
    for at, record in _records(settings, venue, partition, None, None):
        if isinstance(record, Kill):
            yield at, record


def _records(
    settings: Settings, venue: str, partition: int, window_ms: int | None, end: int | None
) -> Iterator[tuple[int, ClaimRecord]]:
    """The records of a partition of `claims` below `end`, or to its present end. Raises
    KafkaException, BadClaimRecord."""
    kafka, name = settings.kafka, topology.CLAIMS.name(venue, settings.namespace)
    consumer = reader(kafka.bootstrap, committed=True, security=kafka.client_security())
    place = TopicPartition(name, partition)
    try:
        low, high = consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
        end, place.offset = high if end is None else end, low
        if window_ms is not None:
            asked = TopicPartition(name, partition, wall_ns() // 1_000_000 - window_ms)
            (found,) = consumer.offsets_for_times([asked], timeout=ASK_SECONDS_MAX)
            place.offset = found.offset if 0 <= found.offset <= end else low
        consumer.assign([place])
        yield from _read(consumer, place.offset, end)
    finally:
        consumer.close()


def _read(consumer: Consumer, at: int, end: int) -> Iterator[tuple[int, ClaimRecord]]:
    give_up = time.monotonic() + READ_SECONDS_MAX
    while at < end:
        message = consumer.poll(0.1)
        if time.monotonic() > give_up:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  public
        if message is None:
            continue
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  public
                raise KafkaException(error)
            continue
        offset = message.offset() or 0
        at = offset + 1
        if offset < end:
            yield offset, read_claim_record(message.value())


def _awaited(
    settings: Settings, accounts: Iterable[AccountConfig], fenced: Iterable[Appended]
) -> set[tuple[str, str]]:
    """Whose answers are awaited: the account, and the kill's name."""
    where = {one.partition: one.offset for one in fenced if one.offset is not None}
    homes = ((one, one.partition_of(settings.partitions)) for one in accounts if one.enabled)
    return {(one.id, str(where[home])) for one, home in homes if home in where}


def _watch(
    consumer: Consumer, fenced: list[Appended], awaited: set[tuple[str, str]], wish: Wish
) -> int:
    """Print what becomes of what is open in the scope, until all of it is gone."""
    keys = {str(one.offset) for one in fenced}
    end = time.monotonic() + wish.wait_seconds
    outcomes: dict[tuple[str, str], IntentOutcome] = {}
    while time.monotonic() < end and not _are_told(outcomes, awaited):
        for _, answer, value in next_answers(consumer):
            if answer.strategy == STRATEGY and answer.key in keys:
                show(answer, value, as_json=wish.json)
                outcomes[answer.account, answer.key] = answer.outcome
    if lacking := sorted(name for name, _ in awaited - outcomes.keys()):
        sys.stderr.write(f"orderloom: not heard yet: {', '.join(lacking)}\n")
    if not _are_told(outcomes, awaited):
        sys.stderr.write("orderloom: not all is gone yet; cancels go on until it is\n")
        return UNANSWERED
    return 0 if set(outcomes.values()) <= GONE else LEFT


def _are_told(
    outcomes: dict[tuple[str, str], IntentOutcome], awaited: set[tuple[str, str]]
) -> bool:
    told = GONE | {IntentOutcome.ACK_REJECTED, IntentOutcome.DENIED}
    return awaited <= outcomes.keys() and all(one in told for one in outcomes.values())
