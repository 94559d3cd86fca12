"""Another checkout's fold over the same steps: a child process that runs its code, not ours."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from processors.ledger.commit_record import CommitRecord
from processors.ledger.step import InputRecord, Output, StepChanges
from processors.replay import wire
from processors.replay.child import outputs_of, step_as_sent
from processors.replay.comparison import Comparison, PublishedRecord
from processors.replay.refold import CannotReplay, Configuration
from runtime.leash import module_command

CHILD = "processors.replay.child"
CHILD_FILE = Path(*CHILD.split(".")).with_suffix(".py")
SCHEMAS = "schemas"
STOP_SECONDS = 10.0


@dataclass(slots=True)
class OtherFold:
    """The fold of the checkout at `path`, of one partition. Raises CannotReplay."""

    path: Path
    venue: str
    partition: int
    configuration: Configuration
    comparison: Comparison = field(default_factory=Comparison)
    version: str = ""
    _child: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        home = self.path.resolve()
        if not (home / CHILD_FILE).exists():
            raise CannotReplay(f"{self.path} holds no {CHILD_FILE}: it is no checkout with replay")
        places = os.pathsep.join([str(home), str(home / SCHEMAS)])
        self._child = subprocess.Popen(  # noqa: S603  a checkout that the user names
            module_command(CHILD),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=home,
            env=os.environ | {"PYTHONPATH": places},
        )
        said, _ = self._ask(
            {
                "format": wire.FORMAT,
                "venue": self.venue,
                "partition": self.partition,
                "configuration": dict(self.configuration),
            }
        )
        if said["format"] != wire.FORMAT:
            raise CannotReplay(f"{self.path} speaks format {said['format']}, not {wire.FORMAT}")
        # Else one code might fold on both sides, and that they agree would mean nothing.
        if Path(said["home"]) != home:
            raise CannotReplay(f"the code of {said['home']} was run, not that of {home}")
        self.version = said["version"]

    def take(
        self, step: CommitRecord, records: list[InputRecord], ours: StepChanges | None
    ) -> None:
        """Fold one step there, and compare."""
        said, parts = self._ask(*step_as_sent(step, records), f"at step {step.step}")
        if ours is not None:
            self.comparison.take(step.step, map(_record, ours.outputs), outputs_of(said, parts))

    def close(self) -> None:
        """End the child."""
        child = self._child
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _ask(
        self, head: dict[str, Any], parts: Sequence[wire.Part] = (), when: str = "at once"
    ) -> tuple[dict[str, Any], list[wire.Part]]:
        child = self._child
        try:
            wire.write(cast(wire.Pipe, child.stdin), head, parts)
            answer = wire.read(cast(wire.Pipe, child.stdout))
        except BrokenPipeError:
            answer = None
        if answer is None:
            status = child.wait()
            raise CannotReplay(f"the fold of {self.path} ended {when}, with status {status}")
        return answer


def _record(output: Output) -> PublishedRecord:
    return PublishedRecord(output.topic.kind, output.key, output.value, output.headers)
