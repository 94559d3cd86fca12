"""What the outputs of a partition show of its former life: epochs, keys of views, executions."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from confluent_kafka import Message

from orderloom.topology import (
    ACCOUNTS,
    ANSWERS,
    DEAD_LETTERS,
    DIFFERENCES,
    FILLS,
    ORDERS,
    POSITIONS,
    Topic,
)
from orderloom.words import FillKind
from processors.account.lost_fills import LostFill
from processors.account.publishing import COUNTERS
from processors.account.streams import Blind
from processors.ledger.committed import committed_records, windows_back
from processors.ledger.log import LedgerLog
from processors.ledger.recorded import steps_back
from processors.ledger.state import REPAIR_KEY
from processors.repair.coverage import Coverage
from processors.repair.finishing import FormerView
from processors.repair.former_records import (
    EPOCH_END,
    VIEWS,
    FormerAccount,
    FormerFill,
    FormerTraded,
    Numbered,
    OfAccount,
    former_record,
)
from processors.repair.notes import ENDED

COUNTERS_STATE = f"{COUNTERS}/".encode()
NUMBERED: Final = (ORDERS, FILLS, POSITIONS, ACCOUNTS, DIFFERENCES, ANSWERS, DEAD_LETTERS)
"""The outputs whose records bear an epoch; another one would be read to its beginning for it."""
Note = Callable[[int], None]
"""Called with how many records were read."""


def highest_epoch(
    ledger_log: LedgerLog, partition: int, state: Mapping[bytes, bytes]
) -> int | None:
    """The highest epoch that anything in this partition was numbered in; None where nothing is.

    All accounts of a partition are in one epoch, that of its last repair, so the last record of a
    topic has the highest of that topic.
    """
    last = (_last_of_ours(ledger_log, topic, partition) for topic in NUMBERED)
    found = [record.epoch for record in last if record is not None]
    for key, value in state.items():
        if key == REPAIR_KEY or key.startswith(COUNTERS_STATE):
            epoch = _document(value).get("epoch")
            found += [epoch] if type(epoch) is int and 0 <= epoch < EPOCH_END else []
    return max(found, default=None)


def _last_of_ours(ledger_log: LedgerLog, topic: Topic, partition: int) -> Numbered | None:
    """The last record of an output that is ours; foreign ones may stand behind it."""
    for messages in windows_back(ledger_log, topic, partition):
        found = (record_of(topic, message) for message in reversed(messages))
        if (record := next((one for one in found if one is not None), None)) is not None:
            return record
    return None


def last_step_ms(ledger_log: LedgerLog, partition: int, epoch: int) -> int:
    """When the last step before the repair that began `epoch` was appended (ms); 0 for none.

    What a repair folded that did not end is no step of a life.
    """
    for record, message in steps_back(ledger_log, partition):
        if record.repair is None or _has_ended(record.repair, epoch):
            return message.timestamp()[1]
    return 0


def _has_ended(note: Mapping[str, Any], epoch: int) -> bool:
    """Whether a commit record is the last of a repair, and of one before that of `epoch`."""
    found = note.get("epoch")
    return note.get("phase") == ENDED and type(found) is int and found < epoch


def former_views(ledger_log: LedgerLog, partition: int, epoch: int) -> list[FormerView]:
    """Keys of views whose last record is of an epoch before `epoch`, and no tombstone."""
    found: list[FormerView] = []
    for topic in VIEWS:
        views: dict[bytes, FormerView] = {}
        for message in committed_records(ledger_log, topic, partition):
            record = record_of(topic, message)
            if not isinstance(record, OfAccount):
                continue
            key = message.key() or b""
            # The last record of a key counts: a tombstone, or one of the new epoch, takes it off.
            views.pop(key, None)
            if message.value() is not None and record.epoch < epoch:
                traded = (
                    (record.product, record.symbol) if isinstance(record, FormerTraded) else None
                )
                views[key] = FormerView(topic, key.decode(), record.account, traded)
        found += views.values()
    return found


def former_coverages(
    ledger_log: LedgerLog, partition: int, epoch: int, now_ns: int
) -> dict[str, Coverage]:
    """What the last record of each account before `epoch` shows of what was looked at.

    Read it before that epoch has gone on for two hours: compaction spares former records so long.
    """
    found: dict[str, Coverage] = {}
    for message in committed_records(ledger_log, ACCOUNTS, partition):
        record = record_of(ACCOUNTS, message)
        if not isinstance(record, FormerAccount) or record.epoch >= epoch:
            continue
        # Else the one before it still says how far that life had looked.
        if record.is_in_time(appended_ns := _appended_ns(message)):
            found[record.account] = _coverage(record, min(appended_ns, now_ns))
    return found


def _coverage(record: FormerAccount, latest_ns: int) -> Coverage:
    """What it shows; at what lay ahead of `latest_ns` nobody had looked."""
    still_open = tuple(
        Blind(one.product, one.start_ns, one.end_ns, one.reason)
        for one in record.blind
        if one.closed_ns is None
    )
    covered_ns = {product: min(at_ns, latest_ns) for product, at_ns in record.covered_ns.items()}
    return Coverage(record.epoch, covered_ns, still_open)


def lost_fills(
    ledger_log: LedgerLog, partition: int, epoch: int, note: Note
) -> dict[LostFill, int]:
    """Executions that were published before `epoch` and not in it: nothing shows them now.

    With the last epoch in which each was published.
    """
    former: dict[tuple[str, str], tuple[FormerFill, int]] = {}
    for number, message in enumerate(committed_records(ledger_log, FILLS, partition)):
        note(number)
        record = record_of(FILLS, message)
        if not isinstance(record, FormerFill):
            continue
        key = (record.account, record.execution_key)
        # The last record counts: published anew in this epoch, or busted, it is not lost.
        former.pop(key, None)
        if record.epoch < epoch and record.kind is not FillKind.BUST:
            former[key] = record, _appended_ns(message)
    return {record.as_lost(at_ns): record.epoch for record, at_ns in former.values()}


def record_of(topic: Topic, message: Message) -> Numbered | None:
    """What a record of an output says, or its headers where it is a tombstone; None: not ours."""
    headers = dict(message.headers() or ())
    return former_record(topic, message.key(), message.value(), headers)


def _document(value: bytes | None) -> dict[str, Any]:
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _appended_ns(message: Message) -> int:
    return message.timestamp()[1] * 1_000_000
