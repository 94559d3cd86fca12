"""An operator's repair of a partition whose ledger stops: survey it, then rebuild it.

The state is folded again from what the inputs hold, in an epoch above everything that was ever
published of the partition. What is gone from `raw` cannot be folded: that span is blind until the
venue was asked about it (`finishing`), and trimmed `intents` are refused.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from orderloom.topology import CONTROL, INPUTS, INTENTS, RAW
from processors.ledger.commit_record import CommitRecord, bytes_hash
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.opening import GARBAGE, check_whole, load, read_state, restored
from processors.ledger.settling import check_tails, settle
from processors.ledger.state import (
    PLACE_KEY,
    REPAIR_KEY,
    LedgerPlace,
    OwnRecords,
    Repair,
    UnknownLedgerFormat,
    encoded,
)
from processors.ledger.step_size import StepSize
from processors.ledger.tails import still_hanging
from processors.ledger.topic_watch import changed_topics
from processors.ledger.trouble import LedgerFenced, LedgerLost, PartitionStopped
from processors.ledger.writer import LedgerWriter, Probe, no_probe
from processors.repair.former import former_coverages, highest_epoch, last_commit
from processors.repair.former_records import EPOCH_END
from processors.repair.gaps import AND, NOT_WHOLE, reasons_of, with_begun
from processors.repair.notes import BEGUN, note_of
from processors.repair.rebuild import FormerOutputs, MakePartitionFold, Rebuilding
from runtime.trouble import PassingTrouble, SetupError

CLEARED_MAX = 5_000
"""How many former records one transaction removes."""
TRIES_MAX = 30
WAIT_SECONDS = 0.5
STOP_WORKERS = "stop every `orderloom process` of this venue, repair, then start them again"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found of one partition. `cause` is why its ledger stops; "" if it does not.

    `lost` says, by kind, why records of an input are gone that were folded once; `epoch` is the
    highest that was ever published in (None: nothing was), `records` how many state records stand
    in the ledger.
    """

    partition: int
    cause: str
    begins: Mapping[str, int]
    ends: Mapping[str, int]
    lost: Mapping[str, str]
    epoch: int | None
    step: int
    records: int
    begun: Repair | None

    @property
    def inputs(self) -> int:
        """How many records there are to fold."""
        return sum(self.ends[kind] - begin for kind, begin in self.begins.items())


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


def survey(ledger_log: LedgerLog, partition: int, make_state: MakePartitionFold) -> Survey:
    """Look at one partition; nothing is written. Raises LedgerLost, KafkaException, SetupError."""
    check_settled(ledger_log, partition)
    cause = ""
    try:
        load(ledger_log, partition, make_state)
        # Where the state is whole by itself, marks may still say that some of it is gone.
        check_tails(ledger_log, partition)
    except PartitionStopped as stopped:
        cause = str(stopped)
    try:
        ids = ledger_log.topic_ids()
    except PartitionStopped as missing:
        raise SetupError(str(missing), "a repair folds all inputs") from missing
    state, commit = read_state(ledger_log, partition), last_commit(ledger_log, partition)
    own = _own_records(state)
    begins, ends = ledger_log.begins(INPUTS, partition), ledger_log.ends(INPUTS, partition)
    # Where the place is lost or cannot be read, the last step still says how far inputs were read.
    place = own.place or _place_after(commit)
    reasons = {kind: list(reasons_of(kind, place, ids, begins, ends)) for kind in begins}
    reasons[RAW.kind] = with_begun(_unended(own.repair), reasons[RAW.kind])
    lost = {kind: AND.join(why) for kind, why in reasons.items() if why}
    # The numbers of steps go on above all that are recorded: a replay holds them to that.
    step = max(place.step, commit.step if commit else 0)
    epoch = highest_epoch(ledger_log, partition, state)
    return Survey(
        partition, cause, begins, ends, lost, epoch, step, len(state), _unended(own.repair)
    )


def _place_after(commit: CommitRecord | None) -> LedgerPlace:
    """What a step's record says of the place that it came to."""
    if commit is None:
        return LedgerPlace(0, 0, {}, {})
    return LedgerPlace(commit.step, 0, {kind: end for kind, (_, end) in commit.inputs.items()}, {})


def _own_records(state: Mapping[bytes, bytes]) -> OwnRecords:
    """The ledger's own records as far as they can be read."""
    own = OwnRecords()
    for key in (PLACE_KEY, REPAIR_KEY):
        if key in state:
            try:
                own.restore(key, state[key])
            except (UnknownLedgerFormat, *GARBAGE):
                continue
    return own


def _unended(repair: Repair | None) -> Repair | None:
    return None if repair is None or repair.has_ended else repair


def check_repairable(found: Survey) -> None:
    """Raise SetupError for what this version cannot rebuild."""
    _check_epoch(found)
    if INTENTS.kind in found.lost:
        raise SetupError(
            f"partition {found.partition}: intents are gone ({found.lost[INTENTS.kind]}), and what "
            "strategies wanted is not known from anywhere else",
            "restore the topic; to go on without them takes a named ruling for each account, which "
            "this version does not have",
        )


def _check_epoch(found: Survey) -> None:
    """Beyond the last one a repair would not know its own records by their epoch."""
    if found.epoch is not None and found.epoch + 1 >= EPOCH_END:
        raise SetupError(
            f"partition {found.partition}: a record of an output is of epoch {found.epoch}, and "
            "none is left above it: something else wrote it (who may: `orderloom topics --acl`)",
            "delete that topic, run `orderloom topics`, then `orderloom repair`",
        )


def check_settled(ledger_log: LedgerLog, partition: int) -> None:
    """Raise PassingTrouble where a transaction hangs: not all that is true can be read then."""
    if found := still_hanging(ledger_log, partition):
        raise PassingTrouble(
            f"partition {partition}: a transaction that Kafka never ended hangs in "
            f"{', '.join(sorted(found))}",
            "start `orderloom process`, which settles it; repair only what stops after that",
        )


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
    place = own.place
    begins, ends = ledger_log.begins(INPUTS, partition), ledger_log.ends(INPUTS, partition)
    return (
        place is not None
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


def line_of(found: Survey) -> str:
    """Why a partition stops, without what to do about it."""
    cause = found.cause
    for remedy in (": run ", "; restore ", ": create "):
        cause = cause.partition(remedy)[0]
    return cause


def warnings_of(found: Survey) -> Iterator[str]:
    """What a repair of this partition cannot bring back by itself."""
    if RAW.kind in found.lost:
        yield (
            f"raw is not whole ({found.lost[RAW.kind]}): what it lacks is a blind interval of each "
            "account until the venue was asked; executions that only `fills` still holds stay "
            "open in `differences`, and their positions unbounded, until the venue reports them "
            "again"
        )
        yield (
            "connections that began in the missing part are not known either, and their accounts "
            "stay blind: start the venue's ingest anew after the repair"
        )
    if CONTROL.kind in found.lost:
        yield (
            f"control is not whole ({found.lost[CONTROL.kind]}): run `orderloom topics` first, "
            "which writes missing entries of the registry"
        )
