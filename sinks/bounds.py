"""Where partitions begin and end, also in the moment after their topics were made."""

import time
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from runtime.kafka import Place, begin_offsets, end_offsets

ASK_SECONDS_MAX: Final = 10.0
LEADER_SECONDS: Final = 0.1
_NO_LEADER_YET: Final = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)


def bounds(admin: AdminClient, places: list[Place]) -> tuple[dict[Place, int], dict[Place, int]]:
    """The first offset of each partition and its end; waits while leaders are being chosen.

    Raises KafkaException.
    """
    give_up = time.monotonic() + ASK_SECONDS_MAX
    while True:
        try:
            return begin_offsets(admin, places), end_offsets(admin, places)
        except KafkaException as error:
            if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > give_up:
                raise
            time.sleep(LEADER_SECONDS)
