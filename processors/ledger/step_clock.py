"""The time of a step: append time while evidence waits in the log, wall clock at its ends.

`StepClock` is pure; `LedgerClock` is the wall clock as far as it can be trusted.
"""

import logging

from runtime.clock import JUMP_NS_MAX, SteadyClock

log = logging.getLogger(__name__)


class StepClock:
    """The reading of each step; it never runs backwards, also not over an opening."""

    def __init__(self, last_ns: int) -> None:
        self.last_ns = last_ns

    def reading(self, newest_append_ns: int | None, wall_ns: int) -> int:
        """The step's time. `newest_append_ns` while an input is behind its noted end, else None.

        Timers fire at this time: while records wait in the log, the wall clock would let them
        fire before the evidence is folded.
        """
        candidate = wall_ns if newest_append_ns is None else newest_append_ns
        self.last_ns = max(self.last_ns, candidate)
        return self.last_ns


class LedgerClock:
    """The steady wall clock, corrected where it is plainly not the broker's; UTC nanoseconds."""

    def __init__(self, clock: SteadyClock | None = None) -> None:
        self._clock = clock or SteadyClock()
        self._correction_ns = 0

    def now_ns(self) -> int:
        """The time now."""
        return self._clock.now_ns() + self._correction_ns

    def compare(self, append_ns: int, before_ns: int) -> None:
        """Compare with the broker's append time of a record written between `before_ns` and now.

        Over two seconds apart the broker's time is used, or timers and append times, which meet in
        the same steps, would disagree.
        """
        difference_ns = append_ns - min(max(append_ns, before_ns), self.now_ns())
        if abs(difference_ns) > JUMP_NS_MAX:
            self._correction_ns += difference_ns
            log.error(
                "this machine's clock is %.3f s off the broker's; the broker's is used: "
                "check the time service of both",
                -difference_ns / 1e9,
            )
