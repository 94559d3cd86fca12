"""Loading a ledger: its state from the log, and a look whether the log is still the same."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from orderloom.topology import INPUTS, LEDGER
from processors.input_reader import arrived, is_end, trimmed_line
from processors.ledger_log import RESULTS, LedgerLog
from processors.ledger_settings import LedgerSettings
from processors.ledger_state import RESERVED, OwnRecords, Place, UnknownLedgerFormat
from processors.ledger_trouble import LedgerLost, PartitionStopped
from processors.step import Book, UnknownStateFormat

LOAD_MESSAGES_MAX = 10_000


@dataclass(slots=True)
class Loaded:
    """What the log says: the book, the ledger's own records, and the ends of the inputs."""

    book: Book
    own: OwnRecords
    place: Place
    ends: dict[str, int]


def load(ledger_log: LedgerLog, partition: int, make_book: Callable[[int], Book]) -> Loaded:
    """Load the partition's state and compare it with the inputs.

    Call it only when fenced. Raises PartitionStopped where going on would lose or double.
    """
    state = _read_state(ledger_log, partition)
    own, book = OwnRecords(), make_book(partition)
    try:
        for key, value in state.items():
            (own if key.startswith(RESERVED) else book).restore(key, value)
    except (UnknownLedgerFormat, UnknownStateFormat) as error:
        raise PartitionStopped(
            f"the state of partition {partition} was written by another version of this program "
            f"({error}): run that version, or `orderloom repair` with this one"
        ) from error
    ids = ledger_log.input_ids()
    place = own.place or _first_place(ledger_log, partition, ids, has_state=bool(state))
    _check_inputs(ledger_log, partition, place, ids)
    return Loaded(book, own, place, _checked_ends(ledger_log, partition, place))


def _read_state(ledger_log: LedgerLog, partition: int) -> dict[bytes, bytes]:
    """The newest committed value of each key, up to the true end of the topic.

    A committed reader's own end is the last *stable* offset: an open transaction of a dead writer
    holds it back and would hide what was committed (measured: counters 4,307 too low). So the end
    is asked for uncommitted, and the committed reader reads until it has passed it.
    """
    begin = ledger_log.begins((LEDGER,), partition)[LEDGER.kind]
    end = ledger_log.ends((LEDGER,), partition)[LEDGER.kind]
    state: dict[bytes, bytes] = {}
    if begin >= end:
        return state
    reader = ledger_log.reader(committed=True)
    try:
        reader.assign([TopicPartition(ledger_log.names[LEDGER.kind], partition, begin)])
        _read_up_to(reader, end, state, ledger_log.settings)
    finally:
        reader.close()
    return state


def _read_up_to(
    reader: Consumer, end: int, state: dict[bytes, bytes], settings: LedgerSettings
) -> None:
    """Read until the position is at `end`. Raises LedgerLost if nothing comes for too long."""
    patience = settings.transaction_timeout_ms / 1000 + settings.request_seconds_max
    position, give_up = -1, time.monotonic() + patience
    while position < end:
        for message in arrived(reader, LOAD_MESSAGES_MAX, 0.1):
            offset = message.offset() or 0
            if message.error() is None:
                _take(state, message.key() or b"", message.value())
                position = offset + 1
            elif is_end(message):
                position = offset
            give_up = time.monotonic() + patience
        if time.monotonic() > give_up:
            raise LedgerLost(f"the ledger stays unreadable at {position}, its end is {end}")


def _take(state: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
    if value is None:
        state.pop(key, None)
    else:
        state[key] = value


def _first_place(
    ledger_log: LedgerLog, partition: int, ids: dict[str, str], *, has_state: bool
) -> Place:
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
    return Place(step=0, clock_ns=0, next=begins, topic_ids=ids)


def check_same_topics(ledger_log: LedgerLog, known: Mapping[str, str], ids: dict[str, str]) -> None:
    """Raise PartitionStopped if an input is another topic than the one that was read."""
    for kind, topic_id in ids.items():
        if known.get(kind) != topic_id:
            raise PartitionStopped(
                f"topic {ledger_log.names[kind]} is not the one that was read (its id is "
                f"{topic_id}, was {known.get(kind)}): it was deleted and created again; restore "
                "it, or run `orderloom repair`"
            )


def check_end(ledger_log: LedgerLog, partition: int, kind: str, end: int, place: int) -> None:
    """Raise PartitionStopped if an input ends below what was read of it."""
    if end < place:
        raise PartitionStopped(
            f"{ledger_log.names[kind]} partition {partition} ends at {end}, below {place}, up to "
            "which it was read: records were lost (an unclean election, or a restored backup?); "
            "restore them, or run `orderloom repair`"
        )


def _check_inputs(ledger_log: LedgerLog, partition: int, place: Place, ids: dict[str, str]) -> None:
    check_same_topics(ledger_log, place.topic_ids, ids)
    for kind, begin in ledger_log.begins(INPUTS, partition).items():
        if begin > place.next[kind]:
            raise PartitionStopped(trimmed_line(ledger_log.names[kind], partition))


def _checked_ends(ledger_log: LedgerLog, partition: int, place: Place) -> dict[str, int]:
    ends = ledger_log.ends(INPUTS, partition)
    for kind, end in ends.items():
        check_end(ledger_log, partition, kind, end, place.next[kind])
    return ends
