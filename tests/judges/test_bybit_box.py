"""What ccxt meets at Bybit alone."""

from decimal import Decimal

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import MARKETS, NOBODYS, Market, a_trader

EVERY = tuple(one for one in MARKETS if one.venue == "bybit")
SPOT, LINEAR, INVERSE = EVERY


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_a_rebate_is_a_fee_below_zero(market: Market) -> None:
    async with a_trader(market, has_rebate=True) as trader:
        await trader.place("buy", 1)
        await trader.meet("sell", 1)
        booked = agreement.booked_trades(await trader.books())
        assert agreement.trades(await trader.one.fetch_my_trades(trader.symbol)) == booked
        assert [row.fee < 0 for row in booked.values()] == [True]


@pytest.mark.parametrize("market", [LINEAR, INVERSE], ids=str)
async def test_hedged_positions_are_seen_apart(market: Market) -> None:
    async with a_trader(market, is_hedged=True) as trader:
        for index, side, against in ((1, "buy", "sell"), (2, "sell", "buy")):
            await trader.place(side, 3, positionIdx=index)
            await trader.other.create_order(
                trader.symbol, "limit", against, trader.lots(2), trader.price(),
                {"positionIdx": 3 - index},
            )  # fmt: skip
        booked = agreement.booked_positions(await trader.books())
        assert await trader.held() == booked
        assert {side for _, side in booked} == {"long", "short"}


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_orders_are_entered_on_the_socket(market: Market) -> None:
    async with a_trader(market, ccxt.pro) as trader:
        placed = await trader.one.create_order_ws(
            trader.symbol, "limit", "buy", trader.lots(4), trader.price(-5)
        )
        wish = (trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4))
        await trader.one.edit_order_ws(placed["id"], *wish)
        await trader.meet("sell", 1, -4)
        open_now = agreement.orders(await trader.one.fetch_open_orders(trader.symbol))
        assert open_now == agreement.booked_orders(await trader.books(), "open")
        assert [row.amount for row in open_now.values()] == [Decimal(trader.lots(3))]
        await trader.one.cancel_order_ws(placed["id"], trader.symbol)
        ended = (await trader.books())["orders"][0]
        assert ended["reason"] == "USER"
        with pytest.raises(ccxt.OrderNotFound):
            await trader.one.cancel_order_ws(NOBODYS, trader.symbol)


@pytest.mark.parametrize("market", EVERY, ids=str)
async def test_an_order_for_a_price_keeps_its_id_when_it_triggers(market: Market) -> None:
    async with a_trader(market) as trader:
        direction = {} if market is SPOT else {"triggerDirection": "ascending"}
        number = await trader.place("buy", 1, +9, triggerPrice=trader.price(+5), **direction)
        (waiting,) = await trader.one.fetch_open_orders(
            trader.symbol, None, None, {"trigger": True}
        )
        assert (waiting["id"], waiting["status"]) == (number, "open")
        await trader.meet("sell", 2, +5)
        await trader.other.create_order(
            trader.symbol, "limit", "buy", trader.lots(1), trader.price(+5), {"smpType": "None"}
        )
        seen = await trader.look(number)
        assert (seen["id"], seen["status"]) == (number, "closed")
        (booked,) = (await trader.books())["orders"]
        assert (booked["venue_order_id"], booked["status"]) == (number, "FILLED")
