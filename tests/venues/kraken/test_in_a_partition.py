"""Frames and answers of Kraken in the state of a partition: names, sparse reports, numbers."""

import re
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.raw import Answer, Frame, OwnerChange
from processors.partition import PartitionFold
from tests.processors.partition_lab import NOW, Run, a_raw_record, live
from tests.venues.kraken.wire import CASES, LIVE, PENDING
from venues import VENUES

SECOND = 1_000_000_000
ACCOUNT = "kraken:main"
VENUE = topology.PARTITION_KEY.decode()
PAIRS = CASES["spot_instruments: pairs"].body
FOUND = CASES["spot_orders: one that was asked for by its id: filled"].body


class Partition:
    """An account of Spot whose stream is LIVE."""

    def __init__(self) -> None:
        self.run = Run(PartitionFold(VENUES["kraken"], 0))
        self.run.step(a_raw_record(OwnerChange(NOW), account=VENUE))
        self.run.step(a_raw_record(live("spot"), account=ACCOUNT))
        self.at = 100  # the first cycle has waited for all that answers may not show yet
        self.number = 0
        self.run.step(None, NOW + self.at * SECOND)

    def push(self, name: str, sequence: int = 1) -> None:
        self.at += 1
        self.number += 1
        now_ns = NOW + self.at * SECOND
        body = re.sub(rb'"sequence":[0-9]+', b'"sequence":%d' % sequence, CASES[name].body)
        frame = Frame("c-spot", self.number, "spot", now_ns, body)
        self.run.step(a_raw_record(frame, account=ACCOUNT), now_ns)

    def asked(self, about: str) -> list[dict[str, Any]]:
        sent = [one for one in self.run.outputs if one.topic is topology.DISPATCHES]
        questions = [orjson.loads(one.value or b"")["question"] for one in sent]
        return [one for one in questions if one["about"] == about]

    def answer(self, about: str, body: bytes) -> None:
        self.at += 1
        now_ns = NOW + self.at * SECOND
        question = self.asked(about)[-1]
        item = Answer(question, about, 1, True, 200, now_ns, now_ns, now_ns, body)
        self.run.step(a_raw_record(item, account=question["account"]), now_ns)

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.at += 1
            self.run.step(None, NOW + self.at * SECOND)

    def orders(self) -> dict[str, str]:
        return {one.symbol: one.status for one in self.run.published().orders.values()}


def test_a_row_of_an_answer_is_the_order_that_the_stream_speaks_of() -> None:
    partition = Partition()
    partition.push(PENDING)
    partition.answer("OPEN_ORDERS", FOUND)  # which pair that is, nobody knows yet
    assert partition.orders() == {"BTC/USD": "PENDING"}
    partition.answer("INSTRUMENTS", PAIRS)
    partition.wait(30)  # it is asked for again
    partition.answer("OPEN_ORDERS", FOUND)
    assert partition.orders() == {"BTC/USD": "FILLED"}


def test_a_report_by_id_alone_waits_for_the_one_that_says_the_symbol() -> None:
    partition = Partition()
    partition.push(LIVE)
    assert partition.orders() == {}
    partition.push(PENDING)
    assert partition.orders() == {"BTC/USD": "ACTIVE"}


@pytest.mark.parametrize(("numbers", "is_lost"), [((1, 2, 3), False), ((1, 2, 4), True)])
def test_a_hole_in_the_numbers_of_a_subscription_is_a_loss(
    numbers: tuple[int, ...], is_lost: bool
) -> None:
    partition = Partition()
    names = ("executions: a snapshot of an account without orders", PENDING, LIVE)
    for name, number in zip(names, numbers, strict=True):
        partition.push(name, number)
    said = [one.value or b"" for one in partition.run.outputs]
    assert any(b"the venue counted more" in one for one in said) is is_lost
