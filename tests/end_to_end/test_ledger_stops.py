"""A worker stands still at the worst moments, its partitions move, and it goes on: one owner.

Two transactional ids make an owner. Stopped between the two, a worker holds one of them while the
partition's new owner holds the other; stopped between two steps, it wakes up believing in both.
"""

import signal
import time
from pathlib import Path

import pytest

from tests.conftest import RunningBroker
from tests.processors.chaos.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.broker, pytest.mark.timeout(300)]
PARTITIONS = 2
STEPS_MIN = 10
ROUNDS = 2


@pytest.mark.parametrize(("point", "passes"), [("between-ids", 1), ("after-commit", 20)])
def test_who_stood_still_while_another_opened_neither_loses_nor_doubles(
    broker: RunningBroker, namespace: str, tmp_path: Path, point: str, passes: int
) -> None:
    with Stage(broker.bootstrap, namespace, tmp_path, partitions=PARTITIONS) as stage:
        stage.start()
        stage.wait_until_owned(1)
        with stage.feeding(300):
            for _ in range(ROUNDS):
                stand_still_once(stage, point, passes)
        stage.wait_until_folded(90)
        for worker in stage.workers:
            worker.end()
        assert stage.faults() == []


def stand_still_once(stage: Stage, point: str, passes: int) -> None:
    """A worker that joins stops itself; the first one opens all again, steps, and it wakes up."""
    owner, sleeper = stage.workers[0], stage.start(stop=(point, passes))
    stage.wait_for(sleeper.has_stopped, 60, f"a worker that joins comes to {point}")
    stopped_at = time.time()
    # What was not given away is open all along; what the sleeper was given is opened again.
    stage.wait_for(lambda: bool(owner.openings(stopped_at)), 60, "the owner opens again")
    steps = stage.committed_steps()

    def has_stepped() -> bool:
        now = stage.committed_steps()
        return all(now[place] > steps[place] + STEPS_MIN for place in steps)

    stage.wait_for(has_stepped, 60, "the owner steps on in every partition")
    sleeper.send(signal.SIGCONT)
    woken = stage.committed_steps()
    stage.wait_until_all_have_moved(woken, 60)
    sleeper.end()
    stage.wait_until_owned(1)
