"""What ccxt meets at OKX alone."""

from decimal import Decimal

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import CONTRACTS, MARKETS, NOBODYS, Market, a_trader

SPOT, LINEAR, INVERSE = MARKETS[2:5]
EVERY = (SPOT, LINEAR, INVERSE)


async def test_spot_fees_may_be_taken_in_quote() -> None:
    async with a_trader(SPOT, pays_quote=True) as trader:
        await trader.meet("sell", 1)
        await trader.take("buy", 1)
        booked = agreement.booked_trades(await trader.books())
        assert [row.fee_currency for row in booked.values()] == ["USDT"]
        assert agreement.trades(await trader.one.fetch_my_trades(trader.symbol)) == booked


@pytest.mark.parametrize("market", [LINEAR, INVERSE], ids=str)
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
        for leg, side, against in (("long", "buy", "sell"), ("short", "sell", "buy")):
            await trader.place(side, 3, posSide=leg)
            await trader.other.create_order(
                trader.symbol, "limit", against, trader.lots(2), trader.price(),
                {"posSide": "short" if leg == "long" else "long"},
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
        assert (await trader.look(placed["id"]))["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound):
            await trader.one.cancel_order_ws(NOBODYS, trader.symbol)


async def test_a_contract_stands_for_its_size() -> None:
    worth = {}
    for market in CONTRACTS:
        if market.venue == "okx":
            async with a_trader(market) as trader:
                await trader.meet("sell", 2)
                await trader.take("buy", 2)
                (row,) = await trader.one.fetch_positions()
                contracts = Decimal(row["contracts"])
                worth[market.product] = Decimal(row["contractSize"]) * contracts
                assert contracts == Decimal(trader.lots(2))
    # 0.32 contracts of 0.1 ETH at 3,100 USDT each; 2 contracts of 100 USD.
    assert worth == {"linear": Decimal("0.032"), "inverse": 200}
