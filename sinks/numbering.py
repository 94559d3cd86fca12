"""The rule by which a consumer knows repeats, losses and compaction apart. Pure.

Each (account, topic) has a dense `sequence` within an `epoch`:
- at or below the last seen number: a repeat, dropped;
- a gap before a record younger than one hour: a loss, which never happens; stop;
- a gap before an older one: compaction (which spares the last two hours); go on as a snapshot;
- a new epoch, which only an operator's repair begins: drop the account's view and build it anew.
A topic that is not compacted may lack only what retention cut off before an account's first record
that is read: a later gap there is a loss however old it is, and where something was cut off, that
first record may be young (the account was quiet for longer than records are kept).
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from orderloom.topology import HOUR_MS, Topic

YOUNG_MS: Final = HOUR_MS
COMPACT: Final = "compact"


class Number(NamedTuple):
    """The place of a record among those of its account and topic; compared in this order."""

    epoch: int
    sequence: int


class Standing(Enum):
    """What a record is to one who has read those before it."""

    NEXT = auto()
    REPEAT = auto()
    AFTER_COMPACTION = auto()
    NEW_EPOCH = auto()


class Gap(Exception):
    """Records are missing where none may be: `last` was seen, then came `found`."""

    def __init__(self, last: Number | None, found: Number) -> None:
        seen = "nothing" if last is None else f"sequence {last.sequence} of epoch {last.epoch}"
        super().__init__(f"sequence {found.sequence} of epoch {found.epoch} follows {seen}")
        self.last = last
        self.found = found


Series = tuple[str, str]
"""A topic's full name and an account."""


class Numbering:
    """The last number seen of each series."""

    def __init__(self, seen: Mapping[Series, Number]) -> None:
        self._seen = dict(seen)

    def take(
        self, series: Series, number: Number, age_ms: int, topic: Topic, *, is_cut: bool = False
    ) -> Standing:
        """Judge the next record of a series; `age_ms` since the broker appended it.

        `is_cut`: its partition does not begin at offset 0 any more.

        Raises:
            Gap: records before it are lost.
        """
        last = self._seen.get(series)
        # Epoch first: whatever its sequence, a record of a former epoch is a repeat.
        if last is not None and number <= last:
            return Standing.REPEAT
        is_new_epoch = last is not None and number.epoch > last.epoch
        # Who has seen nothing of an account expects its first record (docs/contract.md, rule 4).
        expected = 1 if last is None or is_new_epoch else last.sequence + 1
        if number.sequence != expected:
            may_lack = age_ms >= YOUNG_MS if is_compacted(topic) else is_cut and last is None
            if not may_lack:
                raise Gap(last, number)
        self._seen[series] = number
        if is_new_epoch:
            return Standing.NEW_EPOCH
        return Standing.NEXT if number.sequence == expected else Standing.AFTER_COMPACTION


def is_compacted(topic: Topic) -> bool:
    """Whether the topic keeps the newest record of each key, and not each record."""
    return topic.config.get("cleanup.policy") == COMPACT
