"""A log that changed under a ledger, and a ledger that never was: stopped with one clear line."""

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from confluent_kafka import TopicPartition

from orderloom.topology import (
    CLAIMS,
    COMMITS,
    CONTROL,
    FILLS,
    INPUTS,
    JOINED,
    LEDGER,
    RAW,
    TOPICS,
    Topic,
)
from processors.ledger.ledger import Ledger
from processors.ledger.log import RESULTS, LedgerLog
from processors.ledger.opening import read_state
from processors.ledger.settings import LedgerSettings
from processors.ledger.state import PLACE_KEY
from processors.ledger.topic_watch import TOPIC_CHECK_IDLE_SECONDS
from processors.ledger.trouble import LedgerFenced, LedgerLost, PartitionStopped
from tests.conftest import RunningBroker
from tests.processors.counting_state import CountingState
from tests.processors.ledger_lab import Lab, drain, recreate

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def trim(lab: Lab, topic: Topic, offset: int) -> None:
    place = TopicPartition(lab.name(topic), 0, offset)
    for future in lab.admin.delete_records([place]).values():
        future.result(30)


def write(lab: Lab, topic: Topic, key: bytes, value: bytes) -> None:
    lab.producer.produce(lab.name(topic), value, key, 0)
    assert lab.producer.flush(30) == 0


def one_line(stopped: pytest.ExceptionInfo[PartitionStopped]) -> str:
    line = str(stopped.value)
    assert "\n" not in line
    return line


def test_an_input_that_was_created_again_stops_the_partition(lab: Lab) -> None:
    lab.feed(CONTROL, [b"one"])
    drain(lab.open())
    recreate(lab, CONTROL)
    lab.feed(CONTROL, [b"other", b"records"])
    with pytest.raises(PartitionStopped, match="deleted and created again") as stopped:
        lab.open()
    assert lab.name(CONTROL) in one_line(stopped)
    assert "orderloom repair" in one_line(stopped)


def test_an_input_created_again_is_noticed_by_an_open_ledger(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.ledger.topic_watch.TOPIC_CHECK_SECONDS", 0.1)
    lab.configure(tail_check_seconds=0.1)
    ledger = lab.open()
    recreate(lab, CONTROL)
    with pytest.raises(PartitionStopped, match="deleted and created again"):
        advance_for(ledger, 10)


def quiet_for_long(ledger: Ledger) -> None:
    """As if the last commit were longer ago than topics go unasked for."""
    watch = ledger._topic_watch
    watch._checked_at = watch._committed_at = time.monotonic() - TOPIC_CHECK_IDLE_SECONDS - 0.1


def test_after_a_quiet_time_a_ledger_topic_made_again_is_met_before_the_next_step(lab: Lab) -> None:
    """Its state is in memory alone: that step would write a place beside which nothing stands."""
    lab.feed(RAW, [b"one"])
    ledger = lab.open()
    drain(ledger)
    steps = len(lab.commits())
    recreate(lab, LEDGER)
    lab.feed(RAW, [b"two"])
    quiet_for_long(ledger)
    with pytest.raises(PartitionStopped, match="deleted and created again") as stopped:
        advance_for(ledger, 10)
    assert lab.name(LEDGER) in one_line(stopped)
    assert "orderloom repair" in one_line(stopped)
    assert len(lab.commits()) == steps


def test_a_ledger_topic_made_again_between_two_steps_stops_the_next_opening(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step between the deletion and the next look is not committed: the former one is gone."""
    lab.configure(transaction_timeout_ms=2_000)
    monkeypatch.setattr("processors.ledger.topic_watch.TOPIC_CHECK_SECONDS", 1_000)
    monkeypatch.setattr("processors.ledger.topic_watch.TOPIC_CHECK_IDLE_SECONDS", 1_000)
    lab.feed(RAW, [b"one"])
    ledger = lab.open()
    drain(ledger)
    steps = len(lab.commits())
    recreate(lab, LEDGER)
    lab.feed(RAW, [b"two"])
    with pytest.raises(LedgerLost):
        lab.deliver(ledger)
    ledger.close()
    with pytest.raises(PartitionStopped, match="committed, and their state is gone") as stopped:
        lab.open()
    assert len(lab.commits()) == steps
    assert "orderloom repair" in one_line(stopped)


@pytest.mark.parametrize("topic", RESULTS, ids=lambda topic: topic.kind)
def test_a_topic_of_results_that_was_created_again_stops_the_partition(
    lab: Lab, topic: Topic
) -> None:
    """What stood there is published once, and nobody would publish it again."""
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    recreate(lab, topic)
    with pytest.raises(PartitionStopped, match="not the one that was written") as stopped:
        lab.open()
    assert lab.name(topic) in one_line(stopped)
    assert "orderloom repair" in one_line(stopped)


def test_a_place_of_an_older_version_is_taken_and_names_all_topics_from_then_on(lab: Lab) -> None:
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    place = orjson.loads(read_state(lab.log, 0)[PLACE_KEY])
    place["topic_ids"] = {topic.kind: place["topic_ids"][topic.kind] for topic in INPUTS}
    write(lab, LEDGER, PLACE_KEY, orjson.dumps(place))
    drain(lab.open())
    assert orjson.loads(read_state(lab.log, 0)[PLACE_KEY])["topic_ids"] == lab.log.topic_ids()
    recreate(lab, FILLS)
    with pytest.raises(PartitionStopped, match="not the one that was written"):
        lab.open()


@pytest.mark.parametrize("fed", [0, 1])
def test_an_input_that_joined_since_is_read_from_its_beginning(lab: Lab, fed: int) -> None:
    """What a version without it wrote; any other place that lacks one is none a ledger wrote."""
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    written = orjson.loads(read_state(lab.log, 0)[PLACE_KEY])
    write(lab, LEDGER, PLACE_KEY, orjson.dumps(written | without_joined(written, "next")))
    write_older_commit(lab)
    lab.feed(CLAIMS, [b"two"] * fed)
    lab.feed(RAW, [b"three"])
    ledger = lab.open()
    drain(ledger)
    assert ledger.next_offsets == {"control": 0, "claims": fed, "intents": 0, "raw": 2}
    first = lab.commits()[2]
    assert first["inputs"]["claims"] == [0, fed]
    assert first["topic_ids"] == lab.log.topic_ids()
    assert orjson.loads(read_state(lab.log, 0)[PLACE_KEY])["topic_ids"] == lab.log.topic_ids()
    recreate(lab, CLAIMS)
    with pytest.raises(PartitionStopped, match="not the one that was read"):
        lab.open()


def without_joined(document: dict[str, Any], place: str) -> dict[str, Any]:
    """The place, and the ids of the topics, as a version said them that did not know of them."""
    joined = {topic.kind for topic in JOINED}
    return {
        name: {kind: said for kind, said in document[name].items() if kind not in joined}
        for name in (place, "topic_ids")
    }


def write_older_commit(lab: Lab) -> None:
    """The last step's record once more, as a version wrote it that did not know of them."""
    last = lab.committed(COMMITS)[-1]
    written = orjson.loads(last.value() or b"")
    value = orjson.dumps(written | without_joined(written, "inputs"))
    lab.producer.produce(lab.name(COMMITS), value, last.key(), 0, headers=last.headers())
    assert lab.producer.flush(30) == 0


def test_no_other_input_may_lack_in_a_place(lab: Lab) -> None:
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    written = orjson.loads(read_state(lab.log, 0)[PLACE_KEY])
    del written["next"]["control"]
    write(lab, LEDGER, PLACE_KEY, orjson.dumps(written))
    with pytest.raises(PartitionStopped, match="cannot be read"):
        lab.open()


def test_an_end_below_the_next_offset_stops_the_partition(lab: Lab) -> None:
    lab.feed(RAW, [b"one"] * 10)
    ledger = lab.open()
    drain(ledger)
    lab.configure(tail_check_seconds=0.1)
    shorter = ShorterInput(lab.settings)
    ledger._inputs._log = shorter
    with pytest.raises(PartitionStopped, match="ends at 7, below 10"):
        advance_for(ledger, 10)
    lab.log = shorter
    with pytest.raises(PartitionStopped, match="ends at 7, below 10"):
        lab.open()


def test_an_input_trimmed_above_the_next_offset_stops_the_partition(lab: Lab) -> None:
    lab.feed(RAW, [b"one"] * 10)
    drain(lab.open())
    lab.feed(RAW, [b"two"] * 10)
    trim(lab, RAW, 15)
    with pytest.raises(PartitionStopped, match="no longer holds") as stopped:
        lab.open()
    assert "orderloom repair" in one_line(stopped)


def test_records_trimmed_under_an_open_ledger_stop_the_partition(lab: Lab) -> None:
    ledger = lab.open()
    lab.feed(RAW, [b"one"] * 10)
    trim(lab, RAW, 5)
    with pytest.raises(PartitionStopped, match="no longer holds"):
        advance_for(ledger, 10)


def test_a_ledger_without_state_does_not_start_where_inputs_were_trimmed(lab: Lab) -> None:
    lab.feed(RAW, [b"one"] * 10)
    trim(lab, RAW, 3)
    with pytest.raises(PartitionStopped, match="raw begins at 3") as stopped:
        lab.open()
    assert "orderloom repair" in one_line(stopped)


def test_who_is_overtaken_in_its_first_opening_is_lost_and_stops_nothing(lab: Lab) -> None:
    """Its state was read before the other wrote: it looks as if state were missing."""
    lab.feed(RAW, [b"one"] * 5)
    overtaken = OvertakenLog(lab.settings, lambda: drain(lab.open()))
    with pytest.raises(LedgerFenced):
        Ledger(overtaken, 0, lambda _partition: CountingState(), lab.memory)
    drain(lab.open())
    assert lab.faults() == []


def test_who_is_overtaken_in_a_later_opening_is_lost_and_stops_nothing(lab: Lab) -> None:
    """Its place was read before the other went on: it looks as if records had been trimmed."""
    lab.feed(RAW, [b"one"] * 5)
    drain(lab.open())
    lab.feed(RAW, [b"two"] * 5)

    def overtake() -> None:
        drain(lab.open())
        trim(lab, RAW, 8)

    with pytest.raises(LedgerFenced):
        Ledger(
            OvertakenLog(lab.settings, overtake), 0, lambda _partition: CountingState(), lab.memory
        )
    assert lab.open().next_offsets["raw"] == 10


def test_an_open_ledger_that_was_overtaken_is_lost_and_stops_nothing(lab: Lab) -> None:
    lab.configure(tail_check_seconds=0.1)
    overtaken = lab.open()
    lab.feed(RAW, [b"one"] * 10)
    drain(lab.open())
    trim(lab, RAW, 8)
    with pytest.raises(LedgerFenced):
        advance_for(overtaken, 10)


def test_a_ledger_without_state_does_not_start_where_something_was_published(lab: Lab) -> None:
    write(lab, FILLS, b"a", b"an older life's fill")
    with pytest.raises(PartitionStopped, match="fills is not empty"):
        lab.open()


def test_a_lost_ledger_topic_does_not_begin_anew(lab: Lab) -> None:
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    recreate(lab, LEDGER)
    with pytest.raises(PartitionStopped, match="has no state, but a past"):
        lab.open()


def test_a_first_step_that_was_aborted_is_no_past(lab: Lab) -> None:
    lab.feed(RAW, [b"one"])

    def lose(point: str) -> None:
        if point == "before-commit":
            raise LedgerLost("planted")

    with pytest.raises(LedgerLost):
        drain(lab.open(lose))
    drain(lab.open())
    assert lab.faults() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [(b"@next", b'{"format":99}'), (b"@novelty", b"{}"), (b"counter", b"unknown")],
    ids=["the ledger's own format", "an unknown record of its own", "the state's format"],
)
def test_an_unknown_format_is_refused_in_one_clear_line(lab: Lab, key: bytes, value: bytes) -> None:
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    write(lab, LEDGER, key, value)
    with pytest.raises(PartitionStopped, match="another version of this program") as stopped:
        lab.open()
    one_line(stopped)


def test_a_missing_input_is_named(lab: Lab) -> None:
    name = lab.name(CONTROL)
    lab.admin.delete_topics([name])[name].result(30)
    with pytest.raises(PartitionStopped, match="orderloom topics"):
        lab.open()


def test_every_topic_of_the_ledger_is_named_by_the_topology(lab: Lab) -> None:
    assert {lab.name(topic) for topic in TOPICS} >= set(lab.log.names.values())


def advance_for(ledger: Ledger, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        ledger.advance(0.1)


class OvertakenLog(LedgerLog):
    """A log in which another owner goes on once the state was read, and before it is checked."""

    def __init__(self, settings: LedgerSettings, overtake: Callable[[], None]) -> None:
        super().__init__(settings)
        self._overtake = overtake

    def topic_ids(self) -> dict[str, str]:
        self._overtake()
        return super().topic_ids()


class ShorterInput(LedgerLog):
    """A log whose `raw` has lost its last records, as after an unclean election."""

    def ends(self, topics: tuple[Topic, ...], partition: int) -> dict[str, int]:
        found = super().ends(topics, partition)
        return found | ({"raw": 7} if "raw" in found else {})
