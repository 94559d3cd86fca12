"""The clocks. Times are integer nanoseconds; each function's name says which clock it reads."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Final

JUMP_NS_MAX: Final = 2_000_000_000

_log = logging.getLogger(__name__)

wall_ns = time.time_ns
"""UTC as this machine believes it; may be set, forwards and backwards."""

monotonic_ns = time.monotonic_ns
"""Never set; on Linux it stands still while the machine is suspended."""


def boottime_ns() -> int:
    """Never set, and runs on through suspension; elsewhere than on Linux the monotonic clock."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


class SteadyClock:
    """The wall clock for as long as it agrees with the one that runs through suspension.

    A wall clock that leaves the other by over 2 s within the process is ignored from then on,
    and `alarm` is called once with how many nanoseconds it left.
    """

    def __init__(
        self,
        alarm: Callable[[int], None] | None = None,
        wall: Callable[[], int] = wall_ns,
        steady: Callable[[], int] = boottime_ns,
    ) -> None:
        self._alarm = alarm or _log_jump
        self._wall = wall
        self._steady = steady
        self._offset_ns = wall() - steady()
        self.has_jumped = False

    def now_ns(self) -> int:
        """The time now, UTC."""
        steady = self._steady() + self._offset_ns
        if self.has_jumped:
            return steady
        wall = self._wall()
        if abs(wall - steady) <= JUMP_NS_MAX:
            return wall
        self.has_jumped = True
        self._alarm(wall - steady)
        return steady


def _log_jump(jump_ns: int) -> None:
    _log.error(
        "the wall clock jumped by %+.3f s and is ignored until a restart: check the machine's "
        "time service",
        jump_ns / 1e9,
        extra={"cause": "clock"},
    )
