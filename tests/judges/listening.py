"""Everything that ccxt's `pro` classes hear of an account, while others act."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from tests.judges import agreement
from tests.judges.ccxt_trader import CcxtTrader, Row

SECONDS_MAX: Final = 20.0
"""How long a stream may take to begin, or to tell what the books say."""
POLL_SECONDS: Final = 0.01
CHANNELS: Final = {
    "okx": {
        "watch_orders": "{product}/orders",
        "watch_my_trades": "{product}/orders",
        "watch_balance": "spot/account",
        "watch_positions": "{product}/positions",
    },
    "bybit": {
        "watch_orders": "{product}/order",
        "watch_my_trades": "{product}/execution",
        "watch_balance": "spot/wallet",
        "watch_positions": "{product}/position",
    },
}
"""What ccxt subscribes to, where it is not one stream of everything."""


KRAKEN: Final = {
    "watch_orders": ("executions", "open_orders"),
    "watch_my_trades": ("executions", "fills"),
    "watch_balance": ("balances", "balances"),
    "watch_positions": ("", "open_positions"),
}
"""What ccxt subscribes to at Kraken: at Spot, at Futures."""


@dataclass(slots=True)
class Heard:
    """What was heard: the newest of each order, every trade, the newest of the rest."""

    orders: dict[str, Row] = field(default_factory=dict)
    trades: dict[tuple[str, str], Row] = field(default_factory=dict)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    balances: dict[str, Row] = field(default_factory=dict)
    positions: dict[str, Row] = field(default_factory=dict)

    def take_orders(self, rows: list[Row]) -> None:
        self.orders |= {row["id"]: row for row in rows}

    def take_trades(self, rows: list[Row]) -> None:
        for row in rows:
            self.trades[row["id"], row["order"]] = row
            self.told[row["id"], row["order"]] += 1

    def take_balances(self, rows: Row) -> None:
        self.balances |= {name: rows[name] for name in rows["total"]}

    def take_positions(self, rows: list[Row]) -> None:
        self.positions |= {row["symbol"]: row for row in rows}


async def follow(watch: Callable[[], Any], take: Callable[[Any], None]) -> None:
    """Take whatever comes until cancelled."""
    while True:
        take(await watch())


@asynccontextmanager
async def listening(trader: CcxtTrader, *names: str) -> AsyncIterator[Heard]:
    """Some of ccxt's private streams, or all of the product, begun before anything is done."""
    heard = Heard()
    takers: dict[str, Callable[[Any], None]] = {
        "watch_orders": heard.take_orders,
        "watch_my_trades": heard.take_trades,
        "watch_balance": heard.take_balances,
        "watch_positions": heard.take_positions,
    }
    names = names or tuple(takers)[: 3 if trader.market.product == "spot" else 4]
    tasks = [
        asyncio.create_task(
            follow(partial(getattr(trader.one, name), *by(trader, name)), takers[name])
        )
        for name in names
    ]
    try:
        async with asyncio.timeout(SECONDS_MAX):
            while not await has_begun(trader, names):
                fallen = [task.exception() for task in tasks if task.done()]
                assert not fallen, fallen
                await asyncio.sleep(POLL_SECONDS)
        yield heard
        fallen = [task.exception() for task in tasks if task.done()]
        assert not fallen, fallen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def by(trader: CcxtTrader, name: str) -> list[Any]:
    """By symbol where ccxt takes one, so that OKX is asked for the right product."""
    alone: dict[str, list[Any]] = {"watch_balance": [], "watch_positions": [[trader.symbol]]}
    if (trader.market.venue, name) == (
        "kraken",
        "watch_balance",
    ) and trader.market.product != "spot":
        return [{"account": "flex_futures"}]
    if (trader.market.venue, name) == ("kraken", "watch_orders"):
        return []  # reports that follow the first one name no symbol
    return alone.get(name, [trader.symbol])


async def has_begun(trader: CcxtTrader, names: tuple[str, ...]) -> bool:
    """Whether the box has every subscription."""
    product = trader.market.product
    venue = trader.market.venue
    found: list[str] = [product]
    if venue in CHANNELS:
        found = [CHANNELS[venue][name].format(product=product) for name in names]
    elif venue == "kraken":
        place = int(product != "spot")
        found = [*{f"{product}/{KRAKEN[name][place]}" for name in names}]
    wanted = Counter(found)
    shown = Counter((await trader.told("/control/traffic"))["listening"])
    return all(shown[f"{trader.account.name}/{name}"] >= n for name, n in wanted.items())


def seen_orders(heard: Heard) -> agreement.Orders:
    """The newest of each order, as ccxt shows it."""
    return agreement.orders(list(heard.orders.values()))
