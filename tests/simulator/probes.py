"""One way to place orders, look and listen in every box, so that one test serves all venues."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from simulator.binance.venue import BinanceVenue
from simulator.bybit.venue import BybitVenue
from simulator.clock import LogicalClock
from simulator.config import SimulatorConfig, TrafficConfig, sample_accounts
from simulator.faces import FACES
from simulator.kraken.venue import KrakenVenue
from simulator.kraken.words import order_id
from simulator.okx.venue import OkxVenue
from simulator.server import start
from tests.simulator.binance.client import Client as BinanceClient
from tests.simulator.bybit.bybit_client import Client as BybitClient
from tests.simulator.kraken.kraken_client import KrakenClient
from tests.simulator.okx.okx_client import Client as OkxClient
from tests.simulator.told import TOLD, Told

if TYPE_CHECKING:
    from simulator.message import Message

VENUES = ("binance", "bybit", "kraken", "okx")
Key = tuple[str, ...]


MAKERS: dict[str, Any] = {
    "binance": BinanceVenue,
    "bybit": BybitVenue,
    "kraken": KrakenVenue,
    "okx": OkxVenue,
}
SPELLED: dict[str, Callable[[Any, int], str]] = {"kraken": order_id}
"""How a venue writes the number of an order of a product, where that is no number."""


class Quiet:
    """A venue without a wire whose traders decide when asked; `told` is what the account heard."""

    def __init__(self, venue: str, clock: LogicalClock | None = None, **settings: Any) -> None:
        self.venue_name = venue
        self.messages: list[Message] = []
        self.clock = clock or LogicalClock()
        config = SimulatorConfig(
            venue=venue,
            accounts=sample_accounts(3, venue=venue),
            traffic=TrafficConfig(liquidation=0),
            **settings,
        )
        self.venue = MAKERS[venue](config, self.clock, self.messages.append)

    def trade(self, steps: int) -> None:
        for _ in range(steps):
            self.venue.traders.step()
            self.clock.advance(3)

    def name(self, product: Any, order_id: int) -> str:
        """The id on the wire."""
        spell = SPELLED.get(self.venue_name)
        return str(order_id) if spell is None else spell(product, order_id)

    def told(self) -> list[Told]:
        tell = TOLD[self.venue_name]
        return [told for message in self.messages for told in tell(message.document)]


class Probe:
    """A running box and one account of it."""

    name = ""
    said_ping = ""
    """What a client of the venue says to keep a connection; empty where the venue pings."""
    announcing: tuple[str, ...] = ()
    """The connections whose planned end the venue announces."""
    rows_max = 4
    """How many rows a page of `trades_from` has."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.heard: list[Any] = []

    async def ping(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        await websocket.send_str(self.said_ping)

    async def answers_ping(self, websocket: aiohttp.ClientWebSocketResponse) -> bool:
        """Whether the venue answers a ping, among what else it says."""
        await self.ping(websocket)
        while "pong" not in await websocket.receive_str(timeout=5):
            pass
        return True

    async def books(self) -> dict[str, Any]:
        """The account's orders and fills as the venue has them."""
        path = f"/truth?account={self.client.account.name}"
        return dict(await self.client.control(path))

    async def trade(self, messages: int) -> None:
        """Let the traders decide until there were so many messages."""
        await self.client.control("/control/traffic", rate=5000, running=True)
        while (await self.client.control("/truth/summary"))["messages"] < messages:
            pass
        await self.client.control("/control/traffic", running=False)

    async def calm(self) -> None:
        """No more faults."""
        await self.client.control("/control/faults", probability={})

    async def hear(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Write down everything until the stream ends."""
        async for message in websocket:
            if isinstance(message.data, str) and message.data.startswith("{"):
                self.heard.append(orjson.loads(message.data))

    def executions(self) -> Counter[Key]:
        """How often each execution was told in full."""
        tell = TOLD[self.name]
        told = [told for document in self.heard for told in tell(document) if told.trade_id]
        return Counter((told.symbol, told.order_id, told.trade_id) for told in told)


class BinanceProbe(Probe):
    """Spot by REST, both products by stream."""

    name = "binance"
    announcing = ("spot",)

    async def place(self, side: str = "BUY") -> tuple[int, str]:
        status, answer = await self.client.ask(
            "POST", "/api/v3/order", symbol="BTCUSDT", side=side, type="LIMIT",
            timeInForce="GTC", quantity="0.001", price="91000",
        )  # fmt: skip
        return status, str(answer.get("code", ""))

    async def look(self) -> tuple[int, str]:
        """Ask for the newest order by its id."""
        orders = (await self.books())["orders"]
        number = orders[-1]["venue_order_id"]
        status, answer = await self.client.ask(
            "GET", "/api/v3/order", symbol="BTCUSDT", orderId=number
        )
        return status, str(answer.get("code", ""))

    async def open_orders(self) -> int:
        _, rows = await self.client.ask("GET", "/api/v3/openOrders", symbol="BTCUSDT")
        return len(rows)

    async def trades_from(self, place: str) -> list[str]:
        """A page of at most four trades after this one; the first page where it is empty."""
        _, rows = await self.client.ask(
            "GET", "/api/v3/myTrades", symbol="BTCUSDT", limit=4,
            fromId=int(place or 0) + 1,
        )  # fmt: skip
        return [str(row["id"]) for row in rows]

    async def server_ms(self) -> int:
        _, answer = await self.client.send("GET", "/api/v3/time")
        return int(answer["serverTime"])

    async def sockets(self, **options: Any) -> list[aiohttp.ClientWebSocketResponse]:
        streams = (
            await self.client.spot_stream(**options),
            await self.client.linear_stream(**options),
        )
        return [stream.websocket for stream in streams]

    @staticmethod
    def key(fill: dict[str, Any]) -> Key:
        return (f"{fill['product']}/{fill['symbol']}", fill["venue_order_id"], fill["exec_id"])

    @staticmethod
    def is_notice(document: dict[str, Any]) -> bool:
        return bool(document.get("event", {}).get("e") == "serverShutdown")


class OkxProbe(Probe):
    """Spot by REST, everything by one stream."""

    name = "okx"
    said_ping = "ping"
    announcing = ("private",)

    async def place(self, side: str = "BUY") -> tuple[int, str]:
        wish = {"instId": "BTC-USDT", "tdMode": "cash", "side": side.lower(), "ordType": "limit"}
        status, answer = await self.client.post(
            "trade/order", wish | {"sz": "0.001", "px": "91000"}
        )
        return status, _code(answer)

    async def look(self) -> tuple[int, str]:
        number = max(int(row["venue_order_id"]) for row in (await self.books())["orders"])
        status, answer = await self.client.get("trade/order", instId="BTC-USDT", ordId=number)
        return status, _code(answer)

    async def open_orders(self) -> int:
        return len(await self.client.rows("trade/orders-pending", instId="BTC-USDT"))

    async def trades_from(self, place: str) -> list[str]:
        query = {"after": place} if place else {}
        rows = await self.client.rows("trade/fills", instId="BTC-USDT", limit=4, **query)
        return [row["billId"] for row in rows]

    async def server_ms(self) -> int:
        _, answer = await self.client.send("GET", "/api/v5/public/time", {})
        return int(answer["data"][0]["ts"])

    async def sockets(self, **options: Any) -> list[aiohttp.ClientWebSocketResponse]:
        del options  # its heartbeat is plain text
        return [(await self.client.stream()).websocket]

    @staticmethod
    def key(fill: dict[str, Any]) -> Key:
        shown = "0" if fill["exec_id"].startswith("-") else fill["exec_id"]
        return (fill["symbol"], fill["venue_order_id"], shown)

    @staticmethod
    def is_notice(document: dict[str, Any]) -> bool:
        return document.get("code") == "64008"


class BybitProbe(Probe):
    """Spot by REST, everything by one stream."""

    name = "bybit"
    said_ping = '{"req_id":"p1","op":"ping"}'

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.cursors: dict[str, str] = {}

    async def place(self, side: str = "BUY") -> tuple[int, str]:
        status, answer = await self.client.post(
            "order/create", category="spot", symbol="BTCUSDT", side=side.capitalize(),
            orderType="Limit", qty="0.001", price="91000",
        )  # fmt: skip
        return status, _ret_code(answer)

    async def look(self) -> tuple[int, str]:
        """An order that is not there is an empty list."""
        number = (await self.books())["orders"][-1]["venue_order_id"]
        result = await self.client.result("order/realtime", category="spot", orderId=number)
        return 200, "" if result["list"] else "none"

    async def open_orders(self) -> int:
        result = await self.client.result("order/realtime", category="spot", symbol="BTCUSDT")
        return len(result["list"])

    async def trades_from(self, place: str) -> list[str]:
        query = {"cursor": self.cursors[place]} if place else {}
        if place and not query["cursor"]:
            return []
        result = await self.client.result(
            "execution/list", category="spot", symbol="BTCUSDT", limit=4, **query
        )
        found = [row["execId"] for row in result["list"]]
        self.cursors[found[-1] if found else ""] = result["nextPageCursor"]
        return found

    async def server_ms(self) -> int:
        _, answer = await self.client.send("GET", "/v5/market/time", {})
        return int(answer["time"])

    async def sockets(self, **options: Any) -> list[aiohttp.ClientWebSocketResponse]:
        del options  # its heartbeat is an operation
        return [(await self.client.stream()).websocket]

    @staticmethod
    def key(fill: dict[str, Any]) -> Key:
        return (f"{fill['product']}/{fill['symbol']}", fill["venue_order_id"], fill["exec_id"])

    @staticmethod
    def is_notice(document: dict[str, Any]) -> bool:
        return False


def _ret_code(answer: Any) -> str:
    return "" if isinstance(answer, str) else str(answer["retCode"]).removeprefix("0")


class KrakenProbe(Probe):
    """Spot by REST and stream: a key is of one system."""

    name = "kraken"
    said_ping = '{"method":"ping"}'
    announcing = ("spot",)
    rows_max = 50

    async def _asked(self, call: str, **form: object) -> tuple[int, str]:
        status, answer = await self.client.spot(call, **form)
        return status, "" if isinstance(answer, str) else "".join(answer["error"])

    async def place(self, side: str = "BUY") -> tuple[int, str]:
        return await self._asked(
            "AddOrder", pair="XBTUSD", type=side.lower(), ordertype="limit", volume="0.001",
            price="91000",
        )  # fmt: skip

    async def look(self) -> tuple[int, str]:
        orders = (await self.books())["orders"]
        return await self._asked("QueryOrders", txid=orders[-1]["venue_order_id"])

    async def open_orders(self) -> int:
        return len((await self.client.result("OpenOrders"))["open"])

    async def trades_from(self, place: str) -> list[str]:
        """A page from an offset, which the text before the colon names."""
        start = int(place.partition(":")[0] or -1) + 1
        asked = {"ofs": start, "consolidate_taker": "false"}
        rows = list((await self.client.result("TradesHistory", **asked))["trades"])
        return [f"{start + place}:{name}" for place, name in enumerate(rows)]

    async def server_ms(self) -> int:
        _, answer = await self.client.send("GET", "/0/public/Time")
        return int(answer["result"]["unixtime"]) * 1000

    async def sockets(self, **options: Any) -> list[aiohttp.ClientWebSocketResponse]:
        del options  # its heartbeat is JSON
        stream = await self.client.spot_stream()
        assert (await stream.next())["type"] == "snapshot"
        return [stream.websocket]

    @staticmethod
    def key(fill: dict[str, Any]) -> Key:
        return ("", fill["venue_order_id"], fill["exec_id"])

    @staticmethod
    def is_notice(document: dict[str, Any]) -> bool:
        data = document.get("data", [{}])
        return bool(data) and data[0].get("system") == "maintenance"


def _code(answer: Any) -> str:
    return "" if isinstance(answer, str) else str(answer["code"]).removeprefix("0")


PROBES: dict[str, tuple[type[Any], type[Any]]] = {
    "binance": (BinanceClient, BinanceProbe),
    "kraken": (KrakenClient, KrakenProbe),
    "okx": (OkxClient, OkxProbe),
    "bybit": (BybitClient, BybitProbe),
}


@asynccontextmanager
async def a_probe(
    venue: str, accounts: int = 1, face: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Any]:
    """A box with sample accounts, and a probe of the first."""
    rows = sample_accounts(accounts, venue=venue)
    own = FACES[venue].scaled(1000).model_copy(update=face or {})
    config = SimulatorConfig(venue=venue, accounts=rows, face=own, **settings)
    server = await start(config)
    make_client, make_probe = PROBES[venue]
    async with aiohttp.ClientSession() as http:
        try:
            yield make_probe(make_client(server, rows[0], http))
        finally:
            await server.close()
