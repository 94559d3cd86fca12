"""A worker as a process that dies between the claim of its first placement and its first byte.

`python -m tests.ingest.orders.dying_worker VENUE MEMBER`
"""

import os
import signal
import sys

from ingest.orders import placements
from tests.ingest.toy_worker import main


def die(placing: placements.Placement) -> None:
    """Where the last look would be."""
    assert placing.held is not None
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    placements._look = die
    main(*sys.argv[1:])
