"""ccxt's `pro` classes hear of every box what the venue's own books say."""

from decimal import Decimal

import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import CONTRACTS, CcxtTrader
from tests.judges.listening import SECONDS_MAX, listening, seen_orders
from tests.waits import comes_about


async def test_orders_are_heard_as_they_are_in_the_books(live_trader: CcxtTrader) -> None:
    trader = live_trader
    async with listening(trader) as heard:
        await trader.trade()
        booked = agreement.booked_orders(await trader.books())
        assert await comes_about(lambda: seen_orders(heard) == booked, SECONDS_MAX), (
            seen_orders(heard),
            booked,
        )
    assert {row.status for row in booked.values()} == {"open", "closed", "canceled"}


async def test_every_trade_is_heard_once_with_its_fee(live_trader: CcxtTrader) -> None:
    trader = live_trader
    # Alone: beside `watch_orders`, ccxt subscribes twice to OKX's orders, and is told twice.
    async with listening(trader, "watch_my_trades") as heard:
        await trader.trade()
        booked = agreement.booked_trades(await trader.books())
        assert len(booked) == 5
        # OKX's stream has a charged fee below zero (docs/venues/okx.md 3.1), and ccxt, which
        # turns the sign of REST's fees, hands this one on as it is.
        sign = -1 if trader.market.venue == "okx" else 1
        wanted = {key: row._replace(fee=sign * row.fee) for key, row in booked.items()}
        assert await comes_about(lambda: heard.trades.keys() == booked.keys(), SECONDS_MAX), (
            heard.trades
        )
        assert {key: agreement.trade(row) for key, row in heard.trades.items()} == wanted
    assert set(heard.told.values()) == {1}


async def test_balances_are_heard_as_they_are_in_the_books(live_trader: CcxtTrader) -> None:
    trader = live_trader
    async with listening(trader) as heard:
        await trader.trade()
        booked = (await trader.books())["balances"][trader.wallet]
        # What a stream of Binance does not name did not change.
        moved = (
            {"ETH", "USDT"} if trader.market.product == "spot" else set(booked) & {"USDT", "BTC"}
        )

        def seen() -> dict[str, Decimal]:
            return {name: Decimal(row["total"]) for name, row in heard.balances.items()}

        wanted = {n: Decimal(r["free"]) + Decimal(r["locked"]) for n, r in booked.items()}
        assert await comes_about(
            lambda: seen().items() <= wanted.items() and bool(moved & set(seen())), SECONDS_MAX
        )


@pytest.mark.parametrize("live_trader", CONTRACTS, indirect=True, ids=str)
async def test_positions_are_heard_as_they_are_in_the_books(live_trader: CcxtTrader) -> None:
    trader = live_trader
    async with listening(trader) as heard:
        for side, against, lots in (("buy", "sell", 5), ("sell", "buy", 9), ("buy", "sell", 4)):
            await trader.meet(against, lots, +1 if side == "buy" else -1)
            await trader.take(side, lots)
            booked = agreement.booked_positions(await trader.books())

            def agrees(booked: agreement.Held = booked) -> bool:
                return agreement.positions(list(heard.positions.values()), trader.ids) == booked

            assert await comes_about(agrees, SECONDS_MAX), (heard.positions, booked)
    assert not booked
