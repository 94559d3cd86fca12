"""The page of the tables' words has each word that may be read, and the sink's tables."""

import re
import sqlite3
from pathlib import Path

from orderloom.words import Trust
from sinks.sqlite import SqliteSink
from sinks.sqlite_tables import BOOKS, TABLES
from tests.source_tree import ROOT, source

PAGE = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
FIRST_CELLS = " ".join(re.findall(r"^\| ([^|]+) \|", PAGE, re.M))
KINDS = re.compile(r'(?:_say\(|publish\(|KIND: Final = |FillKind\.\w+: |DOUBT: )\s*"([A-Z_]{3,})"')


def test_every_trust_is_explained() -> None:
    assert {f"`{word}`" for word in Trust} <= set(re.findall(r"`\w+`", FIRST_CELLS))


def test_every_kind_of_difference_is_explained() -> None:
    rooms = [one for one in source() if one.name.startswith("processors.account.")]
    kinds = {kind for module in rooms for kind in KINDS.findall(module.text)} | {
        "GHOST",
        "GAP",
        "ZOMBIE",
    }
    assert {"MISSED_FILL", "DISPUTE", "POSITION", "BALANCE", "LOST_EVIDENCE"} <= kinds
    assert kinds <= set(re.findall(r"`(\w+)`", FIRST_CELLS)), kinds


def test_the_sinks_views_columns_and_tables_are_there(tmp_path: Path) -> None:
    SqliteSink(tmp_path / "db").close()
    with sqlite3.connect(tmp_path / "db") as db:
        for view, columns in re.findall(
            r"^\| `(orders|fills|positions)` \|.*\| (.*) \|$", PAGE, re.M
        ):
            names = ", ".join(re.findall(r"`(\w+)`", columns))
            db.execute(f"SELECT {names} FROM {view}")
    assert all(f"`{name}`" in PAGE for name in (*BOOKS, *(one.rows for one in TABLES.values())))
