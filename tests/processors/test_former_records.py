"""A repair reads what its own kind wrote, of every version of it, and nothing else."""

import json
from collections import Counter
from random import Random
from typing import Any

import orjson
import pytest

from orderloom.topology import ACCOUNTS, DISPATCHES, FILLS, ORDERS, OUTPUTS, POSITIONS
from processors.ledger.step import Output
from processors.repair.former_records import FormerAccount, FormerFill, FormerTraded, former_record
from tests.processors.partition_lab import fed, history_records
from tests.venues.mutations import MUTATIONS

WORDS: dict[str, type[Any]] = {
    ORDERS.kind: FormerTraded,
    POSITIONS.kind: FormerTraded,
    ACCOUNTS.kind: FormerAccount,
    FILLS.kind: FormerFill,
}


def outputs() -> list[Output]:
    """Everything that two lives published."""
    return [one for seed in (1, 2) for one in fed(history_records(seed)[0]).outputs]


def read(output: Output, value: bytes | None) -> Any:
    return former_record(output.topic, output.key, value, dict(output.headers))


def test_everything_that_is_published_is_read() -> None:
    found: Counter[str] = Counter()
    for output in outputs():
        if output.topic in OUTPUTS and output.topic is not DISPATCHES:
            record = read(output, output.value)
            assert record is not None, output
            if output.value is not None and output.topic.kind in WORDS:
                assert isinstance(record, WORDS[output.topic.kind])
                assert record.epoch == orjson.loads(output.value)["epoch"]
            found[output.topic.kind] += 1
    assert all(found[kind] for kind in WORDS)


def test_what_is_not_as_ours_are_is_none_of_ours() -> None:
    random, found = Random(5), Counter[bool]()
    for output in outputs():
        if output.value is not None and output.topic.kind in WORDS:
            for mutate in MUTATIONS.values():
                mutated = mutate(orjson.loads(output.value), random)
                record = read(output, mutated)  # raises nothing
                found[record is None] += 1
                if record is not None:
                    said = json.loads(mutated)
                    assert (record.epoch, record.account) == (said["epoch"], said["account"])
    assert min(found.values()) > 100


@pytest.mark.parametrize("key", [None, b"", b"binance:other", b"\xff"])
def test_a_record_under_anothers_key_is_none_of_ours(key: bytes | None) -> None:
    for output in outputs():
        if output.topic.kind in WORDS:
            assert former_record(output.topic, key, output.value, dict(output.headers)) is None
