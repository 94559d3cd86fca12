"""What a measured process is to do: one JSON document as its only argument. Pure."""

import json
from dataclasses import asdict, dataclass
from typing import Final

from orderloom.topology import Topic

VENUE: Final = "binance"
PARTITIONS: Final = 4
SAME: Final = "same"
"""The work that every peer does alike (bench/work.py)."""
PRODUCT: Final = "product"
"""The processors' own fold."""


@dataclass(frozen=True, slots=True)
class Task:
    """The cluster, the topics' namespace, how many events warm up and count, and which fold."""

    bootstrap: str
    namespace: str
    warm: int = 0
    measured: int = 0
    fold: str = PRODUCT
    partitions: int = PARTITIONS
    venue: str = VENUE

    def topic(self, topic: Topic) -> str:
        """The full name of a topic of this task."""
        return topic.name(self.venue, self.namespace)

    def argument(self) -> str:
        """As the process gets it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, text: str) -> "Task":
        """What `argument` gave out."""
        return cls(**json.loads(text))
