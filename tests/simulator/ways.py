"""Placing by REST or by socket, alike at Binance and OKX: for tests of what befalls requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.simulator.binance import client as binance
from tests.simulator.binance.test_wishes import LIMIT, SPOT
from tests.simulator.okx import okx_client as okx
from tests.simulator.okx.test_operations import WISH
from tests.simulator.okx.test_private_socket import ORDER

MS = 120
"""For how long something is late, where a test does not say."""
GONE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
ENDS = (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR)


class Way:
    """One client of one venue, by REST or by socket; pushes are heard on the same socket."""

    def __init__(self, client: Any, stream: Any, *, is_socket: bool) -> None:
        self.client = client
        self.stream = stream
        self.is_socket = is_socket

    async def connect(self) -> None:
        """Open the socket anew where it is gone."""
        if self.stream.websocket.closed:
            self.stream = await self.opened()

    async def opened(self) -> Any:
        raise NotImplementedError

    async def plant(self, kind: str, ms: int = MS, **meant: object) -> None:
        await self.client.control("/control/plants", plants=[{"kind": kind, "ms": ms} | meant])

    async def rows(self) -> list[dict[str, Any]]:
        return list((await self.client.control("/control/journal"))["rows"])

    async def books(self) -> list[dict[str, Any]]:
        books = await self.client.control(f"/truth?account={self.client.account.name}")
        return list(books["orders"])

    async def place(self, name: str = "one") -> str:
        """The answer's code; empty where the order was taken. `GONE` without an answer."""
        if not self.is_socket:
            return await self.by_rest(name)
        await self.send(name)
        return self.code(await self.heard(lambda one: self.is_answer(one, name)))

    async def heard(self, is_wanted: Any) -> Any:
        while True:
            message = await self.stream.websocket.receive(timeout=5)
            if message.type in ENDS or message.type is aiohttp.WSMsgType.CLOSE:
                raise aiohttp.ServerDisconnectedError
            if is_wanted(found := message.json()):
                return found

    def is_told(self, document: Any) -> bool:
        return not self.is_answer(document, "one")

    async def by_rest(self, name: str) -> str:
        raise NotImplementedError

    async def send(self, name: str) -> None:
        raise NotImplementedError

    async def look(self, name: str = "one") -> bool:
        raise NotImplementedError

    async def listed(self) -> int:
        raise NotImplementedError

    async def cancel(self, name: str = "one") -> str:
        raise NotImplementedError

    def is_answer(self, document: Any, name: str) -> bool:
        return bool(document.get("id") == name)

    def code(self, answer: Any) -> str:
        raise NotImplementedError


class BinanceWay(Way):
    limit_code = "-1003"
    throttled_code = "-1015"
    gone_code = "-2011"
    duplicate_code = "-2010"

    async def opened(self) -> Any:
        return await self.client.spot_stream()

    async def by_rest(self, name: str) -> str:
        _, answer = await self.client.ask("POST", SPOT, **LIMIT, newClientOrderId=name)
        return str(answer.get("code", ""))

    async def send(self, name: str) -> None:
        params = self.client.signed(**LIMIT, newClientOrderId=name)
        await self.stream.say({"id": name, "method": "order.place", "params": params})

    def code(self, answer: Any) -> str:
        return str(answer.get("error", {}).get("code", ""))

    async def look(self, name: str = "one") -> bool:
        named = {"symbol": LIMIT["symbol"], "origClientOrderId": name}
        status, _ = await self.client.ask("GET", SPOT, **named)
        return bool(status == 200)

    async def listed(self) -> int:
        found = [await self.client.ask("GET", f"/api/v3/{name}", symbol=LIMIT["symbol"])
            for name in ("openOrders", "allOrders", "myTrades")]  # fmt: skip
        return sum(len(rows) for _, rows in found)

    async def cancel(self, name: str = "one") -> str:
        named = {"symbol": LIMIT["symbol"], "origClientOrderId": name}
        _, answer = await self.client.ask("DELETE", SPOT, **named)
        return str(answer.get("code", ""))


class OkxWay(Way):
    limit_code = "50011"
    throttled_code = "50061"
    gone_code = "51400"
    duplicate_code = "51016"

    async def opened(self) -> Any:
        return await self.client.stream()

    async def by_rest(self, name: str) -> str:
        _, answer = await self.client.post("trade/order", WISH | {"px": "150", "clOrdId": name})
        return self.code(answer)

    async def send(self, name: str) -> None:
        args = [ORDER | {"clOrdId": name}]
        await self.stream.say({"id": name, "op": "order", "args": args})

    def code(self, answer: Any) -> str:
        code = answer["data"][0]["sCode"] if answer["data"] else answer["code"]
        return str(code).removeprefix("0") if code == "0" else str(code)

    async def look(self, name: str = "one") -> bool:
        _, answer = await self.client.get("trade/order", instId=WISH["instId"], clOrdId=name)
        return bool(answer["code"] == "0")

    async def listed(self) -> int:
        named = {"instType": "SWAP", "instId": WISH["instId"]}
        lists = ("orders-pending", "orders-history", "fills")
        return sum([len(await self.client.rows(f"trade/{name}", **named)) for name in lists])

    async def cancel(self, name: str = "one") -> str:
        wish = {"instId": WISH["instId"], "clOrdId": name}
        _, answer = await self.client.post("trade/cancel-order", wish)
        return self.code(answer)


@asynccontextmanager
async def a_way(name: str, **settings: Any) -> AsyncIterator[Any]:
    venue, _, transport = name.partition("-")
    if venue == "binance":
        async with binance.a_client(**settings) as client, await client.spot_stream() as stream:
            yield BinanceWay(client, stream, is_socket=transport == "socket")
    else:
        async with okx.a_client(**settings) as one, await one.stream() as heard:
            yield OkxWay(one, heard, is_socket=transport == "socket")
