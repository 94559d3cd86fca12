"""An ingest worker as a process: `python -m tests.ingest.toy_worker VENUE MEMBER`.

The toy venue is one of the venues here; its addresses come from the settings, as any venue's may.
"""

import sys

from ingest.worker import run
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from tests.ingest.toy_venue import toy_venue
from venues import VENUES


def main(venue: str, member: str) -> None:
    """Serve until told to stop."""
    settings = load_settings()
    set_up_logs(f"ingest {venue} {member}", settings.log_level)
    run(settings, {**VENUES, "toy": toy_venue()}[venue], member)


if __name__ == "__main__":
    main(*sys.argv[1:])
