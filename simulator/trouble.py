"""What a request meets besides its answer: the request faults, in the venue's own words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from simulator.faults import OPEN_OUTCOMES, REQUEST_FAULTS, Faults
from simulator.refusal import Refusals, Refused
from simulator.visibility import View

Answer = TypeVar("Answer")
PAGE_FAULTS = frozenset(REQUEST_FAULTS)
QUESTION_FAULTS = PAGE_FAULTS - {"http_partial_page"}
ORDER_FAULTS = QUESTION_FAULTS - {"http_late_view"}
SOCKET_FAULTS = frozenset(OPEN_OUTCOMES) | {"http_429"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Carries out requests as the schedule of faults has it; `refused` is the venue's table."""

    faults: Faults
    view: View
    refused: Refusals
    ban: Callable[[str, float], Refused]
    """Refuses everything from an address for so many seconds, from this answer on."""
    busy: str = "busy"
    """The name of the refusal for a rate limit."""
    unknown: tuple[str, ...] = ("unknown",)
    """The names of answers that leave it open whether the request was carried out."""
    throttled: str = "busy"
    """The name of the refusal because too much is asked of the venue, by whomever."""

    def meet(self, ip: str, carry_out: Callable[[], Answer], fitting: frozenset[str]) -> Answer:
        """The answer, or the venue's refusal; `fitting` is what may happen to such a request."""
        fault = self.faults.for_request(fitting)
        if fault == "http_429":
            raise self.refused(self.busy)
        if fault == "throttled":
            raise self.refused(self.throttled)
        if fault == "http_ban":
            raise self.ban(ip, self.faults.config.ban_s)
        if fault == "http_clock_skew":
            raise self.refused("outside_window")
        if fault in OPEN_OUTCOMES:
            if self.faults.is_carried_out(fault):
                carry_out()
            chance = self.faults.requests.random.random()
            raise self.refused(self.unknown[int(chance * len(self.unknown))])
        if fault == "http_partial_page":
            with self.view.cut():
                return carry_out()
        if fault == "http_late_view":
            with self.view.behind(self.faults.lag_ms()):
                return carry_out()
        return carry_out()
