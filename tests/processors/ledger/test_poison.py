"""Records that cannot be folded: left out after the second failure, and only they."""

from itertools import chain

import pytest

from orderloom.topology import DEAD_LETTERS, FILLS, RAW
from processors.ledger.step import Output, StepChanges
from processors.ledger.trouble import LedgerLost, PartitionStopped, StepRefused
from processors.ledger.writer import LedgerWriter
from tests.conftest import RunningBroker
from tests.processors.counting_state import CountingState
from tests.processors.ledger_lab import Lab, drain, left_out, settle
from tests.waits import wait_for

pytestmark = pytest.mark.broker
GOOD = [(b"good", b"%d" % number) for number in range(20)]
FEW = GOOD[:3]


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def test_a_record_that_fails_twice_is_left_out_and_its_account_alone_quarantined(lab: Lab) -> None:
    lab.feed(RAW, [*GOOD, (b"bad", b"poison"), *GOOD])
    ledger = settle(lab)
    assert ledger.quarantined() == {"bad"}
    assert lab.memory.counts.failed_folds == 2
    assert left_out(lab) == [("raw", 20, "invariant")]
    (letter,) = lab.committed(DEAD_LETTERS)
    headers = dict(letter.headers() or [])
    assert headers["reason"] == b"invariant"
    assert b"AssertionError: planted" in (headers["trace"] or b"")
    assert lab.state.counts == {b"good": 40}
    assert lab.faults() == []


def test_a_replay_leaves_out_what_was_left_out(lab: Lab) -> None:
    lab.feed(RAW, [(b"bad", b"poison"), *GOOD, (b"worse", b"poison")])
    settle(lab)
    assert len(left_out(lab)) == 2
    assert lab.faults() == []


def test_fencing_between_the_failures_counts_nothing(lab: Lab) -> None:
    lab.feed(RAW, GOOD)
    for _ in range(4):
        fenced = lab.open()
        lab.open()
        with pytest.raises(LedgerLost):
            drain(fenced)
    settle(lab)
    assert left_out(lab) == []
    assert lab.faults() == []


def test_more_than_three_accounts_in_a_minute_stop_the_partition(lab: Lab) -> None:
    for number in range(3):
        lab.feed(RAW, [(b"account %d" % number, b"poison")])
        settle(lab)
        lab.forget()  # the minute is counted in the log, over processes
    lab.feed(RAW, [(b"one too many", b"poison")])
    with pytest.raises(PartitionStopped, match="bad deploy"):
        settle(lab)
    assert len(left_out(lab)) == 3


def test_many_poison_records_of_three_accounts_do_not_stop_it(lab: Lab) -> None:
    lab.feed(RAW, [(b"account %d" % (number % 3), b"poison") for number in range(4)])
    assert len(settle(lab).quarantined()) == 3
    assert lab.faults() == []


def test_a_record_that_can_neither_be_folded_nor_left_out_stops_the_partition(lab: Lab) -> None:
    lab.feed(RAW, [b"stubborn"])
    with pytest.raises(PartitionStopped, match="neither be folded nor left out"):
        settle(lab)


def test_what_the_broker_refuses_as_too_large_is_poison_of_its_record_alone(lab: Lab) -> None:
    lab.feed(RAW, [*FEW, (b"big", b"large:3000000"), *FEW])
    settle(lab)
    assert left_out(lab) == [("raw", 3, "refused")]
    assert lab.state.counts == {b"good": 6}
    assert lab.faults() == []


def test_a_refusal_that_comes_while_much_is_still_being_written_is_known_as_one(lab: Lab) -> None:
    """The client then says "Erroneous state" of all that is behind the refused record."""
    behind = ((b"%d" % number, b"x" * 100) for number in range(90_000))
    writer = LedgerWriter(lab.log, 0)
    writer.fence()
    writer.begin_life(0)
    with pytest.raises(StepRefused, match="too large"):
        writer.commit(chain([(b"big", b"x" * 5_000_000)], behind))
    writer.close()


def test_what_the_broker_refuses_as_invalid_is_poison_of_its_record_alone(lab: Lab) -> None:
    """Compacted topics take no record without a key."""
    lab.feed(RAW, [*FEW, (b"odd", b"keyless"), *FEW])
    settle(lab)
    assert left_out(lab) == [("raw", 3, "refused")]
    assert lab.faults() == []


class UnwritableState(CountingState):
    """Folds the word `unwritable`, and cannot give out what came of it."""

    def changes(self) -> StepChanges:
        if b"unwritable" in self.counts:
            raise AssertionError("planted")
        return CountingState.changes(self)


def test_what_cannot_be_given_out_is_named_in_the_line_and_its_trace_in_the_dead_letter(
    lab: Lab,
) -> None:
    """The worker's log has the first line alone."""
    lab.make_state = UnwritableState
    lab.feed(RAW, [(b"unwritable", b"one")])
    with pytest.raises(StepRefused) as refused:
        drain(lab.open())
    assert str(refused.value) == "AssertionError: planted"
    settle(lab)
    assert left_out(lab) == [("raw", 0, "refused")]
    (letter,) = lab.committed(DEAD_LETTERS)
    trace = dict(letter.headers() or [])["trace"]
    assert isinstance(trace, bytes)
    assert trace.startswith(b"Traceback")
    assert b"AssertionError: planted" in trace


def test_after_a_refusal_steps_grow_again(lab: Lab) -> None:
    lab.feed(RAW, [(b"big", b"large:3000000"), *FEW])
    settle(lab)
    for _ in range(5):
        lab.feed(RAW, GOOD)
        settle(lab)
    assert lab.memory.size.messages >= 32


def test_timers_that_cannot_say_when_they_are_due_stop_the_partition(lab: Lab) -> None:
    class Untimed(CountingState):
        def due_ns(self) -> int | None:
            if self.counts:
                raise AssertionError("planted")
            return None

    lab.make_state = Untimed
    lab.feed(RAW, GOOD)
    with pytest.raises(PartitionStopped, match=r"cannot be read|timers fail"):
        settle(lab)


def test_timers_whose_outputs_are_refused_stop_the_partition(lab: Lab) -> None:
    """The writer of the refused step cannot prove whose the partition is: the next one does."""

    class LargeTimers(CountingState):
        def tick(self, now_ns: int) -> None:
            if self.timers and min(self.timers) <= now_ns:
                self._outputs.append(Output(FILLS, b"a", b"x" * 3_000_000))
            CountingState.tick(self, now_ns)

    lab.make_state = LargeTimers
    lab.feed(RAW, [b"timer:1"])
    with pytest.raises(PartitionStopped, match="timers fail"):
        wait_for(lambda: settle(lab) is None)
    assert left_out(lab) == []


def test_timers_that_fail_twice_stop_the_partition(lab: Lab) -> None:
    class FailingTimers(CountingState):
        def tick(self, now_ns: int) -> None:
            raise AssertionError("planted")

    lab.make_state = FailingTimers
    lab.feed(RAW, GOOD)
    with pytest.raises(PartitionStopped, match="timers fail"):
        settle(lab)
