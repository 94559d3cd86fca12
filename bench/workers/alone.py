"""Translation and folding with no broker: from bytes in memory to bytes in memory."""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from bench.frames import Load, RawMessage
from bench.meter import write_line
from bench.states import plain_state
from bench.task import Task
from orderloom import topology
from orderloom.raw import Frame
from orderloom.words import Source
from processors.ledger.step import InputRecord
from venues import VENUES
from venues.document import parse
from venues.venue import BadFrame, Inbound, UnknownFrame

NOW_NS = 1_800_000_000_000_000_000
RECORDS_PER_STEP = 20


def main(argument: str) -> None:
    """Measure what the task names, and report."""
    task = Task.from_argument(argument)
    if task.fold == "translate":
        _measure(partial(_translation, task))
    else:
        for events_per_record in (1, 10, 100):
            _measure(partial(_folding, task, events_per_record))


def _measure(prepare: Callable[[], tuple[int, Callable[[], None]]]) -> None:
    events, run = prepare()
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    write_line(
        **{"is": "result"}, events=events, seconds=seconds, cpu_seconds=used, fold_seconds=used
    )


def _translation(task: Task) -> tuple[int, Callable[[], None]]:
    load, venue = Load(), VENUES[task.venue]
    each = task.measured // len(load.accounts)
    frames = [frame for account in load.accounts for frame in load.frames(account, each)]

    def translate(frames: Sequence[Frame]) -> None:
        for frame in frames:
            try:
                venue.translate(Inbound(parse(frame.body), Source.STREAM, frame.product))
            except (BadFrame, UnknownFrame):
                continue

    translate(frames[: task.warm])
    return len(frames), lambda: translate(frames)


def _folding(task: Task, events_per_record: int) -> tuple[int, Callable[[], None]]:
    load, state = Load(), plain_state(task, 0)
    warm = [*load.greetings(), *load.records(task.warm, events_per_record)]
    messages = load.records(task.measured, events_per_record)

    def fold(messages: Sequence[RawMessage], offset: int) -> None:
        for number, message in enumerate(messages, offset):
            record = InputRecord(topology.RAW, 0, number, NOW_NS, message.key, message.value)
            state.fold(record, NOW_NS)
            if number % RECORDS_PER_STEP == RECORDS_PER_STEP - 1:
                state.changes()
        state.changes()

    fold(warm, 0)
    return sum(message.events for message in messages), lambda: fold(messages, len(warm))


if __name__ == "__main__":
    main(sys.argv[1])
