"""An output that was deleted and made again is published anew by a repair, on a broker."""

import orjson
import pytest

from orderloom.topology import ACCOUNTS, FILLS, LEDGER, ORDERS, POSITIONS, Topic
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


FOREIGN = {"v": 1, "epoch": 9, "sequence": 1, "account": "binance:foreign", "kind": "REAL"}


def test_foreign_records_in_the_outputs_neither_stop_a_repair_nor_number_it(
    lab: RepairLab,
) -> None:
    lab.live()
    digest, orders, _, _ = lab.content()
    for topic in (ORDERS, FILLS, POSITIONS, ACCOUNTS):
        for body in (b"words", b"[]", b'{"epoch":7}', orjson.dumps(FOREIGN), None):
            lab.producer.produce(lab.name(topic), body, b"foreign", 0)
    assert lab.producer.flush(30) == 0
    recreate(lab, LEDGER)
    outcome = lab.repair()
    lab.run()
    assert outcome.epoch == 1
    assert (outcome.former.retired, outcome.former.lost) == (0, 0)
    assert lab.content_digest() == digest
    own = [message for message in lab.committed(ORDERS) if message.key() != b"foreign"]
    assert {(message.key() or b"").decode() for message in own} == set(orders)
