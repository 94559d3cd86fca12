"""A commit record: read as written, its hashes tell apart what is cut or ordered otherwise."""

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom.topology import FILLS, ORDERS, RAW
from processors.ledger.commit_record import (
    CommitRecord,
    UnknownCommitFormat,
    bytes_hash,
    chained,
    checksums,
    commit_of,
    first_difference,
)
from processors.ledger.mark import MARK, Mark
from processors.ledger.step import InputRecord, Output, StepChanges


def hash_of(*pairs: tuple[bytes | None, bytes | None]) -> str:
    return bytes_hash(
        InputRecord(RAW, 0, offset, 0, key, value) for offset, (key, value) in enumerate(pairs)
    )


def test_the_same_bytes_have_the_same_hash() -> None:
    assert hash_of((b"a", b"b"), (b"c", b"d")) == hash_of((b"a", b"b"), (b"c", b"d"))


def test_other_bytes_other_cuts_and_absent_values_have_others() -> None:
    hashes = {
        hash_of((b"a", b"bc")),
        hash_of((b"ab", b"c")),
        hash_of((b"a", b"b"), (b"c", b"")),
        hash_of((b"abc", None)),
        hash_of((b"abc", b"")),
        hash_of(),
    }
    assert len(hashes) == 6


def a_record(place: int) -> InputRecord:
    return InputRecord(RAW, 0, place, 5, b"k", b"%d" % place)


def test_a_record_is_read_as_it_was_written() -> None:
    step = CommitRecord(
        7, 3, {"raw": (1, 4)}, "aa", (("raw", 2, "why", "trace"),), 9, True, "f", "c", "d", "e",
        number=12, checksums=checksums([a_record(1)]), chain="ff", configuration={"a": 1},
        topic_ids={"raw": "id"},
    )  # fmt: skip
    assert CommitRecord.decoded(step.encoded()) == step


def test_a_record_of_the_format_before_is_read() -> None:
    document = {
        "step": 1, "partition": 0, "inputs": {"raw": [0, 2]}, "bytes_hash": "aa",
        "left_out": [["raw", 1, "killed"]], "clock_ns": 5, "ticked": True, "fold": "1",
        "config": "c", "content_digest": "d", "exact_digest": "e", "repair": None, "format": 1,
    }  # fmt: skip
    step = CommitRecord.decoded(orjson.dumps(document))
    assert step.left_out == (("raw", 1, "killed", ""),)
    assert step.inputs == {"raw": (0, 2)}
    assert (step.number, step.chain, step.checksums, step.configuration) == (None, "", "", None)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (b"", "it is no commit record"),
        (b"[]", "it is no commit record"),
        (b'{"format": 3}', "its format is 3, known is 2"),
        (b'{"format": 2}', "it is no commit record"),
        (b'{"format": 2, "left_out": [], "inputs": 5}', "it is no commit record"),
    ],
)
def test_what_is_of_another_format_is_refused_in_a_line(value: bytes, line: str) -> None:
    with pytest.raises(UnknownCommitFormat, match=line):
        CommitRecord.decoded(value)


def test_checksums_point_at_the_record_that_differs() -> None:
    records = [a_record(place) for place in range(4)]
    recorded = checksums(records)
    assert first_difference(recorded, checksums(records)) is None
    for place, record in enumerate(records):
        other = replace(record, value=b"another")
        found = [other if one is record else one for one in records]
        assert first_difference(recorded, checksums(found)) == place
    assert first_difference(recorded, checksums(records[:2])) == 2
    assert first_difference(recorded, checksums([*records, a_record(9)])) == 4


def test_the_chain_is_of_all_that_is_written_in_its_order() -> None:
    def changes(**fields: Any) -> StepChanges:
        state: dict[bytes, bytes | None] = {b"a": b"1", b"b": None}
        outputs = [Output(ORDERS, b"k", b"v", (("h", b"x"),)), Output(FILLS, b"k", None)]
        return replace(StepChanges(state, outputs), **fields)

    one = changes()
    first, second = one.outputs
    links = {
        chained("", one),
        chained("before", one),
        chained("", changes(state=dict(reversed(one.state.items())))),
        chained("", changes(outputs=[second, first])),
        chained("", changes(outputs=[first])),
        chained("", changes(outputs=[replace(first, headers=()), second])),
        chained("", changes(outputs=[replace(first, topic=FILLS), second])),
        chained("", changes(state={b"a": b"1", b"b": b""})),
    }
    assert len(links) == 8
    assert chained("", one) == chained("", changes())


STEP = CommitRecord(
    7, 0, {"raw": (1, 4)}, "aa", (), 9, True, "f", "c", "d", "e", number=12
)  # fmt: skip


def commit_read(value: bytes, mark: Mark) -> CommitRecord | None:
    return commit_of(value, {MARK: mark.encoded()})


def test_a_commit_record_bears_the_mark_of_its_transaction() -> None:
    assert commit_read(STEP.encoded(), Mark(12, 5)) == STEP
    assert commit_read(STEP.encoded(), Mark(14, 6, again=12)) == STEP, (
        "a killed Kafka had hidden it"
    )
    older = orjson.loads(STEP.encoded()) | {"format": 1, "number": None}
    assert commit_read(orjson.dumps(older), Mark(12, 5)) is not None


def test_a_commit_record_without_its_mark_is_none_of_ours() -> None:
    assert commit_of(STEP.encoded(), {}) is None
    assert commit_read(STEP.encoded(), Mark(13, 5)) is None
    assert commit_read(STEP.encoded(), Mark(12, 5, count=2)) is None
    assert commit_of(STEP.encoded(), {MARK: None}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"inputs": 5},
        {"inputs": {"raw": [0, "x"]}},
        {"repair": 5},
        {"step": -1},
        {"step": 2**53},
        {"step": 10**30},
        {"clock_ns": 2**62},
        {"number": 2**53},
    ],
    ids=str,
)
def test_what_is_no_commit_record_is_none_of_ours(wrong: dict[str, Any]) -> None:
    document = json.dumps(orjson.loads(STEP.encoded()) | wrong).encode()
    assert commit_read(document, Mark(12, 5)) is None
    assert commit_read(json.dumps(wrong).encode(), Mark(12, 5)) is None
