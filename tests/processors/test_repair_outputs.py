"""An output that was deleted and made again is published anew by a repair, on a broker."""

import pytest

from orderloom.topology import ACCOUNTS, FILLS, ORDERS, Topic
from processors.ledger.trouble import PartitionStopped
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate
from tests.processors.repair_lab import RepairLab

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


@pytest.mark.parametrize("topic", [FILLS, ORDERS, ACCOUNTS], ids=lambda topic: topic.kind)
def test_an_output_made_again_is_published_anew_by_a_repair(lab: RepairLab, topic: Topic) -> None:
    lab.live()
    before = lab.content()
    recreate(lab, topic)
    with pytest.raises(PartitionStopped, match="not the one that was written"):
        lab.open_real()
    assert lab.repair().epoch == 1
    lab.run()
    assert lab.content() == before
