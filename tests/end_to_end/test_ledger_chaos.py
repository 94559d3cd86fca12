"""Ledger chaos: workers join, leave, stall and die at every named point; nothing lost or doubled.

The seed is `ORDERLOOM_TEST_SEED`; `make soak` runs several.
"""

import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orderloom.topology import FILLS
from tests.conftest import RunningBroker
from tests.processors.chaos.stage import SESSION_SECONDS, Stage, Worker

pytestmark = [pytest.mark.chaos, pytest.mark.broker, pytest.mark.timeout(600)]
POINTS = ("after-fold", "after-produce", "before-commit", "after-commit")
CRASHES_PER_POINT = 3
EVENTS_MIN = 50_000
EVENTS_PER_SECOND = 700
STALL_SECONDS = SESSION_SECONDS + 2.5


@dataclass
class Toll:
    """What the workers went through."""

    crashed: dict[str, int] = field(default_factory=dict)
    signalled: dict[str, int] = field(default_factory=dict)

    def count(self, kind: dict[str, int], name: str) -> None:
        kind[name] = kind.get(name, 0) + 1


Life = Callable[[Stage, random.Random, Toll], None]


def crashing_at(point: str) -> Life:
    """A worker that kills itself at `point`, in one of its first steps."""

    def live(stage: Stage, chance: random.Random, toll: Toll) -> None:
        worker = stage.start(crash=(point, chance.randint(5, 60)))
        assert worker.process.wait(60) == -signal.SIGKILL
        toll.count(toll.crashed, point)

    return live


def signalled_by(number: signal.Signals) -> Life:
    """A worker that works for a while, and is ended by a signal."""

    def live(stage: Stage, chance: random.Random, toll: Toll) -> None:
        worker = stage.start()
        _wait_for_an_opening(stage, worker)
        time.sleep(chance.uniform(1, 3))
        worker.end(number)
        toll.count(toll.signalled, number.name)

    return live


def stalled(stage: Stage, chance: random.Random, toll: Toll) -> None:
    """A worker that is stopped for longer than its session, and then goes on as if nothing was."""
    worker = stage.start()
    _wait_for_an_opening(stage, worker)
    time.sleep(chance.uniform(1, 2))
    worker.send(signal.SIGSTOP)
    time.sleep(STALL_SECONDS)
    worker.send(signal.SIGCONT)
    time.sleep(SESSION_SECONDS)
    worker.end()
    toll.count(toll.signalled, "SIGSTOP")


def _wait_for_an_opening(stage: Stage, worker: Worker) -> None:
    stage.wait_for(lambda: bool(worker.openings()), 60, "a worker that joins opens a ledger")


def lives(chance: random.Random) -> list[Life]:
    """Every death, each at least three times, in a seeded order."""
    all_lives = [crashing_at(point) for point in POINTS for _ in range(CRASHES_PER_POINT)]
    all_lives += [signalled_by(signal.SIGTERM), signalled_by(signal.SIGKILL), stalled] * 3
    chance.shuffle(all_lives)
    return all_lives


def test_through_all_chaos_the_outputs_are_the_inputs_exact_fold(
    broker: RunningBroker, namespace: str, tmp_path: Path, seed: int
) -> None:
    toll, chance = Toll(), random.Random(seed)
    with Stage(broker.bootstrap, namespace, tmp_path) as stage:
        stage.start()
        stage.wait_until_owned(1)
        with stage.feeding(EVENTS_PER_SECOND, seed):
            live_all(stage, lives(chance), toll, seed)
        stage.feed(max(0, EVENTS_MIN - stage.fed))
        stage.wait_until_folded(120)
        for worker in stage.workers:
            worker.end()
        assert stage.faults() == []
        published = sum(len(stage.lab.values(FILLS, at)) for at in range(stage.partitions))
    print(f"seed {seed}: {stage.fed} events, {published} outputs, {toll}")
    assert stage.fed >= EVENTS_MIN
    assert published >= stage.fed
    assert all(toll.crashed[point] >= CRASHES_PER_POINT for point in POINTS)
    assert all(toll.signalled[name] >= 3 for name in ("SIGTERM", "SIGKILL", "SIGSTOP"))


def live_all(stage: Stage, all_lives: list[Life], toll: Toll, seed: int) -> None:
    """Two slots live their lives side by side with the worker that stays."""
    waiting, failures = list(all_lives), list[BaseException]()

    def slot(number: int) -> None:
        chance = random.Random(seed * 10 + number)
        try:
            while waiting and not failures:
                waiting.pop()(stage, chance, toll)
        except BaseException as failure:  # noqa: BLE001  raised again by the test's thread
            failures.append(failure)

    slots = [threading.Thread(target=slot, args=(number,)) for number in range(2)]
    for thread in slots:
        thread.start()
        time.sleep(1)
    for thread in slots:
        thread.join()
    if failures:
        raise failures[0]
