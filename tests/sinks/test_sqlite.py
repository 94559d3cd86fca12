"""The SQLite sink's own promises: readers are never in the way, trouble is one line."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from orderloom.topology import FILLS, ORDERS
from sinks.follower import stale_topics
from sinks.sink import TargetAwayError, UnusableTargetError
from sinks.sqlite import SqliteSink
from tests.sinks.contents import contents_of_file
from tests.sinks.records import a_batch, a_fill, a_position, an_order


def test_amounts_are_the_exact_text_and_flags_are_numbers(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path / "db")
    sink.write(a_batch(a_fill(), a_position(unbounded=True), an_order(disputed=True)))
    with sqlite3.connect(sink.path) as db:
        assert db.execute("SELECT price, quantity, kind FROM fills").fetchone() == (
            "150.1",
            "1.5",
            "REAL",
        )
        assert db.execute("SELECT net, unbounded FROM positions").fetchone() == ("1.5", 1)
        assert db.execute("SELECT status, disputed FROM orders").fetchone() == ("ACTIVE", 1)
    sink.close()


def test_it_goes_on_with_the_file_that_it_left(tmp_path: Path) -> None:
    first = SqliteSink(tmp_path / "db")
    first.begin({"orders.lab": "id"}, 5)
    first.write(a_batch(an_order()))
    progress = first.progress()
    first.close()
    second = SqliteSink(tmp_path / "db")
    assert second.progress() == progress
    assert progress.topic_ids == {"orders.lab": "id"}
    assert progress.at_end_ms == {"orders.lab": 5}
    second.close()


def test_a_reader_in_the_middle_of_its_reading_is_not_in_the_way(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path / "db")
    sink.write(a_batch(an_order()))
    with sqlite3.connect(sink.path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM orders").fetchone() == (1,)
        sink.write(a_batch(an_order("another", sequence=2), at=1))
        assert reader.execute("SELECT count(*) FROM orders").fetchone() == (1,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM orders").fetchone() == (2,)
    sink.close()


def test_a_full_disk_is_named_leaves_nothing_half_written_and_may_be_mended(
    tmp_path: Path,
) -> None:
    sink = SqliteSink(tmp_path / "db")
    sink.write(a_batch(an_order()))
    [(pages,)] = sink._db.execute("PRAGMA page_count").fetchall()
    sink._db.execute(f"PRAGMA max_page_count = {pages}")  # as a disk that has no more room
    many = a_batch(*(an_order(f"k{n}", sequence=n) for n in range(2, 500)), at=1)
    with pytest.raises(TargetAwayError, match="full") as raised:
        sink.write(many)
    assert "\n" not in str(raised.value)
    assert len(contents_of_file(str(sink.path))["orders"]) == 1
    sink._db.execute("PRAGMA max_page_count = 100000")
    sink.write(many)
    assert len(contents_of_file(str(sink.path))["orders"]) == 499
    sink.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(UnusableTargetError, match=r"db cannot be used \(file is not a database\)"):
        SqliteSink(path)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "db"
    SqliteSink(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(UnusableTargetError, match="has format 9, this version writes 2"):
        SqliteSink(path)


def test_a_file_that_noted_one_time_for_all_topics_has_its_views_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "db"
    former = SqliteSink(path)
    former.begin({"orders.lab": "id", "fills.lab": "id"}, 5)
    former.write(a_batch(an_order(), a_fill()))
    former.close()
    with sqlite3.connect(path) as db:
        db.executescript(
            "DROP TABLE reading; PRAGMA user_version = 1; CREATE TABLE reading"
            " (one INTEGER PRIMARY KEY CHECK (one = 1), at_end_ms INTEGER);"
            " INSERT INTO reading VALUES (1, 1000000000000);"
        )
    sink = SqliteSink(path)
    topics = {"orders.lab": ORDERS, "fills.lab": FILLS}
    assert stale_topics(topics, sink.progress(), 1_000_000_000_001) == ("orders.lab",)
    assert len(contents_of_file(str(path))["fills"]) == 1
    sink.close()
    again = SqliteSink(path)
    assert again.progress().at_end_ms == {"orders.lab": 0, "fills.lab": 0}
    again.close()


def test_a_directory_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UnusableTargetError, match=r"there is no directory .*nope/dir: make it"):
        SqliteSink(tmp_path / "nope" / "dir" / "db")
    assert not (tmp_path / "nope").exists()


def test_a_file_that_another_sink_writes_is_refused_until_that_one_ends(tmp_path: Path) -> None:
    first = SqliteSink(tmp_path / "db")
    with pytest.raises(UnusableTargetError, match=r"another sink writes .*/db: stop it"):
        SqliteSink(tmp_path / "db")
    first.write(a_batch(an_order()))
    first.close()
    SqliteSink(tmp_path / "db").close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableTargetError, match="name another file"):
        SqliteSink(tmp_path / "file" / "db")


@pytest.mark.parametrize("umask", [0o000, 0o022], ids=oct)
def test_its_files_are_for_this_user_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        sink = SqliteSink(tmp_path / "db")
        sink.write(a_batch(an_order()))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(former)
    sink.close()
    assert modes == dict.fromkeys(("db", "db-wal", "db-shm", "db.lock"), 0o600)


@pytest.mark.parametrize("name", ["db", "db.lock", "db-wal", "db-journal"])
def test_a_link_in_the_place_of_a_file_is_refused_and_its_target_stays(
    tmp_path: Path, name: str
) -> None:
    target = tmp_path / "precious"
    target.write_text("not ours")
    (tmp_path / name).symlink_to(target)
    with pytest.raises(UnusableTargetError, match="is a link: links are not followed") as raised:
        SqliteSink(tmp_path / "db")
    assert str(raised.value).count("\n") == 0
    assert target.read_text() == "not ours"
