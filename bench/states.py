"""States for ledgers under measurement: the same work as every peer, or the product's own."""

from collections.abc import Iterable
from typing import Any

from bench.meter import Meter
from bench.task import SAME, Task
from bench.work import Work
from orderloom import topology
from processors.ledger.ledger import MakeState
from processors.ledger.step import InputRecord, Output, PartitionState, StepChanges
from processors.partition import PartitionFold
from venues import VENUES

FRAME_MARK = b'{"is":"frame"'


class SameState:
    """The work of every peer: an output per event; state once per step, as ledgers do it."""

    version = "bench"
    exact_digest = ""
    accounts = ()

    def __init__(self, venue: str) -> None:
        self._work = Work(venue)
        self._outputs: list[Output] = []
        self._dirty: set[str] = set()

    def restore(self, key: bytes, value: bytes) -> None:
        """Never: the bench opens a ledger only where nothing was."""
        raise NotImplementedError(key)

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold one record of `raw`."""
        if record.topic is not topology.RAW:
            return
        folded = self._work.fold(record.value or b"", "raw", record.partition, record.offset)
        for keys in folded:
            for key in keys:
                value = self._work.output(key)
                self._outputs.append(Output(topology.ORDERS, key.encode(), value))
            self._dirty.update(keys)

    def changes(self) -> StepChanges:
        """An output per event and key, a state record per key."""
        state: dict[bytes, bytes | None] = {
            key.encode(): self._work.state(key) for key in self._dirty
        }
        changes = StepChanges(state, self._outputs)
        self._outputs, self._dirty = [], set()
        return changes

    def leave_out(self, record: InputRecord, reason: str, trace: str, now_ns: int) -> None:
        """Never: a fold that fails ends the bench."""
        raise NotImplementedError(trace)

    def begin_epoch(self, epoch: int) -> None:
        """It numbers nothing."""

    def due_ns(self) -> int | None:
        """No timers."""
        return None

    def tick(self, now_ns: int) -> None:
        """No timers."""

    def quarantined(self) -> Iterable[str]:
        """Nobody."""
        return ()


class MeteredState:
    """A state whose work is timed; all else is handed through."""

    def __init__(self, state: PartitionState, meter: Meter) -> None:
        self._state = state
        self._meter = meter

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold, timed."""
        began = self._meter.begin()
        self._state.fold(record, now_ns)
        self._meter.folded(events_in(record.value), began)

    def changes(self) -> StepChanges:
        """What changed, timed."""
        began = self._meter.begin()
        changes = self._state.changes()
        self._meter.folded(0, began)
        return changes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)


def events_in(value: bytes | None) -> int:
    """How many frames a record of `raw` holds, by its header alone."""
    return value.count(FRAME_MARK, 0, value.find(b"\n")) if value else 0


def plain_state(task: Task, partition: int) -> PartitionState:
    """The state that the task asks for."""
    if task.fold == SAME:
        return SameState(task.venue)
    return PartitionFold(VENUES[task.venue], partition, namespace=task.namespace)


def maker(task: Task, meter: Meter) -> MakeState:
    """Makes the state that the task asks for, timed."""

    def make(partition: int) -> PartitionState:
        return MeteredState(plain_state(task, partition), meter)

    return make
