"""Request weight per IP and product: 429, and 418 for who goes on (docs/venues/binance.md 9)."""

from collections.abc import Callable

from simulator.binance.refusals import refused
from simulator.binance.settings import BinanceSettings
from simulator.refusal import Refused
from simulator.wire.meters import Bans, Windows

Pool = str
"""What is counted together: a product's REST, and Spot's socket with it; USD-M's has its own."""


class Limits:
    """The meters of all IPs; `now_ms` is the venue's clock."""

    def __init__(self, config: BinanceSettings, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._now_ms = now_ms
        self._maxima: dict[Pool, int] = {
            "spot": config.spot_weight,
            "linear": config.linear_weight,
            "linear-api": config.linear_weight,
        }
        self._weights = Windows(now_ms, int(config.window_s * 1000))
        self._violations = Windows(now_ms, int(config.window_s * 1000))
        self._bans = Bans(now_ms)

    def take(self, ip: str, pool: Pool, weight: int) -> int:
        """Use `weight` and return what is used; `Refusal` 429 above the limit, 418 when banned."""
        key = (ip, pool)
        if self._bans.is_banned(key):
            raise refused("banned", until_ms=self._bans.until_ms(key))
        used = self._weights.take(key, weight)
        if used <= self._maxima[pool]:
            return used
        if self._violations.take(key, 1) > self._config.violations_max:
            raise refused("banned", until_ms=self._bans.ban(key, self._config.ban_s))
        raise refused("too_much_weight", limit=self._maxima[pool])

    def ban(self, ip: str, seconds: float) -> Refused:
        """Refuse everything from this IP for some time; the refusal that says so."""
        until_ms = max(self._bans.ban((ip, pool), seconds) for pool in self._maxima)
        return refused("banned", until_ms=until_ms)

    def give_back(self, ip: str, pool: Pool, weight: int) -> int:
        """Undo `take` for a call that costs nothing when it is done; what is used now."""
        return self._weights.take((ip, pool), -weight)

    def retry_after_s(self, ip: str, pool: Pool) -> int:
        """Whole seconds until the IP may ask again."""
        until_ms = max(self._weights.end_ms(), self._bans.until_ms((ip, pool)))
        return max((until_ms - self._now_ms() + 999) // 1000, 1)
