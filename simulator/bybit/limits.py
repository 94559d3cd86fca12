"""Rate limits: of a user by path in a second, of an address in five (docs/venues/bybit.md 9)."""

from collections.abc import Callable

from simulator.bybit.refusals import refused
from simulator.message import Document
from simulator.refusal import Refused
from simulator.wire import meters

OF_ADDRESS = 600
CONNECTIONS = 500
BAN_S = 600.0


class Limits(meters.Bans):
    """All counters; `now_ms` is the venue's clock, `scale` multiplies every limit."""

    def __init__(self, now_ms: Callable[[], int], scale: float) -> None:
        super().__init__(now_ms)
        self._scale = scale
        self._of_users = meters.Windows(now_ms, 1000)
        self._of_addresses = meters.Windows(now_ms, 5000)
        self._of_sockets = meters.Windows(now_ms, 300_000)

    def ban_all(self, ip: str, seconds: float) -> Refused:
        """Refuse everything from this address; what is answered at once."""
        self.ban(ip, seconds)
        return refused("banned")

    def take_request(self, ip: str) -> None:
        """Count a request; above the limit the address is banned."""
        if self._of_addresses.take(ip, 1) > OF_ADDRESS * self._scale:
            raise self.ban_all(ip, BAN_S)

    def take_socket(self, ip: str) -> bool:
        """Whether one more connection is within the limit."""
        return self._of_sockets.take(ip, 1) <= CONNECTIONS * self._scale

    def take(self, who: str, what: str, limit: int, headers: Document, count: int = 1) -> None:
        """Use a user's rate and say in `headers` what is left; refused (`busy`) above it."""
        most = int(limit * self._scale)
        used = self._of_users.take((who, what), count)
        reset_ms = self._of_users.end_ms() if used > most else self._now_ms()
        headers |= {
            "X-Bapi-Limit": str(most),
            "X-Bapi-Limit-Status": str(max(most - used, 0)),
            "X-Bapi-Limit-Reset-Timestamp": str(reset_ms),
        }
        if used > most:
            raise refused("busy")
