"""The request faults in Binance's words (docs/venues/binance.md 9 and 10)."""

from simulator.binance.limits import Limits
from simulator.binance.refusals import Refusal, banned, outside_window, unknown_error
from simulator.faults import Faults
from simulator.trouble import Trouble
from simulator.visibility import View


class BinanceTrouble(Trouble):
    """As REST says it."""

    def __init__(self, faults: Faults, view: View, limits: Limits) -> None:
        super().__init__(faults, view)
        self._limits = limits

    def limited(self) -> Refusal:
        """-1003 with 429."""
        return Refusal(-1003, "Too many requests.", 429)

    def banned(self, ip: str, seconds: float) -> Refusal:
        """-1003 with 418."""
        return banned(self._limits.ban(ip, seconds))

    def outside_window(self) -> Refusal:
        """-1021."""
        return outside_window()

    def unknown(self, chance: float) -> Refusal:
        """-1000 with 503 and the text that leaves the outcome open."""
        return unknown_error()
