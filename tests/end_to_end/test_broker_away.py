"""The broker goes away and comes back: nobody is quarantined, nothing is lost or doubled."""

import time
from pathlib import Path

import pytest

from runtime.broker import EmbeddedBroker
from runtime.kafka import connected_admin
from tests.processors.chaos.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.broker, pytest.mark.timeout(400)]


def test_a_broker_away_quarantines_nobody_and_loses_nothing(
    namespace: str, tmp_path: Path, is_soak: bool
) -> None:
    with (
        EmbeddedBroker(tmp_path / "broker") as broker,
        Stage(broker.bootstrap, namespace, tmp_path, partitions=4) as stage,
        stage.supervising(),
    ):
        for _ in range(2):
            stage.start()
        stage.wait_until_owned(2)
        stage.feed(2_000)
        assert stage.lab.producer.flush(30) == 0
        stage.wait_until_folded()
        stage.feed(2_000)
        broker.kill()
        time.sleep(60 if is_soak else 15)
        broker.start()
        # The old client would go on asking the coordinator and the leaders that it remembers.
        stage.lab.admin = connected_admin(broker.bootstrap)
        assert stage.lab.producer.flush(60) == 0
        with stage.feeding(300):
            stage.wait_until_all_have_moved(stage.committed_steps(), 120)
        stage.wait_until_folded(120)
        for worker in stage.workers:
            worker.end()
        assert stage.faults() == []
        left_out = [
            entry
            for partition in range(4)
            for commit in stage.lab.commits(partition)
            for entry in commit["left_out"]
        ]
        assert left_out == []
