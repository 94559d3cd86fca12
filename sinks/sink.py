"""What a destination must be: it takes batches, and remembers how far it got in the same breath.

`write` is idempotent: batches may come again, in any order, and the outcome is the same. So nothing
that leaves Kafka is lost or doubled, wherever the process is killed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orderloom.topology import Topic
from runtime.trouble import PassingTrouble, SetupError
from sinks.numbering import Number, Series
from sinks.record import Batch, Place


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a consumer has read: what it must keep to go on where it stopped.

    `topic_ids` tell a topic that was deleted and made again from the one that was read.
    `at_end_ms`: when each topic was last read to its end, or was begun; 0: nobody knows.
    """

    offsets: Mapping[Place, int] = field(default_factory=dict)
    numbers: Mapping[Series, Number] = field(default_factory=dict)
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    at_end_ms: Mapping[str, int] = field(default_factory=dict)


class UnusableTargetError(SetupError):
    """The destination cannot be used until a person changes something."""


class TargetAwayError(PassingTrouble):
    """The destination cannot be reached or written now; it may mend itself."""


class Sink(Protocol):
    """A destination of the output topics.

    Every method raises UnusableTargetError or TargetAwayError where the destination is in trouble.
    """

    @property
    def topics(self) -> Collection[Topic]:
        """The kinds of topics that it takes."""
        ...

    def progress(self) -> Progress:
        """How far it got."""
        ...

    def begin(self, topic_ids: Mapping[str, str], now_ms: int) -> None:
        """Remember which topics are about to be read."""
        ...

    def forget(self, names: Collection[str]) -> None:
        """Drop all that came from these topics, and how far they were read."""
        ...

    def write(self, batch: Batch) -> None:
        """Take a batch and how far it reaches, together or not at all."""
        ...

    def close(self) -> None:
        """Let go of the destination."""
        ...
