"""A client of the simulated Kraken, written from its manual and not from our adapter: for tests."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from simulator.config import AccountConfig, SimulatorConfig
from simulator.kraken.settings import KrakenSettings
from simulator.server import Server, start
from tests.simulator.kraken.kraken_box import an_account
from tests.simulator.stream import BoxClient, JsonStream

Answer = tuple[int, Any]
FEEDS = ("open_orders_verbose", "fills", "open_positions", "balances")


def signed(secret: str, payload: bytes) -> str:
    """HMAC-SHA512 with the key that the secret holds: base64, or what of it can be read."""
    text = "".join(letter for letter in secret if letter.isalnum() or letter in "+/")
    text = text[: len(text) - (len(text) % 4 == 1)]
    key = base64.b64decode(text + "=" * (-len(text) % 4))
    return base64.b64encode(hmac.new(key, payload, hashlib.sha512).digest()).decode()


class KrakenClient(BoxClient):
    """One account's requests and streams, of both systems."""

    def __init__(self, server: Server, account: AccountConfig, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.address = server.address
        self.account = account
        self.http = http
        self._nonces = count(time.time_ns() // 1000)

    async def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: str = ""
    ) -> Answer:
        url = f"http://{self.address}{path}"
        async with self.http.request(method, url, headers=headers, data=body or None) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())

    async def spot(self, name: str, nonce: int | None = None, **form: Any) -> Answer:
        """A private call of Spot."""
        path, nonce = f"/0/private/{name}", next(self._nonces) if nonce is None else nonce
        body = urlencode({"nonce": nonce, **form})
        digest = hashlib.sha256(f"{nonce}{body}".encode()).digest()
        headers = {
            "API-Key": self.account.api_key,
            "API-Sign": signed(self.account.secret, path.encode() + digest),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return await self.send("POST", path, headers, body)

    async def result(self, name: str, **form: Any) -> Any:
        status, answer = await self.spot(name, **form)
        assert (status, answer["error"]) == (200, []), answer
        return answer["result"]

    async def futures(
        self, path: str, method: str = "GET", nonce: str = "", **query: Any
    ) -> Answer:
        """A signed call of Futures; `path` begins with /derivatives or /api."""
        text = urlencode(query)
        said = f"{text}{nonce}{path.removeprefix('/derivatives')}"
        headers = {
            "APIKey": self.account.api_key,
            "Authent": signed(self.account.secret, hashlib.sha256(said.encode()).digest()),
        } | ({"Nonce": nonce} if nonce else {})
        if method == "POST":
            form = headers | {"Content-Type": "application/x-www-form-urlencoded"}
            return await self.send(method, path, form, text)
        return await self.send(method, f"{path}?{text}" if text else path, headers)

    async def trading(self, name: str, method: str = "GET", **query: Any) -> Any:
        """A call of Futures that must be a success."""
        path = f"/derivatives/api/v3/{name}"
        status, answer = await self.futures(path, method, **query)
        assert (status, answer["result"]) == (200, "success"), answer
        return answer

    async def token(self) -> str:
        return str((await self.result("GetWebSocketsToken"))["token"])

    async def open(self, path: str = "/v2", **options: Any) -> "KrakenStream":
        url = f"ws://{self.address}{path}"
        return KrakenStream(await self.http.ws_connect(url, **options))

    async def spot_stream(self, *channels: str, **params: Any) -> "KrakenStream":
        """A socket of Spot that is subscribed; by default to all orders."""
        stream = await self.open()
        stream.token = await self.token()
        for channel in channels or ("executions",):
            await stream.call("subscribe", channel=channel, **params)
        return stream

    async def futures_stream(self, *feeds: str) -> "KrakenStream":
        """A socket of Futures that is subscribed; by default to all that is private."""
        stream = await self.open("/ws/v1")
        await stream.say({"event": "challenge", "api_key": self.account.api_key})
        challenge = (await stream.until(lambda one: one.get("event") == "challenge"))["message"]
        for feed in feeds or FEEDS:
            await stream.say(self.subscription(feed, challenge))
            await stream.until(lambda one: one.get("event") == "subscribed")
        return stream

    def subscription(self, feed: str, challenge: str, **changes: str) -> dict[str, str]:
        digest = hashlib.sha256(challenge.encode()).digest()
        asked = {
            "event": "subscribe",
            "feed": feed,
            "api_key": self.account.api_key,
            "original_challenge": challenge,
            "signed_challenge": signed(self.account.secret, digest),
        }
        return asked | changes


class KrakenStream(JsonStream):
    """An open WebSocket."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(websocket)
        self.token = ""
        self._numbers = count(1)

    async def call(self, method: str, **params: Any) -> Any:
        """A request to Spot, and its reply; pushes before it are thrown away."""
        number = next(self._numbers)
        asked = {"method": method, "params": {"token": self.token, **params}, "req_id": number}
        await self.say(asked)
        return await self.until(lambda one: one.get("req_id") == number)

    async def report(self, exec_type: str) -> Any:
        """The next report of a kind."""
        while True:
            document = await self.next()
            for row in document.get("data", []):
                if row.get("exec_type") == exec_type:
                    return row


@asynccontextmanager
async def a_kraken(
    face: dict[str, Any] | None = None, account: AccountConfig | None = None, **settings: Any
) -> AsyncIterator[KrakenClient]:
    """A running box and a client of its first account."""
    rows = (account or an_account(0), an_account(1))
    own = KrakenSettings(**({"scale": 1000} | (face or {})))
    server = await start(SimulatorConfig(venue="kraken", accounts=rows, face=own, **settings))
    async with aiohttp.ClientSession(json_serialize=lambda one: orjson.dumps(one).decode()) as http:
        try:
            yield KrakenClient(server, rows[0], http)
        finally:
            await server.close()
