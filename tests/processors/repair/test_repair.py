"""A partition that stops is rebuilt from its inputs, in a higher epoch, or goes on to stop."""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from orderloom.topology import (
    ACCOUNTS,
    CONTROL,
    DEAD_LETTERS,
    DIFFERENCES,
    DISPATCHES,
    FILLS,
    INTENTS,
    LEDGER,
    ORDERS,
    POSITIONS,
    RAW,
)
from processors.ledger.step import InputRecord
from processors.ledger.trouble import PartitionStopped
from processors.partition import PartitionFold
from processors.repair.survey import check_repairable
from runtime.settings import load_settings
from runtime.trouble import SetupError
from sinks.worker import SinkOptions, run
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate, small_steps
from tests.processors.partition_lab import ACCOUNT, a_registration
from tests.processors.repair.repair_lab import ORDER, VENUE, KillAt, Killed, RepairLab
from tests.waits import wait_for

pytestmark = pytest.mark.broker
WAIT_SECONDS = 60.0


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


def lose_the_ledger(lab: RepairLab) -> None:
    recreate(lab, LEDGER)
    with pytest.raises(PartitionStopped, match="has no state, but a past"):
        lab.open_real()


def lose_the_state_format(lab: RepairLab) -> None:
    lab.producer.produce(lab.name(LEDGER), b'{"f":99}', b"o/novelty", 0)
    lab.producer.flush(30)


def test_a_lost_ledger_is_rebuilt_with_equal_content_in_a_higher_epoch(lab: RepairLab) -> None:
    lab.live()
    before, dispatches = lab.content(), len(lab.values(DISPATCHES))
    lose_the_ledger(lab)
    outcome = lab.repair()
    assert (outcome.epoch, outcome.raw_gap) == (1, "")
    assert lab.content() == before
    assert lab.executions(epoch=1) == lab.executions(epoch=0) != {}
    assert len(lab.values(DISPATCHES)) == dispatches, "the rebuilt past asked again"
    for topic in (ORDERS, POSITIONS, FILLS, ACCOUNTS):
        sequences = [d["sequence"] for d in lab.documents(topic) if d["epoch"] == 1]
        assert sequences == list(range(1, len(sequences) + 1)), topic.kind
    lab.run()
    assert len(lab.values(DISPATCHES)) > dispatches, "nothing is asked after the repair"
    assert lab.content()[1:] == before[1:]


def test_commit_records_say_who_repaired_and_why(lab: RepairLab) -> None:
    lab.live()
    lose_the_ledger(lab)
    lab.repair()
    lab.run()
    commits = lab.commits()
    assert [commit["step"] for commit in commits] == list(range(1, len(commits) + 1))
    notes = [commit["repair"] for commit in commits]
    phases = [note and note["phase"] for note in notes]
    assert [phase for phase, _ in itertools.groupby(phases)] == [
        None, "begun", "folding", "ended", None,
    ]  # fmt: skip
    said = next(note for note in notes if note)
    assert (said["author"], said["reason"], said["epoch"]) == ("ada", "the ledger was lost", 1)
    assert "has no state, but a past" in said["cause"]


def test_each_repair_begins_a_higher_epoch(lab: RepairLab) -> None:
    lab.live()
    for epoch in (1, 2):
        lose_the_ledger(lab)
        assert lab.repair().epoch == epoch
        lab.run()
    assert {document["epoch"] for document in lab.documents(ACCOUNTS)} == {0, 1, 2}


def test_accounts_that_come_later_are_numbered_in_the_epoch_of_the_partition(
    lab: RepairLab,
) -> None:
    lab.live()
    lose_the_ledger(lab)
    lab.repair()
    other = ACCOUNT.replace("main", "other")
    lab.feed(RAW, [(other.encode(), lab.history()[0][1].replace(ACCOUNT.encode(), other.encode()))])
    lab.run()
    [document] = [one for one in lab.documents(ACCOUNTS) if one["account"] == other]
    assert (document["epoch"], document["sequence"]) == (1, 1)


def test_a_state_of_an_unknown_format_is_rebuilt(lab: RepairLab) -> None:
    lab.live()
    before = lab.content()
    lose_the_state_format(lab)
    with pytest.raises(PartitionStopped, match="another version of this program"):
        lab.open_real()
    lab.repair()
    lab.run()
    assert lab.content()[1:] == before[1:]


def test_a_partition_that_opens_is_not_repaired(lab: RepairLab) -> None:
    lab.live()
    assert lab.survey().cause == ""
    with pytest.raises(SetupError, match="opens as it is"):
        lab.repair()


def test_intents_that_are_gone_take_a_ruling(lab: RepairLab) -> None:
    lab.feed(INTENTS, [b"{}"] * 3)
    lab.live()
    lab.trim(INTENTS, 2)
    recreate(lab, LEDGER)
    with pytest.raises(SetupError, match="named ruling") as refused:
        lab.repair()
    assert "intents are gone (it begins at offset 2)" in str(refused.value)
    with pytest.raises(SetupError):
        check_repairable(lab.survey())


POINTS = [("before-commit", 1), ("before-commit", 3), ("after-commit", 2), ("after-produce", 4)]


@pytest.mark.parametrize(("point", "number"), POINTS)
def test_a_repair_killed_in_the_middle_still_stops_and_a_second_one_ends_it(
    lab: RepairLab, point: str, number: int
) -> None:
    lab.configure(step=small_steps(25))
    lab.live()
    before = lab.content()
    lose_the_ledger(lab)
    with pytest.raises(Killed):
        lab.repair(probe=KillAt(point, number))
    with pytest.raises(PartitionStopped, match="a repair of partition 0 was begun and did not end"):
        lab.open_real()
    found = lab.survey()
    assert found.begun is not None
    outcome = lab.repair()
    assert outcome.epoch == found.begun.epoch == 1
    lab.run()
    assert lab.content()[1:] == before[1:]
    assert lab.executions(epoch=1) == lab.executions(epoch=0)
    sequences = [d["sequence"] for d in lab.documents(FILLS) if d["epoch"] == 1]
    assert sequences == list(range(1, len(sequences) + 1))


class KillAtEnd:
    """Kills once what is lost was published, before the repair has ended."""

    def __init__(self, lab: RepairLab) -> None:
        self._lab = lab

    def __call__(self, point: str) -> None:
        if point == "after-commit" and any(
            one["kind"] == "LOST_EVIDENCE" for one in self._lab.documents(DIFFERENCES)
        ):
            raise Killed


def test_a_repair_killed_before_its_last_transaction_is_not_half_ended(lab: RepairLab) -> None:
    lab.live()
    lab.trim(RAW, 40)
    recreate(lab, LEDGER)
    ended = KillAtEnd(lab)
    with pytest.raises(Killed):
        lab.repair(probe=ended)
    assert lab.survey().begun is not None
    with pytest.raises(PartitionStopped, match="did not end"):
        lab.open_real()
    outcome = lab.repair()
    assert outcome.epoch == 1
    assert outcome.former.retired == 0, "what was retired before the kill is retired again"
    rows = [one for one in lab.documents(DIFFERENCES) if one["kind"] == "LOST_EVIDENCE"]
    noted = [(one["product"], one["symbol"], one["ours"]["position_side"]) for one in rows]
    assert len(noted) == len(set(noted)) > 0, "what is lost was published twice"


def test_a_changed_fold_begins_the_repair_anew_in_another_epoch(lab: RepairLab) -> None:
    lab.configure(step=small_steps(25))
    lab.live()
    lose_the_ledger(lab)
    with pytest.raises(Killed):
        lab.repair(probe=KillAt("before-commit", 3))
    lab.configure(step=small_steps(25), config_digest="another")
    assert lab.repair(replace(ORDER, config="another")).epoch == 2
    lab.run()
    assert lab.executions(epoch=2) == lab.executions(epoch=0)


def test_what_trimmed_raw_lacks_is_blind_retired_and_published(lab: RepairLab) -> None:
    lab.live()
    before, orders = lab.executions(), lab.view(ORDERS)
    cut = 60
    lab.trim(RAW, cut)
    recreate(lab, LEDGER)
    found = lab.survey()
    assert found.lost["raw"] == f"it begins at offset {cut}"
    outcome = lab.repair()
    kept = lab.executions(epoch=1)
    lost = before.keys() - kept.keys()
    assert outcome.former.lost == len(lost) > 0
    assert set(lab.view(ORDERS)) < set(orders), "orders without evidence are still shown"
    account = lab.documents(ACCOUNTS)[-1]
    gaps = [one for one in account["blind"] if one["reason"].startswith("raw is not whole")]
    assert {one["product"] for one in gaps} == {"spot", "linear"}
    assert account["sync"] == "CATCHING_UP"
    first = lab.committed(RAW)[0].timestamp()[1] * 1_000_000
    assert all(one["end_ns"] == first for one in gaps)
    noted = [one for one in lab.documents(DIFFERENCES) if one["kind"] == "LOST_EVIDENCE"]
    assert sum(one["ours"]["executions"] for one in noted) == len(lost)
    assert {one["rule"] for one in noted} == {"open"}


@contextmanager
def a_sink(lab: RepairLab, directory: Path) -> Iterator[Path]:
    """A SQLite sink that follows throughout, in a thread of this process."""
    kafka = {"bootstrap": lab.bootstrap}
    settings = load_settings(kafka=kafka, namespace=lab.namespace, data_dir=directory)
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "sqlite", settings, SinkOptions([VENUE]), stop)
        try:
            yield directory / "orderloom.sqlite"
        finally:
            stop.set()
            running.result(WAIT_SECONDS)


def numbers_in(path: Path) -> dict[str, tuple[int, int]]:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT topic, epoch, sequence FROM numbers").fetchall()
    except sqlite3.OperationalError:
        return {}
    return {topic: (epoch, sequence) for topic, epoch, sequence in rows}


def rows_in(path: Path, view: str) -> list[dict[str, object]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return [orjson.loads(row[0]) for row in db.execute(f"SELECT document FROM {view}")]


def wait_for_the_sink(lab: RepairLab, path: Path) -> None:
    wanted = {}
    for topic in (ORDERS, FILLS, POSITIONS):
        last = lab.documents(topic)[-1]
        wanted[lab.name(topic)] = (last["epoch"], last["sequence"])

    def has_come() -> bool:
        held = numbers_in(path)
        return all(held.get(name, (0, 0)) >= number for name, number in wanted.items())

    wait_for(has_come, WAIT_SECONDS, lambda: f"{numbers_in(path)} of {wanted}")


def test_a_sink_that_followed_throughout_ends_equal_and_doubles_nothing(
    lab: RepairLab, tmp_path: Path
) -> None:
    with a_sink(lab, tmp_path) as path:
        lab.live()
        wait_for_the_sink(lab, path)
        before = {kind: sorted(keys_of(path, kind)) for kind in ("orders", "fills", "positions")}
        lose_the_ledger(lab)
        lab.repair()
        lab.run()
        wait_for_the_sink(lab, path)
    after = {kind: sorted(keys_of(path, kind)) for kind in ("orders", "fills", "positions")}
    assert after == before
    assert len(after["fills"]) == len(set(after["fills"])) == len(lab.executions())
    shown = lab.view(ORDERS)
    assert {row["key"]: row["status"] for row in rows_in(path, "orders")} == {
        key: document["status"] for key, document in shown.items()
    }
    assert {row["epoch"] for row in rows_in(path, "orders")} == {1}


def keys_of(path: Path, view: str) -> list[str]:
    name = {"orders": "key", "fills": "execution_key", "positions": "symbol"}[view]
    return [str(row[name]) for row in rows_in(path, view)]


def test_raw_that_was_made_again_is_a_gap_up_to_its_first_record(lab: RepairLab) -> None:
    lab.live()
    before = lab.executions()
    recreate(lab, RAW)
    lab.feed(RAW, lab.history()[:1])
    with pytest.raises(PartitionStopped, match="deleted and created again"):
        lab.open_real()
    outcome = lab.repair()
    assert outcome.raw_gap == "raw is not whole: it was deleted and created again"
    assert outcome.former.lost == len(before)
    assert lab.view(ORDERS) == {}, "orders without any evidence are still shown"
    lab.run()
    assert lab.documents(ACCOUNTS)[-1]["sync"] == "CATCHING_UP"


@pytest.mark.parametrize("lose", [lose_the_ledger, lose_the_state_format])
def test_what_one_repair_found_lost_a_second_one_finds_again(
    lab: RepairLab, lose: Callable[[RepairLab], None]
) -> None:
    """The second sees a `raw` that is whole: it begins at 0, and nothing of it is missing."""
    lab.live()
    before = lab.executions()
    recreate(lab, RAW)
    lab.feed(RAW, lab.history()[:1])
    assert lab.repair().former.lost == len(before)
    lab.run()
    lose(lab)
    outcome = lab.repair()
    assert (outcome.epoch, outcome.raw_gap, outcome.former.lost) == (2, "", len(before))
    lab.run()
    first: dict[str, int] = {}
    for one in before.values():
        first[one["product"]] = min(one["venue_ns"], first.get(one["product"], one["venue_ns"]))
    account = lab.documents(ACCOUNTS)[-1]
    since = {one["product"]: one["start_ns"] for one in account["blind"] if one["start_ns"]}
    assert since == first, "what is lost is not asked about"
    assert account["sync"] == "CATCHING_UP"
    positions = [one for one in lab.documents(POSITIONS) if one["epoch"] == 2]
    assert positions
    assert all(one["unbounded"] for one in positions)


def blind_spans(lab: RepairLab, reason: str) -> set[tuple[int, int]]:
    """The intervals that the account last showed for this reason."""
    blind = lab.documents(ACCOUNTS)[-1]["blind"]
    return {(one["start_ns"], one["end_ns"]) for one in blind if one["reason"].endswith(reason)}


@pytest.mark.parametrize("trimmed", [0, 5])
def test_a_tail_that_was_cut_off_is_a_gap_from_where_the_old_records_end_to_the_repair(
    lab: RepairLab, trimmed: int
) -> None:
    """Ingest went on behind the cut: the last record that is left is younger than the loss."""
    lab.configure(step=small_steps(5))
    lab.feed(CONTROL, [(ACCOUNT.encode(), a_registration())])
    lab.feed(RAW, lab.history()[:20])
    lab.run()
    lab.cut_off(10)
    lab.feed(RAW, lab.history()[30:33])
    with pytest.raises(PartitionStopped, match="ends at 23, below 30"):
        lab.open_real()
    lab.trim(RAW, trimmed)
    cut, front = "it ends at 23, and was read up to 30", f"it begins at offset {trimmed}"
    assert lab.survey().lost["raw"] == (f"{front}; {cut}" if trimmed else cut)
    with pytest.raises(Killed):
        lab.repair(probe=KillAt("after-commit", 2))
    lab.repair(replace(ORDER, config="another"))
    old, new = (lab.committed(RAW)[at].timestamp()[1] * 1_000_000 for at in (19 - trimmed, -1))
    [(start, end)] = blind_spans(lab, cut)
    assert start == old
    assert end >= new
    assert len(blind_spans(lab, front)) == bool(trimmed)


def test_what_a_step_left_out_is_left_out_again_and_its_account_quarantined(
    lab: RepairLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = PartitionFold.fold

    def falls(partition: PartitionFold, record: InputRecord, now_ns: int) -> None:
        assert record.topic is not RAW or record.offset != 30, "planted"
        plain(partition, record, now_ns)

    monkeypatch.setattr(PartitionFold, "fold", falls)
    lab.feed(CONTROL, [(ACCOUNT.encode(), a_registration())])
    lab.feed(RAW, lab.history())
    lab.run_until_folded()
    lose_the_ledger(lab)
    lab.repair()
    assert lab.documents(ACCOUNTS)[-1]["quarantined"]
    letters = [one["epoch"] for one in lab.documents(DEAD_LETTERS)]
    assert letters == [0, 1]
