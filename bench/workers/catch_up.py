"""A ledger that reads its log by itself, from where it stands to the end.

Then the same records are folded once more in memory alone, with `changes()` as often as there were
steps: the bare rate that catching up is held to.
"""

import gc
import sys
import time
from typing import Any

from bench.meter import Meter, cpu_seconds, write_line
from bench.states import events_in, maker, plain_state
from bench.task import Task
from processors.ledger.ledger import Ledger
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.settings import LedgerSettings
from processors.ledger.step import InputRecord, PartitionState, StepChanges
from processors.ledger.step_size import StepSize

Steps = list[list[InputRecord]]
NOW_NS = 1_800_000_000_000_000_000


class Witness:
    """A state that notes which records each step folded."""

    def __init__(self, state: PartitionState, steps: Steps) -> None:
        self._state = state
        self._steps = steps

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold and note."""
        self._steps[-1].append(record)
        self._state.fold(record, now_ns)

    def changes(self) -> StepChanges:
        """A step ends."""
        self._steps.append([])
        return self._state.changes()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)


def main(argument: str) -> None:
    """Read, and report both rates."""
    task = Task.from_argument(argument)
    meter = Meter(task.warm, task.measured)
    settings = LedgerSettings(task.bootstrap, task.venue, task.namespace)
    steps: Steps = [[]]
    make = maker(task, meter)

    def probe(point: str) -> None:
        if point == "after-commit":
            meter.extra = {"steps": len(steps) - 1}
            meter.committed()

    memory = Memory(StepSize(settings.step.messages))
    log = LedgerLog(settings)
    ledger = Ledger(log, 0, lambda partition: Witness(make(partition), steps), memory, probe)
    while meter.done < task.warm:
        ledger.advance(0.1)
    sys.stdin.readline()  # the bench has filled the log
    while not meter.is_over.is_set():
        ledger.advance(0.1)
    ledger.close()
    _fold_again(task, steps)


def _fold_again(task: Task, steps: Steps) -> None:
    """The same records in the same steps, from memory to memory."""
    gc.collect()
    state, folded, began = plain_state(task, 0), 0, (0.0, 0.0)
    for records in steps:
        if folded >= task.warm and not began[0]:
            began = time.perf_counter(), cpu_seconds()
        for record in records:
            state.fold(record, NOW_NS)
            folded += events_in(record.value)
        state.changes()
    seconds, cpu = time.perf_counter() - began[0], cpu_seconds() - began[1]
    write_line(**{"is": "bare"}, events=folded - task.warm, seconds=seconds, cpu_seconds=cpu)


if __name__ == "__main__":
    main(sys.argv[1])
