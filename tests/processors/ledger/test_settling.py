"""What a killed Kafka left hanging is ended by evidence: what is true shows, and nothing else."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Producer

from orderloom.topology import COMMITS, DEAD_LETTERS, DIFFERENCES, FILLS, LEDGER, RAW
from processors.ledger.commit_record import UnknownCommitFormat
from processors.ledger.ledger import Ledger
from processors.ledger.log import LedgerLog
from processors.ledger.settling import HangWatch, settle
from processors.ledger.tails import WRITTEN, hanging, read_tails
from processors.ledger.trouble import LedgerLost, PartitionStopped
from processors.ledger.writer import LedgerWriter
from runtime.broker import EmbeddedBroker
from tests.processors.ledger.hanging_lab import (
    ABORT,
    COMMIT,
    EVENTS,
    OPEN,
    Ending,
    Transaction,
    donated,
    ending,
    write,
)
from tests.processors.ledger_lab import Lab, drain

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that takes records of transactions which its coordinator does not know."""
    directory = tmp_path_factory.mktemp("lenient")
    settings = {"transaction.partition.verification.enable": "false"}
    with EmbeddedBroker(directory, heap_mib=400, settings=settings) as broker:
        yield broker.bootstrap


@pytest.fixture
def lab(lenient: str, namespace: str) -> Lab:
    lab = Lab(lenient, namespace)
    lab.feed(RAW, EVENTS)
    return lab


@pytest.fixture
def life(lab: Lab) -> list[Transaction]:
    """An opening, its attempt, and three steps over all that was fed."""
    found = donated(lab.bootstrap, lab.namespace, lab)[:5]  # timers may have made more
    steps = [{"ledger", "commits", "fills"}] * 3
    assert [set(one) for one in found] == [{"ledger"}, {"ledger"}, *steps]
    return found


WHOLE = ending(COMMIT)
NOWHERE = (LEDGER, COMMITS, FILLS)
CASES: dict[str, list[Ending]] = {
    "the last step, hidden in one output": [WHOLE, WHOLE, WHOLE, ending(COMMIT, FILLS)],
    "the last step, hidden but in one output": [
        WHOLE, WHOLE, WHOLE, ending(COMMIT, LEDGER, COMMITS),
    ],
    "the last step, visible nowhere": [WHOLE, WHOLE, WHOLE, ending(COMMIT, *NOWHERE)],
    "a step that was never committed": [WHOLE, WHOLE, WHOLE, ending(OPEN, *NOWHERE)],
    "a step that was never committed, half aborted": [
        WHOLE, WHOLE, WHOLE, ending(ABORT, COMMITS, FILLS),
    ],
    "a true step beneath one that is not": [
        WHOLE, WHOLE, ending(COMMIT, FILLS), ending(OPEN, *NOWHERE),
    ],
    "a true step, hidden by the abort of the next": [
        WHOLE, WHOLE, ending(COMMIT, FILLS), ending(ABORT),
    ],
    "a true step that only its successor tells of": [
        WHOLE, WHOLE, ending(COMMIT, *NOWHERE), ending(ABORT),
    ],
    "a true step that only a hanging successor tells of": [
        WHOLE, WHOLE, ending(COMMIT, *NOWHERE), ending(OPEN, *NOWHERE),
    ],
    "two true steps on top of each other": [
        WHOLE, ending(COMMIT, FILLS), ending(COMMIT, FILLS, COMMITS), ending(ABORT),
    ],
    "the first transaction ever": [ending(COMMIT, LEDGER)],
}  # fmt: skip


def test_a_true_step_beneath_one_that_shows_could_not_be_settled(
    lab: Lab, life: list[Transaction]
) -> None:
    """So no ledger makes this log: it commits no step before the former one is shown."""
    write(lab, zip(life, [WHOLE, WHOLE, WHOLE, ending(COMMIT, FILLS), WHOLE], strict=True))
    drain(lab.open())
    assert wrongs(lab) != []


def prepare(lab: Lab, life: list[Transaction], case: str) -> None:
    """The case in the log; its transactions are of one life, the last ones missing."""
    opening, *steps = CASES[case]
    endings = [opening, WHOLE, *steps] if steps else [opening]  # the attempt is whole
    write(lab, zip(life, endings, strict=False))


def wrongs(lab: Lab) -> list[str]:
    """What a checker finds wrong after the partition was opened and all was folded."""
    published = lab.values(FILLS)
    faults = [*lab.faults(), *(f"{kind} hangs at {at}" for kind, at in hanging(lab.log, 0).items())]
    if len(published) != len(set(published)):
        faults.append("shown twice")
    return faults


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_doubled_or_shown_wrongly(
    lab: Lab, life: list[Transaction], case: str
) -> None:
    prepare(lab, life, case)
    ledger = lab.open()
    lab.feed(RAW, [b"later"] * 3)
    lab.deliver(ledger)
    ledger.close()
    assert wrongs(lab) == []
    assert lab.state.counts == {b"a": len(EVENTS) + 3}


class CommitsAlways(Ledger):
    """The broken variant: whatever hangs is ended by a commit."""

    def _settle(self, ledger_log: LedgerLog) -> None:
        self._writer.begin_life(1_000)
        if found := hanging(ledger_log, self.partition):
            for producer in self._writer._producers:
                self._end(producer, {topic.kind: topic for topic in WRITTEN}, found)

    def _end(self, producer: Producer, topics: dict[str, Any], found: dict[str, int]) -> None:
        producer.begin_transaction()
        for kind in found:
            name = self._writer._names[topics[kind].kind]
            producer.produce(name, b"covering", b"covering", self.partition)
        producer.flush(10)
        producer.commit_transaction(10)


class AbortsAlways(Ledger):
    """The broken variant: what was hidden by the abort is not written again."""

    def _settle(self, ledger_log: LedgerLog) -> None:
        self._writer.begin_life(1_000)
        if found := hanging(ledger_log, self.partition):
            self._writer.cover([topic for topic in WRITTEN if topic.kind in found])


class AbortsUnflushed(Ledger):
    """The broken variant: the abort does not wait for what it shall cover."""

    def _settle(self, ledger_log: LedgerLog) -> None:
        def purge() -> None:
            self._writer._producer.purge()

        self._writer._flush = purge  # type: ignore[method-assign]  # that is what is broken
        settle(ledger_log, self.partition, self._writer)


class LedgersTopicAlone(Ledger):
    """The broken variant: what hangs in the outputs is left to hang."""

    def _settle(self, ledger_log: LedgerLog) -> None:
        settle(OnlyTheLedger(ledger_log.settings), self.partition, self._writer)


class OnlyTheLedger(LedgerLog):
    """Sees what hangs in the ledger's own topic alone."""

    def stable_ends(self, topics: Any, partition: int) -> dict[str, int]:
        return self.ends(topics, partition) | super().stable_ends((LEDGER,), partition)


BROKEN: list[tuple[Callable[..., Ledger], str]] = [
    (CommitsAlways, "a step that was never committed, half aborted"),
    (AbortsAlways, "the last step, hidden in one output"),
    (AbortsAlways, "a true step, hidden by the abort of the next"),
    (AbortsUnflushed, "the last step, hidden in one output"),
    (LedgersTopicAlone, "the last step, hidden in one output"),
]


@pytest.mark.parametrize(("broken", "case"), BROKEN)
def test_a_broken_variant_fails(
    lab: Lab, life: list[Transaction], broken: Callable[..., Ledger], case: str
) -> None:
    prepare(lab, life, case)
    lab.configure(request_seconds_max=5.0)
    assert after_opening(lab, broken) != []


def after_opening(lab: Lab, make: Callable[..., Ledger]) -> list[str]:
    """What is wrong once everything was folded; or why it cannot be opened."""
    try:
        drain(lab.open(make=make))
        return wrongs(lab)
    except (
        LedgerLost,
        PartitionStopped,
        ValueError,
        UnknownCommitFormat,
    ) as wrong:  # or its covering record is shown, and no commit
        return [str(wrong)]


class Died(BaseException):
    """As if the process ended here: nothing of ours may catch it."""


class DiesBeforeWritingAgain(Ledger):
    def _settle(self, ledger_log: LedgerLog) -> None:
        def die(*_hidden: object) -> None:
            raise Died

        self._writer.write_again = die  # type: ignore[method-assign, assignment]  # it only dies
        settle(ledger_log, self.partition, self._writer)


class DiesInItsFirstCover(Ledger):
    """Kafka aborts then what was covered by that id, when another opens."""

    aborts = 0

    def _settle(self, ledger_log: LedgerLog) -> None:
        abort, left = self._writer._abort, iter(range(self.aborts))

        def abort_or_die() -> None:
            if next(left, None) is None:
                raise Died
            abort()

        self._writer._abort = abort_or_die  # type: ignore[method-assign]  # or dies
        settle(ledger_log, self.partition, self._writer)


class DiesInItsSecondCover(DiesInItsFirstCover):
    aborts = 1


class DiesAfterWritingAgain(Ledger):
    def _settle(self, ledger_log: LedgerLog) -> None:
        settle(ledger_log, self.partition, self._writer)
        raise Died


@pytest.mark.parametrize(
    "dying",
    [DiesInItsFirstCover, DiesInItsSecondCover, DiesBeforeWritingAgain, DiesAfterWritingAgain],
)
@pytest.mark.parametrize(
    "case",
    [
        "the last step, hidden in one output",
        "a true step beneath one that is not",
        "two true steps on top of each other",
    ],
)
def test_a_death_while_settling_is_made_up_for_by_the_next_opening(
    lab: Lab, life: list[Transaction], dying: Callable[..., Ledger], case: str
) -> None:
    prepare(lab, life, case)
    with pytest.raises(Died):
        lab.open(make=dying)
    with contextlib.suppress(Died):  # what the first opening ended needs no cover any more
        lab.open(make=dying).close()
    drain(lab.open())
    assert wrongs(lab) == []


def test_a_settled_partition_is_settled_by_reading_alone(lab: Lab) -> None:
    drain(lab.open())
    writer = LedgerWriter(lab.log, 0)
    writer.fence()
    ends = lab.log.ends(WRITTEN, 0)
    settle(lab.log, 0, writer)
    assert lab.log.ends(WRITTEN, 0) == ends
    assert set(read_tails(lab.log, 0)) == {kind for kind, end in ends.items() if end > 0}


def test_a_live_ledger_is_lost_when_a_transaction_of_its_own_hangs(
    lab: Lab, life: list[Transaction]
) -> None:
    prepare(lab, life, "the last step, hidden in one output")
    lab.configure(transaction_timeout_ms=1_000, hang_check_seconds=0.1)
    watch = HangWatch(lab.log, 0)
    with pytest.raises(LedgerLost, match="a transaction hangs in fills"):
        look_until_lost(watch)


def look_until_lost(watch: HangWatch) -> None:
    while True:
        watch.check_if_due()


def test_the_covering_record_is_never_taken_for_a_true_one(lab: Lab) -> None:
    """A topic in which nothing was ever published stays empty, opening after opening."""
    drain(lab.open())
    hidden: Transaction = {DIFFERENCES.kind: [(b"a", b"never committed", [])]}
    write(lab, [(hidden, ending(OPEN, DIFFERENCES))])
    for _ in range(3):
        ledger = lab.open()
        lab.feed(RAW, [b"later"])
        lab.deliver(ledger)
        ledger.close()
        assert lab.values(DIFFERENCES) == []
    assert wrongs(lab) == []


def test_committed_state_that_is_gone_stops_the_partition(
    lab: Lab, life: list[Transaction]
) -> None:
    """As where Kafka's cleaner took an aborted step before it was written again.

    At each opening anew: what an opening writes to prove that it may say so hides nothing.
    """
    write(lab, [(one, WHOLE) for one in life[:4]])
    write(lab, [({FILLS.kind: life[4][FILLS.kind]}, WHOLE)])
    for _ in range(3):
        with pytest.raises(PartitionStopped, match=r"transactions \[6\] were committed.*repair"):
            lab.open()


def test_a_far_visible_record_is_found_behind_a_long_hidden_end(lab: Lab) -> None:
    """More than one window of records that no committed reader is shown."""
    drain(lab.open())
    shown = len(lab.values(FILLS))
    hidden: Transaction = {FILLS.kind: [(b"a", b"hidden", [])] * 300}
    write(lab, [(hidden, ending(ABORT))] * 2)
    tail = read_tails(lab.log, 0)[FILLS.kind]
    assert len(tail.visible) == shown
    assert len(tail.written) >= shown + 600
    drain(lab.open())
    assert wrongs(lab) == []
    assert DEAD_LETTERS.kind not in read_tails(lab.log, 0)
