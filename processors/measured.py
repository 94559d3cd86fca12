"""A partition's state that shows in metrics what it holds: blind, disputed, quarantined, unread.

The state itself is pure; this rim looks at it after each step, in the ledger's own thread,
and only at accounts that the step touched.
"""

from functools import cached_property

import orjson

from orderloom import raw, topology
from orderloom.event import Cause
from orderloom.trouble import DeadLetter
from orderloom.words import FillKind, Source
from processors.account.account import AccountFold
from processors.account.differences import ANSWERED, OPEN
from processors.account.progress import ProgressLog
from processors.admission import PARTITION
from processors.ledger.step import InputRecord, Output, StepChanges
from processors.partition import PartitionFold
from processors.tallies import Tallies
from runtime import metrics

NS_PER_SECOND = 1_000_000_000
LETTER_KINDS = (
    "bad frame", "unknown frame", "frame of", "raw", "control", "not believed", "invariant",
    "killed",
)  # fmt: skip
METRICS = {
    "unknown": metrics.UNKNOWN_FIELDS,
    "ignored": metrics.IGNORED,
    "unbelieved": metrics.UNBELIEVED,
}
SHOWN: dict[str, Tallies] = {}
"""By venue, what all folds of this process counted: a fold begins anew, a metric keeps all."""


class MeasuredFold(PartitionFold):
    """A partition's state, with metrics."""

    appended_ns = 0
    _now_ns = 0

    @cached_property
    def _progress(self) -> ProgressLog:
        return ProgressLog()

    @cached_property
    def _unsynced(self) -> set[str]:
        return set()

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold one record; note how long it stood in the log."""
        self.appended_ns = record.appended_ns
        self._now_ns = now_ns
        super().fold(record, now_ns)
        self._took("log_to_step", record.appended_ns, now_ns)

    def _fold_item(self, received: raw.RawRecord, item: raw.Item, at: Cause, now_ns: int) -> None:
        if type(item) is raw.Frame:
            self._took("ingest_to_log", item.received_ns, self.appended_ns)
        super()._fold_item(received, item, at, now_ns)

    def _took(self, hop: str, from_ns: int, to_ns: int) -> None:
        seconds = max(0, to_ns - from_ns) / NS_PER_SECOND
        metrics.HOP_LATENCY_SECONDS.labels(self.venue, hop).observe(seconds)

    def tick(self, now_ns: int) -> None:
        """Let every due timer fire."""
        self._now_ns = now_ns
        super().tick(now_ns)

    def changes(self) -> StepChanges:
        """What changed; and what that means for the metrics.

        An account that is not in sync is looked at in each step: how long it is blind goes on.
        """
        changes = super().changes()
        for account in {*self.touched, *self._unsynced}:
            state = self.accounts[account]
            if account == PARTITION:  # no account: it is never in sync, and nobody's trouble
                continue
            show(state, self._now_ns)
            self._progress.look(state)
            if state.is_synced:
                self._unsynced.discard(account)
            else:
                self._unsynced.add(account)
        for output in changes.outputs:
            self._measure(output)
        self._count_tallies()
        return changes

    def _measure(self, output: Output) -> None:
        if output.topic is topology.FILLS and output.value is not None:
            fill = orjson.loads(output.value)
            is_timed = fill["venue_ns"] and fill["received_ns"]
            if is_timed and (fill["kind"], fill["source"]) == (FillKind.REAL, Source.STREAM):
                self._took("venue_to_ingest", fill["venue_ns"], fill["received_ns"])
        else:
            count(output, self.venue)

    def _count_tallies(self) -> None:
        for (kind, name), number in self.tallies.take().items():
            shown = SHOWN.setdefault(self.venue, Tallies()).count(kind, name, number)
            METRICS[kind].labels(self.venue, shown).inc(number)


def show(state: AccountFold, now_ns: int) -> None:
    """The gauges of one account, at the step's clock reading."""
    account = state.account
    metrics.DISABLED.labels(account).set(not state.is_enabled)
    # Nobody shall be woken for an account that a person has switched off.
    metrics.BLIND.labels(account).set(len(state.streams.blind) if state.is_enabled else 0)
    started = [one.start_ns for one in state.streams.blind if one.start_ns and state.is_enabled]
    age_ns = now_ns - min(started, default=now_ns)
    metrics.BLIND_SECONDS.labels(account).set(age_ns / NS_PER_SECOND)
    metrics.OPEN_DIFFERENCES.labels(account).set(state.look_ups.open_differences)
    metrics.CATCHING_UP.labels(account).set(state.is_followed and not state.is_synced)
    metrics.DISPUTED.labels(account).set(len(state.doubts.disputed))
    metrics.QUARANTINED.labels(account).set(state.quarantine is not None)


def count(output: Output, venue: str) -> None:
    """The counters of one message."""
    if output.topic is topology.DEAD_LETTERS and output.value is not None:
        reason = DeadLetter.model_validate_json(output.value).reason
        kind = next((kind for kind in LETTER_KINDS if reason.startswith(kind)), "other")
        metrics.DEAD_LETTERS.labels(venue, kind).inc()
    elif output.topic is topology.DIFFERENCES:
        found = orjson.loads(output.value or b"")
        rule, kind = found["rule"], found["kind"]
        outcome = {ANSWERED: "healed", OPEN: "open"}.get(rule, "settled")
        metrics.DIFFERENCES.labels(output.key.decode(), kind, outcome).inc()
        if kind == "MISSED_FILL" and found["theirs"]["after_ns"] is not None:
            seconds = found["theirs"]["after_ns"] / NS_PER_SECOND
            metrics.HEAL_SECONDS.labels(venue).observe(seconds)
