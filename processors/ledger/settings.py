"""What a ledger must know: where the log is, whose partitions, how large a step may be.

Pure: frozen data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orderloom.topology import RAW_MESSAGE_BYTES_MAX, Topic

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StepBounds:
    """The most that one step folds: messages, their bytes, and seconds of folding."""

    messages: int = 2_000
    bytes: int = 16 * MIB
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """One venue's ledgers on one cluster.

    `client` is handed to every librdkafka client (security settings and the like); `config_digest`
    names the configuration that the fold runs with and stands in each commit record;
    `configuration` is what of it a replay needs. The session is that of Faust's consumer group:
    after it, a silent worker's partitions go to others.
    """

    bootstrap: str
    venue: str
    namespace: str = ""
    client: Mapping[str, str] = field(default_factory=dict)
    config_digest: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    step: StepBounds = StepBounds()
    transaction_timeout_ms: int = 10_000
    message_bytes_max: int = RAW_MESSAGE_BYTES_MAX + MIB  # the largest topic, and framing
    session_seconds: float = 6.0
    heartbeat_seconds: float = 0.5
    inbox_records_max: int = 4_000
    inbox_bytes_max: int = 16 * MIB
    tail_check_seconds: float = 1.0
    hang_check_seconds: float = 5.0
    commit_offsets_seconds: float = 2.0
    request_seconds_max: float = 15.0

    def topic_name(self, topic: Topic) -> str:
        """The full name of `topic` at this venue."""
        return topic.name(self.venue, self.namespace)

    @property
    def rebalance_seconds(self) -> float:
        """How long a rebalance waits for a member that lives and does not come."""
        return 2 * self.session_seconds + 4

    @property
    def group(self) -> str:
        """The consumer group, and the name of the Faust app, of all workers of this venue."""
        return f"{self.namespace}orderloom-process.{self.venue}"

    def transactional_id(self, partition: int, turn: int = 0) -> str:
        """The id of the even transactions (turn 0), or of the odd ones.

        Who initialises producers with both fences the partition's former owner. Turn 0 has the
        name from when there was one id: whoever still writes by that is fenced too.
        """
        name = f"{self.namespace}orderloom-ledger.{self.venue}.{partition}"
        return f"{name}-odd" if turn else name
