"""Against a simulated venue: an opening holds what was held before, and nothing after it."""

from decimal import Decimal
from typing import Any

import pytest

from orderloom import topology
from simulator.binance.params import Params
from tests.processors.account.test_reconciled_venue import rest
from tests.processors.account.test_refusals import RefusingLab
from tests.processors.venue_lab import CALLS, VenueLab

PATHS = {"spot": "/api/v3/order", "linear": "/fapi/v1/order"}


class OpeningLab(RefusingLab):
    def __init__(self, seed: int = 2, **keywords: Any) -> None:
        super().__init__(seed, **keywords)
        self.began_ms = self.clock.now_ms()


def order(lab: VenueLab, product: str, quantity: str, symbol: str = "BTCUSDT") -> None:
    """The account buys at the market (sells, below 0)."""
    seats = lab.venue.traders.seats
    seat = next(s for s in seats if (s.market.product, s.symbol) == (product, symbol))
    lab.venue.traders._move_market(seat)
    side = "SELL" if quantity.startswith("-") else "BUY"
    fields = {"symbol": symbol, "side": side, "type": "MARKET", "quantity": quantity.lstrip("-")}
    market = lab.venue.spot if product == "spot" else lab.venue.linear
    CALLS["POST", PATHS[product]].answer(market, lab.account, Params(fields))


def until(lab: OpeningLab, second: float) -> None:
    """Time passes until that second of the lab's life."""
    while lab.clock.now_ms() < lab.began_ms + second * 1000:
        lab.wait(100)


def two_looks_in_one_instant(product: str, quantity: str, lost: str) -> OpeningLab:
    """The first cycle waits for its answers until another is wanted, which follows at once."""
    lab = OpeningLab()
    lab.refuse = lambda question: question.about != "INSTRUMENTS"
    lab.connect()
    until(lab, 1)
    order(lab, product, quantity)
    until(lab, 5)
    lab.disconnect()
    until(lab, 6)
    lab.reconnect()
    until(lab, 24)
    lab.disconnect()
    until(lab, 25.2)
    order(lab, product, lost)
    lab.refuse = lambda _question: False
    until(lab, 28)
    lab.reconnect()
    rest(lab)
    rest(lab)
    return lab


def shown(lab: VenueLab, symbol: str = "BTCUSDT") -> tuple[Decimal, bool]:
    """Net and whether it is unbounded, of the last record of a position of contracts."""
    records = lab.run.messages(topology.POSITIONS)
    last = [one for one in records if (one.product, one.symbol) == ("linear", symbol)][-1]
    return last.net, last.unbounded


def test_two_look_ups_of_one_instant_do_not_agree_about_a_position() -> None:
    lab = two_looks_in_one_instant("linear", "0.050", "0.020")
    assert not lab.wrong()
    assert shown(lab) == (Decimal("0.070"), False)
    assert not [one for one in lab.differences() if one.kind in ("OPENING", "POSITION")]


def test_two_look_ups_of_one_instant_do_not_agree_about_balances() -> None:
    lab = two_looks_in_one_instant("spot", "0.00500", "0.00200")
    assert not lab.wrong()
    assert not [one for one in lab.differences() if one.kind == "BALANCE"]
    assert "spot" in lab.account_state().look_ups.balances.opened


@pytest.mark.parametrize("product", ["linear", "spot"])
def test_what_is_traded_steadily_and_not_heard_is_in_no_opening(product: str) -> None:
    """Each figure holds as much that is in no list yet as the one before it."""
    lab = OpeningLab()
    lab.connect()
    lab.disconnect()
    for _ in range(60):
        order(lab, product, "0.010")
        until(lab, (lab.clock.now_ms() - lab.began_ms) / 1000 + 1)
    lab.reconnect()
    rest(lab)
    assert not lab.wrong()
    assert not [one for one in lab.differences() if one.kind in ("OPENING", "POSITION", "BALANCE")]
    assert lab.is_synced()


def refused_at_first(product: str, prefix: str, *trades: str) -> OpeningLab:
    """The venue refuses questions about SOLUSDT for half a minute; the trades are not heard."""
    lab = OpeningLab()
    lab.connect()
    until(lab, 1)
    order(lab, product, "5", "SOLUSDT")
    lab.gone, lab.prefix = "SOLUSDT", prefix
    lab.disconnect()
    for quantity in trades:
        order(lab, product, quantity, "SOLUSDT")
    until(lab, 1.5)
    lab.reconnect()
    until(lab, 32)
    return lab


@pytest.mark.parametrize("trades", [("2",), ("-5",), ("-5", "3")])
def test_what_a_refused_symbol_lost_is_in_no_opening(trades: tuple[str, ...]) -> None:
    lab = refused_at_first("linear", "/fapi/", *trades)
    assert shown(lab, "SOLUSDT")[1]
    lab.gone = None
    rest(lab)
    rest(lab)
    assert not lab.wrong()
    assert shown(lab, "SOLUSDT") == (5 + sum(map(Decimal, trades)), False)
    assert not [one for one in lab.differences() if one.kind in ("OPENING", "POSITION")]


def test_what_a_refused_symbol_lost_is_not_taken_for_held_before_by_the_balances() -> None:
    lab = refused_at_first("spot", "/api/", "2")
    assert "spot" not in lab.account_state().look_ups.balances.opened
    lab.gone = None
    rest(lab)
    rest(lab)
    assert not lab.wrong()
    assert not [one for one in lab.differences() if one.kind == "BALANCE"]
    assert "spot" in lab.account_state().look_ups.balances.opened


def test_a_symbol_mistyped_in_the_registry_keeps_nothing_else_from_opening() -> None:
    lab = OpeningLab(symbols=("BTCUSDT", "SOLUSDTT"))
    lab.gone = "SOLUSDTT"
    lab.connect()
    order(lab, "linear", "0.050")
    order(lab, "spot", "0.00500")
    rest(lab)
    assert shown(lab) == (Decimal("0.050"), False)
    assert "spot" in lab.account_state().look_ups.balances.opened


def cycles_in_a_minute(lab: OpeningLab) -> int:
    cycles = lab.account_state().look_ups.reconciliation.cycles["linear"]
    done = cycles.completed
    for _ in range(60):
        order(lab, "linear", "0.010")
        lab.wait(1000)
    assert not lab.account_state().look_ups.positions.is_open("linear")
    return int(cycles.completed - done)


def test_what_cannot_open_yet_is_not_asked_about_in_haste() -> None:
    refused = refused_at_first("linear", "/fapi/", "2")
    assert cycles_in_a_minute(refused) <= 7
    lab = OpeningLab()
    lab.connect()
    lab.disconnect()
    assert cycles_in_a_minute(lab) <= 7
