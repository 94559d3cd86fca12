"""The tables of the SQLite sink, and the row that a record becomes. Pure.

Numbers are their exact decimal text; times are integer ns UTC. `document` is the whole message as
published. Of two rows under one key the one with the greater (epoch, sequence) stays. What was
retired or busted stays as a row too, or a repeat of an older record would bring it back; the views
`orders`, `fills` and `positions` leave it out.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from orderloom import topology
from orderloom.quantities import text_of
from orderloom.topology import Topic
from orderloom.words import FillKind
from sinks.record import Record

FORMAT: Final = 2
FORMER_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Where the records of one topic go. `columns` are fields of the message."""

    topic: Topic
    name: str
    columns: tuple[str, ...]
    is_view: bool
    """Whether a new epoch drops the account's rows; executions are known by identity instead."""

    @property
    def rows(self) -> str:
        """The table's own name; `name` is the view without what is gone."""
        return f"{self.name}_rows"

    def create(self) -> str:
        """The statements that make table and view."""
        kinds = "".join(f", {column} {_kind(column)}" for column in self.columns)
        names = ", ".join(("key", "account", *self.columns, "epoch", "sequence", "document"))
        view = f"SELECT {names} FROM {self.rows} WHERE NOT gone"  # noqa: S608  our own names
        return (
            f"CREATE TABLE IF NOT EXISTS {self.rows} (key TEXT PRIMARY KEY, account TEXT NOT NULL,"
            " topic TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,"
            f" gone INTEGER NOT NULL, document TEXT{kinds}) WITHOUT ROWID;"
            f"CREATE INDEX IF NOT EXISTS {self.rows}_account ON {self.rows} (account);"
            f"CREATE VIEW IF NOT EXISTS {self.name} AS {view};"
        )

    def upsert(self) -> str:
        """The statement that takes a row unless a newer one is there."""
        names = ("key", "account", "topic", "epoch", "sequence", "gone", "document", *self.columns)
        changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        into = f"{self.rows} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        return (
            f"INSERT INTO {into} ON CONFLICT (key) DO UPDATE SET {changes} WHERE"
            f" (excluded.epoch, excluded.sequence) > ({self.rows}.epoch, {self.rows}.sequence)"
        )

    def drop_former_epochs(self) -> str:
        """The statement that drops what is older than an epoch of a topic and account."""
        which = "topic = ? AND account = ? AND epoch < ?"
        return f"DELETE FROM {self.rows} WHERE {which}"  # noqa: S608  our own names

    def row(self, record: Record) -> tuple[Any, ...]:
        """The values of `upsert`."""
        message = record.message
        key = record.key
        # Kept as a row: deleted, a repeat of an older record would bring it back (decision 0603).
        is_gone = message is None
        if self.topic is topology.FILLS:
            # The record's own key is the account: all its executions would be one row.
            key = f"{record.account}/{getattr(message, 'execution_key', '')}"
            is_gone = getattr(message, "kind", None) == FillKind.BUST
        document = None if record.value is None else record.value.decode()
        values = (_plain(getattr(message, column, None)) for column in self.columns)
        return (key, record.account, record.name, *record.number, is_gone, document, *values)


_INTEGERS: Final = frozenset(
    {"version", "venue_ns", "received_ns", "disputed", "stale", "adopted", "unbounded"}
)


def _kind(column: str) -> str:
    return "INTEGER" if column in _INTEGERS else "TEXT"


def _plain(value: object) -> str | int | None:
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int) or value is None else str(value)


ORDERS: Final = Table(
    topology.ORDERS,
    "orders",
    (
        "product", "symbol", "venue_order_id", "client_order_id", "side", "order_type",
        "time_in_force", "status", "reason", "price", "quantity", "quantity_unit",
        "filled_quantity", "provisional_quantity", "average_price", "position_side", "lifecycle",
        "completeness", "trust", "disputed", "stale", "adopted", "strategy", "intent_id",
        "venue_ns", "version",
    ),
    is_view=True,
)  # fmt: skip
FILLS: Final = Table(
    topology.FILLS,
    "fills",
    (
        "kind", "product", "symbol", "order_key", "execution_key", "exec_id", "venue_order_id",
        "client_order_id", "side", "price", "quantity", "quantity_unit", "fee", "fee_currency",
        "liquidity", "position_side", "strategy", "intent_id", "source", "venue_ns", "received_ns",
    ),
    is_view=False,
)  # fmt: skip
POSITIONS: Final = Table(
    topology.POSITIONS,
    "positions",
    (
        "product", "symbol", "position_side", "margin_mode", "net", "quantity_unit",
        "average_entry", "realized", "low", "high", "unbounded", "version",
    ),
    is_view=True,
)  # fmt: skip
TABLES: Final = {table.topic.kind: table for table in (ORDERS, FILLS, POSITIONS)}

BOOKKEEPING: Final = """
CREATE TABLE IF NOT EXISTS offsets (
    topic TEXT, partition INTEGER, next_offset INTEGER NOT NULL, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS numbers (
    topic TEXT, account TEXT, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (topic, account));
CREATE TABLE IF NOT EXISTS topics (topic TEXT PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reading (topic TEXT PRIMARY KEY, at_end_ms INTEGER NOT NULL);
"""
BOOKS: Final = ("offsets", "numbers", "topics", "reading")
"""The tables of bookkeeping, each with a column `topic`."""
FROM_FORMER: Final = """
BEGIN IMMEDIATE;
DROP TABLE reading;
CREATE TABLE reading (topic TEXT PRIMARY KEY, at_end_ms INTEGER NOT NULL);
INSERT INTO reading SELECT topic, 0 FROM topics;
COMMIT;
"""
"""From the format that noted one time for all topics together: for each, nobody knows it."""
