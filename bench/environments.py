"""Environments that peers run in: they pin other clients than ours, or bring much of their own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.commands import run
from bench.stage import ROOT


@dataclass(frozen=True, slots=True)
class PeerEnvironment:
    """A virtual environment beside ours, with these requirements."""

    name: str
    requirements: tuple[str, ...]

    def python(self, report: Callable[[str], None]) -> str:
        """Its interpreter; it is made if need be. Raises PeerFailed."""
        directory = ROOT / f".venv-bench-{self.name}"
        python, marker = directory / "bin" / "python", directory / ".installed"
        wanted = "\n".join(self.requirements)
        if not marker.exists() or marker.read_text() != wanted:
            report(f"making {directory.name}")
            run([sys.executable, "-m", "venv", "--clear", str(directory)])
            run([str(python), "-m", "pip", "install", "--quiet", *self.requirements])
            marker.write_text(wanted)
        return str(python)


QUIXSTREAMS: Final = PeerEnvironment(
    "quixstreams",
    # Beside quixstreams itself, what translation and folding import.
    ("quixstreams>=3.28,<4", "msgspec>=0.20", "orjson>=3.10", "pydantic>=2.11,<3"),
)
CALLBACKS: Final = PeerEnvironment("callbacks", ("nexustrader>=0.3,<0.4", "ccxt>=4,<5"))
"""Libraries that hand a strategy its orders within the process."""


def quix_version(python: str) -> str:
    """Which quixstreams, with which client."""
    code = (
        "from importlib.metadata import version as v;"
        "print(v('quixstreams'), 'with confluent-kafka', v('confluent-kafka'))"
    )
    return run([python, "-c", code]).strip()
