"""Request weight per IP and product: 429, and 418 for who goes on (docs/venues/binance.md 9)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from simulator.binance.refusals import refused
from simulator.config import LimitConfig
from simulator.instrument import Product


@dataclass(slots=True)
class Meter:
    """What one IP used of one product in the present window."""

    window: int = 0
    used: int = 0
    violations: int = 0
    banned_until_ms: int = 0


class Limits:
    """The meters of all IPs; `now_ms` is the venue's clock."""

    def __init__(self, config: LimitConfig, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._now_ms = now_ms
        self._maxima: dict[Product, int] = {
            "spot": config.spot_weight,
            "linear": config.linear_weight,
        }
        self._meters: dict[tuple[str, Product], Meter] = defaultdict(Meter)

    def take(self, ip: str, product: Product, weight: int) -> int:
        """Use `weight` and return what is used; `Refusal` 429 above the limit, 418 when banned."""
        meter = self._meter(ip, product)
        if self._now_ms() < meter.banned_until_ms:
            raise refused("banned", until_ms=meter.banned_until_ms)
        meter.used += weight
        if meter.used <= self._maxima[product]:
            return meter.used
        meter.violations += 1
        if meter.violations > self._config.violations_max:
            meter.banned_until_ms = self._now_ms() + int(self._config.ban_s * 1000)
            raise refused("banned", until_ms=meter.banned_until_ms)
        raise refused("too_much_weight", limit=self._maxima[product])

    def ban(self, ip: str, seconds: float) -> int:
        """Refuse everything from this IP for some time; until when, in ms."""
        until_ms = self._now_ms() + int(seconds * 1000)
        for product in self._maxima:
            self._meter(ip, product).banned_until_ms = until_ms
        return until_ms

    def give_back(self, ip: str, product: Product, weight: int) -> int:
        """Undo `take` for a call that costs nothing when it is done; what is used now."""
        meter = self._meter(ip, product)
        meter.used = max(meter.used - weight, 0)
        return meter.used

    def retry_after_s(self, ip: str, product: Product) -> int:
        """Whole seconds until the IP may ask again."""
        meter, now_ms = self._meter(ip, product), self._now_ms()
        window_end_ms = (meter.window + 1) * self._window_ms
        return max((max(window_end_ms, meter.banned_until_ms) - now_ms + 999) // 1000, 1)

    @property
    def _window_ms(self) -> int:
        return max(int(self._config.window_s * 1000), 1)

    def _meter(self, ip: str, product: Product) -> Meter:
        meter = self._meters[ip, product]
        window = self._now_ms() // self._window_ms
        if window != meter.window:
            meter.window, meter.used, meter.violations = window, 0, 0
        return meter
