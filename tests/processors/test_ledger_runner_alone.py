"""Runners over ledgers of the test's own making, without a broker."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orderloom.topology import RAW
from processors.ledger.ledger import Ledger
from processors.ledger.runner import Condition, LedgerRunner
from processors.ledger.settings import LedgerSettings
from processors.ledger.step import InputRecord
from processors.ledger.trouble import LedgerLost, PartitionStopped
from tests.processors.counting_book import counting_book
from tests.processors.ledger_lab import AlwaysOurs

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
        runners.append(LedgerRunner(parts, 0, counting_book, AlwaysOurs(), make_ledger=make_ledger))
        runners[-1].start()
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()
        assert runner.join(1)


def test_a_lost_ledger_waits_before_it_opens_again_also_while_records_are_delivered(
    run: Run,
) -> None:
    openings = 0

    def lose() -> None:
        nonlocal openings
        openings += 1
        raise LedgerLost("planted")

    runner = run(lose)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        runner.offer(RECORD)
        time.sleep(0.002)
    assert 2 <= openings <= 8  # 0.05 s at first, then doubled, each at least half


def test_a_lost_ledger_that_waits_is_closed_at_once(run: Run) -> None:
    def lose() -> None:
        raise LedgerLost("planted")

    runner = run(lose)
    time.sleep(2)
    began = time.monotonic()
    runner.close()
    assert runner.join(5)
    assert time.monotonic() - began < 0.2


def test_retired_clients_are_looked_after_while_nothing_happens(run: Run, log: StandInLog) -> None:
    runner = run(IdleLedger)
    time.sleep(0.5)
    assert runner.condition is Condition.RUNNING
    assert log.looked_after >= 3


def test_retired_clients_are_looked_after_while_a_partition_is_stopped(
    run: Run, log: StandInLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.ledger.runner.IDLE_SECONDS_MAX", 0.05)

    def stop() -> None:
        raise PartitionStopped("planted")

    runner = run(stop)
    time.sleep(0.5)
    assert runner.condition is Condition.STOPPED
    assert log.looked_after >= 3
