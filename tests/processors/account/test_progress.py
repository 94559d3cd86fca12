"""An account that catches up says how far it is: in its record, in the log, in metrics."""

import logging
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.question import Question
from orderloom.raw import Answer
from processors.account.cycles import Cycles
from processors.account.look_ups import PROGRESS_NS
from processors.account.progress import EVERY_SECONDS, ProgressLog
from processors.ledger.step import StepChanges
from processors.measured import MeasuredFold
from processors.partition import PartitionFold
from tests.processors.partition_lab import ACCOUNT, NOW, a_raw_record, a_right_clock, live
from tests.processors.test_measured import value
from venues import VENUES

SECOND = 1_000_000_000


class Lab:
    """An account whose first cycle of questions has begun."""

    def __init__(self, partition: PartitionFold) -> None:
        self.partition = partition
        self.offset = 0
        self.now_ns = NOW
        self.questions: list[Question] = []
        for key, record in a_right_clock(partition.venue).items():
            partition.restore(key, record)
        partition.fold(a_raw_record(live()), NOW)
        self.partition.account(ACCOUNT).look_ups.touch("spot", ("BTCUSDT", "SOLUSDT"))
        self.pass_time(3 * SECOND)

    def pass_time(self, span_ns: int) -> StepChanges:
        self.now_ns += span_ns
        self.partition.account(ACCOUNT).streams.owner.liveness_ns = self.now_ns
        self.partition.tick(self.now_ns)
        changes = self.partition.changes()
        for output in changes.outputs:
            if output.topic is topology.DISPATCHES:
                document = orjson.loads(output.value or b"")["question"]
                self.questions.append(Question.model_validate(document))
        return changes

    def answer(self, number: int, after_ns: int) -> list[dict[str, Any]]:
        """A question of the cycle is answered; what `accounts` then shows."""
        self.offset += 1
        self.now_ns += after_ns
        question = self.mine()[number]
        body = b"{}" if question.about == "BALANCES" else b"[]"
        times = (self.now_ns, self.now_ns, self.now_ns)
        item = Answer(question.document(), "GET x", 1, True, 200, *times, body)
        self.partition.fold(a_raw_record(item, offset=self.offset), self.now_ns)
        return [
            orjson.loads(output.value or b"")
            for output in self.partition.changes().outputs
            if output.topic is topology.ACCOUNTS
        ]

    def mine(self) -> list[Question]:
        return [one for one in self.questions if one.account == ACCOUNT]


@pytest.fixture
def lab() -> Lab:
    return Lab(PartitionFold(VENUES["binance"], 0))


def test_the_accounts_record_shows_how_many_questions_are_answered(lab: Lab) -> None:
    lab.answer(0, PROGRESS_NS)
    (shown,) = lab.answer(1, PROGRESS_NS)
    asked = len(lab.mine())
    assert asked == 6
    assert shown["progress"] == {"spot": {"answered": 2, "asked": asked, "pages": 2}}


def test_it_is_not_published_with_each_page(lab: Lab) -> None:
    assert lab.answer(0, PROGRESS_NS)
    assert not lab.answer(1, PROGRESS_NS // 4)
    assert lab.answer(2, PROGRESS_NS)


def test_an_account_in_sync_shows_no_progress(lab: Lab) -> None:
    *_, shown = (lab.answer(number, SECOND) for number in range(len(lab.mine())))
    assert [one["sync"] for one in shown] == ["SYNCED"]
    assert shown[0]["progress"] == {}


def test_progress_is_where_it_was_after_a_restart(lab: Lab) -> None:
    lab.answer(0, SECOND)
    cycles = lab.partition.account(ACCOUNT).look_ups.reconciliation.cycles["spot"]
    again = Cycles.load(cycles.document())
    for one in cycles.pending.values():
        again.load_question(one.document("spot"))
    assert again.progress() == cycles.progress()


def test_the_log_says_it_every_few_seconds_and_when_it_is_over(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = 0.0
    progress = ProgressLog(lambda: seconds)
    account = lab.partition.account(ACCOUNT)
    with caplog.at_level(logging.INFO, "processors.account.progress"):
        for number in range(len(lab.mine())):
            progress.look(account)
            lab.answer(number, SECOND)
            seconds += EVERY_SECONDS / 2
        progress.look(account)
        progress.look(account)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        f"{ACCOUNT} spot: 2 of 6 questions answered, 2 pages; 0 orders",
        f"{ACCOUNT} spot: 4 of 6 questions answered, 4 pages; 0 orders",
        f"{ACCOUNT} in sync, 0 orders",
    ]


def test_metrics_show_it() -> None:
    lab = Lab(MeasuredFold(VENUES["binance"], 0))
    lab.answer(0, SECOND)
    assert value("round_questions", account=ACCOUNT, product="spot") == 6
    assert value("round_answered", account=ACCOUNT, product="spot") == 1
