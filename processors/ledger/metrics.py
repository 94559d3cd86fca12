"""What runners count, given out as Prometheus metrics and health."""

import time
from collections.abc import Iterable
from dataclasses import asdict

from processors.ledger.runner import LEAD_SECONDS_MAX, Condition, LedgerRunner, ahead_line
from runtime import metrics
from runtime.health import Health

OPEN = (Condition.RUNNING, Condition.SUSPENDED)
"""A rebalance that goes on suspends what is open, and most often gives it back."""

STILL_SECONDS_MAX = 30.0
"""What a turn of a runner asks of Kafka is given up sooner; a fold never takes so long."""


class Exporter:
    """Turns the runners' counts, which only grow, into increments of the process's metrics."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._seen: dict[int, dict[str, int]] = {}
        self._quarantined: dict[int, set[str]] = {}

    def export(self, runners: Iterable[LedgerRunner], health: Health) -> None:
        """Give out what changed since the last call."""
        for runner in runners:
            counts = asdict(runner.memory.counts) | {"dropped": runner.dropped}
            # By runner: a partition that comes back has another one, whose counts begin at 0.
            before = self._seen.get(id(runner), {})
            grown = {name: count - before.get(name, 0) for name, count in counts.items()}
            self._seen[id(runner)] = counts
            self._increase(str(runner.partition), grown)
            for kind, lag in runner.lag.items():
                metrics.LAG.labels(f"{kind}.{self._venue}", str(runner.partition)).set(lag)
            self._show_quarantined(runner)
            is_stopped = runner.condition is Condition.STOPPED
            metrics.STOPPED.labels(self._venue, str(runner.partition)).set(is_stopped)
            still = _still(runner)
            is_open = runner.condition in OPEN and not still
            metrics.OPEN.labels(self._venue, str(runner.partition)).set(is_open)
            self._show_lead(runner, health)
            trouble = still or runner.trouble or f"not open yet: {runner.condition.value}"
            health.report(self._part(runner), "" if is_open else trouble)

    def forget(self, runner: LedgerRunner, health: Health) -> None:
        """The partition moved to another worker; call it again when the runner has closed.

        Until then it may still show what its last step changed.
        """
        self._seen.pop(id(runner), None)
        self._quarantined.pop(runner.partition, None)
        for account in runner.accounts | runner.quarantined:
            for gauge in metrics.OF_ACCOUNTS:
                gauge.remove_by_labels({"account": account})
        for kind in runner.lag:
            metrics.LAG.remove(f"{kind}.{self._venue}", str(runner.partition))
        for gauge in (metrics.STOPPED, metrics.OPEN, metrics.CLOCK_LEAD):
            gauge.remove(self._venue, str(runner.partition))
        health.forget(self._part(runner))
        health.forget(self._clock_part(runner))

    def _show_lead(self, runner: LedgerRunner, health: Health) -> None:
        seconds = runner.clock_lead_seconds
        metrics.CLOCK_LEAD.labels(self._venue, str(runner.partition)).set(seconds)
        if seconds > LEAD_SECONDS_MAX:
            health.report(self._clock_part(runner), ahead_line(seconds))
        else:
            health.forget(self._clock_part(runner))

    def _show_quarantined(self, runner: LedgerRunner) -> None:
        now, before = runner.quarantined, self._quarantined.get(runner.partition, set())
        for account in now ^ before:
            metrics.QUARANTINED.labels(account).set(account in now)
        self._quarantined[runner.partition] = set(now)

    def _increase(self, partition: str, grown: dict[str, int]) -> None:
        venue, inputs = self._venue, f"inputs.{self._venue}"
        metrics.OPENINGS.labels(venue, partition).inc(grown["openings"])
        metrics.FENCINGS.labels(venue, partition).inc(grown["fencings"])
        metrics.STEPS.labels(venue).inc(grown["steps"])
        metrics.STEP_RECORDS.labels(venue).inc(grown["records"])
        metrics.GAPS.labels(inputs).inc(grown["gaps"])
        metrics.REPEATS.labels(inputs).inc(grown["repeats"])
        metrics.DROPPED.labels(inputs).inc(grown["dropped"])

    def _part(self, runner: LedgerRunner) -> str:
        return f"ledger {self._venue} {runner.partition}"

    def _clock_part(self, runner: LedgerRunner) -> str:
        return f"clock {self._venue} {runner.partition}"


def _still(runner: LedgerRunner) -> str:
    """What a runner says whose thread lives, and does nothing more; or ""."""
    seconds = time.monotonic() - runner.turned_at
    if seconds < STILL_SECONDS_MAX or runner.condition not in OPEN:
        return ""
    return (
        f"it stands still: its last step began {seconds:.0f} s ago and has not ended; if that "
        "lasts, restart this worker, and report it"
    )
