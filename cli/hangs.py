"""Transactions that Kafka never ended: committed readers stand before them for good."""

import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka.admin import AdminClient

from cli.findings import Finding, Mark
from orderloom import topology
from runtime.kafka import TRANSACTION_MS_MAX, Place, end_offsets
from runtime.settings import Settings

PATIENCE_SECONDS: Final = TRANSACTION_MS_MAX / 1000 + 2.0
"""Longer than any transaction of ours may be open."""
LOOK_SECONDS: Final = 0.5


def check_hangs(
    admin: AdminClient, settings: Settings, venue: str, patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[Finding]:
    """Whether readers come to the end of every topic that is written in transactions.

    Only where one does not at once, it is watched for `patience_seconds`. Raises KafkaException.
    """
    names = [
        topic.name(venue, settings.namespace) for topic in topology.TOPICS if topic.transactional
    ]
    places = [(name, number) for name in names for number in range(settings.partitions)]
    give_up = time.monotonic() + patience_seconds
    standing = _standing(admin, places)
    while standing and time.monotonic() < give_up:
        time.sleep(LOOK_SECONDS)
        now = _standing(admin, list(standing))
        # One that moved has only had an open transaction: only what stands still hangs.
        standing = {place: at for place, at in now.items() if standing[place] == at}
    for (name, partition), offset in sorted(standing.items()):
        yield Finding(
            Mark.WRONG,
            "topics",
            f"{name} partition {partition}: readers stand at {offset}, a transaction hangs there "
            f"(was Kafka killed?): `orderloom process {venue}` settles it by itself; if that runs, "
            "its log says what keeps it from it",
        )


def _standing(admin: AdminClient, places: list[Place]) -> dict[Place, int]:
    """Where committed readers stand before the end."""
    stable = end_offsets(admin, places, committed=True)
    ends = end_offsets(admin, places)
    return {place: offset for place, offset in stable.items() if offset < ends[place]}
