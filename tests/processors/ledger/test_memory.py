"""What counts against a record, and what never does."""

import pytest

from orderloom.topology import RAW
from processors.ledger.memory import Memory
from processors.ledger.state import Attempts
from processors.ledger.step import InputRecord
from processors.ledger.step_size import StepSize
from processors.ledger.trouble import (
    LedgerFenced,
    LedgerLost,
    PartitionStopped,
    RecordPoisoned,
    StepRefused,
    StepTooSlow,
    TimersFailed,
)

RECORDS = [InputRecord(RAW, 0, offset, 0, b"a", b"") for offset in range(10)]


@pytest.fixture
def memory() -> Memory:
    return Memory(StepSize(64))


@pytest.mark.parametrize("lost", [LedgerLost("away"), LedgerFenced("fenced"), StepTooSlow("slow")])
def test_kafkas_errors_fencing_and_timeouts_never_count(memory: Memory, lost: LedgerLost) -> None:
    for _ in range(10):
        memory.learn(lost, RECORDS[:1])
    assert memory.poison.verdict(RECORDS[0]) is None


def test_the_second_failure_of_a_record_gives_it_its_verdict(memory: Memory) -> None:
    memory.learn(RecordPoisoned(RECORDS[3], "trace"), RECORDS)
    assert memory.poison.verdict(RECORDS[3]) is None
    memory.learn(RecordPoisoned(RECORDS[3], "trace"), RECORDS)
    verdict = memory.poison.verdict(RECORDS[3])
    assert verdict is not None
    assert (verdict.reason, verdict.trace) == ("invariant", "trace")
    assert memory.poison.verdict(RECORDS[4]) is None


def test_a_refused_step_is_halved_until_one_record_is_left_to_blame(memory: Memory) -> None:
    memory.learn(StepRefused("too large"), RECORDS)
    assert memory.size.messages == 5
    memory.learn(StepRefused("too large"), RECORDS[:1])
    memory.learn(StepRefused("too large"), RECORDS[:1])
    verdict = memory.poison.verdict(RECORDS[0])
    assert verdict is not None
    assert verdict.reason == "refused"


def test_a_transaction_timeout_halves_the_step(memory: Memory) -> None:
    memory.learn(StepTooSlow("slow"), RECORDS)
    assert memory.size.messages == 5


def test_timers_that_fail_twice_stop_the_partition(memory: Memory) -> None:
    memory.learn(TimersFailed("bug"), [])
    memory.check_timers()
    memory.learn(TimersFailed("bug"), [])
    with pytest.raises(PartitionStopped, match="bug"):
        memory.check_timers()


def test_attempts_stand_until_a_commit(memory: Memory) -> None:
    assert memory.standing(Attempts(7, 2), step=7) == Attempts(7, 2)
    assert memory.standing(Attempts(7, 2), step=8) == Attempts(8)


def test_an_attempt_that_its_own_process_outlived_does_not_count(memory: Memory) -> None:
    memory.attempt = Attempts(7, 3)
    assert memory.standing(Attempts(7, 3), step=7) == Attempts(7, 2)
    assert memory.standing(Attempts(7, 5), step=7) == Attempts(7, 4)  # others died of it since
    assert memory.standing(Attempts(7, 2), step=7) == Attempts(7, 2)  # it never came to the log
    assert memory.standing(Attempts(8, 3), step=8) == Attempts(8, 3)
