"""A ledger: one partition's state, its outputs and its place in the inputs, changed together.

Rules (each has a test):
- the log is the truth: a failed step throws the memory away, and the ledger is opened again;
- a step folds with no transaction open, then writes state, outputs, place and commit record in one;
- within a step control, claims, raw and intents are folded in this order, then timers fire;
- a record whose fold fails twice is left out, and what kills the process in four attempts;
- an attempt stands in the log from before a fold until its step is committed, or until a process
  that outlived it says so: nothing else counts;
- a killed Kafka may leave transactions hanging: an opening settles them before it loads;
- what would stop the partition is believed only by who is still its writer: who was overtaken holds
  old state, beside which the log looks torn;
- time is the step's clock reading (step_clock.py): append time while behind the noted ends, else
  the wall clock.
Not safe for threads: one runner at a time runs a ledger.
"""

import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, TypeVar

from processors.ledger.backlog import StepBatch
from processors.ledger.clock_watch import ClockWatch
from processors.ledger.commit_record import chained
from processors.ledger.folded import Folded, FoldedBy, commit_record_of
from processors.ledger.inputs import Inputs
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.opening import Loaded, load
from processors.ledger.poison import (
    ACCOUNTS_MAX,
    ACCOUNTS_WINDOW_NS,
    Exclusion,
)
from processors.ledger.settling import HangWatch, settle
from processors.ledger.state import (
    ATTEMPTS_KEY,
    LEFT_OUT_KEY,
    PLACE_KEY,
    RESERVED,
    Attempts,
    LedgerPlace,
    encoded,
)
from processors.ledger.step import InputRecord, PartitionState, StepChanges
from processors.ledger.step_clock import StepClock
from processors.ledger.suspicion import Suspicion
from processors.ledger.topic_watch import TopicWatch
from processors.ledger.trouble import (
    LedgerLost,
    PartitionStopped,
    RecordPoisoned,
    StepRefused,
    TimersFailed,
)
from processors.ledger.writer import LedgerWriter, Probe, no_probe
from runtime.metrics import STEP_SECONDS_SPENT

TRACE_CHARACTERS_MAX = 8_000
Result = TypeVar("Result")
MakeState = Callable[[int], PartitionState]
Open = Callable[[LedgerLog, int, MakeState], Loaded]
"""How a ledger comes to its state: `load`, or a repair's way."""


class Ledger:
    """One opened ledger. Make it only when the group has confirmed that the partition is ours.

    Raises PartitionStopped, LedgerLost, KafkaException; then nothing is open.
    """

    def __init__(
        self,
        ledger_log: LedgerLog,
        partition: int,
        make_state: MakeState,
        memory: Memory,
        probe: Probe = no_probe,
        *,
        open_log: Open = load,
    ) -> None:
        self.partition = partition
        self._settings = ledger_log.settings
        self._memory = memory
        self._gate = ledger_log.gate
        self._suspicion = Suspicion(memory, Attempts(), 0)
        self._probe = probe
        self._has_said_all = False
        memory.counts.openings += 1
        self._clients = ExitStack()
        with self._clients:
            self._writer = LedgerWriter(ledger_log, partition, probe)
            self._clients.callback(self._writer.close)
            # Before all reading: what a former owner could still commit would be missing
            # (decision 0211).
            self._writer.fence()
            loaded = self._if_still_ours(lambda: self._settled(ledger_log, make_state, open_log))
            self._take_over(loaded)
            self._inputs = Inputs(ledger_log, partition, loaded.place, loaded.ends, memory.counts)
            self._clients.callback(self._inputs.close)
            self._topic_watch = TopicWatch(ledger_log, loaded.place.topic_ids)
            self._hang_watch = HangWatch(ledger_log, partition)
            self._begin(ledger_log, loaded)
            # From here on `close` frees the clients; a failure above this has freed them.
            self._clients = self._clients.pop_all()

    @property
    def next_offsets(self) -> dict[str, int]:
        """The first offset not folded of each input, by kind: the group's offsets."""
        return dict(self._place.next)

    @property
    def is_behind(self) -> bool:
        """Whether records before the noted ends of the inputs are not folded."""
        return self._inputs.backlog.is_behind

    @property
    def lag(self) -> dict[str, int]:
        """How many records before the noted ends of the inputs are not folded, by kind."""
        return self._inputs.backlog.lag()

    @property
    def wants_more(self) -> bool:
        """Whether more records should be taken; what is not taken stays in the log."""
        return self._inputs.wants_more

    @property
    def step_number(self) -> int:
        """The number of the last committed step."""
        return self._place.step

    @property
    def clock_lead_seconds(self) -> float:
        """How far the time of the steps is ahead of the clock."""
        return self._clock.lead_ns(self._memory.clock.now_ns()) / 1e9

    def accounts(self) -> set[str]:
        """The accounts that are known."""
        return set(self._state.accounts)

    def quarantined(self) -> set[str]:
        """The accounts that are quarantined."""
        return set(self._state.quarantined())

    def take(self, records: Iterable[InputRecord]) -> None:
        """Take delivered records of any input."""
        self._inputs.take(records)

    def advance(self, wait_seconds: float = 0.0) -> bool:
        """Check the ends if it is time, read what is missing, and step.

        Waits at most `wait_seconds` for records that its own reader has asked for. Returns whether
        a step was committed. Raises PartitionStopped, LedgerLost, KafkaException: then it is over.
        """
        return self._if_still_ours(lambda: self._advance(wait_seconds))

    def wait_seconds(self) -> float:
        """How long there is nothing to do unless records are delivered."""
        if self._inputs.is_reading:
            return 0.0
        seconds = self._inputs.next_check_at - time.monotonic()
        due_ns = self._due_ns()
        # Behind the ends timers are due by append times, and no waiting brings those.
        if due_ns is not None and not self.is_behind:
            until_ns = self._clock.ns_until(due_ns, self._memory.clock.now_ns())
            seconds = min(seconds, until_ns / 1e9)
        return max(0.0, seconds)

    def close(self) -> None:
        """Free the clients."""
        self._clients.close()

    def _if_still_ours(self, work: Callable[[], Result]) -> Result:
        """A worker that was asleep finds another's steps in the log: LedgerFenced, no torn log."""
        try:
            return work()
        except PartitionStopped as stopped:
            line = str(stopped)
        self._attempt(self._suspicion.taken_back())  # as a person may start us many times
        self._writer.prove()  # while an exception is handled it would be kept for good
        raise PartitionStopped(line)

    def _settled(self, ledger_log: LedgerLog, make_state: MakeState, open_log: Open) -> Loaded:
        self._settle(ledger_log)
        return open_log(ledger_log, self.partition, make_state)

    def _settle(self, ledger_log: LedgerLog) -> None:
        """End what hangs, and write again what of it is true."""
        settle(ledger_log, self.partition, self._writer)

    def _advance(self, wait_seconds: float) -> bool:
        self._memory.check_timers()
        self._topic_watch.check_if_due()
        self._inputs.check_if_due()
        self._hang_watch.check_if_due()
        self._inputs.read_on(0)
        if self._step():
            return True
        self._inputs.read_on(wait_seconds)  # one input may wait for what another still lacks
        return self._step()

    def _take_over(self, loaded: Loaded) -> None:
        self._state, self._place, self._left_out = loaded.state, loaded.place, loaded.own.left_out
        self._clock = StepClock(self._place.clock_ns)

    def _begin(self, ledger_log: LedgerLog, loaded: Loaded) -> None:
        """Note this opening in the log, and compare clocks by it."""
        memory = self._memory
        self._suspicion = Suspicion(memory, loaded.own.attempts, self._place.step)
        before_ns = memory.clock.now_ns()
        # That this is committed proves that nobody else committed since the loading
        # (decision 0211).
        self._writer.commit(self._own_records(self._suspicion.standing))
        self._suspicion.noted()
        self._clock_watch = ClockWatch(ledger_log, self.partition, memory.clock)
        self._clock_watch.check(before_ns)

    def _own_records(self, attempts: Attempts | None = None) -> list[tuple[bytes, bytes | None]]:
        records: list[tuple[bytes, bytes | None]] = [(PLACE_KEY, encoded(self._place))]
        if attempts is not None:
            records.append((ATTEMPTS_KEY, encoded(attempts)))
        return records

    def _step(self) -> bool:
        batch = self._inputs.backlog.batch(self._memory.size.messages, self._settings.step.bytes)
        try:
            if not batch.records and not self._is_timer_due(batch):
                return False
            is_suspect = self._suspicion.standing.count > 0
            # Until it has committed: a death before that would be blamed on others (decision 0201).
            with self._gate.alone() if is_suspect else self._gate.together():
                self._fold_and_write(batch)
        except LedgerLost as lost:
            self._memory.learn(lost, batch.records)
            raise
        return True

    def _fold_and_write(self, batch: StepBatch) -> None:
        began, wall_ns = time.monotonic(), self._memory.clock.now_ns()
        self._attempt(self._suspicion.attempt(batch.records))
        folded = Folded([], [], self._reading(batch, wall_ns))
        self._fold(batch, folded)
        changes = self._changes()
        self._probe("after-fold")
        self._write(changes, folded)
        STEP_SECONDS_SPENT.labels(self._settings.venue).observe(time.monotonic() - began)
        self._clock_watch.check_if_due(wall_ns)

    def _is_timer_due(self, batch: StepBatch) -> bool:
        return batch.is_at_ends and self._is_due(self._clock.at_ends(self._memory.clock.now_ns()))

    def _is_due(self, at_ns: int) -> bool:
        due_ns = self._due_ns()
        return due_ns is not None and due_ns <= at_ns

    def _due_ns(self) -> int | None:
        try:
            return self._state.due_ns()
        except Exception as error:  # the fold guard, for timers
            raise TimersFailed(_last_line(_trace(error))) from error

    def _attempt(self, attempts: Attempts | None) -> None:
        """Say in the log that a fold begins, where the log must know should we not outlive it."""
        if attempts is not None:
            self._writer.commit([(ATTEMPTS_KEY, encoded(attempts))])

    def _reading(self, batch: StepBatch, wall_ns: int) -> int:
        newest_ns = None if batch.is_at_ends else batch.newest_append_ns()
        return self._clock.reading(newest_ns, wall_ns)

    def _fold(self, batch: StepBatch, folded: Folded) -> None:
        """Fold the batch with no transaction open; where time runs out, only its first part."""
        verdict_of, fold, now_ns = self._memory.poison.verdict, self._state.fold, folded.clock_ns
        end = time.monotonic() + self._settings.step.seconds
        for record in batch.records:
            verdict = verdict_of(record)
            try:
                if verdict is None:
                    fold(record, now_ns)
            except Exception as error:  # the fold guard: our own mistakes stop one account
                raise RecordPoisoned(record, _trace(error)) from error
            if verdict is not None:
                self._leave_out(record, verdict, folded)
            folded.records.append(record)
            if time.monotonic() > end:
                break
        # What is left of the batch is evidence that goes before any timer (decision 0202).
        if len(folded.records) == len(batch.records):
            self._tick(folded)

    def _leave_out(self, record: InputRecord, verdict: Exclusion, folded: Folded) -> None:
        account = (record.key or b"").decode(errors="replace") or f"{record.topic.kind} without key"
        at_ns = self._left_out_ns(folded)
        self._left_out = self._left_out.adding(account, at_ns, ACCOUNTS_WINDOW_NS)
        accounts = self._left_out.accounts()
        place = f"{record.topic.kind} partition {self.partition} offset {record.offset}"
        if len(accounts) > ACCOUNTS_MAX:
            raise PartitionStopped(
                f"records of {len(accounts)} accounts failed within a minute, at last {place} "
                f"({_last_line(verdict.trace)}): this looks like a bad deploy; run the version "
                "before it"
            )
        try:
            self._state.leave_out(record, verdict.reason, verdict.trace, folded.clock_ns)
        except Exception as error:  # the fold guard's other half
            raise PartitionStopped(
                f"{place} can neither be folded nor left out ({_last_line(_trace(error))}): this "
                "is a fault of the program; run the version before it"
            ) from error
        entry = (record.topic.kind, record.offset, verdict.reason, verdict.trace)
        folded.left_out.append(entry)

    def _left_out_ns(self, _folded: Folded) -> int:
        """When a record is left out, for the guard against a bad deploy."""
        return self._memory.clock.now_ns()

    def _tick(self, folded: Folded) -> None:
        # Should a timer end the process, the record before it is not to blame (decision 0201).
        if folded.records and self._is_due(folded.clock_ns):
            self._attempt(self._suspicion.attempt_timers())
        try:
            self._state.tick(folded.clock_ns)
        except Exception as error:  # the fold guard, for timers
            raise TimersFailed(_last_line(_trace(error))) from error
        folded.ticked = True

    def _changes(self) -> StepChanges:
        try:
            changes = self._state.changes()
        except Exception as error:  # the fold guard: found when the state is written
            trace = _trace(error)
            raise StepRefused(_last_line(trace), trace) from error
        if any(key.startswith(RESERVED) for key in changes.state):
            raise ValueError("the keys of state records may not begin with @")
        return changes

    def _write(self, changes: StepChanges, folded: Folded) -> None:
        # Backlog and place move before the commit: where that fails all of it is thrown away.
        folded.ranges = self._inputs.backlog.folded(folded.records)
        former = self._place
        self._place = LedgerPlace(
            step=former.step + 1,
            clock_ns=folded.clock_ns,
            next={kind: end for kind, (_, end) in folded.ranges.items()},
            topic_ids=former.topic_ids,
            exact=changes.exact_digest,
            epoch=former.epoch,
            chain=chained(former.chain, changes),
        )
        carried = self._suspicion.carried(self._place)
        own = self._own_records(carried)
        if folded.left_out:
            own.append((LEFT_OUT_KEY, encoded(self._left_out)))
        by = self._folded_by()
        record = commit_record_of(former.clock_ns, self._place, folded, changes, by)
        self._writer.commit([*changes.state.items(), *own], changes.outputs, record.encoded())
        self._suspicion.committed(carried)
        self._committed(folded)

    def _committed(self, folded: Folded) -> None:
        memory = self._memory
        self._has_said_all = True
        self._topic_watch.committed()
        memory.counts.left_out += len(folded.left_out)
        memory.committed(folded.records, self._place.next)
        # Behind `committed`, which lets the size grow: this step had no time for its batch.
        if not folded.ticked:
            memory.size.fit(len(folded.records))

    def _folded_by(self) -> FoldedBy:
        """What folds; all of it once an opening, since nothing of it changes within one."""
        is_first, settings = not self._has_said_all, self._settings
        return FoldedBy(
            self.partition,
            self._writer.next_number,
            self._state.version,
            settings.config_digest,
            self._repair_note(),
            settings.configuration if is_first else None,
            self._place.topic_ids if is_first else None,
        )

    def _repair_note(self) -> dict[str, Any] | None:
        """What the commit record says of a repair; an ordinary step is none."""
        return None


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-TRACE_CHARACTERS_MAX:]


def _last_line(trace: str) -> str:
    return trace.strip().rpartition("\n")[2]
