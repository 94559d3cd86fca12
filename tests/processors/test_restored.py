"""Garbage in the ledger's own topic stops its partition in one line; it never ends a worker."""

import contextlib
from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.account.pace import Pace
from processors.ledger.opening import restored
from processors.ledger.state import FORMAT
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
