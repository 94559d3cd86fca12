"""`python -m ingest VENUE [MEMBER]`: reads the settings, and runs."""

import sys

from ingest.worker import run
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from runtime.trouble import SetupError
from venues import VENUES


def main(venue: str, member: str = "") -> int:
    """Serve `venue`; returns the exit status."""
    settings = load_settings()
    set_up_logs(f"ingest {venue}", settings.log_level)
    run(settings, VENUES[venue], member)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_status)
