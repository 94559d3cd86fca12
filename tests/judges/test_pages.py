"""ccxt walks through lists page by page; the pages together are the venue's books."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import CcxtTrader

PAGE = 4
ROUNDS = 3
PAGES_MAX = 50
Rows = list[dict[str, Any]]


async def many_trades(trader: CcxtTrader) -> None:
    """Eighteen trades: makers and takers, and market orders that meet several others at once."""
    for number in range(ROUNDS):
        await trader.place("buy", 2, -1)
        await trader.meet("sell", 1, -1)
        await trader.meet("sell", 1, -1)
        for ticks in range(3):
            await trader.meet("sell", 1, ticks)
        await trader.take("buy", 3)
        await trader.meet("buy", 1, -number - 2)
        await trader.take("sell", 1)


def after_the_last(trader: CcxtTrader, rows: Rows, name: str) -> dict[str, Any]:
    """What each venue wants for the next page: Binance goes up from an id, OKX down from one, and
    Bybit on from a cursor, until there is none."""
    if trader.market.venue == "bybit":
        cursors = [row["info"].get("nextPageCursor") for row in rows]
        return {"cursor": next(filter(None, cursors), None)}
    if trader.market.venue == "binance":
        return {name: int(rows[-1]["id"]) + 1}
    number = "billId" if name == "fromId" else "ordId"
    return {"after": str(min(int(row["info"][number]) for row in rows))}


async def walked(
    trader: CcxtTrader, name: str, ask: Callable[[dict[str, Any]], Awaitable[Rows]]
) -> list[Rows]:
    """The pages up to the first that is empty; `name` is what Binance calls the first id."""
    pages: list[Rows] = []
    where: dict[str, Any] = {name: 0} if trader.market.venue == "binance" else {}
    while None not in where.values() and (rows := await ask(where)) and len(pages) < PAGES_MAX:
        pages.append(rows)
        where = after_the_last(trader, rows, name)
    return pages


async def test_trades_by_id_are_the_books_each_once(trader: CcxtTrader) -> None:
    await many_trades(trader)
    pages = await walked(
        trader,
        "fromId",
        lambda where: trader.one.fetch_my_trades(trader.symbol, None, PAGE, where),
    )
    booked = agreement.booked_trades(await trader.books())
    assert len(booked) == 6 * ROUNDS
    assert [len(page) for page in pages] == [PAGE, PAGE, PAGE, PAGE, 2]
    assert agreement.trades([row for page in pages for row in page]) == booked


async def test_trades_by_time_are_the_books(trader: CcxtTrader) -> None:
    if trader.market.venue == "bybit":
        pytest.skip("a page is the latest of its span, which has no further bound: see the cursor")
    await many_trades(trader)
    found: agreement.Trades = {}
    pages = since = 0
    while True:
        since = since or trader.one.milliseconds() - 60_000
        rows = await trader.one.fetch_my_trades(trader.symbol, since, PAGE)
        assert len(rows) <= PAGE
        if not rows or agreement.trades(rows).keys() <= found.keys():
            break
        found |= agreement.trades(rows)
        # From the last one's own millisecond on: another may have happened in it.
        pages, since = pages + 1, rows[-1]["timestamp"]
    assert pages > 3
    assert found == agreement.booked_trades(await trader.books())


async def test_orders_by_id_are_the_books_each_once(trader: CcxtTrader) -> None:
    await many_trades(trader)
    has_all = trader.one.has["fetchOrders"]
    fetch = trader.one.fetch_orders if has_all else trader.one.fetch_closed_orders
    pages = await walked(trader, "orderId", lambda where: fetch(trader.symbol, None, PAGE, where))
    booked = agreement.booked_orders(await trader.books())
    assert len(booked) == 3 * ROUNDS
    assert [len(page) for page in pages] == [PAGE, PAGE, 1]
    assert agreement.orders([row for page in pages for row in page]) == booked


async def test_open_orders_are_listed_on_one_page(trader: CcxtTrader) -> None:
    for number in range(30):
        await trader.place("buy", 1, -number - 1)
    seen = agreement.orders(await trader.one.fetch_open_orders(trader.symbol, None, 50))
    assert len(seen) == 30
    assert seen == agreement.booked_orders(await trader.books())
