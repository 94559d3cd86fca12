"""Two clocks with one face: the wall clock of a server, the logical clock of a history."""

import time
from typing import Protocol


class Clock(Protocol):
    """Milliseconds since the epoch, UTC."""

    def now_ms(self) -> int:
        """The present moment in ms."""
        ...

    def now_ns(self) -> int:
        """The same in ns."""
        ...


class WallClock:
    """The machine's clock, with a fixed error that tests may set."""

    def __init__(self, skew_ms: int = 0) -> None:
        self.skew_ms = skew_ms

    def now_ms(self) -> int:
        """The machine's time plus the skew."""
        return time.time_ns() // 1_000_000 + self.skew_ms

    def now_ns(self) -> int:
        """The same in ns, as exact as the machine's clock is."""
        return time.time_ns() + self.skew_ms * 1_000_000


class LogicalClock:
    """A clock that moves only when it is told to, so that a seed gives the same times."""

    def __init__(self, start_ms: int = 1_793_000_000_000) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """The time that was last set."""
        return self._now_ms

    def now_ns(self) -> int:
        """The same in ns."""
        return self._now_ms * 1_000_000

    def advance(self, by_ms: int) -> None:
        """Let `by_ms` milliseconds pass."""
        assert by_ms >= 0, "time does not run backwards"
        self._now_ms += by_ms
