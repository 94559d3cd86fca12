"""The venue's clock, known from samples of it. Pure.

A sample says: the venue's clock read `venue_ns` at some moment between `sent_ns` and `received_ns`
of ours. The shorter that span, the better; the best of the last few is believed, of those that no
later one contradicts: a clock that was set is another clock.
"""

from collections import deque

from orderloom.raw import ClockSample

SAMPLES_KEPT = 5
ERROR_NS_MAX = 1_000_000_000


class VenueClock:
    """One product's clock. `offset_ns` is the venue's time less ours; 0 before the first sample."""

    def __init__(self) -> None:
        self._samples: deque[ClockSample] = deque(maxlen=SAMPLES_KEPT)
        self.offset_ns = 0
        self._doubt_ns = 0

    @property
    def has_sample(self) -> bool:
        """Whether anything is known of this clock."""
        return bool(self._samples)

    def add(self, sample: ClockSample) -> bool:
        """Learn from `sample`; True if the clocks now differ too much, or now no longer do."""
        was_wrong = self.is_wrong
        # Our clock was set back while it was asked: then nobody knows between which times of ours.
        if sample.received_ns < sample.sent_ns:
            return False
        agreeing = [one for one in self._samples if _agree(one, sample)]
        self._samples = deque((*agreeing, sample), maxlen=SAMPLES_KEPT)
        best = min(self._samples, key=lambda one: one.received_ns - one.sent_ns)
        # The middle of the span: whenever the venue looked, that is off by half of it at most.
        self.offset_ns = best.venue_ns - (best.sent_ns + best.received_ns) // 2
        self._doubt_ns = (best.received_ns - best.sent_ns) // 2
        return self.is_wrong != was_wrong

    @property
    def is_wrong(self) -> bool:
        """Whether our clock and the venue's are surely more than a second apart."""
        # By less than the doubt a right clock that is told in whole seconds would look wrong.
        return abs(self.offset_ns) - self._doubt_ns > ERROR_NS_MAX


def _agree(one: ClockSample, other: ClockSample) -> bool:
    """Whether one difference of the two clocks explains both samples."""
    lowest = max(sample.venue_ns - sample.received_ns for sample in (one, other))
    highest = min(sample.venue_ns - sample.sent_ns for sample in (one, other))
    return lowest <= highest
