"""Bands beside orders that close whatever is held by then, against simulated venues."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from simulator.conditional import Conditional, Trigger
from simulator.market import Request
from simulator.traders import Seat
from tests.processors.okx_lab import OkxLab
from tests.processors.venue_lab import VenueLab
from trial.bands import broken_bands

if TYPE_CHECKING:
    from simulator.instrument import Side

STEPS = 250
WAITING_MAX = 3


def a_closing_order(seat: Seat, order_type: str, price: Decimal, *, is_above: bool) -> Conditional:
    """A take-profit or stop-loss of the seat's whole position, at market."""
    account, symbol = seat.account, seat.symbol
    side: Side = "SELL" if account.amount_of(symbol, "BOTH") > 0 else "BUY"
    request = Request(symbol, side, Decimal(0), Decimal(0), order_type="MARKET", reduce_only=True)
    name = "tp" if is_above == (side == "SELL") else "sl"
    return Conditional(
        seat.market.next_conditional_id(), account.name, seat.market.product, symbol, side,
        order_type, Decimal(0), (Trigger(price, is_above, request, name),),
        reduce_only=True, closes_position=True, price_type="last",
    )  # fmt: skip


def traded(lab: VenueLab, seed: int, order_type: str) -> dict[str, Any]:
    """The venue's books after its traders closed positions in whole, over and over."""
    lab.connect()
    lab.wait_until(lab.is_synced)
    traders, dice = lab.venue.traders, Random(seed)
    seats = [seat for seat in traders.seats if seat.market.product != "spot"]
    for _ in range(STEPS):
        seat = dice.choice(seats)
        ticks, is_above = traders.ticks.get(seat.instrument), dice.random() < 0.5
        is_held = seat.account.amount_of(seat.symbol, "BOTH") != 0
        if ticks and is_held and len(seat.conditionals()) < WAITING_MAX and dice.random() < 0.3:
            away = dice.randint(1, 6) * (1 if is_above else -1)
            price = (ticks + away) * seat.instrument.tick
            close = a_closing_order(seat, order_type, price, is_above=is_above)
            seat.market.hold(seat.account, close)
        lab.trade(1)
    for _ in range(STEPS // 2):
        lab.wait(500)
    return lab.truth()


@pytest.mark.parametrize(
    ("lab_of", "order_type"), [(OkxLab, "conditional"), (VenueLab, "STOP_MARKET")]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_bands_hold_where_orders_close_whatever_is_held(
    lab_of: Callable[[int], VenueLab], order_type: str, seed: int
) -> None:
    lab = lab_of(seed)
    truth = traded(lab, seed, order_type)
    (books,) = truth["accounts"].values()
    assert sum(row["closes_position"] for row in books["fills"]) >= 5
    assert not list(broken_bands(lab.run.published(), truth))
    assert not lab.wrong()
