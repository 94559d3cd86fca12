"""A client of the simulated Bybit, written from its manual and not from our adapter: for tests."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from simulator.config import AccountConfig, SimulatorConfig
from simulator.server import Server, start
from tests.simulator.bybit.bybit_box import an_account
from tests.simulator.stream import BoxClient, JsonStream

Answer = tuple[int, Any]
WINDOW = "5000"


def signed(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def now_ms(skew_ms: int = 0) -> int:
    return int(time.time() * 1000) + skew_ms


class Client(BoxClient):
    """One account's requests and streams."""

    def __init__(self, server: Server, account: AccountConfig, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.address = server.address
        self.account = account
        self.http = http
        self.answered: Any = {}

    def headers(self, payload: str, skew_ms: int = 0) -> dict[str, str]:
        stamp, key = str(now_ms(skew_ms)), self.account.api_key
        return {
            "X-BAPI-API-KEY": key,
            "X-BAPI-SIGN": signed(self.account.secret, f"{stamp}{key}{WINDOW}{payload}"),
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": WINDOW,
            "Content-Type": "application/json",
        }

    async def send(self, method: str, path: str, headers: dict[str, str], body: str = "") -> Answer:
        url = f"http://{self.address}{path}"
        async with self.http.request(method, url, headers=headers, data=body or None) as answer:
            self.answered = answer.headers
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())

    async def get(self, path: str, **query: object) -> Answer:
        """A signed question under /v5."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        full = f"/v5/{path}" + (f"?{text}" if text else "")
        return await self.send("GET", full, self.headers(text))

    async def post(self, path: str, **body: Any) -> Answer:
        """A signed wish under /v5."""
        text = json.dumps(body)
        return await self.send("POST", f"/v5/{path}", self.headers(text), text)

    async def result(self, path: str, **query: object) -> dict[str, Any]:
        status, answer = await self.get(path, **query)
        assert (status, answer["retCode"]) == (200, 0), answer
        return dict(answer["result"])

    async def open(self, kind: str = "private") -> "Stream":
        return Stream(await self.http.ws_connect(f"ws://{self.address}/v5/{kind}"))

    def sign_in(self, name: str = "req_id", ahead_ms: int = 10_000) -> dict[str, Any]:
        expires = now_ms(ahead_ms)
        sign = signed(self.account.secret, f"GET/realtime{expires}")
        return {name: "a1", "op": "auth", "args": [self.account.api_key, expires, sign]}

    async def stream(self, *topics: str) -> "Stream":
        """A socket that is signed in and subscribed; by default to orders and executions."""
        stream = await self.open()
        await stream.say(self.sign_in())
        assert (await stream.next())["success"]
        args = list(topics or ("order", "execution"))
        await stream.say({"req_id": "s1", "op": "subscribe", "args": args})
        assert (await stream.next())["success"]
        return stream

    async def trade_socket(self) -> "Stream":
        stream = await self.open("trade")
        await stream.say(self.sign_in("reqId"))
        assert (await stream.next())["retCode"] == 0
        return stream


class Stream(JsonStream):
    """An open WebSocket."""

    async def call(self, op: str, row: dict[str, Any], name: str = "r1", skew_ms: int = 0) -> Any:
        """An operation on the socket for orders, and its reply."""
        header = {"X-BAPI-TIMESTAMP": str(now_ms(skew_ms)), "X-BAPI-RECV-WINDOW": WINDOW}
        await self.say({"reqId": name, "header": header, "op": op, "args": [row]})
        return await self.next()


@asynccontextmanager
async def a_client(*accounts: AccountConfig, **settings: Any) -> AsyncIterator[Client]:
    """A Bybit box with plain accounts (or these), and a client of the first."""
    rows = accounts or (an_account(0), an_account(1))
    config = {"venue": "bybit", "accounts": rows} | settings
    server = await start(SimulatorConfig.model_validate(config))
    async with aiohttp.ClientSession() as http:
        try:
            yield Client(server, rows[0], http)
        finally:
            await server.close()
