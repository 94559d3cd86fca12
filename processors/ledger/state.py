"""What a ledger keeps of its own in the `ledger` topic, beside the state's records.

Pure. The keys begin with `@`, as no other record's. Each value is a JSON object with a `format`;
another format is refused, never guessed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import orjson

from orderloom.topology import INPUTS, JOINED
from processors.ledger.typed import Count, Rare, Time, Whole, typed

FORMAT = 3
FORMATS_READ = (1, 2, FORMAT)
"""Older ones say less; what it means that a field is absent stands at the field."""
RESERVED = b"@"
KINDS = frozenset(topic.kind for topic in INPUTS)
JOINED_KINDS = frozenset(topic.kind for topic in JOINED)


class UnknownLedgerFormat(Exception):
    """A record of the ledger's own has a format that this code does not know."""


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """How far the ledger is: the number of its last step, that step's clock reading, and inputs.

    `next` is the next offset to fold of each input, by the topic's kind; `topic_ids` the ids of
    all topics that are read and written, which tell a topic that was deleted and made again.
    `exact` is the digest of the state records, "" before the first step, and `epoch` that of the
    last repair, 0 for none: both tell a ledger that lacks some of what was written into it, where
    no older version wrote the place ("", None). `chain` is that of the last step's commit record,
    "" at the beginning of an epoch or after an older version.
    """

    step: Count
    clock_ns: Time
    next: Mapping[str, Whole]
    topic_ids: Mapping[str, str]
    exact: str = ""
    epoch: Rare | None = None
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a fold after step `step` was begun that no commit and no living process ended.

    `timers` of them had folded their one record and were about to let timers fire. `until` are the
    ends, by kind, of the batches that were to be folded then; empty where they are not known.
    """

    step: Count = 0
    count: Rare = 0
    timers: Rare = 0
    until: Mapping[str, Whole] = field(default_factory=dict)

    def another(self, until: Mapping[str, int]) -> Self:
        """With one that begins now, over a batch that ends at `until`."""
        # What kills lies before the furthest end of the batches that died (decision 0201).
        furthest = {
            kind: max(until.get(kind, 0), self.until.get(kind, 0))
            for kind in sorted(until.keys() | self.until.keys())
        }
        return replace(self, count=self.count + 1, until=furthest)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The accounts of which a record was left out lately, with the wall clock (ns) of each."""

    recent: tuple[tuple[str, Whole], ...] = ()

    def adding(self, account: str, now_ns: int, window_ns: int) -> Self:
        """With `account` left out at `now_ns`; what is older than the window is forgotten."""
        kept = tuple(entry for entry in self.recent if entry[1] > now_ns - window_ns)
        return type(self)((*kept, (account, now_ns)))

    def accounts(self) -> set[str]:
        """Each account once."""
        return {account for account, _ in self.recent}


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair of this partition: begun, or the last one that ended.

    All that is numbered since is in `epoch`. `cause` is why the ledger stopped, `raw_gap` why a
    part of `raw` is not in the rebuilt state ("" if all is). Until `has_ended` no ledger starts;
    once `is_cleared` the former state is gone and the rebuilding may be resumed, by the same fold
    and configuration.
    """

    epoch: Rare
    author: str
    reason: str
    cause: str
    fold: str
    config: str
    begun_ns: Whole
    raw_gap: str = ""
    is_cleared: bool = False
    has_ended: bool = False


@dataclass(slots=True)
class OwnRecords:
    """All of the ledger's own records; `place` is None where the ledger has no state yet."""

    place: LedgerPlace | None = None
    attempts: Attempts = field(default_factory=Attempts)
    left_out: LeftOut = field(default_factory=LeftOut)
    repair: Repair | None = None

    @property
    def epoch(self) -> int:
        """The epoch of the last repair; 0 for none."""
        return 0 if self.repair is None else self.repair.epoch

    def restore(self, key: bytes, value: bytes) -> None:
        """Take back one record.

        Raises:
            UnknownLedgerFormat: its key or its format is not known.
            ValueError: it is none that a ledger wrote.
        """
        if key == PLACE_KEY:
            self.place = _place(_decoded(key, value))
        elif key == ATTEMPTS_KEY:
            self.attempts = _attempts(_decoded(key, value))
        elif key == LEFT_OUT_KEY:
            self.left_out = typed(LeftOut, _decoded(key, value))
        elif key == REPAIR_KEY:
            self.repair = typed(Repair, _decoded(key, value))
        else:
            raise UnknownLedgerFormat(f"record {key.decode(errors='replace')}")


PLACE_KEY = b"@next"
ATTEMPTS_KEY = b"@attempts"
LEFT_OUT_KEY = b"@left-out"
REPAIR_KEY = b"@repair"
PROOF_KEY = b"@proof"
"""Has never a value: its tombstone is written to see whether the log still takes our writes."""


def encoded(record: LedgerPlace | Attempts | LeftOut | Repair) -> bytes:
    """The record's value in the log."""
    return orjson.dumps({"format": FORMAT} | asdict(record))


def _place(document: dict[str, Any]) -> LedgerPlace:
    place = typed(LedgerPlace, document)
    if not KINDS - JOINED_KINDS <= place.next.keys() <= KINDS:
        raise ValueError("next: it names other inputs than there are")
    # Of an input that joined since, nothing was folded.
    return replace(place, next=dict.fromkeys(JOINED_KINDS, 0) | dict(place.next))


def _attempts(document: dict[str, Any]) -> Attempts:
    attempts = typed(Attempts, document)
    if not attempts.until.keys() <= KINDS:
        raise ValueError("until: it names other inputs than there are")
    return attempts


def _decoded(key: bytes, value: bytes) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(value)
    if not isinstance(document, dict):
        raise ValueError(f"record {key.decode()} is no object")
    found = document.pop("format", None)
    if found not in FORMATS_READ:
        raise UnknownLedgerFormat(f"record {key.decode()} has format {found}, known is {FORMAT}")
    return document
