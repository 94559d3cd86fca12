"""Commands that prepare a measurement, or are one: run to their end, or a typed failure."""

import subprocess
from pathlib import Path
from typing import Final

from bench.stage import PeerFailed

SECONDS_MAX: Final = 600


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What the command printed. Raises PeerFailed where it fails or takes too long."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS_MAX, check=True,
            env=environment,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise PeerFailed(f"{Path(command[0]).name}: {error.stderr.strip()[-400:]}") from error
    except subprocess.TimeoutExpired as error:
        raise PeerFailed(f"{Path(command[0]).name} took too long") from error
    return done.stdout
