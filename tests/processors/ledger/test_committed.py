"""Committed records looked back at in windows, on a broker."""

import itertools

import pytest

from orderloom.topology import COMMITS, DISPATCHES, RAW, Topic
from processors.ledger.committed import WINDOW_RECORDS_MAX, committed_records, windows_back
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, drain, small_steps

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def windows(lab: Lab, topic: Topic) -> list[list[int]]:
    """The offsets in each."""
    found = windows_back(lab.log, topic, 0)
    return [[message.offset() or 0 for message in window] for window in found]


def joined(found: list[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(reversed(found)))


def test_windows_hold_each_record_once_and_never_too_many(lab: Lab) -> None:
    count = 3 * WINDOW_RECORDS_MAX
    for _ in range(count):
        while True:
            try:
                lab.producer.produce(lab.name(DISPATCHES), b"{}", b"a", 0)
                break
            except BufferError:
                lab.producer.poll(0.1)
    assert lab.producer.flush(30) == 0
    found = windows(lab, DISPATCHES)
    assert max(map(len, found)) <= WINDOW_RECORDS_MAX
    assert joined(found) == list(range(count))


@pytest.mark.parametrize("more", [0, 1], ids=["even", "odd"])
def test_a_window_that_ends_at_a_marker_ends(lab: Lab, more: int) -> None:
    """Each step is a record and its marker: the bounds lie on both kinds."""
    lab.configure(step=small_steps(1))
    lab.feed(RAW, [b"%d" % number for number in range(100)])
    drain(lab.open())
    end = lab.committed(COMMITS)[-1].offset() or 0
    found = joined(windows(lab, COMMITS))
    assert len(found) == 100
    half = list(committed_records(lab.log, COMMITS, 0, 0, end // 2 + more))
    assert [message.offset() for message in half] == [
        offset for offset in found if offset < end // 2 + more
    ]


def test_nothing_is_there(lab: Lab) -> None:
    assert windows(lab, COMMITS) == []
