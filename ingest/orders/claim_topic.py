"""The topic of claims as ingest uses it: its clients, what an append comes to, and its safety.

An acknowledged offset is final only where no stale replica ever leads and enough replicas have each
record; and a topic that was made anew under the same name is another log. So it is looked at
whenever a partition is taken over.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from orderloom.claim_log import BrokenClaimLog
from runtime.kafka import topic_ids
from runtime.topics import TopicSpec, check_topics

VERSION: Final = "1"
"""What an OWNER record says of who wrote it: 1 places orders."""
APPEND_SECONDS_MAX: Final = 3.0
SETTINGS: Final = {"message.timeout.ms": int(APPEND_SECONDS_MAX * 1_000)}
"""What the producer of claims is made with, over ours: none is tried for longer."""


class NotClaimed(Exception):
    """The command is not to be sent; `args[0]` says why."""


class ClaimedBefore(NotClaimed):
    """The log names the command already: it alone says whether the command was sent."""


class NotAppended(Exception):
    """It is not known that the record stands in the log; `args[0]` says why. It may land later."""


class Appended(NamedTuple):
    """Where a record stands, and when it was appended (ns UTC, by the broker's clock)."""

    offset: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class ClaimTopic:
    """One partition of the topic, and how its clients are made (with SETTINGS, the producer)."""

    name: str
    partition: int
    make_producer: Callable[[], Producer]
    make_reader: Callable[[], Consumer]


class ClaimTopicWatch:
    """Looks at the topic; one for a whole process, as it remembers which one it was."""

    def __init__(self, make_admin: Callable[[], AdminClient], spec: TopicSpec) -> None:
        self._make_admin = make_admin
        self._spec = spec
        self._lock = threading.Lock()
        self._admin: AdminClient | None = None
        self._id: str | None = None

    def look(self) -> str:
        """What of it is less than asked for, in a line, or "". Blocks; for any thread.

        Raises BrokenClaimLog for another topic than before, and KafkaException, PassingTrouble and
        SettingsError where it cannot be looked at.
        """
        with self._lock:
            if self._admin is None:
                self._admin = self._make_admin()
            name = self._spec.name
            found = topic_ids(self._admin, [name])[name]
            self._id = self._id or found
            if found != self._id:
                raise BrokenClaimLog(
                    f"{name} was deleted and made again: kills and claims are lost; see that "
                    "nothing waits to be placed, and restart this worker"
                )
            return "; ".join(check_topics(self._admin, [self._spec]))
