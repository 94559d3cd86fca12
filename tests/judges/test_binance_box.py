"""What ccxt meets at Binance alone."""

from decimal import Decimal

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import MARKETS, Market, a_trader

SPOT, LINEAR = MARKETS[:2]
NOBODYS = "99999999"


async def test_spots_edit_is_a_cancel_and_a_new_order() -> None:
    async with a_trader(SPOT) as trader:
        first = await trader.place("buy", 4, -5)
        edited = await trader.one.edit_order(
            first, trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4)
        )
        assert edited["id"] != first
        assert (await trader.look(first))["status"] == "canceled"
        assert list(agreement.booked_orders(await trader.books(), "open")) == [edited["id"]]


async def test_an_edit_of_an_unknown_order_places_nothing() -> None:
    async with a_trader(SPOT) as trader:
        # 400 with -2022, as the venue has it where both halves fail. That one half said -2011
        # stands inside, where ccxt does not look.
        with pytest.raises(ccxt.BadResponse, match="-2011"):
            await trader.one.edit_order(
                NOBODYS, trader.symbol, "limit", "buy", trader.lots(1), trader.price()
            )
        assert not (await trader.books())["orders"]
    async with a_trader(LINEAR) as trader:
        with pytest.raises(ccxt.OrderNotFound):
            await trader.one.edit_order(
                NOBODYS, trader.symbol, "limit", "buy", trader.lots(1), trader.price()
            )


@pytest.mark.parametrize("market", [SPOT, LINEAR], ids=str)
async def test_a_maker_only_order_that_would_take_is_refused(market: Market) -> None:
    async with a_trader(market) as trader:
        await trader.meet("sell", 1)
        with pytest.raises(ccxt.InvalidOrder):
            await trader.place("buy", 1, +1, postOnly=True)
        assert not (await trader.books())["orders"]


@pytest.mark.parametrize("market", [SPOT, LINEAR], ids=str)
async def test_an_order_that_lives_no_moment_is_expired(market: Market) -> None:
    async with a_trader(market) as trader:
        await trader.meet("sell", 1)
        number = await trader.place("buy", 3, timeInForce="IOC")
        seen = agreement.order(await trader.look(number))
        assert seen == agreement.booked_orders(await trader.books())[number]
        assert seen.status == "expired"
        assert seen.filled < seen.amount


async def test_fees_may_be_taken_in_bnb() -> None:
    async with a_trader(SPOT, pays_bnb=True) as trader:
        for _ in range(12):
            await trader.meet("sell", 1)
            await trader.take("buy", 1)
        booked = agreement.booked_trades(await trader.books())
        assert {row.fee_currency for row in booked.values()} == {"BNB", "ETH"}
        assert agreement.trades(await trader.one.fetch_my_trades(trader.symbol)) == booked
        balances = agreement.booked_balances(await trader.books(), "spot")
        assert agreement.balances(await trader.one.fetch_balance()) == balances


async def test_a_rebate_is_a_fee_below_zero() -> None:
    async with a_trader(LINEAR, has_rebate=True) as trader:
        await trader.place("buy", 1)
        await trader.meet("sell", 1)
        booked = agreement.booked_trades(await trader.books())
        assert agreement.trades(await trader.one.fetch_my_trades(trader.symbol)) == booked
        assert [row.fee < 0 for row in booked.values()] == [True]


async def test_hedged_positions_are_seen_apart() -> None:
    async with a_trader(LINEAR, is_hedged=True) as trader:
        for leg, side, against in (("LONG", "buy", "sell"), ("SHORT", "sell", "buy")):
            await trader.place(side, 3, positionSide=leg)
            await trader.other.create_order(
                trader.symbol, "limit", against, trader.lots(2), trader.price(),
                {"positionSide": "SHORT" if leg == "LONG" else "LONG"},
            )  # fmt: skip
        booked = agreement.booked_positions(await trader.books())
        assert await trader.held() == booked
        assert {side for _, side in booked} == {"long", "short"}


async def test_spot_orders_are_entered_on_the_socket() -> None:
    async with a_trader(SPOT, ccxt.pro) as trader:
        placed = await trader.one.create_order_ws(
            trader.symbol, "limit", "buy", trader.lots(4), trader.price(-5)
        )
        edited = await trader.one.edit_order_ws(
            placed["id"], trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4)
        )
        await trader.meet("sell", 1, -4)
        open_now = await trader.one.fetch_open_orders_ws(trader.symbol)
        assert agreement.orders(open_now) == agreement.booked_orders(await trader.books(), "open")
        await trader.one.cancel_order_ws(edited["id"], trader.symbol)
        every = await trader.one.fetch_orders_ws(trader.symbol)
        assert agreement.orders(every) == agreement.booked_orders(await trader.books())
        trades = await trader.one.fetch_my_trades_ws(trader.symbol)
        assert agreement.trades(trades) == agreement.booked_trades(await trader.books())
        with pytest.raises(ccxt.OrderNotFound):
            await trader.one.cancel_order_ws(NOBODYS, trader.symbol)


@pytest.mark.parametrize("market", [SPOT, LINEAR], ids=str)
async def test_orders_are_entered_on_the_socket(market: Market) -> None:
    async with a_trader(market, ccxt.pro) as trader:
        placed = await trader.one.create_order_ws(
            trader.symbol, "limit", "buy", trader.lots(4), trader.price(-5)
        )
        wish = (trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4))
        edited = await trader.one.edit_order_ws(placed["id"], *wish)
        assert (edited["id"] == placed["id"]) == (market is LINEAR)  # Spot replaces
        await trader.meet("sell", 1, -4)
        open_now = agreement.orders(await trader.one.fetch_open_orders(trader.symbol))
        assert open_now == agreement.booked_orders(await trader.books(), "open")
        assert [row.amount for row in open_now.values()] == [Decimal(trader.lots(3))]
        await trader.one.cancel_order_ws(edited["id"], trader.symbol)
        ended = {one["venue_order_id"]: one for one in (await trader.books())["orders"]}
        assert ended[edited["id"]]["status"] == "CANCELED"
        with pytest.raises(ccxt.OrderNotFound):
            await trader.one.cancel_order_ws(NOBODYS, trader.symbol)
