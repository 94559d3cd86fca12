"""Workers on a real broker: who owns what, where the group's offsets are, what Faust is told."""

import signal
import time
from pathlib import Path

import pytest

from tests.conftest import RunningBroker
from tests.processors.chaos.stage import SESSION_SECONDS, Stage

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def make_stage(
    broker: RunningBroker, namespace: str, directory: Path, partitions: int = 6
) -> Stage:
    return Stage(broker.bootstrap, f"{namespace}.", directory, partitions)


def test_workers_that_join_one_after_another_each_own_something_in_step(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    with make_stage(broker, namespace, tmp_path, partitions=12) as stage:
        for members in (1, 2, 3, 4, 5):
            stage.start()
            for owned in stage.wait_until_owned(members).values():
                assert owned["raw"]
                assert owned["raw"] == owned["intents"] == owned["control"]


def test_after_a_seek_and_a_rebalance_the_groups_offset_rises_and_nothing_piles_up(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    """The first worker opens on a backlog and seeks; then others come and go."""
    with make_stage(broker, namespace, tmp_path) as stage:
        stage.feed(6_000)
        first = stage.start()
        stage.wait_until_folded()
        second = stage.start()
        with stage.feeding(200):
            stage.wait_until_owned(2)
        stage.wait_until_folded()
        second.end()
        with stage.feeding(200):
            stage.wait_until_owned(1)
        stage.wait_until_folded()
        first.end()
        assert stage.faults() == []
