"""A ledger on a real broker, driven directly, without Faust."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from orderloom.topology import COMMITS, CONTROL, FILLS, INTENTS, LEDGER, RAW
from processors.ledger.ledger import Ledger
from processors.ledger.log import LedgerLog
from processors.ledger.trouble import LedgerLost, PartitionStopped, StepTooSlow
from runtime.kafka import transactional_producer
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, drain, small_steps
from tests.waits import wait_for

pytestmark = pytest.mark.broker
POINTS = ("after-fold", "after-produce", "before-commit", "after-commit")


class Died(BaseException):
    """Stands for the end of a process: nothing of ours may catch it."""


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def test_what_was_fed_before_the_opening_is_folded_once_and_exactly(lab: Lab) -> None:
    lab.feed(RAW, [b"%d" % number for number in range(500)])
    lab.feed(CONTROL, [b"one", b"two"])
    ledger = lab.open()
    drain(ledger)
    assert ledger.next_offsets == {"control": 2, "claims": 0, "intents": 0, "raw": 500}
    assert lab.faults() == []
    assert len(lab.values(FILLS)) >= 502


def test_another_opening_goes_on_where_the_last_commit_was(lab: Lab) -> None:
    lab.feed(RAW, [b"first"] * 10)
    drain(lab.open())
    lab.feed(INTENTS, [b"second"] * 5)
    lab.feed(RAW, [b"second"] * 10)
    second = lab.open()
    assert second.next_offsets == {"control": 0, "claims": 0, "intents": 0, "raw": 10}
    drain(second)
    assert lab.state.counts == {b"a": 25}
    assert lab.faults() == []


def test_a_step_folds_control_first_and_intents_last(lab: Lab) -> None:
    lab.feed(RAW, [b"r"] * 3)
    lab.feed(INTENTS, [b"i"] * 3)
    lab.feed(CONTROL, [b"c"] * 3)
    drain(lab.open())
    kinds = [kind for kind, _, _ in lab.state.folded]
    assert kinds == ["control"] * 3 + ["raw"] * 3 + ["intents"] * 3


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_at_a_named_point_loses_and_doubles_nothing(
    lab: Lab, point: str
) -> None:
    lab.configure(step=small_steps(20))
    lab.feed(RAW, [b"%d" % number for number in range(100)])
    for deadly_step in (1, 2, 1):
        with pytest.raises(Died):
            drain(lab.open(_dies_at(point, deadly_step)))
        lab.forget()
    drain(lab.open())
    assert lab.faults() == []


@pytest.mark.parametrize("point", POINTS)
def test_after_a_failed_step_the_memory_is_thrown_away(lab: Lab, point: str) -> None:
    """The fenced ledger has folded what its successor folds too; only the log's outcome counts."""
    lab.feed(RAW, [b"one"] * 10)

    def fence_at(reached: str) -> None:
        if reached == point and len(lab.states) == 1:
            drain(lab.open())

    first = lab.open(fence_at)
    with contextlib.suppress(LedgerLost):
        drain(first)
    lab.feed(RAW, [b"two"] * 5)
    drain(lab.open())
    assert lab.state.counts == {b"a": 15}
    assert lab.faults() == []


def test_a_former_owner_is_fenced_and_no_record_is_suspected(lab: Lab) -> None:
    zombie = lab.open()
    owner = lab.open()
    lab.feed(RAW, [b"%d" % number for number in range(10)])
    lab.deliver(owner)
    with pytest.raises(LedgerLost):
        lab.deliver(zombie)
    drain(lab.open())
    assert lab.faults() == []
    assert lab.memory.counts.failed_folds == lab.memory.counts.left_out == 0


@pytest.mark.parametrize("true_end", [True, False], ids=["to its true end", "broken"])
def test_an_open_transaction_of_a_dead_writer_hides_no_state(lab: Lab, true_end: bool) -> None:
    """A committed reader alone is shown the last stable offset as the end, and an older state."""
    first = lab.open()
    lab.feed(RAW, [b"shown before it"])
    lab.deliver(first)
    dead = transactional_producer(
        lab.bootstrap, f"{lab.namespace}dead", settings={"transaction.timeout.ms": 3_000}
    )
    dead.init_transactions(10)
    dead.begin_transaction()
    dead.produce(lab.name(LEDGER), b"junk", b"junk", 0)
    dead.flush(10)
    lab.feed(RAW, [b"behind the open transaction"] * 10)
    lab.deliver(first)
    if true_end:
        assert lab.open().next_offsets["raw"] == 11
        return
    lab.log = LogWithStableEnds(lab.settings)
    with pytest.raises(PartitionStopped, match="it says step 1, the step 2"):
        lab.open()


class LogWithStableEnds(LedgerLog):
    """The broken variant: ends as a committed reader sees them."""

    def ends(self, topics: Any, partition: int) -> dict[str, int]:
        return (self.stable_ends if LEDGER in topics else super().ends)(topics, partition)


class FoldsInsideTheTransaction(Ledger):
    """The broken variant: the transaction is open while the fold runs."""

    def _fold(self, batch: Any, folded: Any) -> None:
        self._writer._number += 1  # that of the transaction to come, whose id this is
        self._writer._begin()
        self._writer._put(self._writer._names[LEDGER.kind], b"early", b"1")
        self._writer._flush()
        self._writer._number -= 1
        self._writer._begin = lambda: None  # type: ignore[method-assign]  # already begun
        super()._fold(batch, folded)


@pytest.mark.parametrize("make", [Ledger, FoldsInsideTheTransaction])
def test_a_fold_longer_than_the_transaction_timeout_commits(
    lab: Lab, make: Callable[..., Ledger]
) -> None:
    lab.configure(transaction_timeout_ms=1_000, step=small_steps(100, seconds=10))
    lab.feed(RAW, [b"slow:2"])
    ledger = lab.open(make=make)
    if make is Ledger:
        drain(ledger)
        assert lab.faults() == []
    else:
        with pytest.raises(LedgerLost):
            drain(ledger)


def test_a_transaction_that_times_out_makes_the_next_step_half_as_large(lab: Lab) -> None:
    lab.configure(transaction_timeout_ms=1_000)
    lab.feed(RAW, [b"%d" % number for number in range(40)])
    stalls = iter([3.0])

    def stall_once(point: str) -> None:
        if point == "before-commit" and lab.states:
            time.sleep(next(stalls, 0))

    ledger = lab.open()
    ledger._writer._probe = stall_once
    with pytest.raises(StepTooSlow):
        drain(ledger)
    again = lab.open()
    assert lab.memory.size.messages == 20
    drain(again)
    assert [commit["inputs"]["raw"] for commit in lab.commits()] == [[0, 20], [20, 40]]
    assert lab.faults() == []


def test_a_step_is_bounded_by_messages_bytes_and_time(lab: Lab) -> None:
    lab.configure(step=small_steps(8, seconds=0.05, size=1_000))
    lab.feed(RAW, [b"x" * 10] * 16 + [b"x" * 400] * 4 + [b"slow:0.06"] * 3)
    drain(lab.open())
    taken = [end - first for first, end in (commit["inputs"]["raw"] for commit in lab.commits())]
    assert taken[:4] == [8, 8, 2, 3]
    assert [commit["ticked"] for commit in lab.commits()].count(False) >= 1
    assert lab.faults() == []


def test_a_repeat_is_skipped_and_a_gap_is_read_by_the_ledger_itself(lab: Lab) -> None:
    ledger = lab.open()
    lab.feed(RAW, [b"%d" % number for number in range(30)])
    records = lab.inputs()["raw"]
    ledger.take([*records[:10], *records[5:10], *records[20:]])
    drain(ledger)
    assert lab.faults() == []
    counts = lab.memory.counts
    assert counts.repeats == 5
    assert counts.gaps >= 1
    assert counts.read_by_itself == 20


@pytest.mark.parametrize("is_due", [True, False], ids=["every second", "broken: never"])
def test_what_nobody_delivers_is_read_after_the_tail_check(lab: Lab, is_due: bool) -> None:
    lab.configure(tail_check_seconds=0.05 if is_due else 3600)
    ledger = lab.open()
    lab.feed(CONTROL, [b"nobody delivers this"])

    def is_read() -> bool:
        ledger.advance(0.05)
        return ledger.next_offsets["control"] == 1

    if is_due:
        wait_for(is_read)
    else:
        assert not any(is_read() for _ in range(20))


def test_the_commit_record_says_what_was_read_and_what_came_of_it(lab: Lab) -> None:
    lab.configure(config_digest="c0ffee")
    lab.feed(RAW, [b"one", b"two"])
    drain(lab.open())
    (commit,) = lab.commits()
    assert lab.committed(COMMITS)[0].key() == b"0"
    empty = {kind: [0, 0] for kind in ("control", "claims", "intents")}
    assert commit["inputs"] == empty | {"raw": [0, 2]}
    assert commit["fold"] == "counting-1"
    assert commit["config"] == "c0ffee"
    assert commit["format"] == 2
    assert commit["left_out"] == []
    assert commit["clock_ns"] > 0
    assert commit["exact_digest"] == lab.state._digest


def _dies_at(point: str, step: int) -> Callable[[str], None]:
    """A probe that ends the process at the `step`-th pass of `point`."""
    left = iter(range(step, 0, -1))

    def probe(reached: str) -> None:
        if reached == point and next(left, 0) == 1:
            raise Died

    return probe
