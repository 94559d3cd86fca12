"""What a complete cycle lets us conclude from the venue's own figures (positions, balances).

Pure. A figure holds executions that no list shows yet: those of the cycle that it was asked in end
a visibility lag before its first question. So a figure is proven right only by the cycle after it
(decision 0009):

1. Two look-ups can agree only where the trades that the second one listed reach beyond the moment
   at which the first one's figures came. Two that were asked in one instant share what they lack.
2. What was held before is what both found, and no answer brought an execution that the first one
   lacked: of one who trades evenly, each figure holds as much too much as the one before.
3. Of a symbol of which something may be missing (refused, or not asked about yet) nothing is
   concluded: what its executions will explain would be taken for held before (decision 0013).
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CycleCoverage:
    """What the cycle that is complete covered: its trades up to `until_ns` of venue time.

    That was surely asked for up to `reached_ns` of our time. `brought_ns` is the venue time of the
    youngest execution that any answer so far brought, and no stream. `lacking` are the symbols that
    were spoken of and are not covered.
    """

    until_ns: int
    reached_ns: int
    lacking: frozenset[str] = frozenset()
    brought_ns: int = 0

    def proves(self, former: dict[str, Any] | None) -> bool:
        """Whether this cycle lists all that figures of a former one can hold (rule 1)."""
        return former is not None and int(former["answered_ns"]) <= self.reached_ns

    def adds_to(self, former: dict[str, Any]) -> bool:
        """Whether an execution was found since, that a former cycle did not list (rule 2)."""
        return self.brought_ns > int(former["until_ns"])
