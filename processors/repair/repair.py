"""An operator's repair of a partition whose ledger stops: survey it, then rebuild it.

The state is folded again from what the inputs hold, in an epoch above everything that was ever
published of the partition. What is gone from `raw` cannot be folded: that span is blind until the
venue was asked about it (`finishing`), and trimmed `intents` are refused.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from orderloom.topology import INPUTS, RAW
from processors.ledger.commit_record import CommitRecord, bytes_hash
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.opening import check_whole, read_state, restored
from processors.ledger.recorded import is_recorded, last_commit
from processors.ledger.settling import settle
from processors.ledger.state import (
    PLACE_KEY,
    REPAIR_KEY,
    LedgerPlace,
    Repair,
    encoded,
)
from processors.ledger.step_size import StepSize
from processors.ledger.topic_watch import changed_topics
from processors.ledger.trouble import LedgerFenced, LedgerLost, PartitionStopped
from processors.ledger.writer import LedgerWriter, Probe, no_probe
from processors.repair.former import former_coverages
from processors.repair.gaps import NOT_WHOLE
from processors.repair.notes import BEGUN, note_of
from processors.repair.rebuild import FormerOutputs, MakePartitionFold, Rebuilding
from processors.repair.survey import Survey, check_repairable, survey
from runtime.trouble import PassingTrouble, SetupError

CLEARED_MAX = 5_000
"""How many former records one transaction removes."""
TRIES_MAX = 30
WAIT_SECONDS = 0.5
STOP_WORKERS = "stop every `orderloom process` of this venue, repair, then start them again"


@dataclass(frozen=True, slots=True)
class RepairOrder:
    """Who repairs, why, and how the fold is configured."""

    author: str
    reason: str
    config: str
    now_ns: int


@dataclass(frozen=True, slots=True)
class RepairProgress:
    """Where progress goes: (folded, of how many), and how many published fills were compared."""

    folded: Callable[[int, int], None] = lambda done, total: None
    compared: Callable[[int], None] = lambda count: None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A repair that has ended."""

    epoch: int
    folded: int
    former: FormerOutputs
    raw_gap: str


def check_unowned(ledger_log: LedgerLog, partition: int) -> None:
    """Raise SetupError while a worker has the partition, or may be given it at any moment."""
    owners, is_settled = ledger_log.owners()
    if not is_settled:
        raise PassingTrouble(
            f"workers are joining or leaving the group {ledger_log.settings.group}", STOP_WORKERS
        )
    if partition in owners:
        raise SetupError(
            f"partition {partition} is owned by a worker ({owners[partition]})", STOP_WORKERS
        )


def repair(
    ledger_log: LedgerLog,
    partition: int,
    make_state: MakePartitionFold,
    order: RepairOrder,
    progress: RepairProgress | None = None,
    probe: Probe = no_probe,
) -> Outcome:
    """Rebuild one partition. Raises SetupError, PartitionStopped, LedgerLost, KafkaException.

    After any of them the partition still stops for a repair, and calling again goes on.
    """
    # Fencing alone would be safe and of no use: a fenced worker opens again at once and fences the
    # repair (decision 0206).
    check_unowned(ledger_log, partition)
    try:
        begun = _begin(ledger_log, partition, make_state, order)
        return _rebuild(
            ledger_log, partition, make_state, begun, progress or RepairProgress(), probe
        )
    finally:
        ledger_log.free_retired()


def _rebuild(
    ledger_log: LedgerLog,
    partition: int,
    make_state: MakePartitionFold,
    begun: Repair,
    progress: RepairProgress,
    probe: Probe,
) -> Outcome:
    """Fold the inputs anew to their end; opens again where the ledger is lost."""
    # Before anything is folded: records of the new epoch take the place of the former ones, and
    # compaction then removes those.
    memory = Memory(StepSize(ledger_log.settings.step.messages))
    now_ns = memory.clock.now_ns()
    coverages = former_coverages(ledger_log, partition, begun.epoch, now_ns)
    tries = steps = 0
    has_folded = False
    while True:
        try:
            with closing(Rebuilding(ledger_log, partition, make_state, memory, probe)) as ledger:
                for done, total in _folded(ledger):
                    progress.folded(done, total)
                has_folded = True
                former = ledger.end(progress.compared, coverages)
                return Outcome(begun.epoch, ledger.done, former, begun.raw_gap)
        except LedgerFenced as fenced:
            raise SetupError(
                f"another owner took partition {partition} over ({fenced}): its repair has not "
                "ended",
                STOP_WORKERS,
            ) from fenced
        except LedgerLost:
            # Only tries in vain are counted. Folding gets on where it committed steps; the end
            # commits some in each try, and does not get on by that.
            gets_on = memory.counts.steps > steps and not has_folded
            tries = 1 if gets_on else tries + 1
            steps = memory.counts.steps
            if tries > TRIES_MAX:
                raise
            time.sleep(WAIT_SECONDS)


def _folded(ledger: Rebuilding) -> Iterator[tuple[int, int]]:
    """Fold to the ends; how far it is after each step."""
    # Ingest goes on meanwhile, and the ends are noted anew each second: what it writes is folded.
    while ledger.is_behind:
        ledger.advance(WAIT_SECONDS)
        yield ledger.done, ledger.done + sum(ledger.lag.values())


def _begin(
    ledger_log: LedgerLog, partition: int, make_state: MakePartitionFold, order: RepairOrder
) -> Repair:
    """Fence, look again, and clear the former state; or go on with a repair that was begun."""
    with closing(LedgerWriter(ledger_log, partition)) as writer:
        writer.fence()
        # True state that is gone stops nothing here: it is folded anew.
        settle(ledger_log, partition, writer, rebuilds=True)
        found = survey(ledger_log, partition, make_state)
        if not found.cause:
            raise SetupError(f"partition {partition} opens as it is", "there is nothing to repair")
        check_repairable(found)
        fold = make_state(partition).version
        begun = found.begun
        if begun and _may_resume(ledger_log, partition, make_state, begun, order.config):
            return begun
        return _clear(ledger_log, writer, found, _repair_of(found, fold, order))


def _may_resume(
    ledger_log: LedgerLog, partition: int, make_state: MakePartitionFold, begun: Repair, config: str
) -> bool:
    """Whether the state so far is worth keeping: the same fold, whole, and of these inputs."""
    fold = make_state(partition).version
    if not begun.is_cleared or (begun.fold, begun.config) != (fold, config):
        return False
    try:
        # What was folded so far may have been torn itself (decision 0212).
        own, state = restored(read_state(ledger_log, partition), partition, make_state)
        check_whole(partition, own, state)
    except PartitionStopped:
        return False
    place, last = own.place, last_commit(ledger_log, partition)
    begins, ends = ledger_log.begins(INPUTS, partition), ledger_log.ends(INPUTS, partition)
    return (
        place is not None
        # Both are of the transaction that began it, or of its last step.
        and is_recorded(place, last)
        and (last is None or (last.repair or {}).get("epoch") == begun.epoch)
        and not changed_topics(place.topic_ids, ledger_log.topic_ids())
        and all(begins[kind] <= at <= ends[kind] for kind, at in place.next.items())
    )


def _repair_of(found: Survey, fold: str, order: RepairOrder) -> Repair:
    return Repair(
        epoch=1 if found.epoch is None else found.epoch + 1,
        author=order.author,
        reason=order.reason,
        # By now the unended repair stops it; why it stopped at first is what a reader wants to
        # know.
        cause=found.begun.cause if found.begun else found.cause,
        fold=fold,
        config=order.config,
        begun_ns=order.now_ns,
        raw_gap=f"{NOT_WHOLE}{found.lost[RAW.kind]}" if RAW.kind in found.lost else "",
    )


def _clear(ledger_log: LedgerLog, writer: LedgerWriter, found: Survey, repair: Repair) -> Repair:
    """Write the marker, remove the former state, and put the place where the inputs begin."""
    partition = found.partition
    note = _begun_record(ledger_log, writer.next_number, found, repair)
    former = [key for key in read_state(ledger_log, partition) if key != REPAIR_KEY]
    # The marker first: from here on no ledger starts, however much of the state is gone.
    writer.commit([(REPAIR_KEY, encoded(repair))], commit_record=note)
    for first in range(0, len(former), CLEARED_MAX):
        writer.commit([(key, None) for key in former[first : first + CLEARED_MAX]])
    # Only behind the last removal: a repair that is killed before this begins anew.
    cleared = replace(repair, is_cleared=True)
    ids = ledger_log.topic_ids()
    # A clock reading of 0: it never falls, and the past is folded at its own append times.
    place = LedgerPlace(found.step + 1, 0, found.begins, ids, epoch=repair.epoch)
    writer.commit([(PLACE_KEY, encoded(place)), (REPAIR_KEY, encoded(cleared))])
    return cleared


def _begun_record(ledger_log: LedgerLog, number: int, found: Survey, repair: Repair) -> bytes:
    return CommitRecord(
        step=found.step + 1,
        partition=found.partition,
        inputs={kind: (begin, begin) for kind, begin in found.begins.items()},
        bytes_hash=bytes_hash([]),
        left_out=(),
        clock_ns=0,
        ticked=False,
        fold=repair.fold,
        config=repair.config,
        content_digest="",
        exact_digest="",
        repair=note_of(repair, BEGUN),
        number=number,
        configuration=ledger_log.settings.configuration,
        topic_ids=ledger_log.topic_ids(),
    ).encoded()
