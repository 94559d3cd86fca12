"""Runners over ledgers of the test's own making, without a broker."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from orderloom.topology import RAW
from processors.ledger import metrics as the_metrics
from processors.ledger.ledger import Ledger
from processors.ledger.metrics import Exporter
from processors.ledger.runner import REOPEN_SECONDS_MIN, Condition, LedgerRunner
from processors.ledger.settings import LedgerSettings
from processors.ledger.step import InputRecord
from processors.ledger.trouble import LedgerLost, PartitionStopped
from runtime import metrics
from runtime.health import Health
from tests.processors.counting_state import counting_state
from tests.processors.ledger_lab import AlwaysOurs
from tests.waits import wait_for

HOUR_SECONDS = 3_600.0
RECORD = InputRecord(RAW, 0, 0, 0, b"a", b"one")


class StandInLog:
    """A log without Kafka: it counts how often retired clients are looked after."""

    settings = LedgerSettings("", "lab")
    looked_after = 0

    def free_retired(self, _seconds: float = 0.0) -> None:
        self.looked_after += 1


class IdleLedger:
    """A ledger that has nothing to do."""

    next_offsets: dict[str, int] = {}  # noqa: RUF012  nobody changes it
    lag = next_offsets
    wants_more = is_behind = False
    clock_lead_seconds = 0.0

    def advance(self, _wait_seconds: float) -> bool:
        return False

    def wait_seconds(self) -> float:
        return 0.05

    def accounts(self) -> set[str]:
        return set()

    def quarantined(self) -> set[str]:
        return set()

    def close(self) -> None:
        """Nothing is open."""


Run = Callable[[Callable[[], Any]], LedgerRunner]


@pytest.fixture
def log() -> StandInLog:
    return StandInLog()


@pytest.fixture
def run(log: StandInLog) -> Iterator[Run]:
    """Starts runners whose ledgers are made by the given function, and closes them at the end."""
    runners: list[LedgerRunner] = []

    def start(make: Callable[[], Any]) -> LedgerRunner:
        def make_ledger(*_parts: object) -> Ledger:
            made: Ledger = make()
            return made

        parts: Any = log
        runners.append(
            LedgerRunner(parts, 0, counting_state, AlwaysOurs(), make_ledger=make_ledger)
        )
        runners[-1].start()
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()
        assert runner.join(30)


def test_a_lost_ledger_waits_before_it_opens_again_also_while_records_are_delivered(
    run: Run,
) -> None:
    opened_at: list[float] = []

    def lose() -> None:
        opened_at.append(time.monotonic())
        raise LedgerLost("planted")

    runner = run(lose)

    def has_opened_after_deliveries() -> bool:
        runner.offer(RECORD)
        return len(opened_at) >= 5

    wait_for(has_opened_after_deliveries)
    waits = [after - before for before, after in pairwise(opened_at)]
    for number, wait in enumerate(waits):
        assert wait >= REOPEN_SECONDS_MIN * 2**number / 2  # half of it is left to chance


def test_a_lost_ledger_that_waits_is_closed_at_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.ledger.runner.REOPEN_SECONDS_MIN", HOUR_SECONDS)
    monkeypatch.setattr("processors.ledger.runner.REOPEN_SECONDS_MAX", HOUR_SECONDS)

    def lose() -> None:
        raise LedgerLost("planted")

    runner = run(lose)
    wait_for(lambda: runner.trouble == "planted")
    runner.close()
    assert runner.join(30)


def test_retired_clients_are_looked_after_while_nothing_happens(run: Run, log: StandInLog) -> None:
    runner = run(IdleLedger)
    wait_for(lambda: log.looked_after >= 3)
    assert runner.condition is Condition.RUNNING


def test_retired_clients_are_looked_after_while_a_partition_is_stopped(
    run: Run, log: StandInLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.ledger.runner.IDLE_SECONDS_MAX", 0.05)

    def stop() -> None:
        raise PartitionStopped("planted")

    runner = run(stop)
    wait_for(lambda: log.looked_after >= 3)
    assert runner.condition is Condition.STOPPED


def large(offset: int, size: int = 1 << 20) -> InputRecord:
    return InputRecord(RAW, 0, offset, 0, b"a", bytes(size))


def held(runner: LedgerRunner) -> int:
    return len(runner._inbox)


def test_an_inbox_is_bounded_by_bytes_too(run: Run, log: StandInLog) -> None:
    log.settings = LedgerSettings("", "lab", inbox_bytes_max=(10 << 20) + 10)
    taken: list[InputRecord] = []

    class Waiting(IdleLedger):
        wants_more = False

        def take(self, records: list[InputRecord]) -> None:
            taken.extend(records)

    ledger = Waiting()
    runner = run(lambda: ledger)
    for offset in range(30):
        runner.offer(large(offset))
    assert (held(runner), runner.dropped) == (10, 20)
    ledger.wants_more = True
    wait_for(lambda: held(runner) == 0)
    for offset in range(30):
        runner.offer(large(offset))
    assert len(taken) + held(runner) >= 20  # what was taken left its room


def test_a_record_larger_than_the_inbox_is_taken_where_nothing_is(
    run: Run, log: StandInLog
) -> None:
    log.settings = LedgerSettings("", "lab", inbox_bytes_max=1_000)

    class Waiting(IdleLedger):
        wants_more = False

    runner = run(Waiting)
    runner.offer(large(0))
    runner.offer(large(1))
    assert (held(runner), runner.dropped) == (1, 1)


def test_a_stopped_partition_holds_no_records(run: Run) -> None:
    may_stop = threading.Event()

    def stop() -> None:
        assert may_stop.wait(20)
        raise PartitionStopped("planted")

    runner = run(stop)
    runner.offer(large(0))
    may_stop.set()
    wait_for(lambda: runner.condition is Condition.STOPPED and held(runner) == 0)
    for offset in range(10):
        runner.offer(large(offset))
    assert held(runner) == 0


def test_an_opening_that_fails_as_none_may_stops_its_partition_and_says_so(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise TypeError("planted\nin two lines")

    runner = run(fail)
    wait_for(lambda: runner.condition is Condition.STOPPED)
    assert not runner.has_died
    assert "cannot be opened (TypeError: planted)" in runner.trouble
    assert "run `orderloom repair`" in runner.trouble
    assert "\n" not in runner.trouble
    [record] = [one for one in caplog.records if one.exc_info]
    assert (record.levelname, record.message) == ("ERROR", "ledger 0 cannot be opened")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [MemoryError, OSError])
def test_what_the_machine_lacks_ends_the_worker(run: Run, error: type[Exception]) -> None:
    def fail() -> None:
        raise error("planted")

    runner = run(fail)
    wait_for(lambda: runner.has_died)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_an_open_ledger_ends_the_worker(run: Run) -> None:
    class Failing(IdleLedger):
        def advance(self, _wait_seconds: float) -> bool:
            raise TypeError("planted")

    runner = run(Failing)
    wait_for(lambda: runner.has_died)


class HangingLedger(IdleLedger):
    """A ledger whose step does not end before it may."""

    def __init__(self, may_end: threading.Event) -> None:
        self._may_end = may_end

    def advance(self, _wait_seconds: float) -> bool:
        self._may_end.wait()
        return False


def test_a_runner_whose_step_does_not_end_is_no_health(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_metrics, "STILL_SECONDS_MAX", 0.3)
    may_end, exporter, health = threading.Event(), Exporter("lab"), Health()
    runner = run(lambda: HangingLedger(may_end))

    def shown() -> str:
        exporter.export([runner], health)
        return health.parts()["ledger lab 0"]

    try:
        wait_for(lambda: runner.condition is Condition.RUNNING)
        assert shown() == ""
        wait_for(lambda: shown().startswith("it stands still"))
        assert metrics.OPEN.labels("lab", "0")._value.get() == 0
    finally:
        may_end.set()
    wait_for(lambda: shown() == "")
    exporter.forget(runner, health)
