"""The mark of a transaction, and what marks prove of transactions that Kafka did not end.

Pure. A transaction's first and last record in each topic bear its mark in the header
`transaction`: its number, its life (a word of the opening that made it), how many records it writes
into this topic, and on records written again the number that they had at first. Numbers rise by one
within a life; a life begins above all that stood in the partition's topics. docs/decisions/0207 has
the reasons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

MARK = "transaction"
MARK_BITS: Final = 53
"""Of each number in a mark: a whole number in any JSON reader."""
MARK_END: Final = 1 << MARK_BITS
NUMBER_MAX: Final = MARK_END - (1 << 40)
"""An opening begins no life above it: what is left is a thousand a second for 35 years."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Which transaction wrote a record, `count` of them here; `again`: which wrote it first."""

    number: int
    life: int
    count: int = 1
    again: int | None = None

    @property
    def origin(self) -> int:
        """The number of the transaction that first wrote these records."""
        return self.number if self.again is None else self.again

    def encoded(self) -> bytes:
        """As JSON, since a tombstone's headers are JSON."""
        parts = [self.number, self.life, self.count]
        return orjson.dumps(parts if self.again is None else [*parts, self.again])


def mark_of(headers: Iterable[tuple[str, bytes]]) -> Mark | None:
    """The mark among a record's headers; None if it has none, as records of older versions."""
    for name, value in headers:
        if name == MARK:
            return _mark(value)
    return None


def _mark(value: bytes) -> Mark | None:
    """What is no mark was not written by a ledger, and proves nothing."""
    try:
        parts = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(parts, list) or not 3 <= len(parts) <= 4:
        return None
    # Who goes on above a number must be able to write the next one.
    if not all(type(part) is int and 0 < part < MARK_END for part in parts):
        return None
    mark = Mark(*parts)
    return mark if mark.again is None or mark.again < mark.number else None


@dataclass(frozen=True, slots=True)
class Written:
    """A record as it stands in the log; `headers` include the mark."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def mark(self) -> Mark | None:
        """The mark that it bears."""
        return mark_of(self.headers)

    @property
    def others(self) -> list[tuple[str, bytes]]:
        """Its headers but for the mark."""
        return [header for header in self.headers if header[0] != MARK]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of one topic's partition: from its last visible record on, or from further back.

    `written` is all that stands there physically, `visible` the offsets that a committed reader is
    shown.
    """

    written: Sequence[Written]
    visible: frozenset[int]

    @property
    def last_visible(self) -> int:
        """The offset of the last visible record; -1 if there is none."""
        return max(self.visible, default=-1)

    def marks(self) -> list[tuple[Mark, bool]]:
        """Every mark, and whether its record is visible."""
        found = ((record.mark, record.offset in self.visible) for record in self.written)
        return [(mark, is_visible) for mark, is_visible in found if mark is not None]


class Evidence:
    """What the marks of all topics of a partition say together."""

    def __init__(self, tails: Iterable[Tail]) -> None:
        marks = [found for tail in tails for found in tail.marks()]
        # Of hidden ones too: no number may stand for two transactions.
        self.highest = max((mark.number for mark, _ in marks), default=0)
        # By life: that another life came later says nothing of whether this one's commit was
        # acknowledged.
        self._seen: dict[int, int] = {}
        self._begun: dict[int, int] = {}
        for mark, is_visible in marks:
            shown = mark.number if is_visible else 0
            self._seen[mark.life] = max(self._seen.get(mark.life, 0), shown)
            self._begun[mark.life] = max(self._begun.get(mark.life, 0), mark.number)

    def is_true(self, mark: Mark) -> bool:
        """Whether that transaction was committed.

        It was if any record of it, or of a later one of its life, is visible anywhere; or if a
        later one was so much as begun: only an acknowledged commit is followed by another.
        """
        return mark.number <= self._seen[mark.life] or mark.number < self._begun[mark.life]


@dataclass(slots=True)
class Run:
    """What one transaction wrote into one topic, as far as it still stands there."""

    mark: Mark
    records: list[Written]

    @property
    def is_whole(self) -> bool:
        """Whether all of it stands there; Kafka's cleaner drops what was aborted."""
        return len(self.records) == self.mark.count


def vanished(tail: Tail, evidence: Evidence) -> list[Run]:
    """What true transactions wrote behind the last visible record, in order.

    Nothing visible stands behind it, so written again at the end it keeps its place. What was
    written again already, and is hidden too, counts once.
    """
    runs: list[Run] = []
    for record in tail.written:
        # Nothing true is hidden below what is visible: a commit waits until the one before it is
        # shown (decision 0211).
        if record.offset <= tail.last_visible:
            continue
        mark = record.mark
        if mark is not None and (not runs or mark != runs[-1].mark):
            runs.append(Run(mark, []))
        if runs and not runs[-1].is_whole:  # else of a version that wrote no marks
            runs[-1].records.append(record)
    found: dict[int, Run] = {}
    for run in runs:
        former = found.get(run.mark.origin)
        if evidence.is_true(run.mark) and (former is None or not former.is_whole):
            found[run.mark.origin] = run  # in the place of the first, should that lack something
    return list(found.values())


def lost(ledger: Tail, tails: Iterable[Tail], evidence: Evidence) -> set[int]:
    """True transactions that no longer stand whole in the ledger's own topic, by number.

    Each wrote there. What the cleaner took of it cannot be written again: the state is lost.
    """
    # What is true up to this number shows there, or an earlier opening has settled it.
    seen = max((mark.number for mark, is_visible in ledger.marks() if is_visible), default=0)
    whole = {run.mark.origin for run in vanished(ledger, evidence) if run.is_whole}
    # A repetition counts for the transaction that it repeats, by the number of that.
    first = (mark for tail in tails for mark, _ in tail.marks() if mark.again is None)
    true = {mark.number for mark in first if mark.number > seen and evidence.is_true(mark)}
    return true - whole
