"""Our positions beside the venue's own: reported when they differ, and never adjusted."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.event import Cause, OrderReport, Origin, PositionReport
from orderloom.raw import Answer
from orderloom.words import PositionSide, Source
from processors.account.exposure import Exposure
from processors.account.figures import CycleCoverage
from processors.account.position_check import PositionCheck, Row, compared, rows_of
from processors.account.positions import HeldPosition, PositionOpening, Traded
from processors.orders.order import Order
from tests.processors.account.restoring import reloaded
from tests.processors.partition_lab import (
    NOW,
    Run,
    a_frame,
    a_partition,
    a_raw_record,
    a_record,
    a_registration,
    history_records,
    live,
)
from venues import VENUES

SECOND = 1_000_000_000
LAG = 2 * SECOND


def a_position(net: str, at_ns: int = NOW) -> HeldPosition:
    position = HeldPosition("linear", "BTCUSDT", "NET", None, "base")
    position.trade(Traded(at_ns, "t", Decimal(net), Decimal(100)))
    return position


def found(
    positions: list[HeldPosition], rows: dict[str, str], asked_ns: int = NOW + 60 * SECOND
) -> Any:
    listed = {place: Row(quantity, "base") for place, quantity in rows.items()}
    return [
        (one.place, one.ours, one.theirs, one.is_young)
        for one in compared(positions, listed, asked_ns, LAG)
    ]


def test_a_position_that_the_venue_does_not_list_is_zero_there_and_may_have_just_ended() -> None:
    assert found([a_position("2")], {}) == [("BTCUSDT/NET", 2, 0, True)]
    assert found([a_position("0")], {}) == [("BTCUSDT/NET", 0, 0, False)]


def test_a_position_that_only_the_venue_has_is_zero_here() -> None:
    assert found([], {"BTCUSDT/NET": "-3"}) == [("BTCUSDT/NET", 0, -3, False)]


def test_an_execution_that_the_figure_may_not_hold_yet_makes_it_young() -> None:
    rows = {"BTCUSDT/NET": "1"}
    ((*_, is_young),) = found([a_position("2")], rows, NOW + LAG - 1)
    assert is_young
    ((*_, is_young),) = found([a_position("2")], rows, NOW + LAG)
    assert not is_young


def test_a_figure_so_young_that_the_stream_may_still_explain_it_is_young() -> None:
    position, asked_ns = a_position("2"), NOW + 10 * SECOND
    for venue_ns, is_young in ((asked_ns - LAG + 1, True), (asked_ns - LAG, False)):
        rows = {"BTCUSDT/NET": Row("3", "base", None, venue_ns)}
        (one,) = compared([position], rows, asked_ns, LAG)
        assert (one.ours, one.is_young) == (Decimal(2), is_young)


def test_margin_modes_of_one_leg_are_summed() -> None:
    reports = [
        PositionReport(
            product="linear",
            symbol="BTCUSDT",
            position_side=PositionSide.NET,
            quantity=Decimal(quantity),
            margin_mode=mode,
        )
        for quantity, mode in (("1.5", "cross"), ("-0.25", "isolated"))
    ]
    assert rows_of(reports) == {"BTCUSDT/NET": ("1.25", "base", None, None)}


@pytest.mark.parametrize("times", [(None, None), (None, NOW), (NOW, None)])
def test_a_figure_of_no_known_time_is_compared_with_nothing(
    times: tuple[int | None, int | None],
) -> None:
    found: list[str] = []
    profiles = VENUES["binance"].profiles
    check = PositionCheck(Exposure(), profiles, lambda kind, *_, **__: found.append(kind))
    check.exposure.floors["linear"] = 0
    report = PositionReport(
        product="linear", symbol="BTCUSDT", position_side=PositionSide.NET, quantity=Decimal(1)
    )
    for page, asked_ns in enumerate(times, 1):
        item = Answer({"product": "linear"}, "", page, page == 2, 200, NOW, NOW, NOW, b"")
        check.take_page((report,) if page == 1 else (), item, asked_ns)
    check.check("linear", CycleCoverage(NOW, NOW), lambda: ())
    assert not found
    assert not check.excess


def a_position_row(amount: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": amount, "entryPrice": "91000.0",
        "breakEvenPrice": "90981.8", "markPrice": "91020.1", "unRealizedProfit": "-0.20",
        "liquidationPrice": "0", "isolatedMargin": "0", "notional": "-910.2", "marginAsset": "USDT",
        "isolatedWallet": "0", "initialMargin": "91.0", "maintMargin": "3.6",
        "positionInitialMargin": "91.0", "openOrderInitialMargin": "0", "adl": 2,
        "bidNotional": "0", "askNotional": "0", "updateTime": 1793000012008,
    }  # fmt: skip


def a_cycle(run: Run, at_ns: int, amount: str, *, is_restarted: bool = False) -> None:
    """Let the next cycle go out, and answer it with this one position (before all else)."""
    run.partition.accounts["binance:main"].streams.owner.liveness_ns = at_ns
    questions = [
        orjson.loads(output.value or b"")["question"]
        for output in run.step(None, at_ns)
        if output.topic is topology.DISPATCHES
    ]
    for question in sorted(questions, key=lambda question: question["about"] != "POSITIONS"):
        if is_restarted:
            run.restart()
        rows: Any = [a_position_row(amount)] if question["about"] == "POSITIONS" else []
        if (question["about"], question["product"]) == ("BALANCES", "spot"):
            rows = {"balances": []}
        body = orjson.dumps(rows)
        item = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
        run.step(a_raw_record(item, offset=1), at_ns)


def a_watched_account() -> Run:
    run = Run(a_partition())
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    run.step(a_raw_record(live(), live("linear")))
    return run


def shown(run: Run) -> tuple[Any, ...]:
    """The last record of the one position."""
    *_, last = run.messages(topology.POSITIONS)
    return last.symbol, last.net, last.average_entry, last.unbounded


def published(run: Run) -> list[tuple[str, str, str]]:
    records = run.messages(topology.DIFFERENCES)
    return [(record.kind, record.rule, record.theirs["net"]) for record in records]


def sync(run: Run) -> str:
    *_, last = run.messages(topology.ACCOUNTS)
    return str(last.sync)


def test_what_was_held_before_opens_the_position_once_two_cycles_agree() -> None:
    run = a_watched_account()
    a_cycle(run, NOW + 3 * SECOND, "-0.010")
    assert not published(run)
    assert sync(run) == "CATCHING_UP"
    run.restart()
    a_cycle(run, NOW + 6 * SECOND, "-0.010")
    assert published(run) == [("OPENING", "two look-ups agree", "-0.01")]
    assert shown(run) == ("BTCUSDT", Decimal("-0.01"), 91000, False)
    assert sync(run) == "SYNCED"


def test_a_figure_that_came_before_a_restart_is_compared_after_it() -> None:
    run = a_watched_account()
    for seconds in (3, 6):
        a_cycle(run, NOW + seconds * SECOND, "-0.010", is_restarted=True)
    assert published(run) == [("OPENING", "two look-ups agree", "-0.01")]


def test_what_happens_to_orders_writes_nothing_of_how_figures_compare() -> None:
    run = a_watched_account()
    for seconds in (3, 6):
        a_cycle(run, NOW + seconds * SECOND, "-0.010")
    written = set()
    for record in history_records(1)[0]:
        run.partition.fold(record, NOW + 7 * SECOND)
        written |= {key[:1] for key in run.partition.changes().state}
    assert written >= {b"n", b"o", b"p"}
    assert b"c" not in written


def test_an_opening_waits_until_two_cycles_in_a_row_agree() -> None:
    run = a_watched_account()
    for seconds, amount in enumerate(("-0.010", "-0.020", "-0.010", "0", "0.5"), 1):
        a_cycle(run, NOW + 3 * seconds * SECOND, amount)
    assert not published(run)
    a_cycle(run, NOW + 40 * SECOND, "0.5")
    assert shown(run) == ("BTCUSDT", Decimal("0.5"), 91000, False)


def test_a_difference_is_published_once_doubts_the_band_and_ends_when_both_are_equal() -> None:
    run = a_watched_account()
    for seconds in (3, 6):
        a_cycle(run, NOW + seconds * SECOND, "0")
    for seconds in (40, 80):
        a_cycle(run, NOW + seconds * SECOND, "-0.010")
    assert published(run) == [("POSITION", "open", "-0.01")]
    assert shown(run) == ("BTCUSDT", 0, None, True)
    run.restart()
    a_cycle(run, NOW + 120 * SECOND, "0")
    assert [rule for _, rule, _ in published(run)] == ["open", "both sides are equal again"]


def an_early_fill(quantity: str, at_ns: int) -> bytes:
    at_ms = at_ns // 1_000_000
    event = {
        "e": "TRADE_LITE", "E": at_ms, "T": at_ms, "s": "BTCUSDT", "q": quantity, "p": "91000",
        "m": False, "c": "x", "S": "BUY", "L": "91000", "l": quantity, "t": 7, "i": 8,
    }  # fmt: skip
    return orjson.dumps(event)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_standing_difference_is_not_published_again_after_a_restart(is_restarted: bool) -> None:
    run = a_watched_account()
    for seconds in (3, 6):
        a_cycle(run, NOW + seconds * SECOND, "0")
    frame = a_frame(an_early_fill("0.010", NOW + 7 * SECOND), product="linear")
    run.step(a_raw_record(frame, offset=2), NOW + 7 * SECOND)
    for seconds in (40, 80, 120, 160):
        a_cycle(run, NOW + seconds * SECOND, "0.050")
        if is_restarted:
            run.restart()
    found = [one.rule for one in run.messages(topology.DIFFERENCES) if one.kind == "POSITION"]
    assert found == ["open"]


def test_an_opening_contains_what_was_known_and_what_is_older_than_the_look_ups() -> None:
    position = a_position("2", NOW)
    held = position.sums_at(NOW)
    assert held is not None
    held.net = Decimal(5)
    position.begin(PositionOpening(NOW, held, NOW - 10, ("t",)))
    known = Traded(NOW, "t", Decimal(2), Decimal(100))
    older = Traded(NOW - 10, "older", Decimal(3), Decimal(90))
    same_time = Traded(NOW, "same time", Decimal(-1), Decimal(110))
    assert not position.trade(older)
    position.recompute([older, known])
    assert position.now.net == 5
    assert position.trade(same_time)
    assert position.now.net == 4
    position.recompute([older, known, same_time])
    assert position.now.net == 4
    assert reloaded(position) == position


def test_young_executions_are_compared_at_the_time_of_the_venues_figure() -> None:
    position = a_position("2", NOW)
    position.trade(Traded(NOW + 5, "later", Decimal(1), Decimal(100)))
    rows = {"BTCUSDT/NET": Row("7", "base", "99", NOW)}
    (one,) = compared([position], rows, NOW + SECOND, LAG)
    assert (one.ours, one.excess, one.is_young) == (Decimal(2), "5", True)


def test_an_account_that_never_rests_differs_once_two_cycles_find_the_same() -> None:
    exposure = Exposure()
    position = a_position("2", NOW)
    exposure.positions[position.key] = position
    found: list[tuple[str, str]] = []
    check = PositionCheck(
        exposure,
        VENUES["binance"].profiles,
        lambda kind, rule, *_, **__: found.append((kind, rule)),
    )
    exposure.floors["linear"] = 0
    for seconds, theirs in enumerate(("3", "3.5", "5", "5", "6"), 1):
        at_ns = NOW + seconds * SECOND
        position.trade(Traded(at_ns, f"t{seconds}", Decimal(1), Decimal(100)))
        rows = {"BTCUSDT/NET": list(Row(theirs, "base", None, at_ns))}
        check.reported["linear"] = {"asked_ns": at_ns, "answered_ns": at_ns, "rows": rows}
        check.check("linear", CycleCoverage(at_ns, at_ns), lambda: ())
        # Ours is 3, 4, 5, 6, 7: the venue has 0, -0.5, 0, -1, -1 beyond it.
        assert len(found) == (seconds == 5)


def test_a_position_that_is_made_where_a_difference_stands_is_doubted_too() -> None:
    exposure = Exposure()
    position = a_position("2", NOW)
    exposure.positions[position.key] = position
    check = PositionCheck(exposure, VENUES["binance"].profiles, lambda *_, **__: None)
    exposure.floors["linear"] = 0

    def listed(theirs: str, at_ns: int) -> None:
        rows = {"BTCUSDT/NET": list(Row(theirs, "base", None, None))}
        check.reported["linear"] = {"asked_ns": at_ns, "answered_ns": at_ns, "rows": rows}
        check.check("linear", CycleCoverage(at_ns, at_ns), lambda: ())

    listed("3", NOW + 60 * SECOND)
    order = Order("binance:main", "linear", "BTCUSDT", VENUES["binance"].profiles["linear"])
    mode = OrderReport(product="linear", symbol="BTCUSDT", venue_order_id="1", margin_mode="cross")
    order.take_report(mode, Origin("binance:main", Source.STREAM, Cause("raw", 0, 1)), [])
    made = exposure.position_of(order)
    assert made.key != position.key
    assert made.is_doubted
    listed("2", NOW + 120 * SECOND)
    assert not made.is_doubted
    assert not position.is_doubted
