"""Our positions beside the venue's own: told when they differ, and never adjusted."""

from decimal import Decimal
from typing import Any

import orjson

from orderloom import topology
from orderloom.event import PositionReport
from orderloom.raw import Answer
from orderloom.words import PositionSide
from processors.position_check import compared, rows_of
from processors.positions import Position, Traded
from tests.processors.book_lab import NOW, Run, a_raw_record, a_record, a_registration, live
from tests.processors.test_book import a_book

SECOND = 1_000_000_000
LAG = 2 * SECOND


def a_position(net: str, at_ns: int = NOW) -> Position:
    position = Position("linear", "BTCUSDT", "NET", None, "base")
    position.trade(Traded(at_ns, "t", Decimal(net), Decimal(100)))
    return position


def found(
    positions: list[Position], rows: dict[str, str], asked_ns: int = NOW + 60 * SECOND
) -> Any:
    listed = {place: (quantity, "base") for place, quantity in rows.items()}
    return [
        (one.place, one.ours, one.theirs, one.is_young)
        for one in compared(positions, listed, asked_ns, LAG)
    ]


def test_a_position_that_the_venue_does_not_list_is_zero_there() -> None:
    assert found([a_position("2")], {}) == [("BTCUSDT/NET", 2, 0, False)]


def test_a_position_that_only_the_venue_has_is_zero_here() -> None:
    assert found([], {"BTCUSDT/NET": "-3"}) == [("BTCUSDT/NET", 0, -3, False)]


def test_an_execution_that_the_figure_may_not_hold_yet_makes_it_young() -> None:
    ((*_, is_young),) = found([a_position("2")], {}, NOW + LAG - 1)
    assert is_young
    ((*_, is_young),) = found([a_position("2")], {}, NOW + LAG)
    assert not is_young


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
    assert rows_of(reports) == {"BTCUSDT/NET": ("1.25", "base")}


def a_position_row(amount: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": amount, "entryPrice": "91000.0",
        "breakEvenPrice": "90981.8", "markPrice": "91020.1", "unRealizedProfit": "-0.20",
        "liquidationPrice": "0", "isolatedMargin": "0", "notional": "-910.2", "marginAsset": "USDT",
        "isolatedWallet": "0", "initialMargin": "91.0", "maintMargin": "3.6",
        "positionInitialMargin": "91.0", "openOrderInitialMargin": "0", "adl": 2,
        "bidNotional": "0", "askNotional": "0", "updateTime": 1793000012008,
    }  # fmt: skip


def a_round(run: Run, at_ns: int, amount: str) -> None:
    """Let the next round of the account go out, and answer it with this one position."""
    run.book.accounts["binance:main"].streams.liveness_ns = at_ns
    for output in run.step(None, at_ns):
        if output.topic is not topology.DISPATCHES:
            continue
        question = orjson.loads(output.value or b"")["question"]
        rows: Any = [a_position_row(amount)] if question["about"] == "POSITIONS" else []
        if (question["about"], question["product"]) == ("BALANCES", "spot"):
            rows = {"balances": []}
        body = orjson.dumps(rows)
        item = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
        run.step(a_raw_record(item, offset=1), at_ns)


def test_a_difference_is_told_once_doubts_the_band_and_ends_when_both_are_equal() -> None:
    run = Run(a_book())
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    run.step(a_raw_record(live(), live("linear")))
    a_round(run, NOW + 3 * SECOND, "-0.010")
    a_round(run, NOW + 40 * SECOND, "-0.010")
    (told,) = run.messages(topology.DIFFERENCES)
    assert (told.kind, told.rule, told.theirs["net"]) == ("POSITION", "open", "-0.01")
    (shown,) = run.messages(topology.POSITIONS)
    assert (shown.symbol, shown.net, shown.unbounded) == ("BTCUSDT", 0, True)
    run.restart()
    a_round(run, NOW + 80 * SECOND, "0")
    assert [m.rule for m in run.messages(topology.DIFFERENCES)] == [
        "open",
        "both sides are equal again",
    ]
