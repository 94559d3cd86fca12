"""What every private WebSocket does: open, read, keep its heartbeat, end as it should.

A venue says as data what its heartbeats are, and how a planned end is announced.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from simulator.config import TimingConfig
from simulator.delivery import Connection, Feed

MESSAGE_BYTES_MAX = 1 << 20
CLOSE_S_MAX = 2.0
"""How long a close waits for the client's own: the keeper must not hang on one client."""
Reader = Callable[[str], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Heart:
    """The heartbeat of one connection; times are the event loop's seconds, zero for never."""

    opened_s: float
    pinged_s: float
    heard_s: float
    waiting_since_s: float = 0.0
    payload: bytes = b""
    was_told: bool = False
    ends_s: float = 0.0
    """When a planned end comes."""


@dataclass(frozen=True, slots=True, eq=False)
class Socket:
    """A connection with its heartbeat."""

    connection: Connection
    websocket: web.WebSocketResponse
    heart: Heart


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How a kind of connection is kept alive and ended; seconds, zero for what does not happen."""

    ping_s: float = 0
    """How often the venue pings."""
    pong_s: float = 0
    """How long it waits for the answer."""
    life_s: float = 0
    """How old a connection may become."""
    notice_s: float = 0
    """How long before that its end is announced."""
    idle_s: float = 0
    """For how long neither side may be silent."""
    idle_text: str = ""
    idle_code: int = 1000


@dataclass(slots=True, eq=False)
class Sockets:
    """All open private WebSockets and their keeper."""

    feed: Feed
    timing: TimingConfig
    heartbeats: Mapping[str, Heartbeat]
    """By the kind of connection."""
    notice: Callable[[Connection], str]
    """The text that announces a planned end; empty where the venue says nothing."""
    open: dict[int, Socket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.feed.plan_end = self.plan_end

    async def serve(
        self, request: web.Request, kind: str, setup: Callable[[Connection], Reader]
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
        connection = Connection(kind, websocket, self.feed)
        connection.transport = request.transport
        socket = Socket(connection, websocket, Heart(now, now, now))
        self.feed.add(connection)
        self.open[connection.number] = socket
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
            del self.open[connection.number]
        return websocket

    async def _read(self, socket: Socket, reader: Reader) -> None:
        async for message in socket.websocket:
            if socket.connection.is_half_open:
                continue
            socket.heart.heard_s = asyncio.get_running_loop().time()
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
            for socket in list(self.open.values()):
                if socket.connection.is_half_open:
                    continue
                with suppress(ConnectionError):
                    await self._look_at(socket, now)

    async def _look_at(self, socket: Socket, now: float) -> None:
        if socket.heart.ends_s and now >= socket.heart.ends_s:
            await socket.connection.close("planned shutdown")
        else:
            await self._beat(socket, now)

    async def _beat(self, socket: Socket, now: float) -> None:
        """Ping when it is time; end what did not answer, is silent or too old."""
        beats, heart = self.heartbeats[socket.connection.kind], socket.heart
        age, last = now - heart.opened_s, max(heart.heard_s, socket.connection.wrote_s)
        if beats.life_s and age >= beats.life_s:
            await socket.connection.close("life is over")
        elif beats.idle_s and now - last >= beats.idle_s:
            await socket.connection.close(beats.idle_text, beats.idle_code)
        elif heart.waiting_since_s and now - heart.waiting_since_s > beats.pong_s:
            socket.connection.cut("no pong")
        elif beats.ping_s and now - heart.pinged_s >= beats.ping_s:
            heart.pinged_s = now
            heart.waiting_since_s = heart.waiting_since_s or now
            heart.payload = str(self.feed.clock.now_ms()).encode()
            await socket.websocket.ping(heart.payload)
        elif beats.life_s and age >= beats.life_s - beats.notice_s:
            self.announce(socket)

    def plan_end(self, connection: Connection) -> None:
        """Announce the connection's end, which comes as soon as the venue's notice says."""
        socket = self.open.get(connection.number)
        if socket is not None and not socket.heart.ends_s:
            self.announce(socket)
            now = asyncio.get_running_loop().time()
            socket.heart.ends_s = now + self.timing.planned_s

    async def end_all(self, *, planned: bool) -> int:
        """End every connection, with the venue's notice or by a hard cut; how many."""
        sockets = list(self.open.values())
        for socket in sockets:
            if planned:
                self.announce(socket)
                await socket.connection.close("planned shutdown")
            else:
                socket.connection.cut("cut by control")
        return len(sockets)

    def go_half_open(self) -> int:
        """From now on no open connection says or answers anything; how many."""
        for socket in self.open.values():
            socket.connection.go_half_open()
        return len(self.open)

    def announce(self, socket: Socket) -> None:
        """Say once that the connection will end, where the venue does."""
        notice = self.notice(socket.connection)
        if notice and not socket.heart.was_told:
            socket.heart.was_told = True
            socket.connection.put(notice)
