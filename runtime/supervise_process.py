"""Runs a worker as a child process and starts it again when it crashes.

A process of its own and not a loop around the worker: what a crashed Faust leaves behind in memory
(loops, threads, registered agents) goes with it.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final, NoReturn

from runtime.leash import leashed
from runtime.metrics import RESTARTS
from runtime.supervise import WELL_AFTER_SECONDS, Backoff
from runtime.trouble import SetupError

RESTARTS_VARIABLE: Final = "ORDERLOOM_RESTARTS"
FINAL_STATUSES: Final = frozenset({0, 2, SetupError.exit_status})  # 2: wrong arguments
STOP_SECONDS_MAX: Final = 30.0
LOOK_SECONDS: Final = 0.1

_log = logging.getLogger(__name__)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set; only from the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def hurry_on_hangup() -> threading.Event:
    """An event that SIGHUP sets ("look at your files now"); only from the main thread."""
    hurry = threading.Event()
    signal.signal(signal.SIGHUP, lambda _number, _frame: hurry.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # what waited comes now
    return hurry


@contextmanager
def _hangup_waits() -> Iterator[None]:
    """A child started here gets no SIGHUP until it asks for it (`hurry_on_hangup`): none is lost.

    By default it would be the end of a child that is not that far yet.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def supervise_process(
    name: str,
    command: list[str],
    stop: threading.Event,
    backoff: Backoff | None = None,
    on_start: Callable[[int], None] | None = None,
    hurry: threading.Event | None = None,
) -> int:
    """Run `command` until it ends well or `stop` is set; after a crash run it again.

    Not run again: exit status 0, 2 (wrong arguments) and 78 (a SetupError that only a person can
    mend). `on_start` is called with each child's process id; `hurry` is handed on as SIGHUP, which
    waits until the child has called `hurry_on_hangup`.
    Returns the last exit status. The child is on a leash (runtime/leash.py), so call this from a
    thread that lives as long as it shall.
    """
    waits = backoff or Backoff()
    restarts = 0
    while True:
        began = time.monotonic()
        status = _run_once(command, restarts, stop, on_start, hurry)
        if stop.is_set() or status in FINAL_STATUSES:
            return status
        if time.monotonic() - began > WELL_AFTER_SECONDS:
            waits.succeed()
        seconds = waits.next_seconds()
        restarts += 1
        _log.warning(
            "%s ended with status %d and is started again in %.1f s (restart %d)",
            name,
            status,
            seconds,
            restarts,
            extra={"worker": name, "cause": f"status {status}"},
        )
        if stop.wait(seconds):
            return status


def count_former_restarts(worker: str) -> int:
    """For the child: put the restarts before this run into the metrics; returns their number."""
    restarts = int(os.environ.get(RESTARTS_VARIABLE, "0"))
    if restarts:
        RESTARTS.labels(worker, "process").inc(restarts)
    return restarts


def leave(exit_status: int) -> NoReturn:
    """For the child, when its work is done and closed: end the process here and now.

    Without the interpreter's own end: threads of Kafka's clients still run then, and one of them
    has crashed a worker that had ended in order (SIGSEGV, librdkafka 2.16, seen).
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_status)


def _run_once(
    command: list[str],
    restarts: int,
    stop: threading.Event,
    on_start: Callable[[int], None] | None,
    hurry: threading.Event | None,
) -> int:
    """One life of the child, in a session of its own: a Ctrl-C is its parent's to handle."""
    with nullcontext() if hurry is None else _hangup_waits():
        child = subprocess.Popen(  # noqa: S603  the command is ours
            leashed(command),
            env={**os.environ, RESTARTS_VARIABLE: str(restarts)},
            start_new_session=True,
        )
    if on_start:
        on_start(child.pid)
    try:
        while child.poll() is None and not stop.wait(LOOK_SECONDS):
            if hurry is not None and hurry.is_set():
                hurry.clear()
                child.send_signal(signal.SIGHUP)
        return _end(child)
    finally:
        child.kill()
        child.wait()


def _end(child: subprocess.Popen[bytes]) -> int:
    """Its exit status; a child that still runs is told to stop, and killed after 30 s."""
    if child.poll() is None:
        child.terminate()
    try:
        return child.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()
