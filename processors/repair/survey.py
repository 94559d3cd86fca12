"""What an operator's repair finds of one partition, before anything of it is changed.

How far the inputs were read is what `commits` says: the ledger's own place may be lost, or somebody
else's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from orderloom.topology import CONTROL, INPUTS, INTENTS, RAW
from processors.ledger.commit_record import CommitRecord
from processors.ledger.log import LedgerLog
from processors.ledger.opening import GARBAGE, load, read_state
from processors.ledger.recorded import is_recorded, last_commit, last_topic_ids, place_after
from processors.ledger.settling import check_tails
from processors.ledger.state import (
    PLACE_KEY,
    REPAIR_KEY,
    LedgerPlace,
    OwnRecords,
    Repair,
    UnknownLedgerFormat,
)
from processors.ledger.tails import still_hanging
from processors.ledger.topic_watch import changed_topics
from processors.ledger.trouble import PartitionStopped
from processors.repair.former import highest_epoch
from processors.repair.former_records import EPOCH_END
from processors.repair.gaps import AND, reasons_of, with_begun
from processors.repair.rebuild import MakePartitionFold
from runtime.trouble import PassingTrouble, SetupError


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


def survey(ledger_log: LedgerLog, partition: int, make_state: MakePartitionFold) -> Survey:
    """Look at one partition; nothing is written. Raises LedgerLost, KafkaException, SetupError."""
    check_settled(ledger_log, partition)
    commit = last_commit(ledger_log, partition)
    cause = _cause(ledger_log, partition, make_state)
    # One that goes on while it is looked at is open: what was read of it is of two moments.
    if cause and (now := last_commit(ledger_log, partition)) != commit:
        commit, cause = now, ""
    try:
        ids = ledger_log.topic_ids()
    except PartitionStopped as missing:
        raise SetupError(str(missing), "a repair folds all inputs") from missing
    state = read_state(ledger_log, partition)
    own = _own_records(state)
    begins, ends = ledger_log.begins(INPUTS, partition), ledger_log.ends(INPUTS, partition)
    place = _known_place(ledger_log, partition, own.place, commit, ids)
    reasons = {kind: list(reasons_of(kind, place, ids, begins, ends)) for kind in begins}
    reasons[RAW.kind] = with_begun(_unended(own.repair), reasons[RAW.kind])
    lost = {kind: AND.join(why) for kind, why in reasons.items() if why}
    epoch = highest_epoch(ledger_log, partition, state)
    begun = _unended(own.repair)
    return Survey(partition, cause, begins, ends, lost, epoch, place.step, len(state), begun)


def _cause(ledger_log: LedgerLog, partition: int, make_state: MakePartitionFold) -> str:
    """Why its ledger stops; "" if it does not."""
    try:
        load(ledger_log, partition, make_state)
        # Where the state is whole by itself, marks may still say that some of it is gone.
        check_tails(ledger_log, partition)
    except PartitionStopped as stopped:
        return str(stopped)
    return ""


def _known_place(
    ledger_log: LedgerLog,
    partition: int,
    place: LedgerPlace | None,
    commit: CommitRecord | None,
    ids: Mapping[str, str],
) -> LedgerPlace:
    """How far the inputs were read, and of which topics: as `commits` says, while it says it.

    The ledger's own place may be lost, unreadable, or somebody else's.
    """
    if place is None or not is_recorded(place, commit):
        place = place_after(commit)
    if changed_topics(place.topic_ids, ids):
        said = last_topic_ids(ledger_log, partition)
        place = replace(place, topic_ids=said or place.topic_ids)
    return place


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
