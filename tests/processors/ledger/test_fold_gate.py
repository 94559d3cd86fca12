"""Who of a process's ledgers may fold beside whom."""

import threading
import time
from contextlib import AbstractContextManager, ExitStack

from processors.ledger.fold_gate import FoldGate

SECONDS_MAX = 20.0


def entering(
    way: AbstractContextManager[None], inside: threading.Event, leave: threading.Event
) -> threading.Thread:
    """A thread that goes in by `way`, and out again when `leave` is set."""

    def go() -> None:
        with way:
            inside.set()
            assert leave.wait(SECONDS_MAX)

    thread = threading.Thread(target=go)
    thread.start()
    return thread


def test_ledgers_fold_together() -> None:
    gate = FoldGate()
    with ExitStack() as all_of_them:
        for _ in range(3):
            all_of_them.enter_context(gate.together())


def test_who_folds_alone_waits_for_those_inside_and_keeps_the_others_out() -> None:
    gate, leave = FoldGate(), threading.Event()
    beside, alone, later = threading.Event(), threading.Event(), threading.Event()
    threads = [entering(gate.together(), beside, leave)]
    assert beside.wait(SECONDS_MAX)
    go_on = threading.Event()
    threads.append(entering(gate.alone(), alone, go_on))
    assert not alone.wait(0.1)
    leave.set()
    assert alone.wait(SECONDS_MAX)
    threads.append(entering(gate.together(), later, leave))
    assert not later.wait(0.1)
    go_on.set()
    assert later.wait(SECONDS_MAX)
    for thread in threads:
        thread.join()


def test_a_failure_leaves_the_gate_open() -> None:
    gate = FoldGate()
    for way in (gate.alone, gate.together) * 2:
        try:
            with way():
                raise ValueError
        except ValueError:
            continue


def test_who_folds_alone_again_and_again_does_not_starve_the_others() -> None:
    gate, inside, leave = FoldGate(), threading.Event(), threading.Event()
    leave.set()
    thread: threading.Thread | None = None
    for _ in range(200):
        with gate.alone():
            thread = thread or entering(gate.together(), inside, leave)
            time.sleep(0.002)
        time.sleep(0.002)  # between two steps it reads
        if inside.is_set():
            break
    assert inside.is_set()
    assert thread is not None
    thread.join()
