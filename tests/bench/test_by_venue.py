"""What the bench by venue folds is read: each frame is evidence, and orders come out of it."""

import pytest

from bench.by_venue import VenueLoad, measure
from orderloom import topology
from processors.partition import PartitionFold
from simulator.faces import FACES, USUAL


@pytest.mark.parametrize("venue", FACES)
def test_each_venues_frames_are_read_and_fold_into_orders(venue: str) -> None:
    load = VenueLoad(venue, 2)
    partition = PartitionFold(load.venue, 0)
    kinds = set[str]()
    for step in load.steps():
        for record in step:
            partition.fold(record, record.appended_ns)
        kinds |= {output.topic.kind for output in partition.changes().outputs}
    assert {topology.ORDERS.kind, topology.FILLS.kind} <= kinds
    assert topology.DEAD_LETTERS.kind not in kinds
    assert load.cost.frames > 100


def test_every_venue_is_measured_beside_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.by_venue.QUICK_HISTORIES", 1)
    monkeypatch.setattr("bench.by_venue.RUNS", 1)
    said: list[str] = []
    ratios = measure(said.append, is_quick=True)
    others = [name for name in FACES if name != USUAL]
    named = [f"read and fold, a frame of {name}, of {USUAL}'s" for name in others]
    assert [one.name for one in ratios] == named
    assert all(one.value > 0 for one in ratios)
    assert [line.split()[0] for line in said[1 : 1 + len(FACES)]] == list(FACES)
