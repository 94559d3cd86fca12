"""How the suite looks into each kind of sink: for each table, the documents by key."""

import sqlite3
from collections.abc import Callable
from typing import Any

import orjson

from sinks.sink import Sink
from sinks.sqlite import SqliteSink

Contents = dict[str, dict[str, dict[str, Any]]]


def contents_of_file(path: str) -> Contents:
    """What a SQLite sink shows."""
    with sqlite3.connect(path) as db:
        return {
            table: {
                key: orjson.loads(document)
                for key, document in db.execute(f"SELECT key, document FROM {table}")
            }
            for table in ("orders", "fills", "positions")
        }


def _sqlite(sink: Sink) -> Contents:
    assert isinstance(sink, SqliteSink)
    return contents_of_file(str(sink.path))


CONTENTS: dict[str, Callable[[Sink], Contents]] = {"sqlite": _sqlite}
