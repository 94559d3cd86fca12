"""The toy venue itself, on real sockets: it signs in, sends what a test says, and misbehaves.

A test changes the attributes of `ToyServer` while it runs; `seen` counts what was asked of it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class ToyServer:
    """One running toy venue; `rest` and `stream` are its addresses."""

    def __init__(self) -> None:
        self.rest = self.stream = ""
        self.sockets: list[ServerConnection] = []
        self.seen: Counter[str] = Counter()
        self.urls: list[str] = []
        self.heard: list[bytes] = []
        self.refusal = ""
        self.key_status = 200
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.answer = b"[]"
        self.delay_seconds = 0.0
        self.clock_ahead_ns = 0
        self.greets = True
        self.goes_on = asyncio.Event()
        """While it is not set, no request is answered."""
        self.goes_on.set()

    async def push(self, body: bytes, *, text: bool = True) -> None:
        """Send one message on every open socket."""
        for socket in self.sockets:
            await socket.send(body, text=text)

    async def answer_http(self, request: web.Request) -> web.Response:
        """One request over HTTP."""
        path = request.path.strip("/")
        self.seen[f"{request.method} {path}"] += 1
        self.urls.append(str(request.raw_path))
        await self.goes_on.wait()
        await asyncio.sleep(self.delay_seconds)
        if path == "key":
            return web.Response(status=self.key_status, body=b'{"key":"k1"}')
        if path == "time":
            return web.json_response({"ns": time.time_ns() + self.clock_ahead_ns})
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, body=self.answer, headers=self.headers)

    async def converse(self, socket: ServerConnection) -> None:
        """One socket."""
        self.seen["socket"] += 1
        self.sockets.append(socket)
        try:
            async for message in socket:
                self.heard.append(message.encode() if isinstance(message, str) else message)
                if self.greets and self.heard[-1].startswith((b"login", b"subscribe")):
                    await socket.send(f"no {self.refusal}" if self.refusal else "ok")
        except ConnectionClosed:
            self.seen["broken"] += 1
        finally:
            self.sockets.remove(socket)

    async def drop_sockets(self) -> None:
        """Break every socket without a closing handshake."""
        for socket in list(self.sockets):
            socket.transport.abort()


@asynccontextmanager
async def a_toy_server() -> AsyncIterator[ToyServer]:
    """A toy venue on free ports of this machine."""
    toy = ToyServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", toy.answer_http)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    toy.rest = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with serve(
        toy.converse, "127.0.0.1", 0, ping_interval=None, max_queue=4, close_timeout=0.2
    ) as server:
        toy.stream = f"ws://127.0.0.1:{_port_of(server)}"
        yield toy
    await runner.cleanup()


def _port_of(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])
