"""A place is held against what the last step says in `commits`, on a broker."""

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from orderloom.topology import COMMITS, LEDGER, RAW
from processors.ledger.opening import read_state
from processors.ledger.recorded import last_commit, last_topic_ids, place_after
from processors.ledger.state import PLACE_KEY
from processors.ledger.trouble import PartitionStopped
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, come_to, drain

pytestmark = pytest.mark.broker
Place = dict[str, Any]


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def live(lab: Lab) -> None:
    lab.feed(RAW, [b"%d" % number for number in range(5)])
    drain(lab.open())


def put(lab: Lab, topic: str, key: bytes, value: bytes) -> None:
    lab.producer.produce(topic, value, key, 0)
    assert lab.producer.flush(30) == 0


def skip(place: Place) -> None:
    place["next"]["raw"] -= 1


def jump(place: Place) -> None:
    place["clock_ns"] = time.time_ns() + 10**15


def count(place: Place) -> None:
    place["step"] += 1


def relink(place: Place) -> None:
    place["chain"] = "ab" * 16


FORGED = {
    "raw": (skip, "it says raw 4, the step 5"),
    "clock": (jump, "it says clock_ns"),
    "step": (count, "it says step 2, the step 1"),
    "chain": (relink, "it says another digest"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_place_that_the_last_step_did_not_leave_stops_the_partition(lab: Lab, name: str) -> None:
    change, said = FORGED[name]
    live(lab)
    place = orjson.loads(read_state(lab.log, 0)[PLACE_KEY])
    change(place)
    put(lab, lab.name(LEDGER), PLACE_KEY, orjson.dumps(place))
    with pytest.raises(PartitionStopped, match="not the one that its last step left") as stopped:
        lab.open()
    assert said in str(stopped.value)
    assert "orderloom repair" in str(stopped.value)
    assert len(lab.commits()) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda place: place | {"clock_ns": 2**63 - 1},
        lambda place: place | {"step": 2**63 - 1},
    ],
    ids=["clock", "step"],
)
def test_a_number_that_could_not_be_counted_on_from_is_refused_without_commits_too(
    lab: Lab, change: Callable[[Place], Place]
) -> None:
    live(lab)
    place = orjson.loads(read_state(lab.log, 0)[PLACE_KEY])
    put(lab, lab.name(LEDGER), PLACE_KEY, orjson.dumps(change(place)))
    lab.trim(COMMITS, -1)
    with pytest.raises(PartitionStopped, match="cannot be read"):
        lab.open()


def test_where_commits_holds_no_step_any_more_the_place_is_taken(lab: Lab) -> None:
    live(lab)
    lab.trim(COMMITS, -1)
    assert last_commit(lab.log, 0) is None
    lab.feed(RAW, [b"more"])
    drain(lab.open())
    assert [one["inputs"]["raw"] for one in lab.commits()] == [[5, 6]]


def test_a_foreign_record_in_commits_is_passed_over(lab: Lab) -> None:
    live(lab)
    last = last_commit(lab.log, 0)
    assert last is not None
    for value in (b"", b"words", orjson.dumps(orjson.loads(last.encoded()) | {"step": 9})):
        put(lab, lab.name(COMMITS), b"0", value)
    assert last_commit(lab.log, 0) == last
    drain(lab.open())


def test_what_the_topics_are_is_said_by_the_first_step_of_an_opening(lab: Lab) -> None:
    live(lab)
    for _ in range(3):
        come_to(lab)
    last = last_commit(lab.log, 0)
    assert last is not None
    assert (last.step, last.topic_ids) == (4, None)
    assert last_topic_ids(lab.log, 0) == lab.log.topic_ids()
    assert place_after(last).next == {"control": 0, "claims": 0, "intents": 0, "raw": 5}


def test_steps_are_found_behind_any_number_of_foreign_records(lab: Lab) -> None:
    live(lab)
    for _ in range(2_000):
        lab.producer.produce(lab.name(COMMITS), b"words", b"0", 0)
    assert lab.producer.flush(30) == 0
    last = last_commit(lab.log, 0)
    assert last is not None
    assert last.step == 1
