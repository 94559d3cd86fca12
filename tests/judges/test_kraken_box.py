"""ccxt's two classes for Kraken trade at its box, and see what the venue's own books say.

What ccxt cannot know it shows as None: the client order id that an answer does not have, and the
fees of Futures, which it makes from its own table of rates.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro
import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import KRAKEN, CcxtTrader, Market, a_trader
from tests.judges.listening import SECONDS_MAX, listening
from tests.waits import comes_about

SPOT, LINEAR, INVERSE = KRAKEN
FUTURES = (LINEAR, INVERSE)
NOBODYS = {"spot": "OAAAAA-AAAAA-AAAAAA", "linear": "0" * 8 + "-0000-0000-0000-" + "0" * 12}
Row = dict[str, Any]
every = pytest.mark.parametrize("judge", KRAKEN, indirect=True, ids=str)
each_contract = pytest.mark.parametrize("judge", FUTURES, indirect=True, ids=str)


@pytest.fixture
async def judge(request: pytest.FixtureRequest) -> AsyncIterator[CcxtTrader]:
    market: Market = request.param
    async with a_trader(market) as made:
        yield made


@pytest.fixture
async def live(request: pytest.FixtureRequest) -> AsyncIterator[CcxtTrader]:
    market: Market = request.param
    async with a_trader(market, ccxt.pro) as made:
        yield made


def order(row: Row) -> agreement.SeenOrder:
    """As ccxt shows it, with what it leaves to `info`."""
    said = row["info"].get("order", row["info"])
    filled_in = {
        "clientOrderId": row["clientOrderId"] or "",
        "price": row["price"] or str(said.get("limitPrice")),
        "type": row["type"] or "limit",
    }
    return agreement.order(row | filled_in)


def orders(rows: list[Row]) -> agreement.Orders:
    return {row["id"]: order(row) for row in rows}


def unpriced(rows: agreement.Trades) -> agreement.Trades:
    """Without fees, which ccxt does not read from Futures."""
    return {key: row._replace(fee=Decimal(0), fee_currency="") for key, row in rows.items()}


def trades(trader: CcxtTrader, rows: list[Row]) -> agreement.Trades:
    if trader.market == SPOT:
        return agreement.trades(rows)
    none = {"cost": "0", "currency": ""}
    return agreement.trades(
        [row | {"fee": none, "amount": row["amount"] or str(row["info"]["size"])} for row in rows]
    )


async def booked_trades(trader: CcxtTrader) -> agreement.Trades:
    booked = agreement.booked_trades(await trader.books())
    return booked if trader.market.product == "spot" else unpriced(booked)


@every
async def test_open_and_ended_orders_are_as_in_the_books(judge: CcxtTrader) -> None:
    await judge.place("buy", 4, -3)
    await judge.place("buy", 4)
    await judge.meet("sell", 1)
    bare = await judge.place("buy", 2, -5)
    await judge.one.cancel_order(bare, judge.symbol)
    await judge.meet("sell", 3, +9)
    await judge.take("buy", 2)
    books = await judge.books()
    seen = orders(await judge.one.fetch_open_orders(judge.symbol))
    assert seen == agreement.booked_orders(books, "open")
    assert len(seen) == 2
    ended = await judge.one.fetch_closed_orders(judge.symbol)
    ended += await judge.one.fetch_canceled_orders(judge.symbol) if judge.market != SPOT else []
    booked = agreement.booked_orders(books, "closed", "canceled")
    shown = {row["id"]: (row["side"], Decimal(row["filled"])) for row in ended}
    # Of Futures ccxt reads events, of which some are of orders that live on.
    assert {name: shown[name] for name in booked} == {
        name: (row.side, row.filled) for name, row in booked.items()
    }
    assert judge.market != SPOT or shown.keys() == booked.keys()


@every
async def test_an_order_that_is_looked_at_is_as_in_the_books(judge: CcxtTrader) -> None:
    number = await judge.place("buy", 4)
    await judge.meet("sell", 1)
    seen = await judge.look(number)
    booked = agreement.booked_orders(await judge.books())[number]
    assert (seen["status"], seen["side"], Decimal(seen["filled"])) == (
        booked.status, booked.side, booked.filled,
    )  # fmt: skip
    assert order(seen) == booked


@every
async def test_trades_are_as_in_the_books(judge: CcxtTrader) -> None:
    await judge.place("buy", 4)
    await judge.meet("sell", 3)
    await judge.meet("sell", 2, +1)
    await judge.take("buy", 1)
    booked = await booked_trades(judge)
    assert {row.liquidity for row in booked.values()} == {"maker", "taker"}
    assert trades(judge, await judge.one.fetch_my_trades(judge.symbol)) == booked


@every
async def test_an_amend_keeps_the_order(judge: CcxtTrader) -> None:
    number = await judge.place("buy", 4, -5)
    wish = (judge.symbol, "limit", "buy", judge.lots(3), judge.price(-4))
    await judge.one.edit_order(number, *wish)
    [row] = await judge.one.fetch_open_orders(judge.symbol)
    seen = order(row)
    assert seen == agreement.booked_orders(await judge.books())[number]
    assert (seen.amount, seen.price) == (Decimal(judge.lots(3)), Decimal(judge.price(-4)))


@every
async def test_what_is_refused_is_the_right_error(judge: CcxtTrader) -> None:
    nobodys = NOBODYS.get(judge.market.product, NOBODYS["linear"])
    unknown = ccxt.InvalidOrder if judge.market == SPOT else ccxt.OrderNotFound
    with pytest.raises(unknown):
        await judge.one.cancel_order(nobodys, judge.symbol)
    with pytest.raises(ccxt.InsufficientFunds):
        await judge.place("buy", 500_000_000, -1)
    assert not (await judge.books())["orders"]
    judge.one.secret = "c29tZWJvZHkgZWxzZSdz"
    with pytest.raises(ccxt.ExchangeError):
        await judge.one.fetch_open_orders(judge.symbol)


@every
async def test_balances_are_as_in_the_books(judge: CcxtTrader) -> None:
    await judge.place("buy", 3, -2)
    await judge.place("sell", 2, +2)
    await judge.meet("buy", 1, +2)
    books = await judge.books()
    booked = agreement.booked_balances(books, judge.market.product)
    wanted = {"type": "fi_xbtusd"} if judge.market == INVERSE else {}
    seen = agreement.balances(await judge.one.fetch_balance(wanted))
    assert {name: seen[name] for name in booked} == booked


@each_contract
async def test_positions_are_as_in_the_books(judge: CcxtTrader) -> None:
    seen: list[str] = []
    for side, against, lots in (("buy", "sell", 5), ("sell", "buy", 2), ("sell", "buy", 9)):
        await judge.meet(against, lots, +1 if side == "buy" else -1)
        await judge.take(side, lots)
        booked = agreement.booked_positions(await judge.books())
        assert await judge.held() == booked
        seen.extend(leg for _, leg in booked)
    assert seen == ["long", "long", "short"]


@pytest.mark.parametrize("live", [SPOT], indirect=True, ids=str)
async def test_orders_are_heard_as_they_are_in_the_books(live: CcxtTrader) -> None:
    async with listening(live, "watch_orders") as heard:
        await live.trade()
        booked = agreement.booked_orders(await live.books())
        wanted = {name: row.status for name, row in booked.items()}

        def seen() -> dict[str, str]:
            return {name: row["status"] for name, row in heard.orders.items()}

        assert await comes_about(lambda: seen() == wanted, SECONDS_MAX), (seen(), wanted)


@pytest.mark.parametrize("live", KRAKEN, indirect=True, ids=str)
async def test_trades_are_heard_once_as_they_are_in_the_books(live: CcxtTrader) -> None:
    async with listening(live, "watch_my_trades") as heard:
        await live.trade()
        booked = await booked_trades(live)
        assert await comes_about(lambda: heard.trades.keys() == booked.keys(), SECONDS_MAX)
    assert set(heard.told.values()) == {1}
    seen = {
        key: (Decimal(row["price"]), Decimal(row["amount"])) for key, row in heard.trades.items()
    }
    assert seen == {key: (row.price, row.amount) for key, row in booked.items()}


@pytest.mark.parametrize("live", [SPOT, LINEAR], indirect=True, ids=str)
async def test_balances_are_heard_as_they_are_in_the_books(live: CcxtTrader) -> None:
    async with listening(live, "watch_balance") as heard:
        await live.trade()
        booked = (await live.books())["balances"][live.market.product]
        wanted = {
            name: Decimal(row["free"]) + Decimal(row["locked"]) for name, row in booked.items()
        }

        def seen() -> dict[str, Decimal]:
            rows = heard.balances.items()
            return {name: Decimal(row["total"]) for name, row in rows if row["total"] is not None}

        assert await comes_about(lambda: wanted.items() <= seen().items(), SECONDS_MAX), (
            seen(), wanted,
        )  # fmt: skip


async def test_orders_are_entered_on_the_socket() -> None:
    async with a_trader(SPOT, ccxt.pro) as trader:
        placed = await trader.one.create_order_ws(
            trader.symbol, "limit", "buy", trader.lots(4), trader.price(-5)
        )
        wish = (trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4))
        await trader.one.edit_order_ws(placed["id"], *wish)
        [row] = await trader.one.fetch_open_orders(trader.symbol)
        assert order(row) == agreement.booked_orders(await trader.books(), "open")[placed["id"]]
        await trader.one.cancel_order_ws(placed["id"])
        assert (await trader.look(placed["id"]))["status"] == "canceled"
