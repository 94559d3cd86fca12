"""A worker process for tests: `python -m tests.processors.chaos.worker_main CONFIG-JSON`.

The config names the settings, a broken variant or none, and where the process kills or stops
itself.
"""

import faulthandler
import logging
import os
import signal
import sys
import threading
from typing import Any

import orjson

from processors.ledger.settings import LedgerSettings
from processors.ledger.writer import Probe, no_probe
from processors.worker import Parts, run
from runtime.supervise_process import leave
from tests.processors.chaos.broken import VARIANTS
from tests.processors.counting_state import counting_state, spread_state


def signal_probe(number: int, point: str, passes: int) -> Probe:
    """Signals the process when `point` is reached for the `passes`-th time, in any partition."""
    lock, left = threading.Lock(), [passes]

    def probe(reached: str) -> None:
        if reached == point:
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), number)

    return probe


def main() -> None:
    config: dict[str, Any] = orjson.loads(sys.argv[1])
    faulthandler.register(signal.SIGUSR1, file=sys.stdout)
    logging.basicConfig(
        level=logging.INFO, format="%(created).3f %(name)s %(message)s", stream=sys.stdout
    )
    crash, stop = config.pop("crash", None), config.pop("stop", None)
    make_parts = VARIANTS[config.pop("variant", "")]
    make_state = spread_state if config.pop("is_spread", False) else counting_state
    probe: Probe = no_probe
    if crash:
        probe = signal_probe(signal.SIGKILL, *crash)
    elif stop:
        probe = signal_probe(signal.SIGSTOP, *stop)
    parts: Parts = make_parts(make_state, probe)
    run(LedgerSettings(**config), parts)
    leave(0)


if __name__ == "__main__":
    main()
