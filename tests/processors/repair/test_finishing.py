"""What a repair publishes of what it could not rebuild, and how that ends: without Kafka."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.topology import Topic
from processors.account.lost_fills import FOUND, LostFill
from processors.ledger.step import Output
from processors.repair.coverage import RawGap
from processors.repair.finishing import (
    MISSING,
    FormerView,
    end_rebuild,
    note_lost,
    retire_former,
)
from tests.processors.account.test_position_sides import OPENED_NS, HedgedRun
from tests.processors.partition_lab import (
    ACCOUNT,
    NOW,
    Run,
    a_partition,
    a_record,
    a_registration,
    history_records,
)

UNTIL = NOW + 3600 * 1_000_000_000
GAP = RawGap("raw is not whole: it begins at offset 7", UNTIL)
KEY = f"{ACCOUNT}/spot/SOLUSDT/1"


def documents(run: Run, topic: Topic) -> list[dict[str, Any]]:
    return [orjson.loads(one.value) for one in run.outputs if one.topic is topic and one.value]


def history() -> Run:
    """A whole life, and all that it published."""
    run = Run(a_partition())
    for record in history_records(seed=3)[0]:
        run.step(record)
    return run


def a_lost_fill(fill: dict[str, Any]) -> LostFill:
    sign = "" if fill["side"] == "BUY" else "-"
    return LostFill(
        ACCOUNT, fill["execution_key"], fill["product"], fill["symbol"],
        fill["position_side"], f"{sign}{fill['quantity']}", fill["quantity_unit"],
        fill["venue_ns"],
    )  # fmt: skip


def rebuilt(*lost: LostFill, gaps: Sequence[RawGap] = (GAP,), now_ns: int = NOW) -> Run:
    """Of which a repair found nothing in the inputs but the account, and these fills gone."""
    run = Run(a_partition())
    run.partition.begin_epoch(4)
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    note_lost(run.partition, lost, NOW)
    end_rebuild(run.partition, gaps, now_ns, looked={})
    run.take()
    return run


def blind_of(run: Run, reason: str) -> dict[str, tuple[int, int]]:
    """The spans of one reason that the account shows as blind, by product."""
    return {
        one["product"]: (one["start_ns"], one["end_ns"])
        for one in documents(run, topology.ACCOUNTS)[-1]["blind"]
        if one["reason"] == reason
    }


def some_lost_fills(count: int = 3) -> list[LostFill]:
    fills = {fill["execution_key"]: fill for fill in documents(history(), topology.FILLS)}
    spot = [a_lost_fill(fill) for fill in fills.values() if fill["product"] == "spot"]
    return [fill for fill in spot if fill.place == spot[0].place][:count]


def test_everything_is_numbered_in_the_new_epoch() -> None:
    run = rebuilt(*some_lost_fills())
    for topic in (topology.ACCOUNTS, topology.DIFFERENCES, topology.POSITIONS):
        found = documents(run, topic)
        assert [one["epoch"] for one in found] == [4] * len(found) != []
        assert [one["sequence"] for one in found] == list(range(1, len(found) + 1))
    questions = [one["id"] for one in documents(run, topology.DISPATCHES)]
    run.step(None, NOW + 1)
    asked = [one["id"] for one in documents(run, topology.DISPATCHES)][len(questions) :]
    assert asked
    assert all(name.startswith(f"{ACCOUNT}/q4-") for name in asked if name.startswith(ACCOUNT))


def test_lost_executions_make_their_position_unbounded_until_all_are_reported_again() -> None:
    lost = some_lost_fills()
    run = rebuilt(*lost)
    [symbol] = {one["symbol"] for one in documents(run, topology.DIFFERENCES)}
    assert symbol == lost[0].symbol
    assert {one["unbounded"] for one in documents(run, topology.POSITIONS)} == {True}
    run.restart()
    assert run.partition.account(ACCOUNT).exposure.lost.counts == {lost[0].place: len(lost)}
    rules = []
    for record in history_records(seed=3)[0]:
        rules += [
            one["rule"]
            for one in map(orjson.loads, outputs_of(run, record, topology.DIFFERENCES))
            if one["kind"] == "LOST_EVIDENCE"
        ]
    assert rules == [FOUND]
    assert not run.partition.account(ACCOUNT).exposure.lost.known
    run.restart()
    assert not run.partition.account(ACCOUNT).exposure.lost.known, "it is remembered as lost"


def test_a_lost_execution_whose_leg_nobody_said_leaves_each_leg_without_bounds() -> None:
    former = HedgedRun()
    former.fill_early(1)
    (fill,) = documents(former.run, topology.FILLS)
    run = HedgedRun()
    run.report(2, "LONG")
    note_lost(run.run.partition, [a_lost_fill(fill)], OPENED_NS)
    run.run.take()
    assert run.shown() == {"LONG": True, "NET": True}
    run.report(3, "SHORT")
    run.report(4, "SHORT", is_filled=True)
    assert run.shown() == {"LONG": True, "NET": True, "SHORT": True}
    run.report(1, "LONG", is_filled=True)
    assert run.shown() == {"LONG": False, "NET": False, "SHORT": False}


def outputs_of(run: Run, record: Any, topic: Topic) -> list[bytes]:
    return [one.value for one in run.step(record) if one.topic is topic and one.value]


def test_lost_executions_are_published_once_however_often_they_are_found() -> None:
    lost = some_lost_fills()
    run = rebuilt(*lost)
    before = len(documents(run, topology.DIFFERENCES))
    note_lost(run.partition, lost, NOW)
    run.take()
    assert len(documents(run, topology.DIFFERENCES)) == before == 1


def test_the_gap_reaches_back_to_the_first_lost_execution_or_for_ever() -> None:
    lost = some_lost_fills()
    run = rebuilt(*lost)
    first = min(fill.venue_ns for fill in lost)
    assert blind_of(run, GAP.reason) == {"spot": (first, UNTIL), "linear": (0, UNTIL)}
    assert blind_of(run, MISSING) == {}


def test_a_gap_at_the_end_begins_where_raw_was_cut_off_or_at_the_first_lost_execution() -> None:
    lost = some_lost_fills()
    first = min(fill.venue_ns for fill in lost)
    for since in (first - 1, first + 1):
        cut = RawGap("cut off", UNTIL, since, is_at_end=True)
        run = rebuilt(*lost, gaps=[replace(GAP, until_ns=NOW), cut], now_ns=UNTIL)
        assert blind_of(run, GAP.reason) == {"spot": (0, NOW), "linear": (0, NOW)}
        assert blind_of(run, cut.reason) == {
            "spot": (min(first, since), UNTIL),
            "linear": (since, UNTIL),
        }
        assert blind_of(run, MISSING) == {}


def test_executions_lost_outside_any_known_gap_are_blind_since_the_first_of_them() -> None:
    lost = some_lost_fills()
    first = min(fill.venue_ns for fill in lost)
    run = rebuilt(*lost, gaps=(), now_ns=UNTIL)
    assert blind_of(run, MISSING) == {"spot": (first, UNTIL)}
    run = rebuilt(*lost, gaps=[replace(GAP, until_ns=first)], now_ns=UNTIL)
    assert blind_of(run, GAP.reason) == {"spot": (0, first), "linear": (0, first)}
    assert blind_of(run, MISSING) == {"spot": (first, UNTIL)}


def test_symbols_that_only_former_outputs_name_are_asked_about() -> None:
    run = rebuilt(replace(some_lost_fills()[0], symbol="OLDCOIN"))
    former = FormerView(topology.ORDERS, KEY, ACCOUNT, ("spot", "SOLUSDT"))
    retire_former(run.partition, [former], NOW)
    run.take()
    before = len(documents(run, topology.DISPATCHES))
    run.step(None, NOW + 1)
    asked = [one["question"] for one in documents(run, topology.DISPATCHES)[before:]]
    symbols = {one["symbol"] for one in asked if one["about"] == "TRADES"}
    assert {"OLDCOIN", "SOLUSDT"} <= symbols


def numbers_of(output: Output) -> dict[str, Any]:
    """Epoch, sequence and version of a record, or of a tombstone."""
    said = orjson.loads(output.value) if output.value else dict(output.headers)
    fields = {name: said[name] for name in ("epoch", "sequence", "version")}
    return fields if output.value else {k: orjson.loads(v) for k, v in fields.items()}


def test_a_former_key_gets_a_tombstone_with_its_number_below_every_version() -> None:
    run = rebuilt()
    retire_former(run.partition, [FormerView(topology.ORDERS, KEY, ACCOUNT)], NOW)
    [ended] = [one for one in run.take() if one.topic is topology.ORDERS]
    assert (ended.key.decode(), ended.value) == (KEY, None)
    assert numbers_of(ended) == {"epoch": 4, "sequence": 1, "version": 0}


def test_a_key_that_comes_back_after_its_tombstone_has_a_higher_version() -> None:
    """Orders that the venue reports again, and a position that is shown for its lost executions."""
    former: dict[str, FormerView] = {}
    for one in history().outputs:
        if one.topic in (topology.ORDERS, topology.POSITIONS):
            former[one.key.decode()] = FormerView(one.topic, one.key.decode(), ACCOUNT)
    run = Run(a_partition())
    run.partition.begin_epoch(4)
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    retire_former(run.partition, former.values(), NOW)
    run.take()
    note_lost(run.partition, some_lost_fills(), NOW)
    end_rebuild(run.partition, [GAP], NOW, looked={})
    run.take()
    for record in history_records(seed=3)[0]:
        run.step(record)
    assert {one.topic.kind for one in former.values()} == {"orders", "positions"}
    for key in former:
        of_key = [one for one in run.outputs if one.key.decode() == key]
        versions = [numbers_of(one)["version"] for one in of_key]
        assert of_key[0].value is None
        assert len(versions) > 1, "it never came back"
        assert versions == sorted(set(versions)), key


def test_a_former_account_is_shown_as_it_is_now() -> None:
    run = rebuilt()
    other = ACCOUNT.replace("main", "gone")
    retire_former(run.partition, [FormerView(topology.ACCOUNTS, other, other)], NOW)
    [shown] = [orjson.loads(one.value or b"") for one in run.take() if one.key == other.encode()]
    assert (shown["account"], shown["epoch"], shown["sync"]) == (other, 4, "CATCHING_UP")


def test_no_tombstone_is_the_last_of_its_series() -> None:
    """Tombstones go after a week, and with them the last number of a quiet account."""
    run = history()
    views = [
        FormerView(topology.ORDERS, KEY, ACCOUNT, ("spot", "SOLUSDT")),
        FormerView(topology.POSITIONS, f"{ACCOUNT}/spot/GONE/NET/", ACCOUNT, ("spot", "GONE")),
    ]
    run.outputs.clear()
    retire_former(run.partition, views, NOW)
    end_rebuild(run.partition, [], NOW, looked={})
    run.take()
    for topic in (topology.ORDERS, topology.POSITIONS):
        found = [output for output in run.outputs if output.topic is topic]
        assert any(output.value is None for output in found)
        assert found[-1].value is not None


@pytest.mark.parametrize("topic", [topology.ORDERS, topology.POSITIONS])
def test_what_is_shown_at_the_end_is_the_same_after_a_kill(topic: Topic) -> None:
    """A restored state has its orders and positions in the order of the log."""

    def shown(run: Run) -> list[str]:
        run.outputs.clear()
        end_rebuild(run.partition, [], NOW, looked={})
        run.take()
        return [output.key.decode() for output in run.outputs if output.topic is topic]

    resumed = history()
    resumed.state = dict(reversed(resumed.state.items()))
    resumed.restart()
    resumed.partition.due_ns()  # as an opening does behind the last record
    assert shown(resumed) == shown(history()) != []
