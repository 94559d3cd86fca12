"""Inside a measured process: how long, and how much CPU, from the first event to the last.

The first events warm the process up and count for nothing. Lines of JSON on standard output say
the bench: ``{"is":"warm"}`` once they are done, ``{"is":"result",...}`` after the last event.
"""

import json
import resource
import threading
import time
from dataclasses import dataclass
from typing import Any


def write_line(**line: Any) -> None:
    """One line to the bench."""
    print(json.dumps(line), flush=True)


def cpu_seconds() -> float:
    """What this process has used so far, all threads, in and out of the kernel."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass(slots=True)
class _Moment:
    wall: float
    cpu: float
    fold: float


class Meter:
    """Counts events that are done; safe for threads."""

    def __init__(self, warm: int, measured: int) -> None:
        self._warm = warm
        self._goal = warm + measured
        self._lock = threading.Lock()
        self._pending: dict[int, int] = {}
        self._done = 0
        self._fold = 0.0
        self._began: _Moment | None = None
        self.is_over = threading.Event()
        self.extra: dict[str, Any] = {}

    @property
    def done(self) -> int:
        """How many events are done, those that warm up included."""
        return self._done

    def begin(self) -> float:
        """Before an event is folded; give the answer to `folded`."""
        if self._began is None and self._done >= self._warm:
            self._began = self._moment()
        return time.thread_time()

    def folded(self, events: int, began: float) -> None:
        """`events` were translated and folded, by this thread, since `begin`."""
        used = time.thread_time() - began
        thread = threading.get_ident()
        with self._lock:
            self._fold += used
            self._pending[thread] = self._pending.get(thread, 0) + events

    def committed(self) -> None:
        """What this thread has folded so far is done."""
        with self._lock:
            before = self._done
            self._done += self._pending.pop(threading.get_ident(), 0)
        if before < self._warm <= self._done:
            write_line(**{"is": "warm"})
        if before < self._goal <= self._done:
            self._finish()

    def _finish(self) -> None:
        began, ended = self._began, self._moment()
        assert began is not None, "the first measured events came with those that warm up"
        write_line(
            **{"is": "result"},
            events=self._done - self._warm,
            seconds=ended.wall - began.wall,
            cpu_seconds=ended.cpu - began.cpu,
            fold_seconds=ended.fold - began.fold,
            **self.extra,
        )
        self.is_over.set()

    def _moment(self) -> _Moment:
        return _Moment(time.perf_counter(), cpu_seconds(), self._fold)
