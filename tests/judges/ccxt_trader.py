"""ccxt, an independent client, pointed at a box: one way to trade for all venues and products."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import aiohttp
import ccxt.async_support
import ccxt.pro

from simulator.binance.instruments import make_instruments as binance_instruments
from simulator.bybit.instruments import make_instruments as bybit_instruments
from simulator.config import AccountConfig, SimulatorConfig, Venue
from simulator.faces import FACES
from simulator.instrument import Instrument, Product
from simulator.kraken.instruments import make_instruments as kraken_instruments
from simulator.okx.instruments import make_instruments as okx_instruments
from simulator.server import start
from tests.judges import agreement

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol of one product: which class of ccxt trades it, and under which names."""

    venue: Venue
    product: Product
    maker: str
    symbol: str
    listed: str
    """What ccxt calls the product where it asks for the list of symbols."""
    native: str
    """The venue's own symbol."""

    def __str__(self) -> str:
        return f"{self.venue}-{self.product}"


MARKETS: Final = (
    Market("binance", "spot", "binance", "ETH/USDT", "spot", "ETHUSDT"),
    Market("binance", "linear", "binanceusdm", "ETH/USDT:USDT", "linear", "ETHUSDT"),
    Market("okx", "spot", "okx", "ETH/USDT", "spot", "ETH-USDT"),
    Market("okx", "linear", "okx", "ETH/USDT:USDT", "swap", "ETH-USDT-SWAP"),
    Market("okx", "inverse", "okx", "BTC/USD:BTC", "swap", "BTC-USD-SWAP"),
    Market("bybit", "spot", "bybit", "ETH/USDT", "spot", "ETHUSDT"),
    Market("bybit", "linear", "bybit", "ETH/USDT:USDT", "linear", "ETHUSDT"),
    Market("bybit", "inverse", "bybit", "BTC/USD:BTC", "inverse", "BTCUSD"),
)
KRAKEN: Final = (
    Market("kraken", "spot", "kraken", "ETH/USD", "spot", "ETH/USD"),
    Market("kraken", "linear", "krakenfutures", "ETH/USD:USD", "swap", "PF_ETHUSD"),
    Market("kraken", "inverse", "krakenfutures", "BTC/USD:BTC", "swap", "PI_XBTUSD"),
)
"""Apart: ccxt shows less of Kraken's two systems than of others."""
MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    "binance": binance_instruments,
    "kraken": kraken_instruments,
    "okx": okx_instruments,
    "bybit": bybit_instruments,
}
LIMITS: Final = 100
"""Times the venues' own rate limits."""
ONE_WALLET: Final = ("okx", "bybit")
"""Where all products share one, which the books have under `spot`."""
NOBODYS: Final = "99999999"
"""An id of no order."""
CONTRACTS: Final = tuple(one for one in MARKETS if one.product != "spot")
SYMBOLS: Final[dict[str, dict[Product, tuple[str, ...]]]] = {
    venue: {one.product: (one.native,) for one in (*MARKETS, *KRAKEN) if one.venue == venue}
    for venue in MAKERS
}


def pointed(url: str, address: str) -> str:
    """The same path at the box: every host, whatever it is for, becomes `address`."""
    scheme, _, rest = url.partition("://")
    _, slash, path = rest.partition("/")
    return f"{'ws' if scheme.startswith('ws') else 'http'}://{address}{slash}{path}"


def every_url(node: Any, changed: Callable[[str], str]) -> Any:
    """`node` with each URL in it changed, however deep it stands."""
    if isinstance(node, dict):
        return {name: every_url(value, changed) for name, value in node.items()}
    if isinstance(node, list):
        return [every_url(value, changed) for value in node]
    return changed(node) if isinstance(node, str) and "://" in node else node


class NoNames(aiohttp.abc.AbstractResolver):
    """Finds no host by its name: what is not an address on loopback cannot be spoken to."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
        raise OSError(f"{host} is not to be spoken to")

    async def close(self) -> None:
        pass


class AtTheBox:
    """What ccxt's Binance needs besides URLs: it takes the product, whose error codes it reads,
    from the host, and all products of the box have one. OKX never asks."""

    def get_exceptions_by_url(self, url: str, kind: str) -> Row:
        name = "fapi" if "/fapi/" in url else "api"
        host = f"{name}.{self.hostname}"  # type: ignore[attr-defined]  # ccxt has it
        exchange: Any = super()  # ccxt's, with which this class is mixed
        asked: Row = exchange.get_exceptions_by_url(f"https://{host}/", kind)
        return asked


@asynccontextmanager
async def an_exchange(
    market: Market, address: str, account: AccountConfig, module: Any = ccxt.async_support
) -> AsyncIterator[Any]:
    """ccxt for one account, with its symbols loaded; `module` is its REST or its `pro` part."""
    connector = aiohttp.TCPConnector(resolver=NoNames())
    made = type("Judge", (AtTheBox, getattr(module, market.maker)), {"number": str})
    async with aiohttp.ClientSession(connector=connector) as session:
        exchange = made(
            {
                "apiKey": account.api_key,
                "secret": account.secret,
                "password": account.passphrase,
                "session": session,
                "enableRateLimit": False,
                "verify": False,  # nothing is encrypted on loopback
                "timeout_on_exit": 0,
                # Lists that only the wallets of the venues serve, no part of the box.
                "options": {
                    "fetchCurrencies": False,
                    "fetchMargins": False,
                    "fetchMarkets": {"types": [market.listed]},
                    # At Bybit one order is among the latest 500, which it must be told we know.
                    "fetchOrder": {"acknowledged": True},
                },
            }
        )
        exchange.has["fetchCurrencies"] = False
        exchange.hostname = address
        exchange.urls = every_url(exchange.urls, lambda url: pointed(url, address))
        try:
            await list_symbols(market, exchange)
            yield exchange
        finally:
            await exchange.close()


_listed: dict[Market, Any] = {}


async def list_symbols(market: Market, exchange: Any) -> None:
    """Load the symbols once for a run: reading them takes ccxt longer than a whole test."""
    if market in _listed:
        exchange.set_markets_from_exchange(_listed[market])
        return
    await exchange.load_markets()
    _listed[market] = exchange


@dataclass(slots=True)
class CcxtTrader:
    """A judge at a box: ccxt with the account's key, ccxt with another's, and the venue's books."""

    market: Market
    account: AccountConfig
    address: str
    instrument: Instrument
    one: Any
    other: Any

    @property
    def symbol(self) -> str:
        """The symbol as ccxt spells it."""
        return self.market.symbol

    def price(self, ticks: int = 0) -> str:
        """So many ticks above the price that the box starts from."""
        return f"{self.instrument.start_price + ticks * self.instrument.tick:f}"

    def lots(self, count: int) -> str:
        """A quantity, each part of which is worth more than the venue's smallest order."""
        unit = self.instrument.quantity_for(Decimal(50), self.instrument.start_price)
        return f"{unit * count:f}"

    async def held(self) -> agreement.Held:
        """The product's positions as ccxt shows them."""
        rows = await self.one.fetch_positions([self.symbol])
        return agreement.positions(rows, self.ids)

    @property
    def wallet(self) -> str:
        """The product under which the books have the balances."""
        return "spot" if self.market.venue in ONE_WALLET else self.market.product

    @property
    def ids(self) -> dict[str, str]:
        """The venue's symbols by those of ccxt."""
        return {symbol: market["id"] for symbol, market in self.one.markets.items()}

    async def place(self, side: str, lots: int, ticks: int = 0, **params: Any) -> str:
        """The account's limit order; its id."""
        placed = await self.one.create_order(
            self.symbol, "limit", side, self.lots(lots), self.price(ticks), params
        )
        return str(placed["id"])

    async def take(self, side: str, lots: int) -> str:
        """The account's market order; its id."""
        return str(
            (await self.one.create_order(self.symbol, "market", side, self.lots(lots)))["id"]
        )

    async def meet(self, side: str, lots: int, ticks: int = 0) -> str:
        """The other account's limit order; its id."""
        placed = await self.other.create_order(
            self.symbol, "limit", side, self.lots(lots), self.price(ticks)
        )
        return str(placed["id"])

    async def trade(self) -> None:
        """Orders in every state: open, partly filled, filled, canceled, amended, at any price."""
        await self.place("buy", 4, -3)
        await self.place("buy", 4)
        await self.meet("sell", 1)
        await self.meet("sell", 2)
        bare = await self.place("buy", 2, -5)
        await self.one.cancel_order(bare, self.symbol)
        amended = await self.place("sell", 6, +6)
        wish = (self.symbol, "limit", "sell", self.lots(5), self.price(+7))
        await self.one.edit_order(amended, *wish)
        await self.meet("buy", 3, +7)
        for ticks in (1, 2):
            await self.meet("sell", 1, ticks)
        await self.take("buy", 2)

    async def look(self, order_id: str) -> Row:
        """The account's order by its id."""
        return dict(await self.one.fetch_order(order_id, self.symbol))

    async def told(self, path: str) -> dict[str, Any]:
        """What the box itself says of something: for the judgement, never for ccxt."""
        url = f"http://{self.address}{path}"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            document: dict[str, Any] = await answer.json()
        return document

    async def books(self) -> dict[str, Any]:
        """What the venue itself has of the account: this product's orders, fills, positions."""
        books = await self.told(f"/truth?account={self.account.name}")
        for name in ("orders", "fills", "positions"):
            books[name] = [row for row in books[name] if row["product"] == self.market.product]
        if str(self.market) == "bybit-spot":
            for row in books["orders"]:
                # `PartiallyFilledCanceled`, which ccxt calls closed.
                is_apart = row["status"] == "CANCELED" and Decimal(row["filled"])
                row["status"] = "FILLED" if is_apart else row["status"]
        return books


def accounts_of(venue: str, **changes: Any) -> tuple[AccountConfig, ...]:
    """The account that is judged, and another for it to trade with; both with these rules."""
    return tuple(
        AccountConfig(
            name=f"{venue}:{name}",
            api_key=f"key-{name}",
            secret=b64encode(f"secret-{name}".encode()).decode(),  # Kraken's are base64
            passphrase=f"phrase-{name}" if venue == "okx" else "",
            symbols=SYMBOLS[venue],
            **changes,
        )
        for name in ("judged", "other")
    )


@asynccontextmanager
async def a_trader_at(
    address: str, market: Market, accounts: tuple[AccountConfig, ...], module: Any
) -> AsyncIterator[CcxtTrader]:
    """A judge at a box that runs, with the first account; with the second it meets itself."""
    one, other = accounts
    instrument = MAKERS[market.venue](market.product)[market.native]
    async with (
        an_exchange(market, address, one, module) as judge,
        an_exchange(market, address, other) as against,
    ):
        yield CcxtTrader(market, one, address, instrument, judge, against)


@asynccontextmanager
async def a_trader(
    market: Market, module: Any = ccxt.async_support, **changes: Any
) -> AsyncIterator[CcxtTrader]:
    """A box with two accounts and nobody else, and a judge; `changes` are to the accounts."""
    accounts = accounts_of(market.venue, **changes)
    # ccxt is told not to wait, and what it asks in a second is more than some venues grant.
    face = FACES[market.venue].scaled(LIMITS)
    server = await start(SimulatorConfig(venue=market.venue, accounts=accounts, face=face))
    try:
        async with a_trader_at(server.address, market, accounts, module) as trader:
            yield trader
    finally:
        await server.close()
