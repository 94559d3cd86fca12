"""What a worker shows of its partitions, and no longer shows of those that moved."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from processors.ledger.metrics import Exporter
from processors.ledger.runner import LedgerRunner
from processors.ledger.settings import LedgerSettings
from runtime import metrics
from runtime.health import Health
from tests.processors.counting_state import counting_state
from tests.processors.ledger_lab import AlwaysOurs

VENUE, PARTITION, ACCOUNT, OTHER = "moves", 3, "moves:one", "moves:two"


class StandInLog:
    """A log without Kafka."""

    settings = LedgerSettings("", VENUE)


@pytest.fixture
def runner() -> LedgerRunner:
    log: Any = StandInLog()
    found = LedgerRunner(log, PARTITION, counting_state, AlwaysOurs())
    found.lag = {"raw": 5_000}
    found.accounts, found.quarantined = {ACCOUNT, OTHER}, {ACCOUNT}
    return found


def gauges() -> Iterator[str]:
    """The gauges that show something of the partition or of its accounts."""
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            of_partition = sample.labels.get("partition") == str(PARTITION)
            is_here = VENUE in sample.labels.get("venue", sample.labels.get("topic", ""))
            of_account = sample.labels.get("account") in {ACCOUNT, OTHER}
            if metric.type == "gauge" and (of_account or (of_partition and is_here)):
                yield sample.name


def test_nothing_is_shown_of_a_partition_that_moved(runner: LedgerRunner) -> None:
    exporter, health = Exporter(VENUE), Health()
    exporter.export([runner], health)
    metrics.BLIND.labels(OTHER).set(2)
    metrics.CYCLE_ASKED.labels(OTHER, "spot").set(2)
    shown = set(gauges())
    assert {"orderloom_lag_records", "orderloom_quarantined", "orderloom_blind_intervals"} <= shown
    exporter.forget(runner, health)
    assert list(gauges()) == []
    exporter.forget(runner, health)  # again, once it has closed


def test_a_partition_that_comes_back_shows_its_quarantine_again(runner: LedgerRunner) -> None:
    exporter, health = Exporter(VENUE), Health()
    exporter.export([runner], health)
    exporter.forget(runner, health)
    exporter.export([runner], health)
    assert "orderloom_quarantined" in set(gauges())
    exporter.forget(runner, health)
