"""What ends the process that folds it: found by its deaths, left out, and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import KafkaError, KafkaException

from orderloom.topology import RAW
from processors.ledger.ledger import Ledger
from processors.ledger.step import InputRecord
from processors.ledger.trouble import LedgerLost, PartitionStopped
from tests.conftest import RunningBroker
from tests.processors.counting_state import CountingState
from tests.processors.ledger_lab import Lab, drain, left_out, settle, small_steps

pytestmark = pytest.mark.broker
GOOD = [(b"good", b"%d" % number) for number in range(20)]
FEW = GOOD[:3]


class Died(BaseException):
    """Stands for the end of a process: nothing of ours may catch it."""


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


class KillingState(CountingState):
    """Folding the word `kill` ends the process."""

    def fold(self, record: InputRecord, now_ns: int) -> None:
        if record.value == b"kill":
            raise Died
        CountingState.fold(self, record, now_ns)


def test_what_kills_the_process_is_left_out_after_four_deaths(lab: Lab) -> None:
    lab.feed(RAW, [*GOOD, (b"killer", b"kill"), *GOOD])
    deaths = live(lab)
    assert deaths == 4
    assert left_out(lab) == [("raw", 20, "killed")]
    single = [end - first for first, end in (commit["inputs"]["raw"] for commit in lab.commits())]
    assert single[:21] == [1] * 21  # from the third opening on steps of one record
    assert lab.states[-1].counts == {b"good": 40}
    assert lab.faults() == []


def test_a_partition_beside_one_that_kills_the_process_loses_no_record(
    broker: RunningBroker, namespace: str
) -> None:
    """A death blames whoever was folding: once blamed, a partition folds alone."""
    lab = Lab(broker.bootstrap, namespace, partitions=2)
    lab.make_state = KillingState
    lab.producer.produce(lab.name(RAW), b"kill", b"killer", 0)
    lab.producer.produce(lab.name(RAW), b"one", b"innocent", 1)
    assert lab.producer.flush(30) == 0
    deaths = 0
    while has_died_beside(lab):
        deaths += 1
    assert deaths == 4
    assert left_out(lab) == [("raw", 0, "killed")]
    assert [commit["left_out"] for commit in lab.commits(1)] == [[]]


def has_died_beside(lab: Lab) -> bool:
    """A process in which partition 1 stands within its step until partition 0 has ended it."""
    is_within, has_died = threading.Event(), threading.Event()

    def beside(point: str) -> None:
        is_within.set()
        if point == "after-fold" and has_died.wait(1):
            raise Died

    def fold(ledger: Ledger) -> None:
        try:
            drain(ledger)
        except Died:
            has_died.set()
        is_within.set()

    lab.forget()
    killer = lab.open(partition=0)
    lab.forget()
    threads = [
        threading.Thread(target=fold, args=[ledger])
        for ledger in (lab.open(beside, partition=1), killer)
    ]
    for thread in threads:
        thread.start()
        assert is_within.wait(20)
    for thread in threads:
        thread.join()
    return has_died.is_set()


def test_a_process_that_outlives_the_fold_clears_its_records_of_suspicion(lab: Lab) -> None:
    """Openings that end by Kafka's fault leave nobody out, also when many follow one another."""
    lab.feed(RAW, GOOD)

    def lose(point: str) -> None:
        if point == "after-fold":
            raise LedgerLost("the broker is away")

    for _ in range(8):
        with pytest.raises(LedgerLost):
            drain(lab.open(lose))
    settle(lab)
    assert folded_at_once(lab) == [20]
    assert left_out(lab) == []


def test_an_opening_that_ends_before_it_folds_counts_nothing(lab: Lab) -> None:
    lab.feed(RAW, GOOD)
    for _ in range(7):
        lab.open().close()
        lab.forget()
    settle(lab)
    assert folded_at_once(lab) == [20]
    assert left_out(lab) == []


def test_a_ledger_that_cannot_read_its_inputs_counts_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.feed(RAW, GOOD)

    def refused(_self: object, _seconds: float) -> Iterator[InputRecord]:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
        yield

    with monkeypatch.context() as patch:
        patch.setattr("processors.ledger.input_reader.InputReader.read", refused)
        for _ in range(6):
            with pytest.raises(KafkaException):
                drain(lab.open())
    settle(lab)
    assert left_out(lab) == []


def test_moves_in_order_while_records_are_folded_one_by_one_count_nothing(lab: Lab) -> None:
    lab.feed(RAW, GOOD)
    die(lab, times=2)
    for number in range(12):
        lab.forget()
        with closing(lab.open()) as ledger:
            if number % 4 == 0:
                assert ledger.advance(5)
    assert folded_at_once(lab) == [1] * 3
    settle(lab)
    assert left_out(lab) == []


def test_only_the_batch_that_was_not_committed_is_folded_one_by_one(lab: Lab) -> None:
    lab.configure(step=small_steps(8))
    lab.feed(RAW, GOOD)
    die(lab, times=2)
    settle(lab)
    assert folded_at_once(lab) == [1] * 8 + [2, 4, 6]
    assert lab.faults() == []


def test_a_record_that_fails_before_one_that_kills_does_not_hide_it(lab: Lab) -> None:
    """Its failures are outlived, and known to each process alone: the deaths count all the same."""
    lab.feed(RAW, [(b"bad", b"poison"), *FEW, (b"killer", b"kill"), *FEW])
    live(lab)
    assert left_out(lab) == [("raw", 0, "invariant"), ("raw", 4, "killed")]
    assert lab.faults() == []


def test_a_stop_for_a_person_is_no_death_however_often_it_is_tried(lab: Lab) -> None:
    lab.feed(RAW, [*FEW, b"stubborn"])
    for _ in range(7):
        lab.forget()
        with pytest.raises(PartitionStopped, match="neither be folded nor left out"):
            settle(lab)
    assert folded_at_once(lab) == []


def test_timers_that_kill_the_process_stop_the_partition_and_blame_no_record(lab: Lab) -> None:
    class KillingTimers(CountingState):
        def tick(self, now_ns: int) -> None:
            if self.timers and min(self.timers) <= now_ns:
                raise Died
            CountingState.tick(self, now_ns)

    lab.make_state = KillingTimers
    lab.feed(RAW, [*FEW, b"timer:0", *FEW])
    for _ in range(4):
        lab.forget()
        with pytest.raises(Died):
            settle(lab)
    lab.forget()
    with pytest.raises(PartitionStopped, match="4 attempts to let timers fire"):
        settle(lab)
    assert left_out(lab) == []


def die(lab: Lab, times: int) -> None:
    """So many processes end while they fold their first batch."""

    def end(point: str) -> None:
        if point == "after-fold":
            raise Died

    for _ in range(times):
        lab.forget()
        with pytest.raises(Died):
            drain(lab.open(end))
    lab.forget()


def folded_at_once(lab: Lab) -> list[int]:
    """How many records of `raw` each step folded."""
    ranges = (commit["inputs"]["raw"] for commit in lab.commits())
    return [end - first for first, end in ranges if end > first]


def live(lab: Lab, deaths_max: int = 10) -> int:
    """Start process after process until one lives; how many died."""
    lab.make_state = KillingState
    for deaths in range(deaths_max):
        lab.forget()
        try:
            settle(lab)
        except Died:
            continue
        return deaths
    raise AssertionError("it kills for ever")
