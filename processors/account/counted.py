"""The venue's own numbers on one connection: what follows, and what lacks. Pure.

A beginning below the last number is one of two things: the subscription began anew, or its first
message was said twice. The next number tells which, so both counts are kept until then.
"""

from typing import NamedTuple

from venues.venue import Count


class Counted(NamedTuple):
    """The venue's last number, when it came (ns), and where the count stood before it began anew.

    `former` is 0 once the next number has told whether it did, or the beginning was said twice.
    """

    number: int
    at_ns: int
    former: int = 0

    def after(self, one: Count, at_ns: int) -> "Counted":
        """With one more number; the same if it came before."""
        if one.begins:
            former = max(self.former, self.number) if one.number <= self.number else 0
            return Counted(one.number, at_ns, former)
        return Counted(one.number, at_ns) if self.number < one.number else self

    def lacks_before(self, one: Count) -> bool:
        """Whether numbers between this one and the next are missing."""
        follows = (self.number + 1, self.former + 1) if self.former else (self.number + 1,)
        return not one.begins and one.number > self.number and one.number not in follows
