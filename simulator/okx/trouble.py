"""The request faults in OKX's words (docs/venues/okx.md 10)."""

from simulator.faults import Faults
from simulator.okx.limits import Limits
from simulator.okx.refusals import Refusal, refused
from simulator.okx.venue import OkxVenue
from simulator.refusal import Refused
from simulator.trouble import Trouble

OPEN_OUTCOMES = (
    ("50026", "System error. Try again later.", 500),
    ("50001", "Service temporarily unavailable. Try again later.", 503),
    ("50004", "API endpoint request timeout (does not mean that the request failed).", 400),
)
"""Answers that leave it open whether the request was carried out."""


class RestTrouble(Trouble):
    """As REST says it."""

    def __init__(self, faults: Faults, venue: OkxVenue, limits: Limits) -> None:
        super().__init__(faults, venue.view)
        self._limits = limits

    def limited(self) -> Refused:
        """50011 with 429."""
        return refused("busy")

    def banned(self, ip: str, seconds: float) -> Refused:
        """403: the firewall before the venue answers without any of its codes."""
        self._limits.ban(ip, seconds)
        return Refusal("403", "Forbidden", 403)

    def outside_window(self) -> Refused:
        """50102."""
        return refused("outside_window")

    def unknown(self, chance: float) -> Refused:
        """50026, 50001 or 50004, each with its HTTP status."""
        return Refusal(*OPEN_OUTCOMES[int(chance * len(OPEN_OUTCOMES))])


class SocketTrouble(RestTrouble):
    """As the socket says it."""

    def limited(self) -> Refused:
        """60014."""
        return refused("busy_socket")

    def unknown(self, chance: float) -> Refused:
        """64007: an internal failure; the outcome is open."""
        return refused("unknown_on_socket")
