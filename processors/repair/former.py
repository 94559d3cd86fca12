"""What the outputs of a partition show of its former life: epochs, keys of views, executions."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from confluent_kafka import Message

from orderloom.quantities import ZERO, text_of
from orderloom.topology import ACCOUNTS, COMMITS, FILLS, ORDERS, OUTPUTS, POSITIONS, Topic
from orderloom.words import FillKind, PositionSide, Side
from processors.account.lost_fills import LostFill
from processors.account.publishing import COUNTERS
from processors.account.streams import Blind
from processors.ledger.committed import committed_records, last_records
from processors.ledger.log import LedgerLog
from processors.ledger.state import REPAIR_KEY
from processors.repair.coverage import Coverage
from processors.repair.finishing import FormerView

VIEWS = (ORDERS, POSITIONS, ACCOUNTS)
COUNTERS_STATE = f"{COUNTERS}/".encode()
BEGUN, FOLDING, ENDED = "begun", "folding", "ended"
"""The phases of a repair, as its commit records name them."""
LOOK_BACK = 256
Note = Callable[[int], None]
"""Called with how many records were read."""


def highest_epoch(
    ledger_log: LedgerLog, partition: int, state: Mapping[bytes, bytes]
) -> int | None:
    """The highest epoch that anything in this partition was numbered in; None where nothing is.

    All accounts of a partition are in one epoch, that of its last repair, so the last record of a
    topic has the highest of that topic.
    """
    found = [
        epoch
        for topic in OUTPUTS
        for message in last_records(ledger_log, topic, partition)
        if (epoch := fields_of(message).get("epoch")) is not None
    ]
    for key, value in state.items():
        if key == REPAIR_KEY or key.startswith(COUNTERS_STATE):
            epoch = _document(value).get("epoch")
            found += [epoch] if isinstance(epoch, int) else []
    return max((epoch for epoch in found if isinstance(epoch, int)), default=None)


def last_commit(ledger_log: LedgerLog, partition: int) -> dict[str, Any]:
    """The last commit record; empty where there is none."""
    records = last_records(ledger_log, COMMITS, partition)
    return _document(records[-1].value()) if records else {}


def last_step_ms(ledger_log: LedgerLog, partition: int, epoch: int) -> int:
    """When the last step before the repair that began `epoch` was appended (ms); 0 for none.

    What a repair folded that did not end is no step of a life.
    """
    begin = ledger_log.begins((COMMITS,), partition)[COMMITS.kind]
    end = ledger_log.ends((COMMITS,), partition)[COMMITS.kind]
    back = LOOK_BACK
    while begin < end:
        for message in reversed(
            list(committed_records(ledger_log, COMMITS, partition, end - back))
        ):
            note = _document(message.value()).get("repair")
            if note is None or (note["phase"] == ENDED and note["epoch"] < epoch):
                return message.timestamp()[1]
        if end - back <= begin:
            break
        back *= 16
    return 0


def former_views(ledger_log: LedgerLog, partition: int, epoch: int) -> list[FormerView]:
    """Keys of views whose last record is of an epoch before `epoch`, and no tombstone."""
    found: list[FormerView] = []
    for topic in VIEWS:
        views: dict[bytes, FormerView] = {}
        for message in committed_records(ledger_log, topic, partition):
            key, fields = message.key() or b"", fields_of(message)
            views.pop(key, None)
            if message.value() is not None and fields.get("epoch", epoch) < epoch:
                views[key] = _view(topic, key.decode(), fields)
        found += views.values()
    return found


def former_coverages(ledger_log: LedgerLog, partition: int, epoch: int) -> dict[str, Coverage]:
    """What the last record of each account before `epoch` shows of what was looked at.

    Read it before that epoch has gone on for two hours: compaction spares former records so long.
    """
    found: dict[str, Coverage] = {}
    for message in committed_records(ledger_log, ACCOUNTS, partition):
        fields = fields_of(message)
        if message.value() is not None and fields.get("epoch", epoch) < epoch:
            blind = [one for one in fields["blind"] if one.get("closed_ns") is None]
            still_open = tuple(
                Blind(one["product"], one["start_ns"], one["end_ns"], one["reason"])
                for one in blind
            )
            account = str(fields["account"])
            found[account] = Coverage(fields["epoch"], fields["covered_ns"], still_open)
    return found


def lost_fills(
    ledger_log: LedgerLog, partition: int, epoch: int, note: Note
) -> dict[LostFill, int]:
    """Executions that were published before `epoch` and not in it: nothing shows them now.

    With the last epoch in which each was published.
    """
    former: dict[tuple[str, str], dict[str, Any]] = {}
    for number, message in enumerate(committed_records(ledger_log, FILLS, partition)):
        note(number)
        fields = fields_of(message)
        if "execution_key" not in fields:
            continue
        key = (str(fields["account"]), str(fields["execution_key"]))
        former.pop(key, None)
        if fields["epoch"] < epoch and fields["kind"] != FillKind.BUST:
            former[key] = fields
    return {_lost(fields): fields["epoch"] for fields in former.values()}


def fields_of(message: Message) -> dict[str, Any]:
    """What a record says of account and number: its value, or a tombstone's headers."""
    if message.value() is not None:
        return _document(message.value())
    headers = dict(message.headers() or ())
    return {name: orjson.loads(value or b"null") for name, value in headers.items()}


def _document(value: bytes | None) -> dict[str, Any]:
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _view(topic: Topic, key: str, fields: dict[str, Any]) -> FormerView:
    traded = None if topic is ACCOUNTS else (fields["product"], fields["symbol"])
    return FormerView(topic, key, fields["account"], traded)


def _lost(fields: dict[str, Any]) -> LostFill:
    return LostFill(
        account=fields["account"],
        execution_key=fields["execution_key"],
        product=fields["product"],
        symbol=fields["symbol"],
        position_side=fields.get("position_side") or PositionSide.NET,
        quantity=_signed(fields.get("side"), fields.get("quantity")),
        quantity_unit=fields["quantity_unit"],
        venue_ns=fields.get("venue_ns") or 0,
    )


def _signed(side: str | None, quantity: str | None) -> str:
    """Above 0 for a buy; 0 where the record did not say."""
    if quantity is None or side is None:
        return text_of(ZERO)
    return quantity if side == Side.BUY else f"-{quantity}"
