"""What the worker learns, one after the other: from the group on `dispatches`, and the registry."""

import threading
from dataclasses import dataclass, field

from ingest.registry import Change


@dataclass(frozen=True, slots=True)
class Gained:
    """A partition is ours under `generation`, read from `offset`.

    `is_continued`: it was ours before, and nobody had it in between.
    """

    partition: int
    generation: int
    offset: int
    is_continued: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """Partitions are to be given up; `released` is awaited, for a few seconds."""

    partitions: tuple[int, ...]
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Lost:
    """Partitions that may be another's by now."""

    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """The whole assignment after a rebalance: what was lost and is not in it is another's."""

    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """One record of `dispatches`."""

    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Rewound:
    """What we have not read of a partition of ours is gone: it is read anew, from `offset` on."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The reader of `dispatches` ended, and only a person or a new life can mend that."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Registered:
    """One account's entry in the registry changed."""

    change: Change


Event = Gained | Revoked | Lost | Assigned | Received | Rewound | Failed | Registered
