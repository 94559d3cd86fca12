"""The environment that quixstreams runs in: it pins an older Kafka client than ours."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.stage import ROOT, PeerFailed

DIRECTORY: Final = ROOT / ".venv-bench-quixstreams"
REQUIREMENTS: Final = ("quixstreams>=3.28,<4", "msgspec>=0.20", "orjson>=3.10", "pydantic>=2.11,<3")
"""Beside quixstreams itself, what translation and folding import."""
INSTALL_SECONDS_MAX: Final = 300


def quix_python(report: Callable[[str], None]) -> str:
    """The interpreter of the environment, which is made if need be. Raises PeerFailed."""
    python, marker = DIRECTORY / "bin" / "python", DIRECTORY / ".installed"
    wanted = "\n".join(REQUIREMENTS)
    if not marker.exists() or marker.read_text() != wanted:
        report(f"making {DIRECTORY.name} with quixstreams")
        _run([sys.executable, "-m", "venv", "--clear", str(DIRECTORY)])
        _run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS])
        marker.write_text(wanted)
    return str(python)


def quix_version(python: str) -> str:
    """Which quixstreams, with which client."""
    code = (
        "from importlib.metadata import version as v;"
        "print(v('quixstreams'), 'with confluent-kafka', v('confluent-kafka'))"
    )
    return _run([python, "-c", code]).strip()


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=True
        )
    except subprocess.CalledProcessError as error:
        raise PeerFailed(f"{Path(command[0]).name}: {error.stderr.strip()[-400:]}") from error
    except subprocess.TimeoutExpired as error:
        raise PeerFailed(f"{Path(command[0]).name} took too long") from error
    return done.stdout
