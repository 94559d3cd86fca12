"""What ccxt meets at OKX alone."""

from decimal import Decimal

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.desk import CONTRACTS, MARKETS, Market, a_desk

SPOT, LINEAR, INVERSE = MARKETS[2:5]
EVERY = (SPOT, LINEAR, INVERSE)
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


async def test_spot_fees_may_be_taken_in_quote() -> None:
    async with a_desk(SPOT, pays_quote=True) as desk:
        await desk.meet("sell", 1)
        await desk.take("buy", 1)
        booked = agreement.booked_trades(await desk.books())
        assert [row.fee_currency for row in booked.values()] == ["USDT"]
        assert agreement.trades(await desk.one.fetch_my_trades(desk.symbol)) == booked


@pytest.mark.parametrize("market", [LINEAR, INVERSE], ids=str)
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
        for leg, side, against in (("long", "buy", "sell"), ("short", "sell", "buy")):
            await desk.place(side, 3, posSide=leg)
            await desk.other.create_order(
                desk.symbol, "limit", against, desk.lots(2), desk.price(),
                {"posSide": "short" if leg == "long" else "long"},
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
        assert (await desk.look(placed["id"]))["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound):
            await desk.one.cancel_order_ws(NOBODYS, desk.symbol)


async def test_a_contract_stands_for_its_size() -> None:
    worth = {}
    for market in CONTRACTS:
        if market.venue == "okx":
            async with a_desk(market) as desk:
                await desk.meet("sell", 2)
                await desk.take("buy", 2)
                (row,) = await desk.one.fetch_positions()
                contracts = Decimal(row["contracts"])
                worth[market.product] = Decimal(row["contractSize"]) * contracts
                assert contracts == Decimal(desk.lots(2))
    # 0.32 contracts of 0.1 ETH at 3,100 USDT each; 2 contracts of 100 USD.
    assert worth == {"linear": Decimal("0.032"), "inverse": 200}
