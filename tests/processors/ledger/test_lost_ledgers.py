"""Lost ledgers leave nothing behind: no client, no thread, no descriptor."""

import contextlib
import gc
from pathlib import Path

import pytest

from orderloom.topology import RAW
from processors.ledger.runner import Condition, LedgerRunner
from processors.ledger.trouble import LedgerLost
from tests.conftest import RunningBroker
from tests.processors.counting_state import counting_state
from tests.processors.ledger_lab import AlwaysOurs, Lab
from tests.waits import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
LOSSES = 5
OWN = Path("/proc/self")


def held() -> tuple[int, int]:
    """Threads and descriptors of this process; librdkafka's threads too."""
    return len(list((OWN / "task").iterdir())), len(list((OWN / "fd").iterdir()))


def usurp(lab: Lab) -> None:
    """Another owner for a moment; the runner may take the partition back at any time."""
    with contextlib.suppress(LedgerLost), contextlib.closing(lab.open()):
        lab.states.clear()
    lab.ledgers.clear()


def test_the_clients_of_lost_ledgers_are_gone(broker: RunningBroker, namespace: str) -> None:
    """Without Python's collector: it comes rarely to a process with a large heap."""
    lab = Lab(broker.bootstrap, namespace)
    runner = LedgerRunner(lab.log, 0, counting_state, AlwaysOurs())
    runner.start()
    wait_for(lambda: runner.condition is Condition.RUNNING)
    gc.collect()
    gc.disable()
    try:
        threads, descriptors = held()
        for number in range(LOSSES):
            opened = runner.memory.counts.openings
            usurp(lab)
            lab.feed(RAW, [b"%d" % number])
            wait_for(lambda: runner.memory.counts.openings > opened)  # noqa: B023  waited for here
            wait_for(lambda: runner.condition is Condition.RUNNING)
        # A client or two may have made another connection; a ledger left behind is dozens more.
        wait_for(lambda: held()[0] < threads + LOSSES and held()[1] < descriptors + LOSSES)
    finally:
        gc.enable()
        runner.close()
        assert runner.join(20)
