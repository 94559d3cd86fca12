"""A runner keeps one partition's ledger alive, in a thread of its own.

It opens the ledger once the group has confirmed that the partition is ours, hands it what Faust
delivers, opens it again when it is lost, and stops for a person where going on would lose. Fencing
is the truth: between *revoked* and the next *assigned* it only pauses, and goes on without loading
if the partition is still ours and nobody has fenced it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from confluent_kafka import KafkaException

from processors.collector import collect_all
from processors.ledger.backlog import size_of
from processors.ledger.ledger import Ledger, MakeState
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.step import InputRecord
from processors.ledger.step_clock import APPEND_LEAD_NS_MAX
from processors.ledger.step_size import StepSize
from processors.ledger.trouble import LedgerLost, PartitionStopped
from processors.ledger.writer import Probe, no_probe
from runtime.supervise import Backoff

CONFIRM_AGAIN_SECONDS = 0.3
READ_WAIT_SECONDS = 0.05
IDLE_SECONDS_MAX = 1.0
LOOK_SECONDS = 1.0
ABORT_SECONDS_IDLE = 0.1
"""How long a runner without work waits for the end of a retired client's transaction."""
LEAD_SECONDS_MAX = APPEND_LEAD_NS_MAX / 1e9
REOPEN_SECONDS_MIN = 0.05
REOPEN_SECONDS_MAX = 5.0
OF_THE_PROCESS = (MemoryError, OSError)
"""What the machine lacks is no partition's trouble: the worker ends, and is started again."""

log = logging.getLogger(__name__)
MakeLedger = Callable[[LedgerLog, int, MakeState, Memory, Probe], Ledger]


class Ownership(Protocol):
    """What a runner asks of the group; from its own thread, so it may block."""

    def confirm(self, partition: int) -> bool:
        """Whether the coordinator takes a commit of this member's generation for the partition."""
        ...

    def skip_to(self, partition: int, offsets: Mapping[str, int]) -> bool:
        """Deliver from these offsets on (by kind); False if the group is not ready for that."""
        ...


class Condition(Enum):
    """What a runner is at."""

    WAITING = "waiting"
    OPENING = "opening"
    RUNNING = "running"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    CLOSED = "closed"


class LedgerRunner:
    """The runner of one partition; `start` it once. `offer` and the others never block."""

    def __init__(
        self,
        ledger_log: LedgerLog,
        partition: int,
        make_state: MakeState,
        membership: Ownership,
        *,
        probe: Probe = no_probe,
        make_ledger: MakeLedger = Ledger,
    ) -> None:
        self.partition = partition
        self.memory = Memory(StepSize(ledger_log.settings.step.messages))
        self.condition = Condition.WAITING
        self.trouble = ""
        self.dropped = 0
        self.next_offsets: dict[str, int] = {}
        self.lag: dict[str, int] = {}
        self.accounts: set[str] = set()
        self.quarantined: set[str] = set()
        self.clock_lead_seconds = 0.0
        self.unconfirmed_since: float | None = None
        self.turned_at = time.monotonic()
        self._log = ledger_log
        self._make: Callable[[], Ledger] = lambda: make_ledger(
            ledger_log, partition, make_state, self.memory, probe
        )
        self._membership = membership
        self._ledger: Ledger | None = None
        self._must_skip = False
        self._look_at = 0.0
        self._inbox: deque[InputRecord] = deque()
        self._settings = ledger_log.settings
        # Two counts, since each is written by one thread alone.
        self._bytes_in = self._bytes_out = 0
        self._bell = threading.Event()
        self._is_suspended = False
        self._closing = threading.Event()
        self._backoff = Backoff(REOPEN_SECONDS_MIN, REOPEN_SECONDS_MAX)
        self._thread = threading.Thread(target=self._run, name=f"ledger-{partition}", daemon=True)

    def start(self) -> None:
        """Begin; the ledger is opened as soon as the group confirms."""
        self._thread.start()

    def offer(self, record: InputRecord) -> None:
        """Hand in a delivered record; a full inbox drops it, and the ledger reads it by itself.

        A partition that is stopped keeps none.
        """
        size = size_of(record)
        if self.condition is Condition.STOPPED or self._is_full(size):
            self.dropped += 1
            return
        self._bytes_in += size
        self._inbox.append(record)
        if not self._bell.is_set():
            self._bell.set()

    def _is_full(self, size: int) -> bool:
        """Whether a record of that size finds no room; the first one always does."""
        held = self._bytes_in - self._bytes_out
        is_over = held + size > self._settings.inbox_bytes_max
        return len(self._inbox) >= self._settings.inbox_records_max or (held > 0 and is_over)

    def _take_all(self) -> list[InputRecord]:
        inbox = self._inbox
        # As many as there are now: Faust's thread goes on appending.
        taken = [inbox.popleft() for _ in range(len(inbox))]
        self._bytes_out += sum(map(size_of, taken))
        return taken

    def suspend(self) -> None:
        """The partition was revoked: fold nothing more until `resume`."""
        self._is_suspended = True
        # A worker that never comes back to its group is started again (decision 0204).
        self.unconfirmed_since = time.monotonic()

    def resume(self) -> None:
        """The partition is assigned to us."""
        self._is_suspended = False
        self.unconfirmed_since = None
        self._bell.set()

    def close(self) -> None:
        """The partition is another's, or the worker ends: free everything after this step."""
        self._closing.set()
        self._bell.set()

    def join(self, seconds: float) -> bool:
        """Wait until it has closed; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def has_died(self) -> bool:
        """Whether the thread ended by a fault of ours: then the worker must end too."""
        return not self._thread.is_alive() and self.condition is not Condition.CLOSED

    def _run(self) -> None:
        while not self._closing.is_set():
            self.turned_at = time.monotonic()
            if self._is_suspended or self.condition is Condition.STOPPED:
                self._rest()
                continue
            end, line = self._stop, ""
            try:
                self._turn()
                continue
            except PartitionStopped as stopped:
                line = str(stopped)
            except (LedgerLost, KafkaException) as lost:
                end, line = self._lose, _line(lost)
            end(line)  # it asks Kafka, and must not while an exception is handled (LedgerWriter)
        self._drop()
        self.condition = Condition.CLOSED

    def _turn(self) -> None:
        # Before the inbox is looked at: a record that comes behind that rings again.
        self._bell.clear()
        ledger = self._ledger or self._open()
        if ledger is None:
            self._log.free_retired(ABORT_SECONDS_IDLE)
            self._bell.wait(CONFIRM_AGAIN_SECONDS)
            return
        self._deliver(ledger)
        if ledger.advance(READ_WAIT_SECONDS):
            # A step, not an opening: what fails in each first step would be opened again without a
            # pause.
            self._backoff.succeed()
            self._look_if_due(ledger)
        elif not self._inbox:
            self._look_if_due(ledger)
            self._skip_if_at_ends(ledger)
            self._log.free_retired(ABORT_SECONDS_IDLE)
            self._bell.wait(min(IDLE_SECONDS_MAX, ledger.wait_seconds()))
        self.next_offsets = ledger.next_offsets

    def _open(self) -> Ledger | None:
        self.condition = Condition.OPENING
        # Before the producers are initialised: without this two workers that both hold themselves
        # for the owner fence one another for ever.
        if not self._membership.confirm(self.partition):
            self.condition = Condition.WAITING
            self.unconfirmed_since = self.unconfirmed_since or time.monotonic()
            return None
        self.unconfirmed_since = None
        self._ledger = self._opened()
        self._must_skip = True
        self.condition = Condition.RUNNING
        self.trouble = ""
        log.info(
            "ledger %d is open at %s",
            self.partition,
            self._ledger.next_offsets,
            extra=self._extra(),
        )
        return self._ledger

    def _opened(self) -> Ledger:
        """A ledger whose opening fails as none may stops its own partition, and no other.

        It fails by what stands in its log, and would again in the next worker: to end this one
        would stop all its partitions.
        """
        try:
            return self._make()
        except (PartitionStopped, LedgerLost, KafkaException, *OF_THE_PROCESS):
            raise
        except Exception as error:
            # A fault of ours, if only not to have refused it earlier: the log has where.
            log.exception("ledger %d cannot be opened", self.partition, extra=self._extra())
            raise PartitionStopped(
                f"it cannot be opened ({type(error).__name__}: {_line(error):.200}): a fault of "
                "the program, or something else wrote into the ledger's topics (who may: "
                "`orderloom topics --acl`); run `orderloom repair`, or the version before this one"
            ) from error

    def _deliver(self, ledger: Ledger) -> None:
        # Else it stays in the inbox; what a full one drops the ledger reads later (decision 0203).
        if self._inbox and ledger.wants_more:
            ledger.take(self._take_all())

    def _look_if_due(self, ledger: Ledger) -> None:
        """What health and metrics show, from the thread that may ask the state."""
        if time.monotonic() > self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self.lag, self.quarantined = ledger.lag, ledger.quarantined()
            self.accounts = ledger.accounts()
            self._note_lead(ledger.clock_lead_seconds)

    def _note_lead(self, seconds: float) -> None:
        before, self.clock_lead_seconds = self.clock_lead_seconds, seconds
        if (seconds > LEAD_SECONDS_MAX) is (before > LEAD_SECONDS_MAX):
            return
        if seconds > LEAD_SECONDS_MAX:
            log.error("partition %d: %s", self.partition, ahead_line(seconds), extra=self._extra())
        else:
            log.info("partition %d: its clock is right again", self.partition, extra=self._extra())

    def _skip_if_at_ends(self, ledger: Ledger) -> None:
        """Once caught up, or Faust would deliver the backlog once more at its own pace."""
        if self._must_skip and not ledger.is_behind:
            self._must_skip = not self._membership.skip_to(self.partition, ledger.next_offsets)

    def _rest(self) -> None:
        self._log.free_retired(ABORT_SECONDS_IDLE)
        if self._is_suspended and self.condition is Condition.RUNNING:
            self.condition = Condition.SUSPENDED
        self._bell.wait(IDLE_SECONDS_MAX)
        self._bell.clear()
        if not self._is_suspended and self.condition is Condition.SUSPENDED:
            self.condition = Condition.RUNNING

    def _stop(self, line: str) -> None:
        self._drop()
        collect_all()
        self.next_offsets = {}
        # Before the inbox is emptied: what is offered from now on is dropped.
        self.condition = Condition.STOPPED
        self._take_all()
        self.trouble = line
        log.error("partition %d is stopped: %s", self.partition, line, extra=self._extra())

    def _lose(self, line: str) -> None:
        self._drop()
        collect_all()
        self.next_offsets = {}
        self.condition = Condition.WAITING
        self.trouble = line
        log.warning("ledger %d is lost: %s", self.partition, self.trouble, extra=self._extra())
        self._closing.wait(self._backoff.next_seconds())  # the bell rings with each record

    def _drop(self) -> None:
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()
        self._log.free_retired()

    def _extra(self) -> dict[str, Any]:
        return {"partition": self.partition, "venue": self._log.settings.venue}


def ahead_line(seconds: float) -> str:
    """What a partition says whose steps are ahead of the clock."""
    return (
        f"the time of its steps is {seconds:.1f} s ahead of the clock, as a clock was once: its "
        "timers run at half their pace until it has caught up; check the time service of the "
        "brokers and of this machine"
    )


def _line(error: Exception) -> str:
    if isinstance(error, KafkaException):
        return str(error.args[0].str())
    return (str(error).splitlines() or [""])[0]
