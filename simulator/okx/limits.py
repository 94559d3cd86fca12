"""Rate limits in windows of two seconds: 50011 and 50061 (docs/venues/okx.md 7 and 9)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulator.okx.refusals import refused

WINDOW_MS = 2000
ORDERS_MAX = 1000
"""New and amended orders of an account in a window; Spot does not count."""
BAN_CODE_STATUS = 403

Scope = Literal["user", "user+instrument", "ip"]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in two seconds, counted for whom."""

    limit: int
    scope: Scope = "user"


@dataclass(slots=True)
class Window:
    """What was used in the present two seconds."""

    number: int = -1
    used: int = 0


class Limits:
    """All counters; `now_ms` is the venue's clock, `scale` multiplies every limit."""

    def __init__(self, now_ms: Callable[[], int], scale: float) -> None:
        self._now_ms = now_ms
        self._scale = scale
        self._windows: dict[tuple[str, ...], Window] = defaultdict(Window)
        self._banned: dict[str, int] = {}

    def take(self, rate: Rate, key: tuple[str, ...], count: int = 1) -> None:
        """Use the rate; `Refusal` 50011 above it."""
        if not self._fits(key, count, rate.limit):
            raise refused("busy")

    def take_orders(self, account: str, count: int) -> None:
        """Count new or amended orders of contracts; `Refusal` 50061 above the limit."""
        if not self._fits((account, "orders"), count, ORDERS_MAX):
            raise refused("too_many_orders")

    def ban(self, ip: str, seconds: float) -> None:
        """Nobody is answered at this address for some time."""
        self._banned[ip] = self._now_ms() + int(seconds * 1000)

    def is_banned(self, ip: str) -> bool:
        """Whether the address is banned now."""
        return self._now_ms() < self._banned.get(ip, 0)

    def _fits(self, key: tuple[str, ...], count: int, limit: int) -> bool:
        window, number = self._windows[key], self._now_ms() // WINDOW_MS
        if window.number != number:
            window.number, window.used = number, 0
        window.used += count
        return window.used <= limit * self._scale
