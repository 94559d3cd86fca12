"""Starts a crashed worker again: at once, then more and more slowly, and counts."""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runtime.metrics import RESTARTS
from runtime.trouble import PassingTrouble

BACKOFF_SECONDS_MIN: Final = 0.5
BACKOFF_SECONDS_MAX: Final = 30.0
WELL_AFTER_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass
class Backoff:
    """How long to wait before the next try: doubled each time, with jitter, within bounds.

    The jitter keeps workers that lost one broker from coming back in the same instant.
    """

    seconds_min: float = BACKOFF_SECONDS_MIN
    seconds_max: float = BACKOFF_SECONDS_MAX
    failures: int = 0

    def next_seconds(self, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after one more failure; `chance` is in [0, 1)."""
        whole: float = min(self.seconds_max, self.seconds_min * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return whole * (0.5 + chance() / 2)

    def succeed(self) -> None:
        """The next failure is the first again."""
        self.failures = 0


def supervise(
    name: str,
    work: Callable[[], None],
    *,
    crashes: tuple[type[Exception], ...],
    stop: threading.Event,
    backoff: Backoff | None = None,
) -> int:
    """Run `work` until it returns or `stop` is set; after one of `crashes` run it again.

    Other exceptions pass: a wrong setting is not mended by trying again. After a run of over a
    minute the wait begins small again. Returns the number of restarts.
    """
    waits = backoff or Backoff()
    restarts = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            work()
        except crashes as error:
            if time.monotonic() - began > WELL_AFTER_SECONDS:
                waits.succeed()
            seconds = waits.next_seconds()
            _log_restart(name, error, seconds)
            if stop.wait(seconds):
                break
            restarts += 1
        else:
            break
    return restarts


def _log_restart(name: str, error: Exception, seconds: float) -> None:
    """Passing trouble is expected, and its line says all; of anything else we want the trace."""
    RESTARTS.labels(name, type(error).__name__).inc()
    is_expected = isinstance(error, PassingTrouble)
    _log.warning(
        "%s %s in %.1f s: %s",
        name,
        "waits, and begins anew" if is_expected else "crashed and is started again",
        seconds,
        error,
        exc_info=None if is_expected else error,
        extra={"worker": name, "cause": type(error).__name__},
    )
