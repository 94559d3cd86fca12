"""The time of a step: append time while evidence waits in the log, wall clock at its ends.

`StepClock` is pure; `LedgerClock` is the wall clock as far as it can be trusted. Reasons:
docs/decisions/0210.
"""

import logging

from runtime.clock import JUMP_NS_MAX, SteadyClock

APPEND_LEAD_NS_MAX = JUMP_NS_MAX
SLOWED = 2
AHEAD_NS_MIN = 60 * 1_000_000_000

log = logging.getLogger(__name__)


class StepClock:
    """The reading of each step; it never runs backwards, also not over an opening.

    - At the noted ends it is the wall clock.
    - Behind them it is append time, since the wall clock would let timers fire before the evidence
      that waits in the log is folded. Of a time that is yet to come it takes no more than two
      clocks may differ: the broker's clock was ahead then, and a reading never falls.
    - Where it is ahead of the wall clock all the same (an older version, or this machine's clock
      was ahead), it runs at half the wall clock's pace until that has caught up. Timers are set by
      it and due by it: if it stood still, all would wait for as long as it is ahead; at the full
      pace it would never be right again. So none waits for more than twice its time.
    """

    def __init__(self, last_ns: int) -> None:
        self.last_ns = last_ns
        self._wall_ns = last_ns

    def reading(self, newest_append_ns: int | None, wall_ns: int) -> int:
        """The step's time. `newest_append_ns` while an input is behind its noted end, else None."""
        if newest_append_ns is None:
            self.last_ns = self.at_ends(wall_ns)
        else:
            appended_ns = min(newest_append_ns, wall_ns + APPEND_LEAD_NS_MAX)
            self.last_ns = max(self.last_ns, appended_ns)
        self._wall_ns = wall_ns
        return self.last_ns

    def at_ends(self, wall_ns: int) -> int:
        """What the reading of a step at the noted ends would be: what timers are due by."""
        self._wall_ns = min(self._wall_ns, wall_ns)  # corrected backwards: time passes from there
        return max(wall_ns, self.last_ns + (wall_ns - self._wall_ns) // SLOWED)

    def ns_until(self, due_ns: int, wall_ns: int) -> int:
        """How long on the wall clock until the reading at the ends is `due_ns`."""
        slowed_ns = SLOWED * (due_ns - self.last_ns) - (wall_ns - self._wall_ns)
        return max(0, min(due_ns - wall_ns, slowed_ns))

    def lead_ns(self, wall_ns: int) -> int:
        """How far the reading is ahead of the wall clock."""
        return max(0, self.at_ends(wall_ns) - wall_ns)


class LedgerClock:
    """The steady wall clock, corrected where it is plainly not the broker's; UTC nanoseconds.

    Over two seconds apart the broker's time is used, or timers and append times, which meet in the
    same steps, would disagree. A reading may always rise and never falls, so of two clocks that
    disagree the earlier is taken at once, and a later one only when it has stayed for a minute.
    """

    def __init__(self, clock: SteadyClock | None = None) -> None:
        self._clock = clock or SteadyClock()
        self._correction_ns = 0
        self._ahead_ns = self._ahead_since_ns = 0

    def now_ns(self) -> int:
        """The time now."""
        return self._clock.now_ns() + self._correction_ns

    @property
    def is_in_doubt(self) -> bool:
        """Whether the broker's clock is ahead and has not stayed so for long enough yet."""
        return self._ahead_ns > 0

    def compare(self, append_ns: int, before_ns: int) -> None:
        """Compare with the broker's append time of a record written between `before_ns` and now."""
        own_ns = self._clock.now_ns()
        now_ns = own_ns + self._correction_ns
        # The record was appended at some time since: clocks differ only outside of that span.
        took_ns = max(0, now_ns - before_ns)
        difference_ns = _outside(append_ns, now_ns - took_ns, now_ns)
        from_own_ns = _outside(append_ns, own_ns - took_ns, own_ns)
        # Where the broker agrees with the machine's own clock again, the correction ends.
        correction_ns = from_own_ns if abs(from_own_ns) > JUMP_NS_MAX else 0
        if abs(difference_ns) <= JUMP_NS_MAX:
            self._ahead_ns = 0
        elif difference_ns < 0 or correction_ns == 0 or self._has_stayed(difference_ns, own_ns):
            self._ahead_ns, self._correction_ns = 0, correction_ns
            log.error(
                "this machine's clock is %.3f s off the broker's%s: check the time service of both",
                -from_own_ns / 1e9,
                "; the broker's is used" if correction_ns else " no longer, and is used again",
            )

    def _has_stayed(self, ahead_ns: int, own_ns: int) -> bool:
        if not self._ahead_ns or abs(ahead_ns - self._ahead_ns) > JUMP_NS_MAX:
            self._ahead_ns, self._ahead_since_ns = ahead_ns, own_ns
            log.error(
                "the broker's clock is %.3f s ahead; it is used if it stays so: check the time "
                "service of the brokers and of this machine",
                ahead_ns / 1e9,
            )
        return own_ns - self._ahead_since_ns >= AHEAD_NS_MIN


def _outside(value: int, least: int, most: int) -> int:
    """How far `value` lies above (or, negative, below) this span; 0 within it."""
    return value - min(max(value, least), most)
