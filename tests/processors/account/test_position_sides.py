"""While the position side of an execution is not known, LONG and SHORT have no bounds."""

from random import Random
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.words import Status
from processors.account.position_sides import UnknownSides
from processors.account.positions import HeldPosition
from processors.account.showing import is_unbounded
from simulator.message import Message
from tests.builders import SYMBOL, a_report, an_execution, some_orders, take
from tests.processors.account.test_position_check import SECOND, a_cycle, a_watched_account
from tests.processors.account.test_reconciled_venue import outputs
from tests.processors.account.test_showing import Compared
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_frame, a_raw_record
from tests.processors.venue_lab import VenueLab
from trial.bands import broken_bands

OPENED_NS = NOW + 7 * SECOND


class HedgedRun:
    """An account in sync that holds nothing; what is pushed about its BTCUSDT orders."""

    def __init__(self, amount: str = "0") -> None:
        self.run: Run = a_watched_account()
        self.frames = 0
        for seconds in (3, 6):
            a_cycle(self.run, NOW + seconds * SECOND, amount)

    def push(self, event: dict[str, Any]) -> None:
        self.frames += 1
        at_ns = OPENED_NS + self.frames * SECOND
        event |= {"E": at_ns // 1_000_000, "T": at_ns // 1_000_000}
        frame = a_frame(orjson.dumps(event), self.frames, "linear")
        self.run.step(a_raw_record(frame, offset=100 + self.frames), at_ns)

    def fill_early(self, order: int, symbol: str = "BTCUSDT") -> None:
        """Binance's early word of an execution of 5: it does not say of which side's position."""
        event = {
            "e": "TRADE_LITE", "s": symbol, "q": "5", "p": "91000", "m": False, "c": f"x{order}",
            "S": "BUY", "L": "91000", "l": "5", "t": 70 + order, "i": order,
        }  # fmt: skip
        self.push(event)

    def report(self, order: int, side: str, *, is_filled: bool = False) -> None:
        """The full report of an order of 5, which names the side."""
        status, trade = ("FILLED", "TRADE") if is_filled else ("NEW", "NEW")
        done, trade_id = ("5", 70 + order) if is_filled else ("0", 0)
        at_ms = (OPENED_NS + (self.frames + 1) * SECOND) // 1_000_000
        pushed = {
            "s": "BTCUSDT", "c": f"x{order}", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "5",
            "p": "91000", "ap": "0", "sp": "0", "x": trade, "X": status, "i": order, "l": done,
            "z": done, "L": "91000", "n": "0", "N": "USDT", "T": at_ms, "t": trade_id, "m": False,
            "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": side, "cp": False, "rp": "0",
            "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_TAKER", "pm": "NONE", "gtd": 0,
        }  # fmt: skip
        self.push({"e": "ORDER_TRADE_UPDATE", "o": pushed})

    def shown(self) -> dict[str, bool]:
        """Whether each position of BTCUSDT was last shown without bounds; kept by a restart."""
        last = {}
        for one in self.run.messages(topology.POSITIONS):
            if one.symbol == "BTCUSDT":
                last[one.position_side.value] = one.unbounded
        self.run.restart()
        self.run.partition.due_ns()  # all records are back now
        account = self.run.partition.accounts[ACCOUNT]
        account.streams.owner.liveness_ns = OPENED_NS + self.frames * SECOND
        for position in account.exposure.positions.values():
            assert position.shown_unbounded == is_unbounded(account, position)
        return last


def test_long_and_short_have_no_bounds_until_the_side_of_an_execution_is_known() -> None:
    run = HedgedRun()
    run.report(8, "LONG")
    run.report(7, "SHORT")
    assert run.shown() == {"LONG": False, "SHORT": False}
    run.fill_early(9)
    assert run.shown() == {"LONG": True, "SHORT": True, "NET": True}
    run.report(9, "LONG", is_filled=True)
    assert run.shown() == {"LONG": False, "SHORT": False, "NET": False}
    *_, last = (one for one in run.run.messages(topology.POSITIONS) if one.position_side == "LONG")
    assert (last.net, last.low, last.high) == (5, 5, 10)


def test_a_side_that_is_first_seen_after_such_an_execution_has_no_bounds_either() -> None:
    run = HedgedRun()
    run.fill_early(9)
    run.report(8, "SHORT")
    assert run.shown() == {"SHORT": True, "NET": True}
    run.report(9, "LONG", is_filled=True)
    assert run.shown() == {"LONG": False, "SHORT": False, "NET": False}


def test_each_of_several_such_orders_must_be_known_and_other_symbols_wait_for_none() -> None:
    run = HedgedRun()
    run.report(8, "LONG")
    run.fill_early(5, "SOLUSDT")
    assert run.shown() == {"LONG": False}
    run.fill_early(9)
    run.fill_early(10)
    run.report(9, "LONG", is_filled=True)
    assert run.shown()["LONG"]
    run.report(10, "SHORT", is_filled=True)
    assert not any(run.shown().values())


def test_in_one_way_mode_the_one_position_is_bounded_as_before() -> None:
    run = HedgedRun()
    run.report(8, "BOTH")
    assert run.shown() == {"NET": False}
    run.fill_early(8)  # of an order that is known: 5 of 5
    assert run.shown() == {"NET": False}


def a_side(side: str, symbol: str = SYMBOL) -> HeldPosition:
    return HeldPosition("spot", symbol, side, None, "base")


def test_only_what_may_have_moved_a_position_makes_it_wait_and_only_its_first_and_last() -> None:
    sides, orders = UnknownSides(frozenset({"spot"})), some_orders()
    long = a_side("LONG")
    sides.add(long)
    take(orders, a_report(Status.CANCELED, filled_quantity=0))
    (ended,) = orders.all()
    assert not sides.look(ended)
    assert not sides.lacks(long)
    for name, changed in (("71", [long]), ("72", []), ("71", [])):
        take(orders, an_execution(name, 1, venue_order_id=name))
        order = orders.find("spot", SYMBOL, name)
        assert order is not None
        assert sides.look(order) == changed
    assert sides.lacks(long)
    assert not sides.lacks(a_side("LONG", "BTCUSDT"))
    one, two = (order.key for order in orders.all() if order is not ended)
    assert (sides.retire(one), sides.retire(two), sides.retire(two)) == ([], [long], [])
    assert not sides.lacks(long)


def test_a_product_whose_positions_have_no_sides_waits_for_none() -> None:
    sides, orders = UnknownSides(), some_orders()
    take(orders, an_execution("1", 1))
    (order,) = orders.all()
    assert not sides.look(order)
    assert not sides.lacks(a_side("LONG"))


# ---- the simulated venue in hedge mode, with full reports lost


def a_traded_lab(seed: int, steps: int = 100, **keywords: Any) -> VenueLab:
    lab = VenueLab(seed, is_hedged=True, **keywords)
    lab.connect()
    lab.wait_until(lab.is_synced)
    dice = Random(seed)

    def drop(message: Message) -> bool:
        return message.kind == "ORDER_TRADE_UPDATE" and dice.random() < 0.2

    lab.drop = drop
    lab.trade(steps)
    lab.drop = lambda _message: False
    for _ in range(steps // 2):
        lab.wait(500)
    return lab


@pytest.mark.parametrize("seed", [2, 4])
def test_bands_hold_in_hedge_mode_where_full_reports_are_lost(seed: int) -> None:
    lab = a_traded_lab(seed, fold=Compared)
    assert not list(broken_bands(lab.run.published(), lab.truth()))
    assert not lab.wrong()
    positions = lab.run.partition.accounts[lab.name].exposure.positions.values()
    assert not any(one.shown_unbounded for one in positions)


def test_in_hedge_mode_restarts_between_any_two_records_change_nothing() -> None:
    calm, killed = a_traded_lab(2, 60), a_traded_lab(2, 60, before_each=VenueLab.restart)
    assert calm.differences()
    assert killed.run.digests == calm.run.digests
    assert outputs(killed) == outputs(calm)
