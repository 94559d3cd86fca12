"""An ingest worker of the toy venue as a process: `python -m tests.ingest.toy_worker FILE MEMBER`.

`FILE` holds the settings; the venue's addresses come from its section `venues.toy`.
"""

import sys
from pathlib import Path

from ingest.worker import run
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from runtime.supervise_process import stop_on_signals
from tests.ingest.toy_venue import toy_venue


def main(file: str, member: str) -> None:
    """Serve until told to stop."""
    settings = load_settings(Path(file))
    set_up_logs(f"ingest toy {member}", settings.log_level)
    run(settings, toy_venue(), member, stop_on_signals())


if __name__ == "__main__":
    main(*sys.argv[1:])
