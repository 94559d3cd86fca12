"""The request faults in Binance's words (docs/venues/binance.md 9 and 10)."""

from simulator.binance.limits import Limits
from simulator.binance.refusals import refused
from simulator.faults import Faults
from simulator.refusal import Refused
from simulator.trouble import Trouble
from simulator.visibility import View


class BinanceTrouble(Trouble):
    """As REST says it."""

    def __init__(self, faults: Faults, view: View, limits: Limits) -> None:
        super().__init__(faults, view)
        self._limits = limits

    def limited(self) -> Refused:
        """-1003 with 429."""
        return refused("busy")

    def banned(self, ip: str, seconds: float) -> Refused:
        """-1003 with 418."""
        return refused("banned", until_ms=self._limits.ban(ip, seconds))

    def outside_window(self) -> Refused:
        """-1021."""
        return refused("outside_window")

    def unknown(self, chance: float) -> Refused:
        """-1000 with 503 and the text that leaves the outcome open."""
        return refused("unknown")
