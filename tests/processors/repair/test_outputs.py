"""An output that was deleted and made again is published anew by a repair, on a broker."""

import json

import orjson
import pytest

from orderloom.topology import (
    ACCOUNTS,
    COMMITS,
    DEAD_LETTERS,
    FILLS,
    LEDGER,
    ORDERS,
    POSITIONS,
    Topic,
)
from processors.ledger.mark import MARK, MARK_END, NUMBER_MAX
from processors.ledger.trouble import PartitionStopped
from processors.repair.former_records import EPOCH_END
from runtime.trouble import SetupError
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate
from tests.processors.partition_lab import ACCOUNT
from tests.processors.repair.repair_lab import RepairLab

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


@pytest.mark.parametrize("topic", [FILLS, ORDERS, ACCOUNTS], ids=lambda topic: topic.kind)
def test_an_output_made_again_is_published_anew_by_a_repair(lab: RepairLab, topic: Topic) -> None:
    lab.live()
    before = lab.content()
    recreate(lab, topic)
    with pytest.raises(PartitionStopped, match="not the one that was written"):
        lab.open_real()
    assert lab.repair().epoch == 1
    lab.run()
    assert lab.content() == before


FOREIGN = {"v": 1, "epoch": 9, "sequence": 1, "account": "binance:foreign", "kind": "REAL"}


def test_foreign_records_in_the_outputs_neither_stop_a_repair_nor_number_it(
    lab: RepairLab,
) -> None:
    lab.live()
    digest, orders, _, _ = lab.content()
    for topic in (ORDERS, FILLS, POSITIONS, ACCOUNTS):
        for body in (b"words", b"[]", b'{"epoch":7}', orjson.dumps(FOREIGN), None):
            lab.producer.produce(lab.name(topic), body, b"foreign", 0)
    assert lab.producer.flush(30) == 0
    recreate(lab, LEDGER)
    outcome = lab.repair()
    lab.run()
    assert outcome.epoch == 1
    assert (outcome.former.retired, outcome.former.lost) == (0, 0)
    assert lab.content_digest() == digest
    own = [message for message in lab.committed(ORDERS) if message.key() != b"foreign"]
    assert {(message.key() or b"").decode() for message in own} == set(orders)


NUMBERED = {"epoch": 0, "sequence": 1, "account": ACCOUNT}
ORDER = NUMBERED | {"product": "spot", "symbol": "BTCUSDT"}
FILL = ORDER | {"execution_key": "e1", "kind": "REAL", "side": "SELL", "quantity_unit": "base"}
WRONG: dict[str, tuple[Topic, dict[str, object]]] = {
    "minus": (FILLS, FILL | {"quantity": "-5"}),
    "space": (FILLS, FILL | {"quantity": " 5"}),
    "venue time": (FILLS, FILL | {"quantity": "5", "venue_ns": 10**30}),
    "covered": (ACCOUNTS, NUMBERED | {"covered_ns": {"spot": 10**30}, "blind": []}),
    "epoch": (ORDERS, ORDER | {"epoch": 2**64 - 1}),
    "inputs": (COMMITS, {"inputs": 5}),
    "note": (COMMITS, {"repair": 5}),
    "step": (COMMITS, {"step": 10**15, "inputs": {}}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_foreign_record_that_cannot_be_true_neither_stops_a_repair_nor_is_believed(
    lab: RepairLab, name: str
) -> None:
    topic, document = WRONG[name]
    lab.live()
    before = lab.content()
    key = f"{ACCOUNT}/k" if topic is ORDERS else ACCOUNT
    lab.producer.produce(lab.name(topic), json.dumps(document), key, 0)
    assert lab.producer.flush(30) == 0
    if name == "note":
        lab.cut_off(5)  # where the end of raw is lost, the time of the last step is looked for
    else:
        recreate(lab, LEDGER)
    outcome = lab.repair()
    assert (outcome.epoch, outcome.former.lost) == (1, 0)
    steps = [one["step"] for one in lab.documents(COMMITS) if "exact_digest" in one]
    assert steps == list(range(1, len(steps) + 1))
    lab.run()
    assert lab.content_digest() == before[0]


def test_an_epoch_above_which_none_is_left_is_named_before_anything_is_changed(
    lab: RepairLab,
) -> None:
    lab.live()
    last = orjson.dumps(ORDER | {"epoch": EPOCH_END - 1})
    lab.producer.produce(lab.name(ORDERS), last, f"{ACCOUNT}/k", 0)
    assert lab.producer.flush(30) == 0
    recreate(lab, LEDGER)
    with pytest.raises(SetupError, match="a record of an output is of epoch 999999"):
        lab.repair()
    assert lab.values(LEDGER) == []


def feed_marked(lab: RepairLab, topic: Topic, number: int) -> None:
    """A foreign record that bears a mark with such a number."""
    value = None if topic is LEDGER else b"{}"
    mark = MARK, orjson.dumps([number, 1, 1])
    lab.producer.produce(lab.name(topic), value, b"foreign", 0, headers=[mark])
    assert lab.producer.flush(30) == 0


@pytest.mark.parametrize("topic", [DEAD_LETTERS, ORDERS, LEDGER], ids=lambda topic: topic.kind)
def test_a_mark_that_no_writer_comes_to_neither_stops_nor_numbers(
    lab: RepairLab, topic: Topic
) -> None:
    lab.live()
    before = [one["number"] for one in lab.commits()]
    for number in (MARK_END, 2**64 - 1):
        feed_marked(lab, topic, number)
    lab.measure_clock()
    lab.run()
    assert before[-1] < lab.commits()[-1]["number"] < before[-1] + 10
    recreate(lab, LEDGER)
    assert lab.repair().epoch == 1
    lab.run()


def test_a_mark_of_a_transaction_that_never_was_stops_for_a_repair_that_ends_it(
    lab: RepairLab,
) -> None:
    """By the mark alone its state is gone, so the repair must not say that all opens as it is."""
    lab.live()
    before = lab.content()
    feed_marked(lab, DEAD_LETTERS, 10_000)
    with pytest.raises(PartitionStopped, match=r"transactions \[10000\] were committed"):
        lab.open_real()
    assert "state is gone" in lab.survey().cause
    assert lab.repair().epoch == 1
    lab.run()
    assert lab.content() == before


def test_a_mark_above_which_no_numbers_are_left_is_named_until_its_topic_is_made_again(
    lab: RepairLab,
) -> None:
    lab.live()
    before = lab.content()
    feed_marked(lab, DEAD_LETTERS, NUMBER_MAX + 1)
    line = "in dead-letters stands a transaction of number .* delete that topic"
    for opens in (lab.open_real, lab.repair):
        with pytest.raises(PartitionStopped, match=line):
            opens()
    assert "delete that topic" in lab.survey().cause
    recreate(lab, DEAD_LETTERS)
    assert lab.repair().epoch == 1
    lab.run()
    assert lab.content() == before
