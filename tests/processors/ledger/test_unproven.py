"""A worker proves by a write that a partition is its own: without Kafka's word it has no proof."""

from pathlib import Path

import pytest

from orderloom.topology import RAW
from processors.ledger.trouble import LedgerLost
from runtime.broker import EmbeddedBroker
from tests.processors.ledger_lab import Lab, drain

pytestmark = pytest.mark.broker


def test_a_kafka_that_is_gone_proves_nothing(namespace: str, tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker", heap_mib=256) as broker:
        lab = Lab(broker.bootstrap, namespace)
        lab.configure(request_seconds_max=2.0)
        lab.feed(RAW, [b"1", b"2"])
        ledger = lab.open()
        drain(ledger)
        broker.stop()
        with pytest.raises(LedgerLost):
            ledger._writer.prove()
