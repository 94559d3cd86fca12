"""The engine under rules that neither Binance nor OKX has: a third venue's, filled in as data."""

from decimal import Decimal
from random import Random
from typing import ClassVar

import pytest

from simulator.accounts import Account, Fill
from simulator.clock import LogicalClock
from simulator.config import AccountConfig
from simulator.engine import checks
from simulator.engine.contracts import ContractMarket
from simulator.engine.numbering import Numbering, Numbers
from simulator.engine.rules import Amends, Fees, Forced, Rules
from simulator.engine.spot import SpotMarket
from simulator.instrument import Instrument, Product
from simulator.journal import Journal
from simulator.market import Request, World
from simulator.matching import Order, Prevented
from simulator.refusal import Refusals, Refused

FEES = Fees(maker=Decimal("0.001"), taker=Decimal("0.002"), step=Decimal("0.0001"), asset="quote")
REFUSALS = Refusals(Refused, {"lot": (7, "no whole lots of {what}"), "ended": ("E", "over", 409)})


class Told:
    """A market's reports, which it writes down instead of telling anybody."""

    told: list[str]

    def report_accepted(self, account: Account, order: Order) -> None:
        self.told.append("accepted")

    def report_amended(self, account: Account, order: Order) -> None:
        self.told.append("amended")

    def report_fill(self, account: Account, order: Order, fill: Fill) -> None:
        self.told.append(f"fill {fill.fee} {fill.fee_currency}")

    def report_prevented(self, account: Account, event: Prevented) -> None:
        self.told.append("prevented")

    def report_closed(self, account: Account, order: Order, cancel_id: str = "") -> None:
        self.told.append(f"{order.status} {order.reason}")

    def report_contradiction(self, account: Account, order: Order) -> None:
        self.told.append("contradicted")

    def report_transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        self.told.append(f"transfer {delta}")

    def report_forced(self, account: Account, order: Order, fill: Fill) -> None:
        self.told.append(f"{order.category} {order.client_order_id}")


class Spot(Told, SpotMarket):
    refusal: ClassVar[Refusals] = REFUSALS
    rules: ClassVar[Rules] = Rules(fees=FEES, checks=(checks.name,), ended_as={"EXPIRED": "ENDED"})


class Dated(Told, ContractMarket):
    product: ClassVar[Product] = "inverse"
    refusal: ClassVar[Refusals] = REFUSALS
    rules: ClassVar[Rules] = Rules(
        fees=FEES,
        checks=(),
        forced={"ADL": Forced(name="unwound", category="unwind")},
        amends=Amends(keeps_turn=True),
    )


def world(symbol: str, product: Product) -> tuple[World, Instrument]:
    config = AccountConfig(name="v:a", api_key="k", secret="s", symbols={product: (symbol,)})
    account = Account(config)
    made = World(
        clock=LogicalClock(),
        accounts={account.name: account},
        publish=lambda message: None,
        random=Random(1),
        numbers=Numbers(Numbering(first_order=5, is_shared=True)),
        face=None,
        journal=Journal(LogicalClock().now_ns),
    )
    cent, one = Decimal("0.01"), Decimal(1)
    return made, Instrument(product, symbol, "XBT", "USD", cent, one, Decimal(0), Decimal(100))


def a_spot() -> tuple[Spot, Account]:
    made, instrument = world("XBT/USD", "spot")
    market = Spot(made, {instrument.symbol: instrument})
    market.told = []
    return market, made.accounts["v:a"]


def an_order(symbol: str, side: str = "BUY", quantity: int = 3, price: int = 100) -> Request:
    return Request(symbol, "BUY" if side == "BUY" else "SELL", Decimal(quantity), Decimal(price))


def test_fees_may_always_be_in_quote() -> None:
    market, account = a_spot()
    market.place_anonymous(an_order("XBT/USD", "SELL", 3))
    market.place(account, an_order("XBT/USD", "BUY", 3))
    assert market.told == ["accepted", "fill 0.6000 USD"]
    assert account.balance("spot", "XBT").free - 500_000 == 3


def test_what_is_sized_in_quote_spends_no_more_beside_ones_own_orders() -> None:
    market, account = a_spot()
    market.place(account, an_order("XBT/USD", "SELL", 3, 90))
    market.place_anonymous(an_order("XBT/USD", "SELL", 9, 100))
    before = account.balance("spot", "USD").free
    size = Decimal(270)
    order = market.place(
        account, Request("XBT/USD", "BUY", Decimal(0), order_type="MARKET", quote_size=size)
    )
    assert (order.filled, order.notional) == (Decimal(2), Decimal(200))
    assert before - account.balance("spot", "USD").free <= size


def test_a_venue_without_the_check_cancels_post_only_after_it_was_accepted() -> None:
    market, account = a_spot()
    market.place_anonymous(an_order("XBT/USD", "SELL"))
    wish = Request("XBT/USD", "BUY", Decimal(1), Decimal(100), time_in_force="GTX")
    order = market.place(account, wish)
    assert market.told == ["accepted", "CANCELED POST_ONLY"]
    assert not account.open_orders["spot"]
    assert account.balance("spot", "USD").locked == 0 == order.filled


def test_an_end_has_the_venues_own_name() -> None:
    market, account = a_spot()
    order = market.place(account, an_order("XBT/USD"))
    market.expire(account, order, "VENUE")
    assert market.told[-1] == "ENDED VENUE"
    with pytest.raises(Refused, match="E: over") as caught:
        market.cancel(account, order)
    assert caught.value.status == 409


def test_one_counter_may_serve_all_orders_and_conditional_ones() -> None:
    market, account = a_spot()
    numbers = [market.place(account, an_order("XBT/USD")).order_id, market.next_conditional_id()]
    assert numbers == [5, 6]


def test_an_inverse_contract_is_unwound_with_the_venues_own_order() -> None:
    made, instrument = world("PI_XBTUSD", "inverse")
    market, account = Dated(made, {instrument.symbol: instrument}), made.accounts["v:a"]
    market.told = []
    market.place_anonymous(an_order(instrument.symbol, "SELL", 50))
    order = market.place(account, an_order(instrument.symbol, "BUY", 80))
    assert market.told[-1] == "fill 0.0010 XBT"
    market.change(account, order, order.price, Decimal(60))
    assert (market.told[-1], order.remaining) == ("amended", Decimal(10))
    assert market.force_close(account, instrument.symbol, "BOTH", "ADL")
    assert market.told[-2:] == ["EXPIRED LIQUIDATION", "unwind unwound"]
    assert account.amount_of(instrument.symbol, "BOTH") == 0
    assert not market.force_close(account, instrument.symbol, "BOTH", "ADL")


def test_a_refusal_says_what_its_words_say() -> None:
    refusal = REFUSALS("lot", what="XBT")
    assert (str(refusal), refusal.status) == ("7: no whole lots of XBT", 400)
