"""A crashed worker comes back, more and more slowly; what only a person can mend does not."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from runtime.supervise import Backoff, supervise
from runtime.supervise_process import count_former_restarts, supervise_process
from runtime.trouble import PassingTrouble, SetupError
from tests.waits import wait_for

AT_ONCE = Backoff(seconds_min=0, seconds_max=0)


def test_waits_double_within_bounds_and_begin_small_again_after_success() -> None:
    backoff = Backoff(seconds_min=1, seconds_max=8)
    assert [backoff.next_seconds(lambda: 1.0) for _ in range(5)] == [1, 2, 4, 8, 8]
    backoff.succeed()
    assert backoff.next_seconds(lambda: 0.0) == 0.5


def test_a_crashed_worker_is_run_again_until_it_ends_well() -> None:
    lives = iter([ConnectionError("one"), ConnectionError("two"), None])

    def work() -> None:
        if error := next(lives):
            raise error

    stop = threading.Event()
    restarts = supervise("w", work, crashes=(ConnectionError,), stop=stop, backoff=AT_ONCE)
    assert restarts == 2


def test_what_trying_again_cannot_mend_passes_through() -> None:
    def work() -> None:
        raise SetupError("no file", "write one")

    with pytest.raises(SetupError, match="no file: write one"):
        supervise("w", work, crashes=(ConnectionError,), stop=threading.Event())


def test_passing_trouble_is_one_line_and_a_crash_has_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lives = iter([PassingTrouble("no Kafka answers", "start one"), ConnectionError("ours"), None])

    def work() -> None:
        if error := next(lives):
            raise error

    supervise(
        "w",
        work,
        crashes=(PassingTrouble, ConnectionError),
        stop=threading.Event(),
        backoff=AT_ONCE,
    )
    waits, crashed = caplog.records
    said = "w waits, and begins anew in 0.0 s: no Kafka answers: start one"
    assert (waits.getMessage(), waits.exc_info) == (said, None)
    assert crashed.getMessage() == "w crashed and is started again in 0.0 s: ours"
    assert crashed.exc_info


def test_a_stop_ends_the_wait_for_the_next_try() -> None:
    stop = threading.Event()

    def work() -> None:
        stop.set()
        raise ConnectionError

    assert supervise("w", work, crashes=(ConnectionError,), stop=stop, backoff=Backoff(600)) == 0


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_crashed_process_is_started_again_and_knows_its_restarts(tmp_path: Path) -> None:
    code = """
import os, sys
restarts = os.environ["ORDERLOOM_RESTARTS"]
open(sys.argv[1], "a").write(restarts)
sys.exit(0 if restarts == "2" else 1)
"""
    file = tmp_path / "lives"
    status = supervise_process("w", python(code, str(file)), threading.Event(), AT_ONCE)
    assert (status, file.read_text()) == (0, "012")


def test_a_killed_process_is_started_again() -> None:
    pids: list[int] = []
    stop = threading.Event()

    def kill_then_stop(pid: int) -> None:
        pids.append(pid)
        if len(pids) == 1:
            os.kill(pid, signal.SIGKILL)
        else:
            stop.set()

    sleeper = python("import time; time.sleep(600)")
    status = supervise_process("w", sleeper, stop, AT_ONCE, on_start=kill_then_stop)
    assert len(pids) == 2
    assert status == -signal.SIGTERM


def test_a_hurry_is_handed_on_to_the_process(tmp_path: Path) -> None:
    ready, hurry = tmp_path / "ready", threading.Event()
    code = """
import pathlib, sys
from runtime.supervise_process import hurry_on_hangup
hurry = hurry_on_hangup()
pathlib.Path(sys.argv[1]).touch()
sys.exit(0 if hurry.wait(20) else 78)
"""

    def watch() -> None:
        wait_for(ready.exists)
        hurry.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    sleeper = python(code, str(ready))
    assert supervise_process("w", sleeper, threading.Event(), AT_ONCE, hurry=hurry) == 0
    assert not hurry.is_set()


def test_a_hurry_that_comes_before_the_process_can_take_it_is_neither_lost_nor_its_end() -> None:
    hurry, stop, pids = threading.Event(), threading.Event(), list[int]()
    code = """
import signal, sys, time
from runtime.supervise_process import hurry_on_hangup
give_up = time.monotonic() + 20
while signal.SIGHUP not in signal.sigpending() and time.monotonic() < give_up:
    time.sleep(0.01)
sys.exit(0 if hurry_on_hangup().wait(20) else 78)
"""

    def note(pid: int) -> None:
        pids.append(pid)
        hurry.set()
        if len(pids) == 2:
            stop.set()

    status = supervise_process("w", python(code), stop, AT_ONCE, on_start=note, hurry=hurry)
    assert (status, len(pids)) == (0, 1)
    assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize(
    ("error", "lives"), [(SetupError, 1), (PassingTrouble, 2)], ids=["lasting", "passing"]
)
def test_only_trouble_that_may_pass_is_tried_again(error: type[SetupError], lives: int) -> None:
    pids: list[int] = []
    stop = threading.Event()

    def note(pid: int) -> None:
        pids.append(pid)
        if len(pids) == 2:
            stop.set()

    ending = python(f"import sys; sys.exit({error.exit_status})")
    supervise_process("w", ending, stop, AT_ONCE, on_start=note)
    assert len(pids) == lives


def test_a_child_counts_its_former_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_RESTARTS", "3")
    assert count_former_restarts("test worker") == 3
