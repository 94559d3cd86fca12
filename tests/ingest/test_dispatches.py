"""The reader of `dispatches` where no group takes it in."""

import pytest

from ingest import dispatches as the_dispatches
from ingest.dispatches import Dispatches
from ingest.group_events import Assigned, Event, Lost
from ingest.membership import Identity
from runtime.kafka import group_reader
from tests.waits import wait_for


def a_reader(told: list[Event]) -> Dispatches:
    return Dispatches(
        lambda: group_reader("127.0.0.1:1", "nobody", "w1"),  # nobody answers
        Identity("dispatches.toy", "w1", "w1~1"),
        told.append,
        lambda: False,
    )


def test_a_worker_that_no_group_takes_in_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(the_dispatches, "OUTSIDE_SECONDS_MAX", 0.5)
    reading = a_reader([])
    assert reading.trouble() == ""
    reading.start()
    try:
        wait_for(lambda: reading.trouble().startswith("this worker is in no group on dispatches"))
    finally:
        reading.stop(is_abandoned=True)


def test_it_is_well_once_assigned_anything_or_nothing_and_not_once_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(the_dispatches, "OUTSIDE_SECONDS_MAX", -1.0)
    told: list[Event] = []
    reading = a_reader(told)
    assert "has not answered" in reading.trouble()
    reading.tell(Assigned(()))
    assert reading.trouble() == ""
    reading.tell(Lost((0,)))
    assert "not heard of" in reading.trouble()
    assert told == [Assigned(()), Lost((0,))]
