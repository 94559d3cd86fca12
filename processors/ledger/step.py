"""What passes between a ledger and the fold that is handed to it.

Pure: data types and one protocol. The ledger knows nothing of orders; the `PartitionState` that it
folds into knows nothing of Kafka. The ledger reads `InputRecord`s, folds them, takes the
`StepChanges` and writes them in one transaction; if that fails, the state is thrown away and a new
one restored.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from orderloom.topology import Topic


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One record of an input topic; `appended_ns` is the broker's append time, UTC."""

    topic: Topic
    partition: int
    offset: int
    appended_ns: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Output:
    """One record to publish in this step; `value` None is a tombstone."""

    topic: Topic
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def _no_content() -> str:
    return ""


@dataclass(slots=True)
class StepChanges:
    """What a step changed: state records (None deletes), outputs in order, and the digests.

    The content digest costs something for each order that changed since it was asked for, so it is
    computed when it is: before anything else is folded.
    """

    state: dict[bytes, bytes | None] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    exact_digest: str = ""
    digest_content: Callable[[], str] = field(default=_no_content, compare=False)

    @property
    def content_digest(self) -> str:
        """What the orders are now."""
        return self.digest_content()

    def bring_up_to_date(self, saved: dict[bytes, bytes]) -> None:
        """Put what changed into the state records that were `saved` before, by key."""
        for key, value in self.state.items():
            if value is None:
                saved.pop(key, None)
            else:
                saved[key] = value


class PartitionState(Protocol):
    """The state of one partition, in memory. Deterministic; reads no clock, does no I/O."""

    @property
    def version(self) -> str:
        """The fold's version, written into each commit record."""
        ...

    @property
    def exact_digest(self) -> str:
        """The digest of all state records, as the last changes gave it out or as restored."""
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Number in this epoch, which a repair began; called before anything else."""
        ...

    def restore(self, key: bytes, value: bytes) -> None:
        """Take back one state record, as `StepChanges.state` gave it out.

        Raises:
            UnknownStateFormat: the record has a format version that this code does not know.
        """
        ...

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold one record at the step's clock reading. What a venue says never raises."""
        ...

    def leave_out(self, record: InputRecord, reason: str, trace: str, now_ns: int) -> None:
        """The ledger leaves this poison record out: dead letter, and the account quarantined."""
        ...

    def due_ns(self) -> int | None:
        """When the earliest timer is due; None if there is none."""
        ...

    def tick(self, now_ns: int) -> None:
        """Let every timer fire that is due at `now_ns`."""
        ...

    def changes(self) -> StepChanges:
        """What changed since the last call; the state forgets that it was dirty."""
        ...

    @property
    def accounts(self) -> Iterable[str]:
        """The accounts that it knows."""
        ...

    def quarantined(self) -> Iterable[str]:
        """The accounts that are quarantined, for health and the deploy guard."""
        ...


class UnknownStateFormat(Exception):
    """A state record has a format version that this code does not know; nothing was loaded."""
