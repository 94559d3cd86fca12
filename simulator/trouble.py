"""What a request meets besides its answer: the request faults, in the venue's own words."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from simulator.faults import OPEN_OUTCOMES, REQUEST_FAULTS, Faults
from simulator.visibility import View

Answer = TypeVar("Answer")
PAGE_FAULTS = frozenset(REQUEST_FAULTS)
QUESTION_FAULTS = PAGE_FAULTS - {"http_partial_page"}
ORDER_FAULTS = QUESTION_FAULTS - {"http_late_view"}
SOCKET_FAULTS = frozenset(OPEN_OUTCOMES) | {"http_429"}


class Trouble(ABC):
    """Carries out requests as the schedule of faults has it."""

    def __init__(self, faults: Faults, view: View) -> None:
        self._faults = faults
        self._view = view

    def meet(self, ip: str, carry_out: Callable[[], Answer], fitting: frozenset[str]) -> Answer:
        """The answer, or the venue's refusal; `fitting` is what may happen to such a request."""
        fault = self._faults.for_request(fitting)
        if fault == "http_429":
            raise self.limited()
        if fault == "http_ban":
            raise self.banned(ip, self._faults.config.ban_s)
        if fault == "http_clock_skew":
            raise self.outside_window()
        if fault in OPEN_OUTCOMES:
            if self._faults.is_carried_out(fault):
                carry_out()
            raise self.unknown(self._faults.requests.random.random())
        if fault == "http_partial_page":
            with self._view.cut():
                return carry_out()
        if fault == "http_late_view":
            with self._view.behind(self._faults.lag_ms()):
                return carry_out()
        return carry_out()

    @abstractmethod
    def limited(self) -> Exception:
        """A rate limit is reached."""

    @abstractmethod
    def banned(self, ip: str, seconds: float) -> Exception:
        """The address is banned from now on."""

    @abstractmethod
    def outside_window(self) -> Exception:
        """The request's time is too far from the venue's."""

    @abstractmethod
    def unknown(self, chance: float) -> Exception:
        """Nobody knows whether the request was carried out."""
