"""A ledger on a real broker, driven directly, without Faust."""

import pytest

from orderloom.topology import CONTROL, FILLS, INTENTS, RAW
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, drain

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, f"{namespace}.")


def test_what_was_fed_before_the_opening_is_folded_once_and_exactly(lab: Lab) -> None:
    lab.feed(RAW, [b"%d" % number for number in range(500)])
    lab.feed(CONTROL, [b"one", b"two"])
    ledger = lab.open()
    drain(ledger)
    assert ledger.next_offsets == {"control": 2, "intents": 0, "raw": 500}
    assert lab.faults() == []
    assert len(lab.values(FILLS)) >= 502


def test_another_opening_goes_on_where_the_last_commit_was(lab: Lab) -> None:
    lab.feed(RAW, [b"first"] * 10)
    drain(lab.open())
    lab.feed(INTENTS, [b"second"] * 5)
    lab.feed(RAW, [b"second"] * 10)
    second = lab.open()
    assert second.next_offsets == {"control": 0, "intents": 0, "raw": 10}
    drain(second)
    assert lab.book.counts == {b"a": 25}
    assert lab.faults() == []


def test_a_step_folds_control_then_intents_then_raw(lab: Lab) -> None:
    lab.feed(RAW, [b"r"] * 3)
    lab.feed(INTENTS, [b"i"] * 3)
    lab.feed(CONTROL, [b"c"] * 3)
    ledger = lab.open()
    drain(ledger)
    assert [kind for kind, _, _ in lab.book.folded] == ["control"] * 3 + ["intents"] * 3 + [
        "raw"
    ] * 3
    assert len(lab.commits()) == 1
