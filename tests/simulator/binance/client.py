"""A client of the simulated Binance, by its manual and not by our adapter: for tests."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from simulator.config import AccountConfig, SimulatorConfig
from simulator.server import Server, start
from tests.simulator.binance.box import an_account
from tests.simulator.stream import BoxClient, JsonStream

EVENTS = "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/TRADE_LITE/listenKeyExpired"
Answer = tuple[int, Any]


def hex_of(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


class Client(BoxClient):
    """One account's requests and streams."""

    def __init__(self, server: Server, account: AccountConfig, http: aiohttp.ClientSession) -> None:
        self.address = server.address
        self.account = account
        self.http = http
        self.headers: dict[str, str] = {}

    async def send(self, method: str, path: str, query: str = "", body: str = "") -> Answer:
        """A request as it is, with the account's key; the headers of the answer are kept."""
        url = f"http://{self.address}{path}" + (f"?{query}" if query else "")
        headers = {"X-MBX-APIKEY": self.account.api_key}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        async with self.http.request(method, url, headers=headers, data=body or None) as answer:
            self.headers = dict(answer.headers)
            return answer.status, await answer.json()

    async def ask(self, method: str, path: str, **params: object) -> Answer:
        """A signed request, everything in the query."""
        stamped: dict[str, object] = {"timestamp": int(time.time() * 1000)}
        query = urlencode(params | stamped if "timestamp" not in params else params)
        signature = hex_of(self.account.secret, query)
        return await self.send(method, path, f"{query}&signature={signature}")

    async def listen_key(self) -> str:
        _, answer = await self.send("POST", "/fapi/v1/listenKey")
        return str(answer["listenKey"])

    async def linear_stream(self, events: str = EVENTS, **options: Any) -> "Stream":
        """The raw private stream, subscribed."""
        key = await self.listen_key()
        query = f"listenKey={key}" + (f"&events={events}" if events else "")
        return await self.open(f"/private/ws?{query}", **options)

    async def spot_stream(self, **options: Any) -> "Stream":
        """The WS API, subscribed to the account's events."""
        stream = await self.open("/ws-api/v3", **options)
        reply = await stream.call("userDataStream.subscribe.signature", self.signed())
        assert reply["status"] == 200, reply
        return stream

    async def open(self, path: str, **options: Any) -> "Stream":
        return Stream(await self.http.ws_connect(f"ws://{self.address}{path}", **options))

    def signed(self, **params: object) -> dict[str, object]:
        """Params of a WS API request: sorted, not percent-encoded, then signed."""
        params = {"apiKey": self.account.api_key, "timestamp": int(time.time() * 1000)} | params
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
        return params | {"signature": hex_of(self.account.secret, payload)}


class Stream(JsonStream):
    """An open WebSocket."""

    async def call(self, method: str, params: dict[str, object]) -> Any:
        """Send a WS API request and return its reply; events before it are thrown away."""
        await self.websocket.send_json({"id": "rq-1", "method": method, "params": params})
        return await self.until(lambda document: document.get("id") == "rq-1")

    async def rest(self, count: int) -> list[Any]:
        """The next `count` documents."""
        return [await self.websocket.receive_json(timeout=5) for _ in range(count)]


@asynccontextmanager
async def a_client(*accounts: AccountConfig, **settings: Any) -> AsyncIterator[Client]:
    """A simulator with plain accounts (or these), and a client of the first."""
    rows = accounts or (an_account(0), an_account(1))
    server = await start(SimulatorConfig(accounts=rows, **settings))
    async with aiohttp.ClientSession() as http:
        try:
            yield Client(server, rows[0], http)
        finally:
            await server.close()
