"""What every private WebSocket of the venue does: open, read, ping, live no longer than it may."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from simulator.config import TimingConfig
from simulator.delivery import Connection, Feed
from simulator.instrument import Product

MESSAGE_BYTES_MAX = 1 << 20
CLOSE_S_MAX = 2.0
"""How long a close waits for the client's own: the keeper must not hang on one client."""
Reader = Callable[[str], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Heart:
    """The heartbeat of one connection; times are the event loop's seconds."""

    opened_s: float
    pinged_s: float
    waiting_since_s: float = 0.0
    payload: bytes = b""
    was_told: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Socket:
    """A connection with its heartbeat."""

    connection: Connection
    websocket: web.WebSocketResponse
    heart: Heart


@dataclass(slots=True, eq=False)
class Sockets:
    """All open private WebSockets and their keeper."""

    feed: Feed
    timing: TimingConfig
    shutdown_notice: Callable[[], str]
    """The text that announces a planned end on a Spot connection."""
    _open: dict[int, Socket] = field(default_factory=dict)

    async def serve(
        self, request: web.Request, product: Product, setup: Callable[[Connection], Reader]
    ) -> web.WebSocketResponse:
        """Run one connection to its end; `setup` makes the reader of its text messages."""
        websocket = web.WebSocketResponse(
            timeout=CLOSE_S_MAX,
            autoping=False,
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX,
        )
        await websocket.prepare(request)
        now = asyncio.get_running_loop().time()
        connection = Connection(product, websocket, self.feed)
        connection.transport = request.transport
        socket = Socket(connection, websocket, Heart(now, now))
        self.feed.add(connection)
        self._open[connection.number] = socket
        reader = setup(connection)
        writer = asyncio.create_task(connection.write())
        try:
            await self._read(socket, reader)
        finally:
            writer.cancel()
            # A socket that failed under the writer is an end like any other.
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer
            self.feed.remove(connection)
            del self._open[connection.number]
        return websocket

    async def _read(self, socket: Socket, reader: Reader) -> None:
        async for message in socket.websocket:
            if message.type is WSMsgType.TEXT:
                await reader(message.data)
            elif message.type is WSMsgType.PING:
                await socket.websocket.pong(message.data)
            elif message.type is WSMsgType.PONG and message.data == socket.heart.payload:
                # Only the answer to our ping counts: an unsolicited pong keeps nothing alive.
                socket.heart.waiting_since_s = 0.0

    async def keep(self) -> None:
        """Ping, and end what did not answer or is too old, until cancelled."""
        while True:
            await asyncio.sleep(self.timing.check_s)
            now = asyncio.get_running_loop().time()
            for socket in list(self._open.values()):
                with suppress(ConnectionError):
                    await self._look_at(socket, now)

    async def end_all(self, *, planned: bool) -> int:
        """End every connection, with the venue's notice or by a hard cut; how many."""
        sockets = list(self._open.values())
        for socket in sockets:
            if planned:
                self._announce(socket)
                await socket.connection.close("planned shutdown")
            else:
                socket.connection.cut("cut by control")
        return len(sockets)

    async def _look_at(self, socket: Socket, now: float) -> None:
        heart, is_spot = socket.heart, socket.connection.product == "spot"
        age = now - heart.opened_s
        ping_s = self.timing.spot_ping_s if is_spot else self.timing.linear_ping_s
        pong_s = self.timing.spot_pong_s if is_spot else self.timing.linear_pong_s
        if age >= self.timing.connection_life_s:
            await socket.connection.close("life is over")
        elif heart.waiting_since_s and now - heart.waiting_since_s > pong_s:
            socket.connection.cut("no pong")
        elif now - heart.pinged_s >= ping_s:
            heart.pinged_s = now
            heart.waiting_since_s = heart.waiting_since_s or now
            heart.payload = str(self.feed.clock.now_ms()).encode()
            await socket.websocket.ping(heart.payload)
        elif age >= self.timing.connection_life_s - self.timing.shutdown_notice_s:
            self._announce(socket)

    def _announce(self, socket: Socket) -> None:
        if socket.connection.product == "spot" and not socket.heart.was_told:
            socket.heart.was_told = True
            socket.connection.put(self.shutdown_notice())
