"""Three ways to count what is used: by windows, by tokens that come back, by a sum that decays.

Keys say for whom is counted: an address, a key or an account, an instrument, or several of them.
`now_ms` is the venue's clock. All are pure but for that clock.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

Clock = Callable[[], int]
Scope = Literal["user", "user+instrument", "ip"]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in a window, counted for whom."""

    limit: int
    scope: Scope = "user"

    def key(self, ip: str, account: str, path: str, symbol: str) -> tuple[str, ...]:
        """What is counted under, of a request to a path."""
        who = ip if self.scope == "ip" else account
        return (who, path, symbol) if self.scope == "user+instrument" else (who, path)


@dataclass(slots=True)
class _Window:
    number: int = -1
    used: int = 0


class Windows:
    """Counts that begin anew with every window of `span_ms`."""

    def __init__(self, now_ms: Clock, span_ms: int) -> None:
        self._now_ms = now_ms
        self._span_ms = max(span_ms, 1)
        self._windows: dict[Hashable, _Window] = defaultdict(_Window)

    def take(self, key: Hashable, count: int) -> int:
        """Use so much (below zero: give it back); what is used now, never below zero."""
        window = self._present(key)
        window.used = max(window.used + count, 0)
        return window.used

    def used(self, key: Hashable) -> int:
        """What is used in the present window."""
        return self._present(key).used

    def end_ms(self) -> int:
        """When the present window is over."""
        return (self._now_ms() // self._span_ms + 1) * self._span_ms

    def _present(self, key: Hashable) -> _Window:
        window, number = self._windows[key], self._now_ms() // self._span_ms
        if window.number != number:
            window.number, window.used = number, 0
        return window


@dataclass(slots=True)
class _Level:
    value: float
    at_ms: int


class Tokens:
    """A bucket of `capacity` tokens, of which `per_second` come back."""

    def __init__(self, now_ms: Clock, capacity: float, per_second: float) -> None:
        self._now_ms = now_ms
        self._capacity = capacity
        self._per_ms = per_second / 1000
        self._levels: dict[Hashable, _Level] = {}

    def take(self, key: Hashable, count: float) -> bool:
        """Whether there were so many; they are gone then."""
        level = self._present(key)
        if count > level.value:
            return False
        level.value -= count
        return True

    def left(self, key: Hashable) -> float:
        """How many there are."""
        return self._present(key).value

    def _present(self, key: Hashable) -> _Level:
        now_ms = self._now_ms()
        level = self._levels.setdefault(key, _Level(self._capacity, now_ms))
        back = (now_ms - level.at_ms) * self._per_ms
        level.value, level.at_ms = min(level.value + back, self._capacity), now_ms
        return level


class Decay:
    """A sum that falls by `per_second`, and may not be taken above `limit`."""

    def __init__(self, now_ms: Clock, limit: float, per_second: float) -> None:
        self._limit = limit
        self._tokens = Tokens(now_ms, limit, per_second)

    def take(self, key: Hashable, cost: float) -> bool:
        """Add a cost; False, and nothing added, where the sum would be too high."""
        return self._tokens.take(key, cost)

    def value(self, key: Hashable) -> float:
        """The sum now."""
        return self._limit - self._tokens.left(key)


class Bans:
    """Who is refused everything for some time."""

    def __init__(self, now_ms: Clock) -> None:
        self._now_ms = now_ms
        self._until_ms: dict[Hashable, int] = {}

    def ban(self, key: Hashable, seconds: float) -> int:
        """Refuse everything from now on; until when, in ms."""
        self._until_ms[key] = until_ms = self._now_ms() + int(seconds * 1000)
        return until_ms

    def until_ms(self, key: Hashable) -> int:
        """When the last ban ends or ended; zero where there was none."""
        return self._until_ms.get(key, 0)

    def is_banned(self, key: Hashable) -> bool:
        """Whether it is refused now."""
        return self._now_ms() < self.until_ms(key)
