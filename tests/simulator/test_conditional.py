"""Conditional orders wait for a price and become orders; the books show both as one."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from simulator.binance.venue import BinanceVenue
from simulator.clock import LogicalClock
from simulator.conditional import Conditional, Trigger
from simulator.config import AccountConfig, SimulatorConfig
from simulator.instrument import Side
from simulator.market import Request
from simulator.refusal import Refused
from simulator.truth import account_truth

SYMBOL = "BTCUSDT"
NAME = "binance:main"
LOT = Decimal("0.1")


def a_request(side: Side = "SELL", **fields: Any) -> Request:
    plain = Request(symbol=SYMBOL, side=side, quantity=LOT, order_type="MARKET")
    return replace(plain, **fields)


class Place:
    """One account at one symbol of contracts, and trades at any price."""

    def __init__(self) -> None:
        box = AccountConfig(
            name=NAME, api_key="key", secret="secret", symbols={"linear": (SYMBOL,)}
        )
        venue = BinanceVenue(SimulatorConfig(accounts=(box,)), LogicalClock(), lambda _: None)
        self.market = venue.linear
        (self.account,) = venue.accounts.values()
        self.quote("SELL", 200_000, 10)
        self.quote("BUY", 20_000, 10)

    def quote(self, side: Side, price: int, quantity: int = 1) -> None:
        request = Request(SYMBOL, side, Decimal(quantity), Decimal(price))
        self.market.place_anonymous(request)

    def trade_at(self, price: int) -> None:
        """Two of the market meet there; nothing of it rests."""
        self.quote("SELL", price)
        self.quote("BUY", price)

    def hold(self, *triggers: Trigger, **fields: Any) -> Conditional:
        conditional = Conditional(
            self.market.next_conditional_id(),
            NAME,
            "linear",
            SYMBOL,
            "SELL",
            "STOP_MARKET",
            LOT,
            triggers,
            **fields,
        )
        self.market.hold(self.account, conditional)
        return conditional


def test_a_stop_waits_until_a_trade_reaches_its_price() -> None:
    place = Place()
    stop = place.hold(Trigger(Decimal(60_000), False, a_request()))
    place.trade_at(60_001)
    assert stop.is_waiting
    assert account_truth(place.account)["orders"][0]["status"] == "WAITING_TRIGGER"
    place.trade_at(60_000)
    (child,) = stop.children
    assert child.parent is stop
    (row,) = account_truth(place.account)["orders"]
    assert (row["venue_order_id"], row["status"]) == (str(stop.order_id), "FILLED")
    assert row["child_ids"] == [str(child.order_id)]
    (fill,) = account_truth(place.account)["fills"]
    assert fill["venue_order_id"] == str(child.order_id)
    assert fill["first_order_id"] == str(stop.order_id)
    assert not fill["closes_position"]


def test_of_two_triggers_the_first_that_is_reached_counts() -> None:
    place = Place()
    loss = Trigger(Decimal(59_000), False, a_request(), "sl")
    gain = Trigger(Decimal(65_000), True, a_request(), "tp")
    pair = place.hold(loss, gain)
    place.trade_at(66_000)
    assert pair.reached is gain
    place.trade_at(58_000)
    assert len(pair.children) == 1


def test_one_that_trails_follows_from_its_activation_on() -> None:
    place = Place()
    trail = Trigger(
        Decimal(0), False, a_request(), callback=Decimal("0.01"), activation=Decimal(70_000)
    )
    trailing = place.hold(trail)
    for price in (60_000, 50_000, 70_000, 80_000, 79_300):
        place.trade_at(price)
        assert trailing.is_waiting
    place.trade_at(79_200)
    assert not trailing.is_waiting


def test_what_the_market_refuses_at_the_trigger_was_rejected() -> None:
    place = Place()
    stop = place.hold(Trigger(Decimal(60_000), False, a_request(reduce_only=True)))
    place.trade_at(60_000)
    assert (stop.status, stop.children) == ("REJECTED", [])
    assert stop.reason


def test_one_that_closes_takes_what_is_held_by_then() -> None:
    place = Place()
    place.market.place(place.account, a_request("BUY", quantity=Decimal("0.7")))
    request = a_request(reduce_only=True, quantity=Decimal(0))
    stop = place.hold(Trigger(Decimal(60_000), False, request), closes_position=True)
    place.trade_at(60_000)
    assert stop.filled == Decimal("0.7")
    rows = account_truth(place.account)["fills"]
    assert [row["closes_position"] for row in rows] == [False, True]


def test_one_that_was_ended_is_reached_by_nothing_and_ended_once() -> None:
    place = Place()
    stop = place.hold(Trigger(Decimal(60_000), False, a_request()))
    place.market.end_conditional(place.account, stop)
    place.trade_at(60_000)
    assert (stop.status, stop.reason, stop.children) == ("CANCELED", "USER", [])
    with pytest.raises(Refused):
        place.market.end_conditional(place.account, stop)
