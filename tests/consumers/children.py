"""The reference consumer as a child process, for tests that kill it."""

import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from runtime.leash import leashed
from tests.consumers.reference import Store

PROGRAM = Path(__file__).with_name("reference.py")
STOP_SECONDS = 30.0


@dataclass
class ReferenceConsumer:
    """One consumer: its file lives on, its processes come and go.

    `young_seconds` as the program takes it.
    """

    bootstrap: str
    namespace: str
    file: Path
    young_seconds: float = 3600.0
    child: subprocess.Popen[bytes] | None = None
    kills: int = 0
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.file.with_suffix(".log")

    def start(self) -> None:
        """Run it in a directory where nothing of ours stands."""
        arguments = [self.bootstrap, self.namespace, self.file, self.young_seconds]
        command = leashed([sys.executable, str(PROGRAM), *map(str, arguments)])
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(command, cwd=self.file.parent, stderr=log)

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self.child is not None and self.child.poll() is not None

    def kill(self) -> None:
        """SIGKILL."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        self.child = None
        self.kills += 1

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.child is not None
        self.child.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait until it ends; the exit status."""
        assert self.child is not None
        try:
            status = self.child.wait(STOP_SECONDS)
        finally:
            self.child.kill()
        self.child = None
        return status

    def said(self) -> str:
        """What it wrote of its troubles."""
        return self.log.read_text(encoding="utf-8")

    def places(self) -> dict[tuple[str, int], int]:
        """How far it has come."""
        with closing(Store(self.file)) as store:
            return store.places()

    def progress(self) -> int:
        """How many offsets it has passed."""
        return sum(self.places().values())

    def has_reached(self, ends: dict[tuple[str, int], int]) -> bool:
        """Whether it has read all below `ends`."""
        places = self.places()
        return all(places.get(place, 0) >= end for place, end in ends.items())

    def counts(self) -> dict[str, int]:
        """What it counted."""
        with closing(Store(self.file)) as store:
            return store.counts()

    def documents(self, *kinds: str) -> dict[tuple[str, str], str]:
        """What it holds."""
        with closing(Store(self.file)) as store:
            return store.documents(*kinds)
