"""Garbage in the ledger's own topic stops its partition in one line; it never ends a worker."""

import contextlib
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.account.pace import Pace
from processors.ledger.opening import restored
from processors.ledger.state import FORMAT, Attempts, LedgerPlace, OwnRecords
from processors.ledger.trouble import PartitionStopped
from processors.partition import STATE_FORMAT, PartitionFold
from tests.processors.partition_lab import fed, history_records
from venues import VENUES

KEYS = ["@next", "@attempts", "@left-out", "@repair", "@proof", "account/a", "order/a/b", "fills/a"]
KEYS += ["position/a", "balance/a", "comparison/a", "lost/a", "instrument/spot/X", "nobody", ""]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def new_partition(partition: int) -> PartitionFold:
    return PartitionFold(VENUES["binance"], partition, Pace(), "")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "value", [Random(1).randbytes(50), b"", b"[]", b"7", b"null", b"\xff", b"{}"]
)
def test_garbage_stops_the_partition_for_a_repair(key: str, value: bytes) -> None:
    with pytest.raises(PartitionStopped, match="orderloom repair"):
        restored({key.encode(): value}, 0, new_partition)


@given(st.sampled_from(KEYS), st.dictionaries(st.text(max_size=9), JSON))
def test_records_of_the_right_format_and_any_shape_are_read_or_refused(
    key: str, fields: dict[str, object]
) -> None:
    document = {"account": "binance:main", **fields, "f": STATE_FORMAT, "format": FORMAT}
    with contextlib.suppress(PartitionStopped):  # and nothing else
        restored({key.encode(): orjson.dumps(document)}, 0, new_partition)


NEXT = {"control": 0, "claims": 0, "intents": 0, "raw": 5}
PLACE = {"step": 1, "clock_ns": 0, "next": NEXT, "topic_ids": {}}
SAID = {"author": "a", "reason": "r", "cause": "c", "fold": "f", "config": ""}
REPAIR = {"epoch": 1, "begun_ns": 1, "has_ended": True, **SAID}
OWN: dict[str, dict[str, Any]] = {
    "@next": PLACE,
    "@attempts": {"step": 1, "count": 1, "timers": 0, "until": {"raw": 6}},
    "@left-out": {"recent": [["binance:main", 1]]},
    "@repair": REPAIR,
}
WRONG_SHAPES = [
    ("@next", {"next": []}),
    ("@next", {"next": {}}),
    ("@next", {"next": NEXT | {"raw": "x"}}),
    ("@next", {"next": NEXT | {"raw": -1}}),
    ("@next", {"next": NEXT | {"raw": 5.0}}),
    ("@next", {"next": NEXT | {"raw": True}}),
    ("@next", {"next": NEXT | {"fills": 1}}),
    ("@next", {"topic_ids": []}),
    ("@next", {"topic_ids": {"raw": 5}}),
    ("@next", {"exact": []}),
    ("@next", {"epoch": "1"}),
    ("@next", {"chain": None}),
    ("@next", {"clock_ns": 2**63}),
    ("@next", {"step": None}),
    ("@next", {"epoch": 1_000_000}),
    ("@next", {"novelty\nin two lines": 1}),
    ("@attempts", {"count": "x"}),
    ("@attempts", {"step": None}),
    ("@attempts", {"until": {"raw": None}}),
    ("@attempts", {"until": {"fills": 1}}),
    ("@attempts", {"count": 1_000_000}),
    ("@attempts", {"timers": 1_000_000}),
    ("@attempts", {"step": 2**53}),
    ("@left-out", {"recent": [["binance:main"]]}),
    ("@left-out", {"recent": [[5, 1]]}),
    ("@repair", {"epoch": 2**64 - 1}),
    ("@repair", {"epoch": 1_000_000}),
    ("@repair", {"raw_gap": 5}),
    ("@repair", {"has_ended": "no"}),
]


@pytest.mark.parametrize("key", OWN)
def test_the_ledgers_own_records_are_read(key: str) -> None:
    records = {key.encode(): orjson.dumps({"format": FORMAT, **OWN[key]})}
    own, _ = restored(records, 0, new_partition)
    assert own != OwnRecords()


@pytest.mark.parametrize(("key", "wrong"), WRONG_SHAPES, ids=map(str, range(len(WRONG_SHAPES))))
def test_an_own_record_of_a_wrong_shape_stops_the_partition_in_one_line(
    key: str, wrong: dict[str, object]
) -> None:
    document = {"format": FORMAT, **OWN[key], **wrong}
    with pytest.raises(PartitionStopped, match="run `orderloom repair`") as stopped:
        restored({key.encode(): orjson.dumps(document)}, 0, new_partition)
    assert "\n" not in str(stopped.value)


def test_a_place_or_attempts_of_an_older_version_lack_what_came_later() -> None:
    older = {"step": 1, "clock_ns": 0, "next": NEXT, "topic_ids": {"raw": "id"}}
    records = {b"@next": older | {"format": 1}, b"@attempts": {"format": 1, "step": 1, "count": 2}}
    found = {key: orjson.dumps(document) for key, document in records.items()}
    own, _ = restored(found, 0, new_partition)
    assert own.place == LedgerPlace(1, 0, NEXT, {"raw": "id"})
    assert own.attempts == Attempts(1, 2)


def test_an_order_of_another_format_stops_the_partition_as_another_versions() -> None:
    records = fed(history_records(1)[0]).state
    key = next(key for key in records if key.startswith(b"o/"))
    document = orjson.loads(records[key])
    document["order"]["format"] += 1
    with pytest.raises(PartitionStopped, match="written by another version of this program"):
        restored(records | {key: orjson.dumps(document)}, 0, new_partition)


def test_whatever_a_state_raises_over_its_records_stops_the_partition() -> None:
    class Exhausted(PartitionFold):
        def restore(self, key: bytes, value: bytes) -> None:
            raise RecursionError("planted")

    with pytest.raises(PartitionStopped, match=r"cannot be read \(RecursionError: planted\)"):
        restored({b"o/a": b"{}"}, 0, lambda partition: Exhausted(VENUES["binance"], partition))
