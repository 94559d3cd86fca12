"""What a view shows of a topic."""

from decimal import Decimal
from typing import Any

import orjson

from cli.tables import ACCOUNTS, DIFFERENCES, FILLS, ORDERS, POSITIONS, Rows, line_of
from orderloom import codec, topology
from orderloom.event import Cause
from orderloom.trouble import Difference
from orderloom.words import FillKind
from tests.sinks.records import a_fill, a_position, a_record, an_order, tombstone
from tests.source_tree import ROOT

NOW_NS = 1_763_726_442_000_000_000


def a_cell(heading: str, **fields: Any) -> str:
    """What the table of accounts shows under `heading`, of an account with these fields."""
    [_, bare] = orjson.loads((ROOT / "tests/schemas/golden/accounts.json").read_bytes())
    place = [one for one, _ in ACCOUNTS.columns].index(heading)
    state = codec.read(topology.ACCOUNTS, orjson.dumps(bare | fields))
    return ACCOUNTS.cells(state, NOW_NS)[place]


def test_the_newest_record_of_a_key_is_shown_and_moves_to_the_end() -> None:
    rows = Rows(ORDERS)
    for order in (an_order("a"), an_order("b", sequence=2), an_order("a", sequence=3, version=2)):
        rows.take(a_record(order))
    assert [orjson.loads(line)["key"] for line in rows.lines()] == ["b", "a"]
    assert rows.cells(NOW_NS, 1)[0][-1] == "2"


def test_a_tombstone_takes_the_row_away_and_says_so() -> None:
    rows = Rows(ORDERS)
    rows.take(a_record(an_order("a")))
    record = a_record(tombstone("a", sequence=2))
    rows.take(record)
    assert len(rows) == 0
    assert orjson.loads(line_of(record)) == {
        "key": "a", "account": "lab:one", "retired": True, "epoch": 0, "sequence": 2,
    }  # fmt: skip


def test_fills_are_known_by_their_execution_and_a_bust_takes_one_back() -> None:
    rows = Rows(FILLS)
    one, two = "spot/SOL/e1/1", "spot/SOL/e2/1"
    rows.take(a_record(a_fill(one)))
    rows.take(a_record(a_fill(two, sequence=2)))
    rows.take(a_record(a_fill(one, sequence=3, kind=FillKind.CORRECTION, fee=Decimal("0.2"))))
    rows.take(a_record(a_fill(two, sequence=4, kind=FillKind.BUST)))
    assert [orjson.loads(line)["fee"] for line in rows.lines()] == ["0.2"]


def test_only_the_account_asked_for_is_shown() -> None:
    rows = Rows(POSITIONS, "lab:two")
    assert not rows.take(a_record(a_position()))
    assert rows.take(a_record(a_position(account="lab:two")))
    assert len(rows) == 1


def test_a_new_epoch_begins_the_accounts_view_anew() -> None:
    rows = Rows(ORDERS)
    rows.take(a_record(an_order("a")))
    rows.take(a_record(an_order("elsewhere", account="lab:two")))
    rows.take(a_record(an_order("b", epoch=1)))
    assert [orjson.loads(line)["key"] for line in rows.lines()] == ["elsewhere", "b"]


def test_a_position_shows_its_band_or_that_it_has_none() -> None:
    rows = Rows(POSITIONS)
    rows.take(a_record(a_position(low=Decimal("-0.50"), high=Decimal(4))))
    rows.take(a_record(a_position("ETH", sequence=2, unbounded=True)))
    bands = [row[5] for row in rows.cells(NOW_NS)]
    assert bands == ["[-0.5, 4]", "unbounded"]


def test_an_account_that_nobody_looks_at_says_so() -> None:
    [full, bare] = orjson.loads((ROOT / "tests/schemas/golden/accounts.json").read_bytes())
    place = [heading for heading, _ in ACCOUNTS.columns].index("registry")
    accounts = (bare, bare | {"enabled": False}, full)
    states = [codec.read(topology.ACCOUNTS, orjson.dumps(account)) for account in accounts]
    assert [ACCOUNTS.cells(one, NOW_NS)[place] for one in states] == [
        "enabled",
        "disabled",
        "removed",
    ]


def test_an_account_shows_until_when_all_of_it_was_looked_at() -> None:
    live = {"spot": "LIVE", "linear": "LIVE"}
    covered = {"spot": NOW_NS - 42 * 10**9, "linear": NOW_NS}
    shown = a_cell("covered until", streams=live, covered_ns=covered)
    assert shown == "2025-11-21 12:00:00 UTC (42 s)"
    for reached in ({"spot": NOW_NS}, {"spot": NOW_NS, "linear": 0}):
        assert a_cell("covered until", streams=live, covered_ns=reached) == "never"


def test_nothing_is_catching_up_where_nobody_looks() -> None:
    progress = {"spot": {"answered": 0, "asked": 8, "pages": 0}}
    fields: dict[str, Any] = {"sync": "CATCHING_UP", "progress": progress}
    assert a_cell("sync", **fields) == "CATCHING_UP spot:0/8"
    assert a_cell("sync", **fields, enabled=False) == ""


def test_each_difference_is_a_row_with_both_sides() -> None:
    rows = Rows(DIFFERENCES)
    for sequence, rule in enumerate(("open", "both sides are equal again"), 1):
        found = Difference(
            account="lab:one", product="linear", kind="POSITION", symbol="SOLUSDT", rule=rule,
            ours={"net": "1"}, theirs={"net": "2", "average_entry": None}, sequence=sequence,
            epoch=0, cause=Cause("raw.lab", 0, sequence),
        )  # fmt: skip
        rows.take(a_record(found))
    assert [row[-3:] for row in rows.cells(NOW_NS)] == [
        ["net=1", "net=2", "open"],
        ["net=1", "net=2", "both sides are equal again"],
    ]
