"""Events per second and CPU per event: of each layer, of the pipeline, of its peers."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bench.frames import Load, RawMessage
from bench.stage import Child, Stage
from bench.task import PRODUCT, Task

DELIVERY_SECONDS: Final = 1.5
"""After the backlog a ledger lets Faust go on behind it; nothing shows from outside when."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one process did between its first and its last event."""

    events: int
    seconds: float
    cpu_seconds: float
    fold_seconds: float
    extra: dict[str, Any]

    @classmethod
    def of(cls, line: dict[str, Any]) -> "Rate":
        """As the process reported it."""
        rest = dict(line)
        rest.pop("is")
        cpu = rest.pop("cpu_seconds")
        return cls(
            rest.pop("events"), rest.pop("seconds"), cpu, rest.pop("fold_seconds", cpu), rest
        )

    @property
    def per_second(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU per event, µs, all threads."""
        return self.cpu_seconds / self.events * 1e6

    @property
    def fold_us(self) -> float:
        """Of it, translation and folding."""
        return self.fold_seconds / self.events * 1e6

    @property
    def overhead_us(self) -> float:
        """Of it, all else."""
        return self.cpu_us - self.fold_us

    def document(self) -> dict[str, Any]:
        """For the result file."""
        return {
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.per_second),
            "cpu_us_per_event": round(self.cpu_us, 1),
            "translate_and_fold_us_per_event": round(self.fold_us, 1),
            "overhead_us_per_event": round(self.overhead_us, 1),
            **self.extra,
        }


def alone(stage: Stage, fold: str, warm: int, measured: int, results: int) -> list[Rate]:
    """Rates without a broker: `fold` may be ``translate``, the others give three record sizes."""
    task = Task(stage.bootstrap, "", warm, measured, fold)
    with stage.child("alone", task) as child:
        return [Rate.of(child.expect("result")) for _ in range(results)]


@dataclass(frozen=True, slots=True)
class Run:
    """One process under load: its program, its fold, and the load."""

    program: str
    fold: str
    events_per_record: int
    warm: int
    measured: int
    python: str = sys.executable


def streamed(stage: Stage, run: Run) -> Rate:
    """A process that is delivered to: it waits at the end of the log before the load comes."""
    load = Load()
    warm = load.records(run.warm, run.events_per_record)
    measured = load.records(run.measured, run.events_per_record)
    with stage.task(_events(warm), _events(measured), run.fold) as task:
        stage.feed(task, [*load.greetings(), *warm])
        with stage.child(run.program, task, run.python) as child:
            child.expect("warm")
            time.sleep(DELIVERY_SECONDS)
            stage.feed(task, measured)
            return Rate.of(child.expect("result"))


def catch_up(stage: Stage, warm: int, measured: int) -> tuple[Rate, Rate]:
    """A ledger that reads by itself, ten events a record; and the same folded from memory."""
    load = Load()
    first = [*load.greetings(), *load.records(warm, 10)]
    rest = load.records(measured, 10)
    with stage.task(_events(first), _events(rest), PRODUCT) as task:
        stage.feed(task, _in_one_partition(first))
        with stage.child("catch_up", task) as child:
            child.expect("warm")
            stage.feed(task, _in_one_partition(rest))
            child.go_on()
            return _both(child)


def _both(child: Child) -> tuple[Rate, Rate]:
    return Rate.of(child.expect("result")), Rate.of(child.expect("bare"))


def _in_one_partition(messages: Sequence[RawMessage]) -> list[RawMessage]:
    return [replace(message, partition=0) for message in messages]


def _events(messages: Sequence[RawMessage]) -> int:
    return sum(message.events for message in messages)
