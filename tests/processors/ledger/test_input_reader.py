"""What readers of the log are given of records without a value, on a broker."""

import pytest

from orderloom.topology import LEDGER, RAW
from processors.ledger.input_reader import InputReader
from processors.ledger.opening import read_state
from processors.ledger.step import InputRecord
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab

pytestmark = pytest.mark.broker
OPENINGS = 5


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def put(lab: Lab, topic: str, key: bytes, value: bytes | None) -> None:
    lab.producer.produce(topic, value, key, 0)
    assert lab.producer.flush(30) == 0


def read_to_end(reader: InputReader) -> list[InputRecord]:
    found: list[InputRecord] = []
    while True:
        for item in reader.read(1.0):
            if isinstance(item, tuple):
                return found
            found.append(item)


@pytest.mark.parametrize("value", [None, b""], ids=["no value", "an empty value"])
def test_a_record_without_a_value_is_read_like_any_other(lab: Lab, value: bytes | None) -> None:
    put(lab, lab.name(RAW), b"a", value)
    reader = InputReader(lab.log, 0)
    reader.start({RAW.kind: 0})
    [record] = read_to_end(reader)
    reader.close()
    assert (record.offset, record.key, record.value) == (0, b"a", value)


def test_a_tombstone_that_comes_alone_takes_its_record_out_of_the_state(lab: Lab) -> None:
    lab.configure(client={"fetch.message.max.bytes": "1000"})  # so that each comes by itself
    put(lab, lab.name(LEDGER), b"k", bytes(5_000))
    put(lab, lab.name(LEDGER), b"k", None)
    assert [read_state(lab.log, 0) for _ in range(OPENINGS)] == [{}] * OPENINGS


def test_an_input_record_without_a_value_is_folded(lab: Lab) -> None:
    put(lab, lab.name(RAW), b"a", b"")
    ledger = lab.open()
    while ledger.is_behind:
        ledger.advance(0.2)
    ledger.close()
    [step] = lab.commits()
    assert step["inputs"][RAW.kind] == [0, 1]
    assert lab.faults() == []
