"""A client of the simulated OKX, written from its manual and not from our adapter: for tests."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from simulator.config import AccountConfig, SimulatorConfig
from simulator.server import Server, start
from tests.simulator.okx.okx_box import an_account
from tests.simulator.stream import BoxClient, JsonStream

Answer = tuple[int, Any]


def signed(secret: str, payload: str) -> str:
    digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Client(BoxClient):
    """One account's requests and streams."""

    def __init__(self, server: Server, account: AccountConfig, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.address = server.address
        self.account = account
        self.http = http

    def headers(self, method: str, path: str, body: str = "", skew_s: float = 0) -> dict[str, str]:
        now = datetime.fromtimestamp(time.time() + skew_s, UTC)
        stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "OK-ACCESS-KEY": self.account.api_key,
            "OK-ACCESS-SIGN": signed(self.account.secret, f"{stamp}{method}{path}{body}"),
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-PASSPHRASE": self.account.passphrase,
            "Content-Type": "application/json",
        }

    async def send(self, method: str, path: str, headers: dict[str, str], body: str = "") -> Answer:
        url = f"http://{self.address}{path}"
        async with self.http.request(method, url, headers=headers, data=body or None) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())

    async def get(self, path: str, **query: object) -> Answer:
        """A signed question under /api/v5."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        full = f"/api/v5/{path}" + (f"?{text}" if text else "")
        return await self.send("GET", full, self.headers("GET", full))

    async def post(self, path: str, body: Any, **extra: str) -> Answer:
        """A signed wish under /api/v5."""
        text, full = json.dumps(body), f"/api/v5/{path}"
        return await self.send("POST", full, self.headers("POST", full, text) | extra, text)

    async def rows(self, path: str, **query: object) -> list[Any]:
        status, answer = await self.get(path, **query)
        assert (status, answer["code"]) == (200, "0"), answer
        return list(answer["data"])

    async def open(self, path: str = "/ws/v5/private") -> "Stream":
        return Stream(await self.http.ws_connect(f"ws://{self.address}{path}"))

    def login(self, skew_s: int = 0, **changes: str) -> dict[str, Any]:
        stamp = str(int(time.time()) + skew_s)
        args = {
            "apiKey": self.account.api_key,
            "passphrase": self.account.passphrase,
            "timestamp": stamp,
            "sign": signed(self.account.secret, f"{stamp}GET/users/self/verify"),
        }
        return {"op": "login", "args": [args | changes]}

    async def stream(self, *args: dict[str, str], path: str = "/ws/v5/private") -> "Stream":
        """A socket that is logged in and subscribed; by default to all orders."""
        stream = await self.open(path)
        await stream.say(self.login())
        assert (await stream.next())["event"] == "login"
        for arg in args or ({"channel": "orders", "instType": "ANY"},):
            await stream.say({"id": "s1", "op": "subscribe", "args": [arg]})
            assert (await stream.next())["event"] == "subscribe"
            assert (await stream.next())["event"] == "channel-conn-count"
        return stream


class Stream(JsonStream):
    """An open WebSocket."""

    async def call(self, op: str, *args: dict[str, Any], **extra: Any) -> Any:
        """An operation and its reply; pushes before it are thrown away."""
        await self.say({"id": "rq1", "op": op, "args": list(args)} | extra)
        return await self.until(lambda document: document.get("op") == op)


@asynccontextmanager
async def a_client(*accounts: AccountConfig, **settings: Any) -> AsyncIterator[Client]:
    """An OKX box with plain accounts (or these), and a client of the first."""
    rows = accounts or (an_account(0), an_account(1))
    server = await start(SimulatorConfig(venue="okx", accounts=rows, **settings))
    async with aiohttp.ClientSession() as http:
        try:
            yield Client(server, rows[0], http)
        finally:
            await server.close()
