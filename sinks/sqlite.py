"""The embedded destination: one SQLite file with orders, fills and positions.

Rows and the offsets that they came from change in one transaction, so a kill anywhere neither loses
nor doubles. Write-ahead log: readers are never in the way. A power failure may take the last
transactions, rows and offsets together; they are then read again.
One sink writes a file: a lock beside it, `<file>.lock`, goes with the process. Both are made for
this user alone, and neither may be a link.
"""

import fcntl
import os
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from orderloom.topology import Topic
from runtime.files import check_no_link, open_own
from sinks.numbering import Number, Series
from sinks.record import Batch, Record
from sinks.sink import Progress, TargetAwayError, UnusableTargetError
from sinks.sqlite_tables import BOOKKEEPING, BOOKS, FORMAT, FORMER_FORMAT, FROM_FORMER, TABLES

BUSY_SECONDS_MAX: Final = 30.0
_PASSING: Final = ("database is locked", "database or disk is full", "disk I/O error")


class SqliteSink:
    """Writes to the file at `path`, which it makes, in a directory that is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._readable_errors(), ExitStack() as opened:
            opened.enter_context(self._alone())
            os.close(open_own(path))  # SQLite would make it by the umask, and its log like it
            for beside in ("-wal", "-shm", "-journal"):
                check_no_link(Path(f"{path}{beside}"))
            # Autocommit: transactions are begun and ended by us alone.
            self._db = sqlite3.connect(
                path, timeout=BUSY_SECONDS_MAX, isolation_level=None, check_same_thread=False
            )
            opened.callback(self._db.close)
            self._prepare()
            self._opened = opened.pop_all()

    @property
    def topics(self) -> Collection[Topic]:
        """Orders, fills, positions."""
        return [table.topic for table in TABLES.values()]

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def progress(self) -> Progress:
        """How far it got, as the last transaction left it."""
        with self._readable_errors():
            return Progress(
                {(topic, part): at for topic, part, at in self._rows("offsets")},
                {(topic, account): Number(*n) for topic, account, *n in self._rows("numbers")},
                dict(self._rows("topics")),
                dict(self._rows("reading")),
            )

    def begin(self, topic_ids: Mapping[str, str], now_ms: int) -> None:
        """Remember which topics are about to be read, and since when."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO topics VALUES (?, ?)", topic_ids.items())
            began = [(name, now_ms) for name in topic_ids]
            db.executemany("INSERT OR IGNORE INTO reading VALUES (?, ?)", began)

    def forget(self, names: Collection[str]) -> None:
        """Drop all that came from these topics, and how far they were read."""
        stores = [table.rows for table in TABLES.values()] + list(BOOKS)
        with self._transaction() as db:
            for store in stores:
                statement = f"DELETE FROM {store} WHERE topic = ?"  # noqa: S608  our own names
                db.executemany(statement, [(name,) for name in names])

    def write(self, batch: Batch) -> None:
        """Take the rows and how far they reach, in one transaction."""
        with self._transaction() as db:
            epochs = self._take_numbers(db, batch.numbers())
            rows = self._rows_of(batch.records, epochs)
            for kind, values in rows.items():
                db.executemany(TABLES[kind].upsert(), values)
            db.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                # Batches may come again and in any order: an older one must not set it back.
                " SET next_offset = max(next_offset, excluded.next_offset)",
                [(*place, offset) for place, offset in batch.offsets.items()],
            )
            ends = batch.at_end_ms.items()
            db.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?)", ends)

    def _take_numbers(
        self, db: sqlite3.Connection, numbers: Mapping[Series, Number]
    ) -> dict[Series, int]:
        """Raise the numbers seen; the epoch in which each series now is."""
        db.executemany(
            "INSERT INTO numbers VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET epoch = excluded.epoch, sequence = excluded.sequence"
            " WHERE (excluded.epoch, excluded.sequence) > (epoch, sequence)",
            [(*series, *number) for series, number in numbers.items()],
        )
        find = "SELECT epoch FROM numbers WHERE topic = ? AND account = ?"
        return {series: db.execute(find, series).fetchone()[0] for series in numbers}

    def _rows_of(
        self, records: Collection[Record], epochs: Mapping[Series, int]
    ) -> dict[str, list[tuple[Any, ...]]]:
        """The rows to write, by kind of topic; what a new epoch took out of use is dropped."""
        rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for record in records:
            table, epoch = TABLES[record.topic.kind], epochs[record.series]
            # Executions of a former epoch stay: they are
            # known by their key (docs/contract.md, rule 5).
            if not table.is_view or record.number.epoch == epoch:
                rows[record.topic.kind].append(table.row(record))
        views = {(r.topic.kind, r.series) for r in records if TABLES[r.topic.kind].is_view}
        for kind, series in views:
            self._db.execute(TABLES[kind].drop_former_epochs(), (*series, epochs[series]))
        return rows

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes the file meanwhile. Raises UnusableTargetError, OSError."""
        if not self.path.parent.is_dir():
            raise UnusableTargetError(
                f"{self.path} cannot be made, there is no directory {self.path.parent}",
                "make it, or name another file",
            )
        with os.fdopen(open_own(Path(f"{self.path}.lock")), "rb+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UnusableTargetError(
                    f"another sink writes {self.path}", "stop it, or name another file"
                ) from None
            yield

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found == FORMER_FORMAT:
            self._db.executescript(FROM_FORMER)
        elif found not in (0, FORMAT):
            raise UnusableTargetError(
                f"{self.path} has format {found}, this version writes {FORMAT}",
                "name another file, or install the version that made it",
            )
        tables = "".join(table.create() for table in TABLES.values())
        self._db.executescript(f"{BOOKKEEPING}{tables}PRAGMA user_version = {FORMAT};")

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        return self._db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  our own names

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._readable_errors():
            # The lock for writing at once: a transaction that
            # only asked for it later could fail half way.
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        """SQLite's errors in one line each, with what to do."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if any(words in str(error) for words in _PASSING):
                raise TargetAwayError(
                    f"{self.path} cannot be written now ({error})",
                    "free its disk, or end what holds it; it is tried again",
                ) from error
            raise UnusableTargetError(
                f"{self.path} cannot be used ({error})", "name another file, or repair this one"
            ) from error
