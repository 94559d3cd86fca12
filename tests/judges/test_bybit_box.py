"""What ccxt meets at Bybit alone."""

from decimal import Decimal

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.desk import MARKETS, Market, a_desk

EVERY = tuple(one for one in MARKETS if one.venue == "bybit")
SPOT, LINEAR, INVERSE = EVERY
NOBODYS = "99999999"


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_an_edit_keeps_the_order_and_one_of_an_unknown_is_refused(market: Market) -> None:
    async with a_desk(market) as desk:
        number = await desk.place("buy", 4, -5)
        wish = (desk.symbol, "limit", "buy", desk.lots(3), desk.price(-4))
        assert (await desk.one.edit_order(number, *wish))["id"] == number
        assert list(agreement.booked_orders(await desk.books())) == [number]
        with pytest.raises(ccxt.OrderNotFound):
            await desk.one.edit_order(NOBODYS, *wish)


async def test_a_purchase_sized_in_quote_is_reported_in_base() -> None:
    async with a_desk(SPOT) as desk:
        await desk.meet("sell", 9)
        placed = await desk.one.create_market_buy_order_with_cost(desk.symbol, "124")
        seen = await desk.look(placed["id"])
        (booked,) = (await desk.books())["orders"]
        assert (booked["quantity"], booked["quantity_unit"]) == ("124", "quote")
        assert Decimal(seen["filled"]) == Decimal(booked["filled"])
        assert seen["status"] == "closed"
        assert Decimal(seen["cost"]) <= 124
        trades = agreement.trades(await desk.one.fetch_my_trades(desk.symbol))
        assert trades == agreement.booked_trades(await desk.books())


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_a_maker_only_order_that_would_take_is_canceled_after_all(market: Market) -> None:
    async with a_desk(market) as desk:
        await desk.meet("sell", 1)
        number = await desk.place("buy", 1, +1, postOnly=True)
        seen = agreement.order(await desk.look(number))
        assert seen == agreement.booked_orders(await desk.books())[number]
        assert (seen.status, seen.filled) == ("canceled", Decimal(0))


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_a_rebate_is_a_fee_below_zero(market: Market) -> None:
    async with a_desk(market, has_rebate=True) as desk:
        await desk.place("buy", 1)
        await desk.meet("sell", 1)
        booked = agreement.booked_trades(await desk.books())
        assert agreement.trades(await desk.one.fetch_my_trades(desk.symbol)) == booked
        assert [row.fee < 0 for row in booked.values()] == [True]


@pytest.mark.parametrize("market", [LINEAR, INVERSE], ids=str)
async def test_hedged_positions_are_seen_apart(market: Market) -> None:
    async with a_desk(market, is_hedged=True) as desk:
        for index, side, against in ((1, "buy", "sell"), (2, "sell", "buy")):
            await desk.place(side, 3, positionIdx=index)
            await desk.other.create_order(
                desk.symbol, "limit", against, desk.lots(2), desk.price(),
                {"positionIdx": 3 - index},
            )  # fmt: skip
        booked = agreement.booked_positions(await desk.books())
        assert await desk.held() == booked
        assert {side for _, side in booked} == {"long", "short"}


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_orders_are_entered_on_the_socket(market: Market) -> None:
    async with a_desk(market, ccxt.pro) as desk:
        placed = await desk.one.create_order_ws(
            desk.symbol, "limit", "buy", desk.lots(4), desk.price(-5)
        )
        wish = (desk.symbol, "limit", "buy", desk.lots(3), desk.price(-4))
        await desk.one.edit_order_ws(placed["id"], *wish)
        await desk.meet("sell", 1, -4)
        open_now = agreement.orders(await desk.one.fetch_open_orders(desk.symbol))
        assert open_now == agreement.booked_orders(await desk.books(), "open")
        assert [row.amount for row in open_now.values()] == [Decimal(desk.lots(3))]
        await desk.one.cancel_order_ws(placed["id"], desk.symbol)
        ended = (await desk.books())["orders"][0]
        assert ended["reason"] == "USER"
        with pytest.raises(ccxt.OrderNotFound):
            await desk.one.cancel_order_ws(NOBODYS, desk.symbol)


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_an_order_for_a_price_keeps_its_id_when_it_triggers(market: Market) -> None:
    async with a_desk(market) as desk:
        direction = {} if market is SPOT else {"triggerDirection": "ascending"}
        number = await desk.place("buy", 1, +9, triggerPrice=desk.price(+5), **direction)
        (waiting,) = await desk.one.fetch_open_orders(desk.symbol, None, None, {"trigger": True})
        assert (waiting["id"], waiting["status"]) == (number, "open")
        await desk.meet("sell", 2, +5)
        await desk.other.create_order(
            desk.symbol, "limit", "buy", desk.lots(1), desk.price(+5), {"smpType": "None"}
        )
        seen = await desk.look(number)
        assert (seen["id"], seen["status"]) == (number, "closed")
        (booked,) = (await desk.books())["orders"]
        assert (booked["venue_order_id"], booked["status"]) == (number, "FILLED")
