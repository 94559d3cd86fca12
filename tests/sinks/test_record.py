"""What a record of an output says of its place, and what no ledger can have written."""

from typing import Any

import pytest

from orderloom.codec import UnreadableMessage
from tests.sinks.records import a_record, an_order, tombstone

KEY = "lab:one/spot/SOL/1"
WRONG = [
    {"epoch": 1_000_000}, {"epoch": 2**63}, {"epoch": -1}, {"epoch": "1"}, {"epoch": True},
    {"epoch": 1e300}, {"sequence": 0}, {"sequence": 2**63}, {"sequence": None},
]  # fmt: skip


@pytest.mark.parametrize("numbers", WRONG, ids=str)
def test_a_tombstone_with_numbers_that_no_ledger_gives_is_not_read(numbers: Any) -> None:
    assert a_record(tombstone(KEY, sequence=1)).number == (0, 1)
    with pytest.raises(UnreadableMessage, match="no account or number"):
        a_record(tombstone(KEY, **{"sequence": 1} | numbers))


@pytest.mark.parametrize("numbers", [{"epoch": 1_000_000}, {"sequence": 0}], ids=str)
def test_a_value_with_such_numbers_is_not_read_either(numbers: Any) -> None:
    with pytest.raises(UnreadableMessage, match="no account or number"):
        a_record(an_order(KEY, **numbers))
