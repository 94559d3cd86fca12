"""What ccxt meets at Binance alone."""

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.desk import MARKETS, Market, a_desk

SPOT, LINEAR = MARKETS[:2]
NOBODYS = "99999999"


async def test_spots_edit_is_a_cancel_and_a_new_order() -> None:
    async with a_desk(SPOT) as desk:
        first = await desk.place("buy", 4, -5)
        edited = await desk.one.edit_order(
            first, desk.symbol, "limit", "buy", desk.lots(3), desk.price(-4)
        )
        assert edited["id"] != first
        assert (await desk.look(first))["status"] == "canceled"
        assert list(agreement.booked_orders(await desk.books(), "open")) == [edited["id"]]


async def test_an_edit_of_an_unknown_order_places_nothing() -> None:
    async with a_desk(SPOT) as desk:
        # 400 with -2022, as the venue has it where both halves fail. That one half said -2011
        # stands inside, where ccxt does not look.
        with pytest.raises(ccxt.BadResponse, match="-2011"):
            await desk.one.edit_order(
                NOBODYS, desk.symbol, "limit", "buy", desk.lots(1), desk.price()
            )
        assert not (await desk.books())["orders"]
    async with a_desk(LINEAR) as desk:
        with pytest.raises(ccxt.OrderNotFound):
            await desk.one.edit_order(
                NOBODYS, desk.symbol, "limit", "buy", desk.lots(1), desk.price()
            )


@pytest.mark.parametrize("market", [SPOT, LINEAR], ids=str)
async def test_a_maker_only_order_that_would_take_is_refused(market: Market) -> None:
    async with a_desk(market) as desk:
        await desk.meet("sell", 1)
        with pytest.raises(ccxt.InvalidOrder):
            await desk.place("buy", 1, +1, postOnly=True)
        assert not (await desk.books())["orders"]


@pytest.mark.parametrize("market", [SPOT, LINEAR], ids=str)
async def test_an_order_that_lives_no_moment_is_expired(market: Market) -> None:
    async with a_desk(market) as desk:
        await desk.meet("sell", 1)
        number = await desk.place("buy", 3, timeInForce="IOC")
        seen = agreement.order(await desk.look(number))
        assert seen == agreement.booked_orders(await desk.books())[number]
        assert seen.status == "expired"
        assert seen.filled < seen.amount


async def test_fees_may_be_taken_in_bnb() -> None:
    async with a_desk(SPOT, pays_bnb=True) as desk:
        for _ in range(12):
            await desk.meet("sell", 1)
            await desk.take("buy", 1)
        booked = agreement.booked_trades(await desk.books())
        assert {row.fee_currency for row in booked.values()} == {"BNB", "ETH"}
        assert agreement.trades(await desk.one.fetch_my_trades(desk.symbol)) == booked
        balances = agreement.booked_balances(await desk.books(), "spot")
        assert agreement.balances(await desk.one.fetch_balance()) == balances


async def test_a_rebate_is_a_fee_below_zero() -> None:
    async with a_desk(LINEAR, has_rebate=True) as desk:
        await desk.place("buy", 1)
        await desk.meet("sell", 1)
        booked = agreement.booked_trades(await desk.books())
        assert agreement.trades(await desk.one.fetch_my_trades(desk.symbol)) == booked
        assert [row.fee < 0 for row in booked.values()] == [True]


async def test_hedged_positions_are_seen_apart() -> None:
    async with a_desk(LINEAR, is_hedged=True) as desk:
        for leg, side, against in (("LONG", "buy", "sell"), ("SHORT", "sell", "buy")):
            await desk.place(side, 3, positionSide=leg)
            await desk.other.create_order(
                desk.symbol, "limit", against, desk.lots(2), desk.price(),
                {"positionSide": "SHORT" if leg == "LONG" else "LONG"},
            )  # fmt: skip
        booked = agreement.booked_positions(await desk.books())
        assert await desk.held() == booked
        assert {side for _, side in booked} == {"long", "short"}


async def test_spot_orders_are_entered_on_the_socket() -> None:
    async with a_desk(SPOT, ccxt.pro) as desk:
        placed = await desk.one.create_order_ws(
            desk.symbol, "limit", "buy", desk.lots(4), desk.price(-5)
        )
        edited = await desk.one.edit_order_ws(
            placed["id"], desk.symbol, "limit", "buy", desk.lots(3), desk.price(-4)
        )
        await desk.meet("sell", 1, -4)
        open_now = await desk.one.fetch_open_orders_ws(desk.symbol)
        assert agreement.orders(open_now) == agreement.booked_orders(await desk.books(), "open")
        await desk.one.cancel_order_ws(edited["id"], desk.symbol)
        every = await desk.one.fetch_orders_ws(desk.symbol)
        assert agreement.orders(every) == agreement.booked_orders(await desk.books())
        trades = await desk.one.fetch_my_trades_ws(desk.symbol)
        assert agreement.trades(trades) == agreement.booked_trades(await desk.books())
        with pytest.raises(ccxt.OrderNotFound):
            await desk.one.cancel_order_ws(NOBODYS, desk.symbol)
