"""A log that is a list: as a producer it takes records and acknowledges them when it is polled.

It stands where a broker would, so that the runner's tests need none; what it holds was encoded and
decoded as in the topic.
"""

import threading
import time
from typing import Any

from orderloom.raw import Item, RawRecord, decode


class ListedLog:
    """Records in the order in which they were acknowledged; `is_away`: none are, for now."""

    def __init__(self) -> None:
        self.records: list[RawRecord] = []
        self.is_away = False
        self._waiting: list[tuple[bytes, Any]] = []
        self._lock = threading.Lock()

    @property
    def items(self) -> list[Item]:
        """All items, in order."""
        return [item for record in self.records for item in record.items]

    def produce(self, _topic: str, *, value: bytes, on_delivery: Any, **_more: object) -> None:
        """As confluent_kafka.Producer.produce."""
        with self._lock:
            self._waiting.append((value, on_delivery))

    def poll(self, seconds: float) -> None:
        """As confluent_kafka.Producer.poll."""
        time.sleep(min(seconds, 0.002))
        if not self.is_away:
            self.deliver()

    def deliver(self) -> None:
        """Acknowledge what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self.records += [decode(value) for value, _ in waiting]
        for _, on_delivery in waiting:
            on_delivery(None, None)

    def purge(self, **_how: object) -> None:
        """As confluent_kafka.Producer.purge."""
