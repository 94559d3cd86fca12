"""The environment that quixstreams runs in: it pins an older Kafka client than ours."""

import sys
from collections.abc import Callable
from typing import Final

from bench.commands import run
from bench.stage import ROOT

DIRECTORY: Final = ROOT / ".venv-bench-quixstreams"
REQUIREMENTS: Final = ("quixstreams>=3.28,<4", "msgspec>=0.20", "orjson>=3.10", "pydantic>=2.11,<3")
"""Beside quixstreams itself, what translation and folding import."""


def quix_python(report: Callable[[str], None]) -> str:
    """The interpreter of the environment, which is made if need be. Raises PeerFailed."""
    python, marker = DIRECTORY / "bin" / "python", DIRECTORY / ".installed"
    wanted = "\n".join(REQUIREMENTS)
    if not marker.exists() or marker.read_text() != wanted:
        report(f"making {DIRECTORY.name} with quixstreams")
        run([sys.executable, "-m", "venv", "--clear", str(DIRECTORY)])
        run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS])
        marker.write_text(wanted)
    return str(python)


def quix_version(python: str) -> str:
    """Which quixstreams, with which client."""
    code = (
        "from importlib.metadata import version as v;"
        "print(v('quixstreams'), 'with confluent-kafka', v('confluent-kafka'))"
    )
    return run([python, "-c", code]).strip()
