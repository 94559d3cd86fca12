"""One rate limit of one subject: what it has left, by our count and by the venue's. Pure.

Rules 1 to 4 of `limits.py`.
"""

from collections import deque
from collections.abc import Mapping

from ingest.instant import MILLISECOND_NS, SECOND_NS, Instant
from venues.rates import Bucket

WINDOW_USED = 0.95
"""Requests do not arrive as evenly as they leave: so much of a window is used at most."""
ROUNDING = 1e-9
COUNT_DIGITS_MAX = 12
TIME_DIGITS_MAX = 13
LATENESS = 30
"""Requests may arrive this part of a window later than they left."""


class Level:
    """One bucket, filled to `tokens` at `at_ns`. Times are ns on the steady clock."""

    def __init__(self, bucket: Bucket, at_ns: int, share: float) -> None:
        self.bucket = bucket
        self._take_share(share)
        self.tokens = self.at_once
        self.at_ns = at_ns
        self.closed_until_ns = 0
        self._counted: deque[tuple[int, float]] = deque()
        """When how much went, of the last period; where the venue reports its count."""
        self._count = 0.0

    def _take_share(self, share: float) -> None:
        """What may go at once, and what comes back within a period."""
        self.share = share
        whole, burst = max(1.0, self.bucket.capacity * share), self.bucket.burst
        self.at_once = self.refilled = whole
        if burst is not None:
            self.at_once = max(1.0, min(burst, self.bucket.capacity) * share)
            # Both together must fit into one window (decision 0806).
            self.refilled = max(0.5, whole * WINDOW_USED - self.at_once)

    @property
    def _is_counted(self) -> bool:
        return self.bucket.used_header is not None or self.bucket.left_header is not None

    def is_idle(self, now_ns: int) -> bool:
        """Whether nothing is known of it that a new one would not say."""
        self.refill(now_ns)
        return self.tokens >= self.at_once and not self._counted and now_ns >= self.closed_until_ns

    def refill(self, now_ns: int) -> None:
        """Let time pass."""
        if now_ns == self.at_ns:
            return
        gained = self.refilled * max(0, now_ns - self.at_ns) / self.bucket.period_ns
        self.tokens = min(self.at_once, self.tokens + gained)
        self.at_ns = max(self.at_ns, now_ns)
        while self._counted and self._counted[0][0] + self._window_ns <= now_ns:
            self._count -= self._counted.popleft()[1]

    def spend(self, weight: float) -> None:
        """A request goes that costs so much."""
        self.tokens -= weight
        self._note(weight)

    def give_share(self, share: float) -> None:
        """This worker may use so much of it: 0 to 1. A fuller share comes as full."""
        self.tokens *= share / self.share
        self._take_share(share)

    def close(self, until_ns: int) -> None:
        """Nothing goes before."""
        self.closed_until_ns = max(self.closed_until_ns, until_ns)

    def hear(self, headers: Mapping[str, str], now: Instant) -> None:
        """Learn the venue's own count from an answer's headers (names in lower case)."""
        self.refill(now.steady_ns)
        used = self._used_in(headers)
        if used is None:
            return
        # Below zero where the venue counts more than its
        # limit, but by no more than a period's worth.
        self.tokens = min(self.tokens, self.bucket.capacity - used)
        self._learn(used)
        if used >= self.bucket.capacity:
            self.close(now.steady_ns + self._reset_in_ns(headers, now))

    def _used_in(self, headers: Mapping[str, str]) -> float | None:
        capacity = self.bucket.capacity
        left = _count_in(headers, self.bucket.left_header)
        used = _count_in(headers, self.bucket.used_header)
        if left is not None:
            used = max(0.0, capacity - left)
        return None if used is None else min(used, 2.0 * capacity)

    def _reset_in_ns(self, headers: Mapping[str, str], now: Instant) -> int:
        """For how long nothing is left, by the venue; no longer than two periods."""
        text = headers.get(self.bucket.reset_header or "", "")
        if not text.isdecimal() or len(text) > TIME_DIGITS_MAX:
            return 0
        wait_ns = int(text) * MILLISECOND_NS
        if len(text) == TIME_DIGITS_MAX:
            wait_ns -= now.wall_ns
        elif len(text) == TIME_DIGITS_MAX - 3:
            wait_ns = int(text) * SECOND_NS - now.wall_ns
        return min(max(0, wait_ns), 2 * self.bucket.period_ns)

    def _note(self, weight: float) -> None:
        """So much of the window is used."""
        if self._is_counted:
            self._counted.append((self.at_ns, weight))
            self._count += weight

    def _learn(self, used: float) -> None:
        """The venue counts so much in its window, of everybody: what it leaves is left for us."""
        # The venue counts us as well: only what leaves us less than our own count does is news.
        ours = self.bucket.capacity * self.share * WINDOW_USED - self._count
        self._note(max(0.0, ours - (self.bucket.capacity * WINDOW_USED - used)))

    @property
    def _window_ns(self) -> int:
        """A window, and what requests may be late by: two that follow must not meet in one."""
        return self.bucket.period_ns + self.bucket.period_ns // LATENESS

    def _excess(self, weight: float, used_max: float) -> float:
        """What must have left the window before it fits; all of it, for what is beyond it."""
        excess = self._count + weight - self.bucket.capacity * self.share * used_max
        return min(excess, self._count)

    def ready_ns(self, weight: float, reserve: float, used_max: float) -> int:
        """When a request may go that costs `weight`; now, if it may.

        It leaves the part `reserve` of what may go at once, and of the venue's window what is
        beyond the part `used_max`. What costs more than there ever is waits for a full bucket.
        """
        now_ns = self.at_ns
        needed = min(weight + self.at_once * reserve, self.at_once)
        missing = needed - self.tokens
        # What is refilled in parts may lack its last digit.
        missing = missing if missing > ROUNDING else 0.0
        # Rounded up: a timer that fires a moment early finds nothing to grant.
        refilled_ns = now_ns + int(-(-missing * self.bucket.period_ns // self.refilled))
        return max(refilled_ns, self.closed_until_ns, self._fits_ns(weight, used_max))

    def _fits_ns(self, weight: float, used_max: float) -> int:
        """When there is room in the window."""
        excess, fits_ns = self._excess(weight, used_max), self.at_ns
        for at_ns, gone in self._counted:
            if excess <= 0:
                break
            excess -= gone
            fits_ns = max(fits_ns, at_ns + self._window_ns)
        return fits_ns


def _count_in(headers: Mapping[str, str], name: str | None) -> float | None:
    """The number in a header; a header may hold anything, also 400 digits (decision 0509)."""
    text = headers.get(name, "") if name is not None else ""
    return float(text) if text.isdecimal() and len(text) <= COUNT_DIGITS_MAX else None
