"""A repair that cannot end gives up, on a broker."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from orderloom.topology import LEDGER, RAW
from processors.ledger.trouble import LedgerLost
from processors.repair import repair as repair_module
from processors.repair.repair import RepairProgress, repair
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate, small_steps
from tests.processors.repair.repair_lab import ORDER, RepairLab

pytestmark = pytest.mark.broker
TRIES = 3
STOP_AFTER = 20
"""Failures after which the test itself ends what does not give up."""


@pytest.fixture
def lab(broker: RunningBroker, namespace: str, monkeypatch: pytest.MonkeyPatch) -> RepairLab:
    monkeypatch.setattr(repair_module, "TRIES_MAX", TRIES)
    monkeypatch.setattr(repair_module, "WAIT_SECONDS", 0.05)
    return RepairLab(broker.bootstrap, namespace)


class Endless(BaseException):
    """It was tried again and again."""


@dataclass
class LosesAt:
    """A probe that loses the ledger before the transactions that `is_lost` names."""

    is_lost: Callable[["LosesAt"], bool]
    commits: int = 0
    compared: int = 0
    since_compared: int = 0
    losses: int = 0

    def __call__(self, point: str) -> None:
        if point != "before-commit":
            return
        self.commits += 1
        self.since_compared += self.compared > 0
        if self.is_lost(self):
            self.losses += 1
            self.compared = self.since_compared = 0
            if self.losses > STOP_AFTER:
                raise Endless
            raise LedgerLost("planted")

    def note(self, _count: int) -> None:
        """Published fills are compared: the end has begun."""
        self.compared += 1


def repaired(lab: RepairLab, probe: LosesAt) -> None:
    progress = RepairProgress(compared=probe.note)
    repair(lab.log, 0, lab.real_state, ORDER, progress, probe)


def test_a_repair_whose_end_commits_steps_and_fails_each_time_gives_up(lab: RepairLab) -> None:
    lab.live()
    lab.trim(RAW, 40)
    recreate(lab, LEDGER)
    probe = LosesAt(lambda at: at.since_compared == 2)  # behind the one that notes what is lost
    with pytest.raises(LedgerLost, match="planted"):
        repaired(lab, probe)
    assert probe.losses == TRIES + 1
    steps = len(lab.commits())
    assert lab.repair().epoch == 1, "a later one goes on"
    assert len(lab.commits()) > steps


def test_a_repair_that_folds_on_between_losses_does_not_give_up(lab: RepairLab) -> None:
    lab.configure(step=small_steps(5))
    lab.live()
    recreate(lab, LEDGER)
    probe = LosesAt(lambda at: at.compared == 0 and at.commits % 3 == 0)
    repaired(lab, probe)
    assert probe.losses > TRIES + 1
    lab.run()
