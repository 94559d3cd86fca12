"""Counts by the names that a venue uses: no more of them are told apart than a bound. Pure.

Names come from the venue: one that makes up a new field in each message would fill memory and
/metrics for good. What comes after the first `NAMES_MAX` of a kind counts as `OTHER`.
"""

from collections import Counter
from typing import Final, Literal

NAMES_MAX: Final = 200
OTHER: Final = "other"
Kind = Literal["unknown", "ignored", "unbelieved"]
Tally = tuple[Kind, str]


class Tallies:
    """How often each name was counted; `fresh`: since that was last taken."""

    def __init__(self) -> None:
        self.counts: Counter[Tally] = Counter()
        self.fresh: Counter[Tally] = Counter()
        self._names: Counter[Kind] = Counter()

    def count(self, kind: Kind, name: str, number: int = 1) -> str:
        """Count so many; returns the name that they are counted under."""
        if (kind, name) not in self.counts:
            if self._names[kind] >= NAMES_MAX:
                name = OTHER
            else:
                self._names[kind] += 1
        self.counts[kind, name] += number
        self.fresh[kind, name] += number
        return name

    def take(self) -> Counter[Tally]:
        """What was counted since the last call."""
        fresh, self.fresh = self.fresh, Counter()
        return fresh
