"""Rate limits in windows of two seconds: 50011 and 50061 (docs/venues/okx.md 7 and 9)."""

from collections.abc import Callable

from simulator.okx.refusals import refused
from simulator.refusal import Refused
from simulator.wire import meters

WINDOW_MS = 2000
TIMER_MS = 1000
ORDERS_MAX = 1000
"""New and amended orders of an account in a window; Spot does not count."""

Rate = meters.Rate


class Limits(meters.Bans):
    """All counters; `now_ms` is the venue's clock, `scale` multiplies every limit."""

    def __init__(self, now_ms: Callable[[], int], scale: float) -> None:
        super().__init__(now_ms)
        self._scale = scale
        self._windows = meters.Windows(now_ms, WINDOW_MS)
        self._timers = meters.Windows(now_ms, TIMER_MS)

    def ban_all(self, ip: str, seconds: float) -> Refused:
        """Refuse everything from this address; what is answered at once."""
        self.ban(ip, seconds)
        return refused("banned")

    def take(self, rate: Rate, key: tuple[str, ...], count: int = 1) -> None:
        """Use the rate; `Refusal` 50011 above it."""
        if self._windows.take(key, count) > rate.limit * self._scale:
            raise refused("busy")

    def take_timer(self, account: str, tag: str) -> None:
        """Count a call of the dead man's switch, one a second by tag; `Refusal` 50011 above it."""
        if self._timers.take((account, tag), 1) > self._scale:
            raise refused("busy")

    def take_orders(self, account: str, count: int) -> None:
        """Count new or amended orders of contracts; `Refusal` 50061 above the limit."""
        if self._windows.take((account, "orders"), count) > ORDERS_MAX * self._scale:
            raise refused("too_many_orders")
