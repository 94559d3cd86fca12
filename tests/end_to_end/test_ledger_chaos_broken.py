"""The chaos check finds what it is there to find: variants with one rule broken fail it."""

from pathlib import Path

import pytest

from tests.conftest import RunningBroker
from tests.processors.chaos.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.broker, pytest.mark.timeout(240)]


def faults_of(
    variant: str, point: str, broker: RunningBroker, namespace: str, directory: Path
) -> str:
    """What the check finds after a worker of the variant died at `point` and another went on."""
    with Stage(broker.bootstrap, namespace, directory, partitions=2) as stage:
        with stage.feeding(300):
            dying = stage.start(variant, crash=(point, 20))
            dying.process.wait(60)
            stage.start(variant)
            stage.wait_until_owned(1)
        stage.wait_until_folded()
        return "\n".join(stage.faults())


@pytest.mark.parametrize("point", ["after-produce", "before-commit"])
def test_the_rule_itself_passes(
    broker: RunningBroker, namespace: str, tmp_path: Path, point: str
) -> None:
    assert faults_of("", point, broker, namespace, tmp_path) == ""


def test_offsets_committed_ahead_of_state_lose(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    faults = faults_of("offsets ahead of state", "after-commit", broker, namespace, tmp_path)
    assert "lost" in faults


def test_outputs_outside_the_transaction_repeat(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    faults = faults_of("outputs outside", "after-produce", broker, namespace, tmp_path)
    # A timer that fires a second time does so at another time: an output that no fold made.
    assert "doubled" in faults or "no fold made" in faults
