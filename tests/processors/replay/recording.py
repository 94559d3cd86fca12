"""Steps as a ledger records them, without Kafka; also of another process, by files.

`python -m tests.processors.replay.recording record|audit FILE [set-order]`
"""

import pickle
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orderloom import topology
from orderloom.raw import ClockSample
from processors.account.pace import Pace
from processors.configuration import configuration_of, configured_fold
from processors.ledger.backlog import KINDS
from processors.ledger.commit_record import CommitRecord, chained
from processors.ledger.folded import Folded, FoldedBy, commit_record_of
from processors.ledger.state import LedgerPlace
from processors.ledger.step import InputRecord, PartitionState, StepChanges
from processors.partition import PartitionFold
from processors.replay.audit import Audit, StepDifference
from processors.replay.child import step_as_sent, step_of
from processors.replay.refold import Configuration, MakeConfigured
from tests.processors.partition_lab import (
    ACCOUNT,
    NOW,
    a_raw_record,
    a_record,
    a_registration,
    history_records,
)
from venues import VENUES

VENUE = VENUES["binance"]
OTHERS = tuple(f"binance:n{number}" for number in range(8))
SECOND_NS = 1_000_000_000
Step = tuple[CommitRecord, list[InputRecord]]
FIRST = LedgerPlace(0, 0, dict.fromkeys(KINDS, 0), {})
KEPT = configuration_of(VENUE, Pace(), "")
SLOWER = configuration_of(VENUE, Pace(period_ns=90 * SECOND_NS), "")


class SetOrder(PartitionFold):
    """Broken: what it publishes follows the order of a set of strings."""

    def changes(self) -> StepChanges:
        changes = super().changes()
        order = {text: place for place, text in enumerate({repr(one) for one in changes.outputs})}
        changes.outputs.sort(key=lambda one: order[repr(one)])
        return changes


def maker(version: str = "v1", made: type[PartitionFold] = PartitionFold) -> MakeConfigured:
    def make(said: Configuration | None, _digest: str) -> PartitionState:
        fold = configured_fold(VENUE, 0, KEPT if said is None else said, version)
        fold.__class__ = made
        return fold

    return make


@dataclass
class Recorder:
    """A ledger's steps over one state, each with its commit record."""

    make: MakeConfigured = field(default_factory=maker)
    configuration: dict[str, Any] = field(default_factory=lambda: dict(KEPT))
    steps: list[Step] = field(default_factory=list)
    saved: dict[bytes, bytes] = field(default_factory=dict)
    place: LedgerPlace = field(default_factory=lambda: FIRST)
    has_said_all: bool = False

    def __post_init__(self) -> None:
        self.state = self.make(self.configuration, "")

    def restart(self, configuration: dict[str, Any] | None = None) -> None:
        """Another process opens the ledger, with these settings."""
        self.configuration = configuration or self.configuration
        self.has_said_all = False
        self.state = self.make(self.configuration, "")
        for key, value in self.saved.items():
            self.state.restore(key, value)

    def step(
        self, records: Sequence[InputRecord], now_ns: int = NOW, *, left_out: int | None = None
    ) -> Step:
        """One step over these records; the one at this place among them is left out."""
        folded = Folded(list(records), [], now_ns, ticked=True)
        for place, record in enumerate(records):
            if place == left_out:
                self.state.leave_out(record, "invariant", "a trace", now_ns)
                folded.left_out.append((record.topic.kind, record.offset, "invariant", "a trace"))
            else:
                self.state.fold(record, now_ns)
        self.state.tick(now_ns)
        return self.write(folded, self.state.changes())

    def write(self, folded: Folded, changes: StepChanges) -> Step:
        ends = dict(self.place.next)
        for record in folded.records:
            ends[record.topic.kind] = record.offset + 1
        folded.ranges = {kind: (self.place.next[kind], ends[kind]) for kind in KINDS}
        former_ns, chain = self.place.clock_ns, chained(self.place.chain, changes)
        self.place = replace(
            self.place,
            step=self.place.step + 1,
            clock_ns=folded.clock_ns,
            next=ends,
            exact=changes.exact_digest,
            chain=chain,
        )
        said = None if self.has_said_all else self.configuration
        self.has_said_all = True
        number = 3 * self.place.step
        by = FoldedBy(0, number, self.state.version, repr(self.configuration), None, said, None)
        step = commit_record_of(former_ns, self.place, folded, changes, by), folded.records
        self.steps.append(step)
        changes.bring_up_to_date(self.saved)
        return step


def audited(
    steps: Iterable[Step], make: MakeConfigured | None = None, version: str = "v1"
) -> StepDifference | None:
    """The first difference of these steps; as read from the log."""
    audit = Audit(make or maker(), version)
    for step, records in steps:
        if found := audit.take(CommitRecord.decoded(step.encoded()), records):
            return found
    return None


def a_life(
    seed: int = 1, make: MakeConfigured | None = None, **restarts: dict[str, Any]
) -> Recorder:
    """Nine accounts of which one trades, steps of any size, timers, and a restart now and then.

    `restarts`: at step ``at_7=...`` the ledger opens again with this configuration.
    """
    recorder = Recorder(make or maker())
    accounts = (ACCOUNT, *OTHERS)
    recorder.step(
        [
            a_record(a_registration(name), offset, topology.CONTROL, name)
            for offset, name in enumerate(accounts)
        ]
    )
    history, _ = history_records(seed)
    samples = [ClockSample(one, NOW, NOW, NOW) for one in VENUE.products]
    clocks = a_raw_record(*samples, account="venue")
    records = [replace(record, offset=offset) for offset, record in enumerate([clocks, *history])]
    random_sizes, now_ns = random.Random(seed), NOW
    while records:
        size = random_sizes.randint(1, 12)
        now_ns += random_sizes.choice((0, SECOND_NS, 40 * SECOND_NS))
        taken, records = records[:size], records[size:]
        if (configuration := restarts.get(f"at_{recorder.place.step}")) is not None:
            recorder.restart(configuration)
        recorder.step(taken, now_ns)
    recorder.step([], now_ns + 100 * SECOND_NS)
    return recorder


def main(word: str, file: str, variant: str = "") -> None:
    """Record a life, or audit one that another process recorded; says how it differs."""
    make = maker(made=SetOrder if variant == "set-order" else PartitionFold)
    if word == "record":
        sent = [step_as_sent(*step) for step in a_life(make=make).steps]
        Path(file).write_bytes(pickle.dumps(sent))
    else:
        sent = pickle.loads(Path(file).read_bytes())
        found = audited([step_of(*step) for step in sent], make)
        sys.stdout.write("" if found is None else str(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
