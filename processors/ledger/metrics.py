"""What keepers count, given out as Prometheus metrics and health."""

from collections.abc import Iterable
from dataclasses import asdict

from processors.ledger.keeper import Condition, Keeper
from runtime import metrics
from runtime.health import Health

OPEN = (Condition.RUNNING, Condition.SUSPENDED)
"""A rebalance that goes on suspends what is open, and most often gives it back."""


class Exporter:
    """Turns the keepers' counts, which only grow, into increments of the process's metrics."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._seen: dict[int, dict[str, int]] = {}
        self._quarantined: dict[int, set[str]] = {}

    def export(self, keepers: Iterable[Keeper], health: Health) -> None:
        """Give out what changed since the last call."""
        for keeper in keepers:
            counts = asdict(keeper.memory.counts) | {"dropped": keeper.dropped}
            before = self._seen.get(id(keeper), {})
            grown = {name: count - before.get(name, 0) for name, count in counts.items()}
            self._seen[id(keeper)] = counts
            self._increase(str(keeper.partition), grown)
            for kind, lag in keeper.lag.items():
                metrics.LAG.labels(f"{kind}.{self._venue}", str(keeper.partition)).set(lag)
            self._show_quarantined(keeper)
            is_stopped = keeper.condition is Condition.STOPPED
            metrics.STOPPED.labels(self._venue, str(keeper.partition)).set(is_stopped)
            is_open = keeper.condition in OPEN
            metrics.OPEN.labels(self._venue, str(keeper.partition)).set(is_open)
            trouble = keeper.trouble or f"not open yet: {keeper.condition.value}"
            health.report(self._part(keeper), "" if is_open else trouble)

    def forget(self, keeper: Keeper, health: Health) -> None:
        """The partition moved to another worker."""
        self._seen.pop(id(keeper), None)
        for gauge in (metrics.STOPPED, metrics.OPEN):
            gauge.remove(self._venue, str(keeper.partition))
        health.forget(self._part(keeper))

    def _show_quarantined(self, keeper: Keeper) -> None:
        now, before = keeper.quarantined, self._quarantined.get(keeper.partition, set())
        for account in now ^ before:
            metrics.QUARANTINED.labels(account).set(account in now)
        self._quarantined[keeper.partition] = set(now)

    def _increase(self, partition: str, grown: dict[str, int]) -> None:
        venue, inputs = self._venue, f"inputs.{self._venue}"
        metrics.OPENINGS.labels(venue, partition).inc(grown["openings"])
        metrics.FENCINGS.labels(venue, partition).inc(grown["fencings"])
        metrics.STEPS.labels(venue).inc(grown["steps"])
        metrics.STEP_RECORDS.labels(venue).inc(grown["records"])
        metrics.GAPS.labels(inputs).inc(grown["gaps"])
        metrics.REPEATS.labels(inputs).inc(grown["repeats"])
        metrics.DROPPED.labels(inputs).inc(grown["dropped"])

    def _part(self, keeper: Keeper) -> str:
        return f"ledger {self._venue} {keeper.partition}"
