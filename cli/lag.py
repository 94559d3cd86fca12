"""How far the workers' groups are behind, and which partitions stand still.

A group's worker may live while one of its partitions is stopped. So what is unread is looked at: a
partition stands still where a record waits for long, and nothing was committed for as long.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.findings import Finding, Mark, since
from orderloom import topology
from processors.ledger.log import NS_PER_MS, LedgerLog
from processors.ledger.recorded import steps_back
from processors.ledger.settings import LedgerSettings
from processors.ledger.trouble import LedgerLost
from runtime.clock import wall_ns
from runtime.kafka import Place, begin_offsets, end_offsets, group_offsets, reader
from runtime.settings import Settings

ASK_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.5
LAG_RECORDS: Final = 10_000
STILL_NS: Final = 30_000_000_000
"""A partition that has work, and committed nothing for so long, stands still."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of workers, and what it has not read: by place the first unread offset, if any."""

    name: str
    workers: int
    state: str
    unread: Mapping[Place, int]
    records: int
    has_begun: bool

    def finding(self, command: str, *, is_still: bool = False) -> Finding:
        """The group in a line; `command` starts a worker, `is_still`: a partition stands still."""
        line = f"{self.name}: {self.workers} workers, {self.records} records behind"
        mark = Mark.WRONG if is_still else Mark.NOTE
        if not self.workers:
            return Finding(mark, "lag", f"{line}: start one with `{command}`")
        if self.records > LAG_RECORDS:
            more = f"it catches up, or needs more workers ({self.state})"
            return Finding(mark, "lag", f"{line}: {more}")
        return Finding(mark if is_still else Mark.WELL, "lag", line)


def check_lag(
    admin: AdminClient, settings: Settings, venue: str, still_ns: int = STILL_NS
) -> Iterator[Finding]:
    """Both groups of a venue. Raises KafkaException, SetupError."""
    security = settings.kafka.client_security()
    ledger = LedgerSettings(settings.kafka.bootstrap, venue, settings.namespace, security)
    names = [ledger.topic_name(topic) for topic in topology.INPUTS]
    group = _group(admin, settings, ledger.group, names)
    try:
        moved = last_moves(ledger, group.unread, still_ns)
        still = list(still_lines(venue, moved, wall_ns(), still_ns))
    except LedgerLost as lost:
        still = [f"{venue}: {lost}: is the cluster well?"]
    is_expected = group.has_begun or group.workers > 0
    yield group.finding(f"orderloom process {venue}", is_still=bool(still) and is_expected)
    if group.workers:  # without any, the line above says it all
        yield from (Finding(Mark.WRONG, "lag", line) for line in still)
    ingest, dispatches = f"{settings.namespace}ingest.{venue}", topology.DISPATCHES
    asking = _group(admin, settings, ingest, [ledger.topic_name(dispatches)])
    yield asking.finding(f"orderloom ingest {venue}")


def still_lines(
    venue: str, moved: Mapping[int, int], now_ns: int, still_ns: int = STILL_NS
) -> Iterator[str]:
    """A line for each partition that stands still; `moved`: as `last_moves` says."""
    for partition, at_ns in sorted(moved.items()):
        if now_ns - at_ns > still_ns:
            yield (
                f"partition {partition} of {venue} stands still since {since(at_ns, now_ns)}: "
                f"look at the log of `orderloom process {venue}`"
            )


def last_moves(
    ledger: LedgerSettings, unread: Mapping[Place, int], still_ns: int = STILL_NS
) -> dict[int, int]:
    """Since when each partition moves no more: its last commit, or its oldest unread record if that
    is younger; ns UTC, the broker's clock. Only partitions where a record waits for `still_ns`.

    Raises LedgerLost, KafkaException, SetupError.
    """
    moved: dict[int, int] = {}
    for (_, partition), at_ns in _waiting_since(ledger, unread).items():
        if wall_ns() - at_ns >= still_ns:
            moved[partition] = min(at_ns, moved.get(partition, at_ns))
    if moved:
        ledger_log = LedgerLog(ledger)
        for partition, at_ns in moved.items():
            last = next(steps_back(ledger_log, partition), None)
            stepped_ns = 0 if last is None else last[1].timestamp()[1] * NS_PER_MS
            moved[partition] = max(at_ns, stepped_ns)
    return moved


def _waiting_since(ledger: LedgerSettings, unread: Mapping[Place, int]) -> dict[Place, int]:
    """When the first unread record of each place was appended, ns UTC."""
    found: dict[Place, int] = {}
    consumer = reader(ledger.bootstrap, committed=False, security=ledger.client)
    consumer.assign([TopicPartition(*place, offset) for place, offset in unread.items()])
    give_up = time.monotonic() + ASK_SECONDS
    try:
        while len(found) < len(unread) and time.monotonic() < give_up:
            message = consumer.poll(POLL_SECONDS)
            if message is None or message.error() is not None:
                continue
            place = (str(message.topic()), message.partition() or 0)
            found.setdefault(place, message.timestamp()[1] * NS_PER_MS)
            consumer.pause([TopicPartition(*place)])  # the others have their turn
    finally:
        consumer.close()
    if lacking := sorted(set(unread) - set(found)):
        raise LedgerLost(f"{lacking[0][0]} partition {lacking[0][1]} is not delivered")
    return found


def _group(admin: AdminClient, settings: Settings, name: str, topics: list[str]) -> Group:
    places = [(topic, part) for topic in topics for part in range(settings.partitions)]
    kafka = settings.kafka
    at = group_offsets(kafka.bootstrap, name, places, security=kafka.client_security())
    begins, ends = begin_offsets(admin, places), end_offsets(admin, places)
    following = {place: max(begins[place], at.get(place, 0)) for place in places}
    unread = {place: offset for place, offset in following.items() if offset < ends[place]}
    records = sum(ends[place] - offset for place, offset in unread.items())
    return Group(name, *_members(admin, name), unread, records, has_begun=bool(at))


def _members(admin: AdminClient, group: str) -> tuple[int, str]:
    try:
        future = admin.describe_consumer_groups([group], request_timeout=ASK_SECONDS)[group]
        described = future.result()
    except KafkaException:  # nobody was ever in it
        return 0, "EMPTY"
    return len(described.members), described.state.name
