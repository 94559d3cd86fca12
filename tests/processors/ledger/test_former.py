"""A transaction is committed only when all of the one before it is shown to committed readers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from orderloom.topology import FILLS, RAW
from processors.ledger.former import FormerTransaction
from processors.ledger.trouble import LedgerLost
from runtime.kafka import transactional_producer
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
HIDDEN_SECONDS = 0.5


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    lab = Lab(broker.bootstrap, namespace)
    lab.configure(transaction_timeout_ms=3_000)
    return lab


@contextmanager
def hiding(lab: Lab) -> Iterator[Producer]:
    """Hide from readers what is written into `fills` from now on, as what hangs there does."""
    other = transactional_producer(lab.bootstrap, f"{lab.namespace}other")
    other.init_transactions(10)
    other.begin_transaction()
    other.produce(lab.name(FILLS), b"never committed", b"a", 0)
    assert other.flush(10) == 0
    try:
        yield other
    finally:
        other.abort_transaction(10)


def test_no_step_is_committed_while_the_former_one_is_hidden_somewhere(lab: Lab) -> None:
    ledger = lab.open()
    with hiding(lab):
        lab.feed(RAW, [b"hidden in fills"])
        lab.deliver(ledger)
        lab.feed(RAW, [b"behind it"])
        with pytest.raises(LedgerLost, match=r"a transaction hangs in .*fills"):
            lab.deliver(ledger)
    assert len(lab.commits()) == 1
    lab.deliver(lab.open())
    assert lab.faults() == []


def test_a_step_waits_until_the_former_one_is_shown(lab: Lab) -> None:
    ledger = lab.open()
    with hiding(lab) as other:
        lab.feed(RAW, [b"hidden in fills"])
        lab.deliver(ledger)
        lab.feed(RAW, [b"behind it"])
        shower = threading.Timer(HIDDEN_SECONDS, other.abort_transaction, [10])
        shower.start()
        began = time.monotonic()
        lab.deliver(ledger)
        assert time.monotonic() - began >= HIDDEN_SECONDS
        shower.join()
        other.begin_transaction()
    assert lab.faults() == []
    assert len(lab.commits()) >= 2


class NeverWaits(FormerTransaction):
    """The broken variant: the coordinator's word for a commit is enough."""

    def wait_until_shown(self, seconds_max: float) -> None:
        """Return at once."""


def test_a_variant_that_does_not_wait_commits_above_what_is_hidden(lab: Lab) -> None:
    """And what comes of that no opening can settle: see test_settling."""
    ledger = lab.open()
    ledger._writer._former = NeverWaits(lab.log, 0)
    with hiding(lab):
        for value in (b"hidden in fills", b"behind it"):
            lab.feed(RAW, [value])
            lab.deliver(ledger)
    assert len(lab.commits()) == 2
