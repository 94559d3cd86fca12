"""The bench's load: real frames, repeated so that nothing repeats."""

from itertools import pairwise

import orjson

from bench.frames import ID_STEP, SPAN_MS, Load, moved
from bench.states import events_in
from bench.work import Work
from orderloom import raw
from orderloom.topology import RAW
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from venues import VENUES

NOW_NS = 1_800_000_000_000_000_000


def test_a_repetition_moves_ids_client_ids_and_times_and_nothing_else() -> None:
    order = {"i": 7, "t": -1, "c": "bot-1", "C": "", "s": "BTCUSDT", "q": "0.5", "T": 1793000000040}
    pushed = {"e": "executionReport", "o": order}
    assert moved(pushed, 2) == {
        "e": "executionReport",
        "o": order | {"i": 7 + 2 * ID_STEP, "c": "bot-1-2", "T": 1793000000040 + 2 * SPAN_MS},
    }


def test_a_list_keeps_its_kind() -> None:
    pushed = {"e": "listStatus", "c": "OCO", "C": "list-1"}
    assert moved(pushed, 3) == {"e": "listStatus", "c": "OCO", "C": "list-1-3"}


def test_frames_are_numbered_densely_and_come_in_venue_time() -> None:
    load = Load()
    frames = load.frames(load.accounts[0], 1_000)
    for product in ("spot", "linear"):
        numbers = [frame.number for frame in frames if frame.product == product]
        assert numbers == list(range(1, len(numbers) + 1))
    assert all(one.received_ns <= later.received_ns for one, later in pairwise(frames))


def test_executions_of_all_repetitions_are_distinct() -> None:
    load = Load()
    partition = PartitionFold(VENUES["binance"], 0)
    fills: list[tuple[str, str]] = []
    for offset, message in enumerate([*load.greetings(), *load.records(8_000, 10)]):
        partition.fold(InputRecord(RAW, 0, offset, NOW_NS, message.key, message.value), NOW_NS)
        for output in partition.changes().outputs:
            assert output.topic.kind != "dead-letters", output.value
            if output.topic.kind == "fills":
                document = orjson.loads(output.value or b"")
                if document["kind"] == "REAL":
                    fills.append((document["account"], document["execution_key"]))
    assert len(fills) == len(set(fills)) > 1_000


def test_a_record_says_how_many_frames_it_holds() -> None:
    load = Load()
    assert [events_in(message.value) for message in load.greetings()] == [0] * len(load.accounts)
    messages = load.records(100, 10)
    assert [events_in(message.value) for message in messages] == [10] * 10
    assert sum(message.events for message in messages) == 100


def test_the_common_work_shows_each_order_that_a_frame_speaks_of() -> None:
    load, work = Load(), Work("binance")
    shown = 0
    for offset, message in enumerate(load.records(500, 10)):
        for keys in work.fold(message.value, "raw.binance", 0, offset):
            for key in keys:
                assert orjson.loads(work.output(key))
                assert orjson.loads(work.state(key))
                shown += 1
    assert shown > 400
    assert raw.decode(load.records(1, 1)[0].value).items
