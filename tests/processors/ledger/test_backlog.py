"""What a step takes from the inputs, and at what time."""

from hypothesis import given
from hypothesis import strategies as st

from orderloom.topology import CLAIMS, CONTROL, INPUTS, INTENTS, RAW, Topic
from processors.ledger.backlog import Backlog
from processors.ledger.step import InputRecord

MANY, LARGE = 1_000, 1 << 20


def record(topic: Topic, offset: int, appended_ns: int, size: int = 1) -> InputRecord:
    return InputRecord(topic, 0, offset, appended_ns, b"", b"x" * size)


def backlog(*records: InputRecord, **ends: int) -> Backlog:
    made = Backlog({"control": 0, "claims": 0, "intents": 0, "raw": 0})
    for kind, end in ends.items():
        made.note_end(kind, end)
    for each in records:
        made.append(each)
    return made


def taken(made: Backlog, messages: int = MANY, size: int = LARGE) -> list[tuple[str, int]]:
    return [(each.topic.kind, each.offset) for each in made.batch(messages, size).records]


def test_control_comes_first_then_claims_then_raw_and_intents_last() -> None:
    made = backlog(
        record(INTENTS, 0, 1), record(RAW, 0, 2), record(CLAIMS, 0, 3), record(CONTROL, 0, 4)
    )
    assert taken(made) == [("control", 0), ("claims", 0), ("raw", 0), ("intents", 0)]


def test_at_the_ends_a_batch_says_so() -> None:
    assert backlog(record(RAW, 0, 5), raw=1).batch(MANY, LARGE).is_at_ends
    assert not backlog(record(RAW, 0, 5), raw=2).batch(MANY, LARGE).is_at_ends
    assert not backlog(record(RAW, 0, 5), record(RAW, 1, 6), raw=2).batch(1, LARGE).is_at_ends


def test_nothing_is_taken_that_was_appended_after_what_another_input_still_lacks() -> None:
    """Else the clock, and its timers, would run ahead of evidence that waits in the log."""
    made = backlog(
        record(CONTROL, 0, 10), record(CONTROL, 1, 90), record(RAW, 0, 50), control=2, raw=2
    )
    batch = made.batch(MANY, LARGE)
    assert [(each.topic.kind, each.offset) for each in batch.records] == [
        ("control", 0),
        ("raw", 0),
    ]
    assert batch.newest_append_ns() == 50


def test_where_an_input_lacks_everything_nothing_is_taken() -> None:
    made = backlog(record(CONTROL, 0, 10), control=1, raw=1)
    assert taken(made) == []
    assert made.is_behind


def test_what_was_appended_before_the_brokers_clock_was_set_back_does_not_wait_for_it() -> None:
    """The last record at hand is older than the first by its append time, and more are to come."""
    made = backlog(*(record(RAW, at, 100 - 10 * at) for at in range(4)), raw=9)
    assert taken(made, messages=2) == [("raw", 0), ("raw", 1)]


@given(
    st.lists(st.tuples(st.sampled_from(INPUTS), st.integers(1, 50)), min_size=1, max_size=40),
    st.lists(st.tuples(st.sampled_from(INPUTS), st.integers(0, 9)), max_size=3),
    st.integers(1, 5),
)
def test_a_backlog_stands_still_only_while_an_input_that_lacks_records_has_none_at_hand(
    records: list[tuple[Topic, int]], lacks: list[tuple[Topic, int]], messages: int
) -> None:
    """Whatever the append times are: such an input is read however full the backlog is."""
    made = backlog()
    for topic, appended_ns in records:
        made.append(record(topic, made.queues[topic.kind].tail, appended_ns))
    for topic, count in lacks:
        made.note_end(topic.kind, made.queues[topic.kind].tail + count)
    while made.records:
        batch = made.batch(messages, LARGE)
        if not batch.records:
            assert any(queue.lacks and not queue.records for queue in made.queues.values())
            break
        made.folded(batch.records)


def test_a_bounded_step_takes_the_earliest_of_all_inputs() -> None:
    made = backlog(*(record(RAW, at, 10 * at) for at in range(5)), record(CONTROL, 0, 15))
    assert taken(made, messages=3) == [("control", 0), ("raw", 0), ("raw", 1)]


def test_a_step_is_bounded_by_bytes_but_takes_at_least_one() -> None:
    made = backlog(*(record(RAW, at, at, size=100) for at in range(5)))
    assert len(taken(made, size=250)) == 2
    assert len(taken(made, size=10)) == 1


def test_what_was_folded_is_removed_and_gives_the_ranges() -> None:
    made = backlog(record(RAW, 0, 1), record(RAW, 1, 2), record(CONTROL, 0, 1))
    batch = made.batch(2, LARGE)
    nothing = {"claims": (0, 0), "intents": (0, 0)}
    assert made.folded(batch.records) == {"control": (0, 1), "raw": (0, 1)} | nothing
    assert made.next_offsets() == {"control": 1, "claims": 0, "intents": 0, "raw": 1}
    assert made.records == 1


def test_a_hole_in_the_log_is_passed() -> None:
    made = backlog(record(RAW, 0, 1), record(RAW, 5, 2), raw=8)
    made.pass_hole("raw", 8)
    made.folded(made.batch(MANY, LARGE).records)
    assert made.next_offsets()["raw"] == 8
    assert not made.is_behind
