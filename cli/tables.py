"""What `orders`, `fills`, `positions`, `accounts` and `differences` show: rows and columns.

Pure: records in, rows out. A view holds the newest record of each key; fills are known by their
execution, and each difference is a row of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, Final

import orjson

from cli.findings import since
from orderloom import topology
from orderloom.quantities import text_of
from orderloom.topology import Topic
from orderloom.words import FillKind
from sinks.numbering import is_compacted
from sinks.record import Record

SHOWN: Final = Context(prec=12)
NANOSECONDS: Final = 1_000_000_000
Show = Callable[[Any], str]
Cell = Callable[[Any, int], str]
"""A cell's text, of a message and the present moment (ns UTC)."""


def _field(name: str) -> Show:
    return lambda message: _text(getattr(message, name))


def _text(value: object) -> str:
    if value is None:
        return ""
    return _shown(value) if isinstance(value, Decimal) else str(value)


def _shown(number: Decimal) -> str:
    """A derived number may have 28 digits; a table shows 12, the messages hold them all."""
    return text_of(SHOWN.plus(number))


def _time(message: Any) -> str:
    if message.venue_ns is None:
        return ""
    when = datetime.fromtimestamp(message.venue_ns // NANOSECONDS, UTC)
    return f"{when:%H:%M:%S}.{message.venue_ns % NANOSECONDS // 1_000_000:03}"


def _sums(amounts: dict[str, Decimal]) -> str:
    return " ".join(f"{_shown(amount)} {currency}" for currency, amount in amounts.items())


def _order_trust(order: Any) -> str:
    notes = [str(order.trust)]
    notes += [word for word in ("disputed", "stale") if getattr(order, word)]
    notes += [str(order.completeness)] if order.completeness != "COMPLETE" else []
    return " ".join(notes)


def _band(position: Any) -> str:
    if position.unbounded:
        return "unbounded"
    return f"[{_shown(position.low)}, {_shown(position.high)}]"


def sync_of(account: Any) -> str:
    """With how many questions are answered, while it is catching up; "" where nobody looks."""
    if not account.enabled:
        return ""
    cycles = (
        f"{product}:{one.answered}/{one.asked}" for product, one in sorted(account.progress.items())
    )
    return " ".join((account.sync, *cycles))


def _streams(account: Any) -> str:
    return " ".join(f"{product}:{state}" for product, state in sorted(account.streams.items()))


def _registry(account: Any) -> str:
    if account.removed:
        return "removed"
    return "enabled" if account.enabled else "disabled"


def _blind(account: Any) -> str:
    return str(sum(interval.closed_ns is None for interval in account.blind))


def _covered(account: Any, now_ns: int) -> str:
    """Until when all of it was looked at: what LIVE and SYNCED say may be as old as the record."""
    reached = [account.covered_ns.get(product, 0) for product in account.streams]
    return since(min(reached), now_ns) if reached and all(reached) else "never"


def _side(said: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in said.items() if value is not None)


@dataclass(frozen=True, slots=True)
class View:
    """One kind of table: its topic and its columns, heading by heading."""

    topic: Topic
    columns: tuple[tuple[str, Cell], ...]

    def cells(self, message: Any, now_ns: int) -> list[str]:
        """One row's texts."""
        return [cell(message, now_ns) for _, cell in self.columns]


def _columns(*named: str, **made: Show) -> tuple[tuple[str, Cell], ...]:
    """Columns of the fields `named`, but those in `made` by their own functions, in this order."""
    shown = {name: made.get(name, _field(name)) for name in named}
    return tuple((name.replace("_", " "), _timeless(show)) for name, show in shown.items())


def _timeless(show: Show) -> Cell:
    return lambda message, _now_ns: show(message)


ORDERS: Final = View(
    topology.ORDERS,
    _columns(
        "account", "product", "symbol", "venue_order_id", "side", "order_type", "price",
        "quantity", "filled_quantity", "average_price", "status", "reason", "trust", "version",
        trust=_order_trust,
    ),
)  # fmt: skip
FILLS: Final = View(
    topology.FILLS,
    _columns(
        "time", "account", "product", "symbol", "exec_id", "venue_order_id", "side", "price",
        "quantity", "fee", "fee_currency", "liquidity", "kind", "source",
        time=_time,
    ),
)  # fmt: skip
POSITIONS: Final = View(
    topology.POSITIONS,
    _columns(
        "account", "product", "symbol", "position_side", "net", "band", "average_entry",
        "realized", "fees",
        band=_band, fees=lambda position: _sums(position.fees),
    ),
)  # fmt: skip
ACCOUNTS: Final = View(
    topology.ACCOUNTS,
    (
        *_columns(
            "account", "partition", "registry", "sync", "streams",
            registry=_registry, sync=sync_of, streams=_streams,
        ),
        ("covered until", _covered),
        *_columns("open_blind_intervals", "quarantined", "version", open_blind_intervals=_blind),
    ),
)  # fmt: skip

DIFFERENCES: Final = View(
    topology.DIFFERENCES,
    _columns(
        "account", "kind", "product", "symbol", "order_key", "ours", "theirs", "rule",
        ours=lambda found: _side(found.ours), theirs=lambda found: _side(found.theirs),
    ),
)  # fmt: skip

VIEWS: Final = {view.topic.kind: view for view in (ORDERS, FILLS, POSITIONS, ACCOUNTS, DIFFERENCES)}


@dataclass(slots=True)
class Rows:
    """The newest record of each key, in the order of their last change."""

    view: View
    account: str | None = None
    _held: dict[str, Record] = field(default_factory=dict)
    _epochs: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, record: Record) -> bool:
        """Take the next record; whether it is one that is shown."""
        if self.account is not None and record.account != self.account:
            return False
        if record.number.epoch > self._epochs.get(record.series, record.number.epoch):
            self._drop_former(record)
        self._epochs[record.series] = record.number.epoch
        key = f"{record.name}/{self._key(record)}"
        # Taken out and put in again: the order of the rows is that of their last change.
        self._held.pop(key, None)
        is_busted = getattr(record.message, "kind", None) == FillKind.BUST
        if record.message is not None and not is_busted:
            self._held[key] = record
        return True

    def _key(self, record: Record) -> str:
        if self.view.topic is topology.FILLS:
            return f"{record.account}/{getattr(record.message, 'execution_key', record.key)}"
        if self.view.topic is topology.DIFFERENCES:
            return f"{record.account}/{record.number.epoch}/{record.number.sequence}"
        return record.key

    def _drop_former(self, record: Record) -> None:
        """A repair began a new epoch: the account's view is built anew, its executions stay."""
        if is_compacted(record.topic):
            former = [key for key, held in self._held.items() if held.series == record.series]
            for key in former:
                del self._held[key]

    def __len__(self) -> int:
        return len(self._held)

    def cells(self, now_ns: int, most: int | None = None) -> list[list[str]]:
        """The texts of the rows, the last changed last; of the last `most` only."""
        records = list(self._held.values())[-most if most else 0 :]
        return [self.view.cells(record.message, now_ns) for record in records]

    def messages(self) -> Iterator[Any]:
        """Each row's message."""
        return (record.message for record in self._held.values())

    def lines(self) -> Iterator[bytes]:
        """Each row as one line of JSON: the message as published."""
        for record in self._held.values():
            yield line_of(record)


def line_of(record: Record) -> bytes:
    """A record as one line of JSON; a tombstone says what it retires."""
    if record.value is not None:
        return record.value + b"\n"
    gone = {"key": record.key, "account": record.account, "retired": True}
    gone |= {"epoch": record.number.epoch, "sequence": record.number.sequence}
    return orjson.dumps(gone) + b"\n"
