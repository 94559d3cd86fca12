"""Conditional orders whose end is missed: asked about where they are kept, closed or joined."""

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
import pytest

from orderloom import topology
from orderloom.raw import Frame
from orderloom.words import Lifecycle, Reason
from processors.orders.order import Order
from simulator.binance import algo_calls
from simulator.binance.params import Params
from simulator.market import Request
from tests.processors.account.test_reconciled_venue import (
    SEEDS,
    a_lab,
    last_positions,
    losing,
    rest,
)
from tests.processors.venue_lab import ACCOUNT, VenueLab

if TYPE_CHECKING:
    from simulator.instrument import Side

DAY_MS = 24 * 3600 * 1000
STOP = {
    "symbol": "BTCUSDT", "algoType": "CONDITIONAL", "type": "STOP_MARKET", "side": "SELL",
    "quantity": "0.01", "triggerPrice": "50000", "clientAlgoId": "stop-1",
}  # fmt: skip


def a_lab_with_a_stop(seed: int = 1) -> tuple[VenueLab, int]:
    """An account in sync that knows of one stop that waits; its algo id."""
    lab = a_lab(seed)
    row = algo_calls.place(lab.venue.linear, lab.account, Params(STOP))
    rest(lab)
    (order,) = lab.run.partition.accounts[ACCOUNT].orders.open_orders()
    assert (order.lifecycle, order.venue_order_id) == (
        Lifecycle.WAITING_TRIGGER, str(row["algoId"]),
    )  # fmt: skip
    return lab, row["algoId"]


def trigger_unseen(lab: VenueLab, *, bids: str) -> None:
    """The price falls to the stop, with so many bids to sell to; nothing is heard of it."""
    lab.drop = lambda _message: True
    market = lab.venue.linear
    orders: tuple[tuple[Side, str, int], ...] = (
        ("BUY", bids, 49_000), ("BUY", "1", 50_000), ("SELL", "1", 1),
    )  # fmt: skip
    for side, quantity, price in orders:
        order = Request("BTCUSDT", side, Decimal(quantity), Decimal(price), time_in_force="GTC")
        market.place_anonymous(order)
    lab.drop = lambda _message: False


def the_only_order(lab: VenueLab) -> Order:
    (order,) = lab.run.partition.accounts[ACCOUNT].orders.all()
    return order


def last_band(lab: VenueLab) -> tuple[Decimal, Decimal, bool]:
    (position,) = last_positions(lab).values()
    return position.low, position.high, position.unbounded


def asked_at(lab: VenueLab) -> Counter[str]:
    """How often each end point was asked since the lab began."""
    return Counter(path.rpartition("/")[2] for path in lab.asked)


def test_a_stop_that_was_canceled_unseen_is_closed_by_the_answer_about_it() -> None:
    lab, algo_id = a_lab_with_a_stop()
    cancel_unseen(lab, algo_id)
    rest(lab)
    order = the_only_order(lab)
    assert (order.lifecycle, order.is_disputed) == (Lifecycle.CANCELED, False)
    assert last_band(lab) == (Decimal(0), Decimal(0), False)
    assert not lab.wrong()
    assert asked_at(lab)["algoOrder"] == 1  # and never at the engine, which cannot know it
    assert not asked_at(lab)["order"]
    assert not lab.run.partition.accounts[ACCOUNT].look_ups.reconciliation.targets.by_name


def test_a_stop_that_triggered_unseen_is_joined_with_the_order_that_it_became() -> None:
    lab, algo_id = a_lab_with_a_stop()
    trigger_unseen(lab, bids="0.01")
    rest(lab)
    order = the_only_order(lab)
    assert order.key.endswith(f"/{algo_id}")
    assert order.lifecycle is Lifecycle.FILLED
    assert not order.is_disputed
    assert last_band(lab) == (Decimal("-0.01"), Decimal("-0.01"), False)
    assert not lab.wrong()
    shown = lab.run.messages(topology.ORDERS)
    assert [one.client_order_ids for one in shown][-1] == ("stop-1",)


def test_a_stop_that_triggered_unseen_and_was_filled_in_part_is_closed_with_what_it_did() -> None:
    lab, _ = a_lab_with_a_stop()
    trigger_unseen(lab, bids="0.004")
    rest(lab)
    order = the_only_order(lab)
    assert (order.lifecycle, order.executed) == (Lifecycle.EXPIRED, Decimal("0.004"))
    assert not order.is_disputed
    assert last_band(lab) == (Decimal("-0.004"), Decimal("-0.004"), False)
    assert not lab.wrong()


def cancel_unseen(lab: VenueLab, algo_id: int) -> None:
    lab.drop = lambda _message: True
    algo_calls.cancel(lab.venue.linear, lab.account, Params({"algoId": algo_id}))
    lab.drop = lambda _message: False


def test_one_that_the_venue_has_forgotten_ended_without_an_execution() -> None:
    lab, algo_id = a_lab_with_a_stop()
    lab.wait(3 * DAY_MS)
    rest(lab)
    cancel_unseen(lab, algo_id)
    assert the_only_order(lab).lifecycle is Lifecycle.WAITING_TRIGGER
    rest(lab)
    order = the_only_order(lab)
    assert (order.lifecycle, order.derived.reason) == (Lifecycle.CANCELED, Reason.VENUE_DROPPED)
    assert not order.is_disputed
    assert last_band(lab) == (Decimal(0), Decimal(0), False)
    assert not lab.wrong()
    assert asked_at(lab)["algoOrder"] == 1
    assert not lab.run.partition.accounts[ACCOUNT].look_ups.reconciliation.targets.by_name


@pytest.mark.parametrize("days", [0, 61])
def test_one_that_it_should_know_or_might_have_forgotten_whatever_became_of_it_is_asked_for(
    days: int,
) -> None:
    lab, algo_id = a_lab_with_a_stop()
    lab.wait(days * DAY_MS)
    rest(lab)
    del lab.account.conditionals["linear"][algo_id]  # against what its manual says
    rest(lab)
    assert the_only_order(lab).lifecycle is Lifecycle.WAITING_TRIGGER
    assert asked_at(lab)["algoOrder"] > 1


def test_a_stop_of_spot_that_the_venue_does_not_find_is_asked_for_however_old_it_is() -> None:
    lab = a_lab(1)
    report = {
        "e": "executionReport", "s": "BTCUSDT", "c": "stop-1", "C": "", "S": "SELL",
        "o": "STOP_LOSS_LIMIT", "f": "GTC", "q": "0.01", "p": "49000", "P": "50000", "x": "NEW",
        "X": "NEW", "i": 7, "l": "0", "z": "0", "L": "0", "n": "0", "T": lab.clock.now_ms(),
        "t": -1, "I": 1, "w": False, "m": False,
    }  # fmt: skip
    body = orjson.dumps({"subscriptionId": 0, "event": report})
    lab.fold(Frame("c-spot", lab.numbers["c-spot"] + 1, "spot", lab.now_ns, body))
    lab.wait(4 * DAY_MS)
    rest(lab)
    assert the_only_order(lab).lifecycle is Lifecycle.WAITING_TRIGGER
    assert asked_at(lab)["order"] > 1  # Spot promises nothing of what it does not find


def test_a_conditional_order_that_came_and_went_unseen_is_in_the_history() -> None:
    lab = a_lab(1)
    lab.drop = lambda _message: True
    row = algo_calls.place(lab.venue.linear, lab.account, Params(STOP))
    algo_calls.cancel(lab.venue.linear, lab.account, Params({"algoId": row["algoId"]}))
    lab.drop = lambda _message: False
    lab.fold(Frame("c-linear", 9, "linear", lab.now_ns, b'{"e":"MARGIN_CALL"}'))  # a gap
    rest(lab)
    assert the_only_order(lab).lifecycle is Lifecycle.CANCELED
    assert not lab.wrong()


def condition(lab: VenueLab) -> None:
    """One of the traders places a conditional order, or ends one."""
    seats = [one for one in lab.venue.traders.seats if one.market is lab.venue.linear]
    lab.venue.traders.condition(lab.venue.traders.random.choice(seats))


@pytest.mark.parametrize("seed", [*SEEDS, 3, 4])
def test_of_conditional_orders_nothing_is_missed_for_ever(seed: int) -> None:
    lab = a_lab(seed)
    lab.trade(20)
    lab.drop = losing(seed, 0.2)
    for _ in range(120):
        condition(lab)
        lab.trade(2)
    lab.drop = lambda _message: False
    rest(lab)
    assert not lab.wrong()
    conditionals = lab.account.conditionals["linear"].values()
    assert {"CANCELED", "TRIGGERED"} <= {one.status for one in conditionals}
    assert not lab.run.partition.accounts[ACCOUNT].look_ups.reconciliation.targets.by_name
