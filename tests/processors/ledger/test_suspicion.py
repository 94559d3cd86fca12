"""What is written before a fold, and what of it counts."""

import pytest

from orderloom.topology import RAW
from processors.ledger.memory import Memory
from processors.ledger.state import Attempts, LedgerPlace
from processors.ledger.step import InputRecord
from processors.ledger.step_size import StepSize
from processors.ledger.suspicion import Suspicion
from processors.ledger.trouble import PartitionStopped

RECORDS = [InputRecord(RAW, 0, offset, 0, b"a", b"") for offset in range(10)]
ALL = {"raw": 10}


@pytest.fixture
def memory() -> Memory:
    return Memory(StepSize(64))


def suspicion(memory: Memory, logged: Attempts) -> Suspicion:
    found = Suspicion(memory, logged, 7)
    found.noted()
    return found


def test_the_first_fold_of_an_opening_is_attempted_in_the_log_and_no_later_one(
    memory: Memory,
) -> None:
    found = suspicion(memory, Attempts())
    assert found.attempt(RECORDS) == Attempts(7, 1, until=ALL)
    found.committed(None)
    assert found.attempt(RECORDS) is None
    assert memory.size.messages == 64


def test_the_third_attempt_folds_one_by_one_what_was_not_committed(memory: Memory) -> None:
    found = suspicion(memory, Attempts(7, 2, until=ALL))
    assert memory.size.messages == 1
    assert found.attempt(RECORDS[:1]) == Attempts(7, 3, until=ALL)
    within, behind = (LedgerPlace(8, 0, {"raw": end}, {}) for end in (9, 10))
    assert found.carried(behind) is None
    handed_on = found.carried(within)
    assert handed_on == Attempts(8, 2, until=ALL)
    found.committed(handed_on)
    assert found.attempt(RECORDS[9:]) == Attempts(8, 3, until=ALL)


def test_the_fifth_attempt_leaves_its_record_out(memory: Memory) -> None:
    suspicion(memory, Attempts(7, 4, until=ALL)).attempt(RECORDS[:1])
    verdict = memory.poison.verdict(RECORDS[0])
    assert verdict is not None
    assert verdict.reason == "killed"


def test_a_record_behind_which_timers_end_the_process_is_not_left_out(memory: Memory) -> None:
    found = suspicion(memory, Attempts(7, 2, until=ALL))
    found.attempt(RECORDS[:1])
    begun = found.attempt_timers()
    assert begun == Attempts(7, 3, timers=1, until=ALL)
    assert memory.standing(begun, 7) == Attempts(7, 2, until=ALL)  # outlived
    later = Memory(StepSize(64))
    with pytest.raises(PartitionStopped):
        suspicion(later, Attempts(7, 4, timers=2, until=ALL)).attempt(RECORDS[:1])
    assert later.poison.verdict(RECORDS[0]) is None


def test_timers_are_attempted_only_where_attempts_stand(memory: Memory) -> None:
    found = suspicion(memory, Attempts())
    found.attempt(RECORDS)
    assert found.attempt_timers() is None


def test_who_stops_for_a_person_takes_back_what_is_under_way(memory: Memory) -> None:
    found = suspicion(memory, Attempts(7, 1))
    assert found.taken_back() is None
    found.attempt(RECORDS)
    assert found.taken_back() == Attempts(7, 1)
