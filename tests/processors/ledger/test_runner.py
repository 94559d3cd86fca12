"""Runners on a real broker, with a group of the test's own making instead of Faust's."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from orderloom.topology import RAW
from processors.ledger.runner import Condition, LedgerRunner, Ownership
from tests.conftest import RunningBroker
from tests.processors.counting_state import counting_state
from tests.processors.ledger_lab import Lab, recreate
from tests.waits import wait_for

pytestmark = pytest.mark.broker


class Office:
    """The group as a test wants it: who the owner is, and what was skipped to."""

    def __init__(self) -> None:
        self.owner: object = None

    def member(self, *, believes: bool = False) -> "Member":
        return Member(self, believes=believes)


class Member:
    """One member; one that believes is never told that another is the owner."""

    def __init__(self, office: Office, *, believes: bool) -> None:
        self.office = office
        self.believes = believes
        self.skipped: list[Mapping[str, int]] = []
        self.asked = 0

    def confirm(self, partition: int) -> bool:
        self.asked += 1
        return self.believes or self.office.owner is self

    def skip_to(self, partition: int, offsets: Mapping[str, int]) -> bool:
        self.skipped.append(offsets)
        return True


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


@pytest.fixture
def keep(lab: Lab) -> Iterator[Callable[[Ownership], LedgerRunner]]:
    """Starts runners of partition 0, and closes them at the end."""
    runners: list[LedgerRunner] = []

    def start(member: Ownership) -> LedgerRunner:
        runners.append(LedgerRunner(lab.log, 0, counting_state, member))
        runners[-1].start()
        return runners[-1]

    yield start
    end(*runners)


def end(*runners: LedgerRunner) -> None:
    """Close them: a timer that fires while the outputs are read would look like a fault."""
    for runner in runners:
        runner.close()
        assert runner.join(20)


def at(runner: LedgerRunner, offset: int) -> Callable[[], bool]:
    return lambda: runner.next_offsets.get("raw") == offset


def test_a_runner_opens_when_confirmed_catches_up_and_then_skips_faust_ahead(
    lab: Lab, keep: Callable[[Ownership], LedgerRunner]
) -> None:
    lab.feed(RAW, [b"%d" % number for number in range(100)])
    office = Office()
    member = office.member()
    runner = keep(member)
    wait_for(lambda: member.asked >= 3)
    assert runner.memory.counts.openings == 0  # not confirmed: not opened, and nobody fenced
    office.owner = member
    wait_for(at(runner, 100))
    wait_for(lambda: bool(member.skipped))
    assert member.skipped == [{"control": 0, "claims": 0, "intents": 0, "raw": 100}]


def test_with_the_confirmation_a_change_of_owner_settles_within_two_openings(
    lab: Lab, keep: Callable[[Ownership], LedgerRunner]
) -> None:
    office = Office()
    former, owner = office.member(), office.member()
    office.owner = former
    first = keep(former)
    wait_for(lambda: first.condition is Condition.RUNNING)
    office.owner = owner
    second = keep(owner)
    feed_until(lab, lambda: former.asked >= 3)  # it was fenced, and would open again
    wait_for(at(second, lab.fed))
    end(first, second)
    assert first.memory.counts.openings == 1
    assert second.memory.counts.openings <= 2
    assert lab.faults() == []


def test_without_the_confirmation_two_owners_never_settle(
    lab: Lab, keep: Callable[[Ownership], LedgerRunner]
) -> None:
    office = Office()
    runners = [keep(office.member(believes=True)) for _ in range(2)]

    feed_until(lab, lambda: all(runner.memory.counts.openings >= 3 for runner in runners))


def test_a_suspended_runner_folds_nothing_and_goes_on_without_loading(
    lab: Lab, keep: Callable[[Ownership], LedgerRunner]
) -> None:
    runner = keep(Office().member(believes=True))
    wait_for(lambda: runner.condition is Condition.RUNNING)
    runner.suspend()
    wait_for(lambda: runner.condition is Condition.SUSPENDED)
    lab.feed(RAW, [b"one"] * 10)
    for record in lab.inputs()["raw"]:
        runner.offer(record)
    for _ in range(3):
        runner._bell.set()
        wait_for(lambda: not runner._bell.is_set())  # it woke, and rests again
    assert lab.commits() == []
    runner.resume()
    wait_for(at(runner, 10))
    assert runner.memory.counts.openings == 1


def test_a_full_inbox_drops_and_the_ledger_reads_on_by_itself(
    lab: Lab, keep: Callable[[Ownership], LedgerRunner]
) -> None:
    lab.configure(inbox_records_max=10)
    runner = keep(Office().member(believes=True))
    wait_for(lambda: runner.condition is Condition.RUNNING)
    lab.feed(RAW, [b"%d" % number for number in range(2_000)])
    for record in lab.inputs()["raw"]:
        runner.offer(record)
    assert runner.dropped > 0
    wait_for(at(runner, 2_000))
    end(runner)
    assert lab.faults() == []


def test_a_stopped_runner_says_why_and_stays_stopped(
    lab: Lab, keep: Callable[[Ownership], LedgerRunner]
) -> None:
    lab.feed(RAW, [b"one"])
    first = keep(Office().member(believes=True))
    wait_for(at(first, 1))
    end(first)
    recreate(lab, RAW)
    second = keep(Office().member(believes=True))
    wait_for(lambda: second.condition is Condition.STOPPED)
    assert "deleted and created again" in second.trouble
    assert not second.has_died


def feed_until(lab: Lab, condition: Callable[[], bool]) -> None:
    def fed_enough() -> bool:
        lab.feed(RAW, [b"event"])
        return condition()

    wait_for(fed_enough, 60, look_seconds=0.05)
