"""What ccxt meets wherever all products share one wallet and one dialect: OKX, Bybit."""

from decimal import Decimal

import ccxt
import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import MARKETS, NOBODYS, ONE_WALLET, Market, a_trader

EVERY = tuple(one for one in MARKETS if one.venue in ONE_WALLET)
SPOT = tuple(one for one in EVERY if one.product == "spot")


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_an_edit_keeps_the_order_and_one_of_an_unknown_is_refused(market: Market) -> None:
    async with a_trader(market) as trader:
        number = await trader.place("buy", 4, -5)
        wish = (trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4))
        assert (await trader.one.edit_order(number, *wish))["id"] == number
        assert list(agreement.booked_orders(await trader.books())) == [number]
        with pytest.raises(ccxt.OrderNotFound):
            await trader.one.edit_order(NOBODYS, *wish)


@pytest.mark.parametrize("market", SPOT, ids=str)
async def test_a_purchase_sized_in_quote_is_reported_in_base(market: Market) -> None:
    async with a_trader(market) as trader:
        await trader.meet("sell", 9)
        placed = await trader.one.create_market_buy_order_with_cost(trader.symbol, "124")
        seen = await trader.look(placed["id"])
        (booked,) = (await trader.books())["orders"]
        assert (booked["quantity"], booked["quantity_unit"]) == ("124", "quote")
        assert Decimal(seen["filled"]) == Decimal(booked["filled"])
        assert seen["status"] == "closed"
        assert Decimal(seen["cost"]) <= 124
        trades = agreement.trades(await trader.one.fetch_my_trades(trader.symbol))
        assert trades == agreement.booked_trades(await trader.books())


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_a_maker_only_order_that_would_take_is_canceled_after_all(market: Market) -> None:
    async with a_trader(market) as trader:
        await trader.meet("sell", 1)
        number = await trader.place("buy", 1, +1, postOnly=True)
        seen = agreement.order(await trader.look(number))
        assert seen == agreement.booked_orders(await trader.books())[number]
        assert (seen.status, seen.filled) == ("canceled", Decimal(0))
