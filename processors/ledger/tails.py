"""The ends of the topics that a ledger writes: what stands there, what is visible, what hangs."""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from orderloom.topology import LEDGER
from processors.ledger.input_reader import arrived, is_end, is_passing
from processors.ledger.log import RESULTS, LedgerLog
from processors.ledger.mark import Tail, Written
from processors.ledger.trouble import LedgerLost

WRITTEN = (LEDGER, *RESULTS)
"""What a ledger writes, always in transactions."""
TAIL_RECORDS = 64
BACK_FACTOR = 16
READ_MESSAGES_MAX = 10_000
WAIT_SECONDS = 0.1
STABLE_SECONDS_MAX = 2.0
LOOK_AGAIN_SECONDS = 0.05


def hanging(ledger_log: LedgerLog, partition: int) -> dict[str, int]:
    """Where committed readers stand, of each topic in which they do not come to the end; by kind.

    In a partition that nobody writes, what keeps them there hangs. Raises KafkaException.
    """
    stable = ledger_log.stable_ends(WRITTEN, partition)
    ends = ledger_log.ends(WRITTEN, partition)
    return {kind: offset for kind, offset in stable.items() if offset < ends[kind]}


def still_hanging(ledger_log: LedgerLog, partition: int) -> dict[str, int]:
    """As `hanging`, asked again until nothing does or two seconds are over."""
    give_up = time.monotonic() + STABLE_SECONDS_MAX
    while found := hanging(ledger_log, partition):
        if time.monotonic() > give_up:
            break
        time.sleep(LOOK_AGAIN_SECONDS)
    return found


def read_tails(ledger_log: LedgerLog, partition: int) -> dict[str, Tail]:
    """Each topic that holds anything, from its last visible record or from before it; by kind.

    Call it only when fenced: what is written meanwhile may be missed. Raises LedgerLost,
    KafkaException.
    """
    begins, ends = ledger_log.begins(WRITTEN, partition), ledger_log.ends(WRITTEN, partition)
    wanted = {kind: TAIL_RECORDS for kind, end in ends.items() if end > begins[kind]}
    tails: dict[str, Tail] = {}
    while wanted:
        starts = {kind: max(begins[kind], ends[kind] - back) for kind, back in wanted.items()}
        tails |= _tails_from(ledger_log, partition, starts)
        # What lies before the last visible record was decided long ago, so further back than to
        # that nothing has to be read.
        wanted = {
            kind: back * BACK_FACTOR
            for kind, back in wanted.items()
            if not tails[kind].visible and starts[kind] > begins[kind]
        }
    return tails


def _tails_from(
    ledger_log: LedgerLog, partition: int, starts: Mapping[str, int]
) -> dict[str, Tail]:
    ends = ledger_log.ends(WRITTEN, partition)
    stable = ledger_log.stable_ends(WRITTEN, partition)
    physical = _records(ledger_log, partition, starts, ends, committed=False)
    shown = _records(ledger_log, partition, starts, stable, committed=True)
    return {
        kind: Tail(
            [_written(message) for message in physical[kind]],
            frozenset(message.offset() or 0 for message in shown[kind]),
        )
        for kind in starts
    }


def _records(
    ledger_log: LedgerLog,
    partition: int,
    starts: Mapping[str, int],
    ends: Mapping[str, int],
    *,
    committed: bool,
) -> dict[str, list[Message]]:
    """All records from `starts` to `ends`, as a reader of that kind is shown them.

    A committed reader that begins behind the first open transaction never learns that it is at
    an end: of what begins there it reads nothing.
    """
    kinds = {ledger_log.names[kind]: kind for kind, at in starts.items() if at < ends[kind]}
    found: dict[str, list[Message]] = {kind: [] for kind in starts}
    if not kinds:
        return found
    reader = ledger_log.reader(committed=committed)
    try:
        reader.assign(
            [TopicPartition(name, partition, starts[kind]) for name, kind in kinds.items()]
        )
        _read_to_ends(reader, kinds, found, ledger_log.settings.request_seconds_max)
    finally:
        reader.close()
    return found


def _read_to_ends(
    reader: Consumer, kinds: Mapping[str, str], found: dict[str, list[Message]], seconds: float
) -> None:
    at_end: set[str] = set()
    give_up = time.monotonic() + seconds
    while len(at_end) < len(kinds):
        for message in arrived(reader, READ_MESSAGES_MAX, WAIT_SECONDS):
            error, kind = message.error(), kinds.get(message.topic() or "", "")
            if error is None:
                found[kind].append(message)
            elif is_end(message):
                at_end.add(kind)
            elif not is_passing(error):
                raise KafkaException(error)
            give_up = time.monotonic() + seconds
        if time.monotonic() > give_up:
            missing = sorted(set(kinds.values()) - at_end)
            raise LedgerLost(f"{', '.join(missing)} cannot be read to the end")


def _written(message: Message) -> Written:
    headers = tuple(
        (name, value.encode() if isinstance(value, str) else value or b"")
        for name, value in dict(message.headers() or ()).items()
    )
    return Written(message.offset() or 0, message.key(), message.value(), headers)
