"""A repair reads what its own kind wrote, of every version of it, and nothing else."""

import json
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import orjson
import pytest

from orderloom.topology import ACCOUNTS, DISPATCHES, FILLS, ORDERS, OUTPUTS, POSITIONS, Topic
from processors.ledger.step import Output
from processors.repair.former_records import (
    EPOCH_END,
    LEAD_NS_MAX,
    FormerAccount,
    FormerFill,
    FormerTraded,
    former_record,
)
from tests.processors.partition_lab import ACCOUNT, NOW, fed, history_records
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
    read = [
        former_record(one.topic, key, one.value, dict(one.headers))
        for one in outputs()
        if one.topic.kind in WORDS
    ]
    assert set(read) == {None}


NUMBERED = {"epoch": 0, "sequence": 1, "account": ACCOUNT}
ORDER = NUMBERED | {"product": "spot", "symbol": "BTCUSDT"}
FILL = ORDER | {
    "execution_key": "e1", "kind": "REAL", "side": "SELL", "quantity": "5",
    "quantity_unit": "base", "venue_ns": NOW,
}  # fmt: skip
BLIND = {"product": "spot", "start_ns": 0, "end_ns": None, "reason": "lost"}
OF_ACCOUNT = NUMBERED | {"covered_ns": {"spot": NOW}, "blind": [BLIND]}
PLAIN = {ORDERS.kind: ORDER, FILLS.kind: FILL, ACCOUNTS.kind: OF_ACCOUNT}


def read_document(topic: Topic, document: dict[str, Any]) -> Any:
    key = document["account"] + ("/k" if topic is ORDERS else "")
    return former_record(topic, key.encode(), json.dumps(document).encode(), {})


@pytest.mark.parametrize("topic", [ORDERS, FILLS, ACCOUNTS], ids=lambda topic: topic.kind)
def test_the_plainest_records_are_read(topic: Topic) -> None:
    assert read_document(topic, PLAIN[topic.kind]) is not None


@pytest.mark.parametrize(
    ("topic", "wrong"),
    [
        (ORDERS, {"epoch": -1}),
        (ORDERS, {"epoch": EPOCH_END}),
        (ORDERS, {"epoch": 2**64 - 1}),
        (ORDERS, {"sequence": 10**30}),
        (ORDERS, {"account": "nobody"}),
        (ORDERS, {"symbol": "x" * 100_000}),
        (FILLS, {"quantity": "-5"}),
        (FILLS, {"quantity": " 5"}),
        (FILLS, {"quantity": "5\n"}),
        (FILLS, {"quantity": "1_000"}),
        (FILLS, {"quantity": "1e9999999"}),
        (FILLS, {"quantity": "\u0663"}),  # a digit to Python, and no venue's
        (FILLS, {"quantity": "9" * 1_000}),
        (FILLS, {"quantity": "0"}),
        (FILLS, {"quantity": "0.00"}),
        (FILLS, {"quantity": "NaN"}),
        (FILLS, {"venue_ns": 10**30}),
        (FILLS, {"execution_key": "x" * 100_000}),
        (ACCOUNTS, {"covered_ns": {"spot": 10**30}}),
        (ACCOUNTS, {"covered_ns": {"spot": -5}}),
        (ACCOUNTS, {"blind": [BLIND | {"start_ns": 10**30}]}),
        (ACCOUNTS, {"blind": [BLIND | {"end_ns": 2**63}]}),
    ],
)
def test_what_no_life_can_have_written_is_none_of_ours(topic: Topic, wrong: dict[str, Any]) -> None:
    assert read_document(topic, PLAIN[topic.kind] | wrong) is None


@pytest.mark.parametrize("quantity", ["5", "0.00001", "123456789.125", "1" + "0" * 30])
def test_a_sold_quantity_is_below_zero(quantity: str) -> None:
    record = read_document(FILLS, FILL | {"quantity": quantity})
    assert (record.quantity, Decimal(record.signed)) == (quantity, -Decimal(quantity))


@pytest.mark.parametrize("leg", [None, "NET", "LONG"])
def test_a_lost_execution_has_the_leg_that_it_was_published_with(leg: str | None) -> None:
    record = read_document(FILLS, FILL | {"position_side": leg})
    assert record.as_lost(NOW + 1).position_side == leg


@pytest.mark.parametrize(
    "ahead",
    [
        {"covered_ns": {"spot": NOW, "linear": 2**62}},
        {"blind": [BLIND, BLIND | {"start_ns": 2**62}]},
        {"blind": [BLIND | {"end_ns": 2**62}]},
    ],
)
def test_who_tells_of_times_to_come_looked_at_nothing(ahead: dict[str, Any]) -> None:
    assert read_document(ACCOUNTS, OF_ACCOUNT).is_in_time(NOW)
    assert read_document(ACCOUNTS, OF_ACCOUNT).is_in_time(NOW - LEAD_NS_MAX)
    assert not read_document(ACCOUNTS, OF_ACCOUNT | ahead).is_in_time(NOW)
