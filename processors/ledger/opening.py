"""Loading a ledger: its state from the log, and a look whether the log is still the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from orderloom.topology import INPUTS, LEDGER
from processors.ledger.committed import committed_records
from processors.ledger.input_reader import trimmed_line
from processors.ledger.log import RESULTS, LedgerLog
from processors.ledger.recorded import check_recorded, last_commit
from processors.ledger.state import RESERVED, LedgerPlace, OwnRecords, UnknownLedgerFormat
from processors.ledger.step import PartitionState, UnknownStateFormat
from processors.ledger.topic_watch import check_same_topics
from processors.ledger.trouble import PartitionStopped

# What one of the ledger's own records raises that no ledger wrote.
GARBAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)


@dataclass(slots=True)
class Loaded:
    """What the log says: the state, the ledger's own records, and the ends of the inputs."""

    state: PartitionState
    own: OwnRecords
    place: LedgerPlace
    ends: dict[str, int]


def load(
    ledger_log: LedgerLog, partition: int, make_state: Callable[[int], PartitionState]
) -> Loaded:
    """Load the partition's state and compare it with the inputs.

    Call it only when fenced. Raises PartitionStopped where going on would lose or double.
    """
    records = read_state(ledger_log, partition)
    own, state = restored(records, partition, make_state)
    # Before the state is compared with its place: until its repair has ended it is not whole, and
    # the line would name the wrong cause.
    if own.repair is not None and not own.repair.has_ended:
        raise PartitionStopped(
            f"a repair of partition {partition} was begun and did not end: run `orderloom repair` "
            "again, which ends it"
        )
    check_whole(partition, own, state)
    ids = ledger_log.topic_ids()
    place = own.place or _first_place(ledger_log, partition, ids, has_state=bool(records))
    return at_place(ledger_log, partition, Loaded(state, own, place, {}), ids)


def at_place(ledger_log: LedgerLog, partition: int, loaded: Loaded, ids: dict[str, str]) -> Loaded:
    """With the ends of the inputs, if its place still lies in them.

    The place then names all topics, and the epoch, also where an older version wrote it. Raises
    PartitionStopped, also where `commits` says that the last step left another place.
    """
    # The ids first: of a topic that was made again the offsets say nothing.
    check_same_topics(ledger_log, loaded.place.topic_ids, ids)
    check_recorded(partition, loaded.place, last_commit(ledger_log, partition))
    _check_begins(ledger_log, partition, loaded.place)
    ends = _checked_ends(ledger_log, partition, loaded.place)
    place = replace(loaded.place, topic_ids=ids, epoch=loaded.own.epoch)
    return replace(loaded, place=place, ends=ends)


def read_state(ledger_log: LedgerLog, partition: int) -> dict[bytes, bytes]:
    """The newest committed value of each key, up to the true end of the topic."""
    state: dict[bytes, bytes] = {}
    for message in committed_records(ledger_log, LEDGER, partition):
        key, value = message.key() or b"", message.value()
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value
    return state


def restored(
    records: Mapping[bytes, bytes], partition: int, make_state: Callable[[int], PartitionState]
) -> tuple[OwnRecords, PartitionState]:
    """The ledger's own records and its state. Raises PartitionStopped for what it cannot read."""
    own, state = OwnRecords(), make_state(partition)
    try:
        # First, as the epoch of a repair is set before any state record is taken back.
        for key in [key for key in records if key.startswith(RESERVED)]:
            own.restore(key, records[key])
        if own.repair is not None:
            state.begin_epoch(own.repair.epoch)
        for key, value in records.items():
            if not key.startswith(RESERVED):
                state.restore(key, value)
        state.due_ns()  # what is put together from several records is put together now
    except (UnknownLedgerFormat, UnknownStateFormat) as error:
        raise PartitionStopped(
            f"the state of partition {partition} was written by another version of this program "
            f"({error}): run that version, or `orderloom repair` with this one"
        ) from error
    except Exception as error:  # whatever it is, it ends this partition and no other
        raise PartitionStopped(
            f"the state of partition {partition} cannot be read ({type(error).__name__}: {error}): "
            "something else wrote into its ledger topic (who may: `orderloom topics --acl`); run "
            "`orderloom repair`"
        ) from error
    return own, state


def check_whole(partition: int, own: OwnRecords, state: PartitionState) -> None:
    """Raise PartitionStopped where the log no longer holds all that its last step left there.

    Its topic is compacted and never trimmed; a policy of deletion that was set for a moment takes
    its front, which holds what has not changed for long.
    """
    place = own.place
    if place is None:
        return
    # A place of an older version says neither, and is taken (decision 0212).
    if place.exact in {"", state.exact_digest} and place.epoch in {None, own.epoch}:
        return
    raise PartitionStopped(
        f"the state of partition {partition} is not what step {place.step} left: records of its "
        "ledger topic were deleted, or something else wrote there (its cleanup.policy must be "
        "compact alone: `orderloom topics` says so); run `orderloom repair`"
    )


def _first_place(
    ledger_log: LedgerLog, partition: int, ids: dict[str, str], *, has_state: bool
) -> LedgerPlace:
    """Where a ledger begins that never was: only where nothing can have been lost or published."""
    begins = ledger_log.begins(INPUTS, partition)
    ends = ledger_log.ends(RESULTS, partition)
    signs = ["its ledger has records but no place"] if has_state else []
    signs += [f"{kind} begins at {begin}" for kind, begin in begins.items() if begin > 0]
    signs += [f"{kind} is not empty" for kind, end in ends.items() if end > 0]
    if signs:
        raise PartitionStopped(
            f"partition {partition} has no state, but a past ({', '.join(signs)}): "
            "run `orderloom repair`, which rebuilds it and raises the epoch"
        )
    return LedgerPlace(step=0, clock_ns=0, next=begins, topic_ids=ids)


def check_end(ledger_log: LedgerLog, partition: int, kind: str, end: int, place: int) -> None:
    """Raise PartitionStopped if an input ends below what was read of it."""
    if end < place:
        raise PartitionStopped(
            f"{ledger_log.names[kind]} partition {partition} ends at {end}, below {place}, up to "
            "which it was read: records were lost (an unclean election, or a restored backup?); "
            "restore them, or run `orderloom repair`"
        )


def _check_begins(ledger_log: LedgerLog, partition: int, place: LedgerPlace) -> None:
    for kind, begin in ledger_log.begins(INPUTS, partition).items():
        if begin > place.next[kind]:
            raise PartitionStopped(trimmed_line(ledger_log.names[kind], partition))


def _checked_ends(ledger_log: LedgerLog, partition: int, place: LedgerPlace) -> dict[str, int]:
    ends = ledger_log.ends(INPUTS, partition)
    for kind, end in ends.items():
        check_end(ledger_log, partition, kind, end, place.next[kind])
    return ends
