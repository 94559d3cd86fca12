"""How a test speaks to any box: its control paths, and an open WebSocket."""

from collections.abc import Callable
from typing import Any, Self

import aiohttp

NO_ENDS = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PING)


class JsonStream:
    """One whose frames are JSON."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket

    async def say(self, document: object) -> None:
        await self.websocket.send_json(document)

    async def next(self) -> Any:
        return await self.websocket.receive_json(timeout=5)

    async def until(self, is_wanted: Callable[[Any], bool]) -> Any:
        """The next document that is wanted."""
        while not is_wanted(document := await self.next()):
            pass
        return document

    async def ended(self) -> tuple[aiohttp.WSMsgType, int | None]:
        """How the connection ends, whatever else comes before, and with which code."""
        while True:
            message = await self.websocket.receive(timeout=5)
            if message.type not in NO_ENDS:
                return message.type, self.websocket.close_code

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.websocket.close()


class BoxClient:
    """What a client of any box can ask of it."""

    address: str
    http: aiohttp.ClientSession

    async def control(self, path: str, **body: object) -> Any:
        """A control request, or a look at the truth where there is no body."""
        url = f"http://{self.address}{path}"
        request = self.http.post(url, json=body) if body else self.http.get(url)
        async with request as answer:
            return await answer.json()
