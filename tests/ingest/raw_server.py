"""A server that says byte for byte what a test wants: redirects, broken HTTP, half an answer.

It reads one request after the other on each connection and remembers them all; what is answered is
for the test's `answer` to write. What no client ever reached has no connections.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


@dataclass(frozen=True)
class Heard:
    """One request: its line and its headers; names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def is_handshake(self) -> bool:
        return "sec-websocket-key" in self.headers

    @property
    def kind(self) -> str:
        """What is asked for, without its parameters."""
        path = "handshake" if self.is_handshake else self.path.partition("?")[0]
        return f"{self.method} {path}"


Answer = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """What reached it: how many connections, and which requests."""

    answer: Answer
    port: int = 0
    connections: int = 0
    requests: list[Heard] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def kinds(self) -> set[str]:
        return {heard.kind for heard in self.requests}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client or the test ends it."""
        self.connections += 1
        self._writers.add(writer)
        try:
            while not writer.is_closing():
                heard = await self._heard(reader)
                self.requests.append(heard)
                await self.answer(heard, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _heard(self, reader: asyncio.StreamReader) -> Heard:
        head = await reader.readuntil(b"\r\n\r\n")
        self.received += head
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Heard(method, path, headers, body)

    def drop(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def a_raw_server(
    answer: Answer, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[RawServer]:
    """A server on a free port of this machine (or on `port`)."""
    raw = RawServer(answer)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", port, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        raw.drop()
        await server.wait_closed()


async def silence(_heard: Heard, _writer: asyncio.StreamWriter) -> None:
    """Nothing is said."""


def response(body: bytes = b"[]", status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer over HTTP."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def redirect(status: int, location: str) -> bytes:
    """An answer that points elsewhere."""
    return response(b"", f"{status} Elsewhere", f"Location: {location}")


def handshake(heard: Heard) -> bytes:
    """The server's part of a WebSocket's opening (RFC 6455, section 4.2.2)."""
    digest = hashlib.sha1((heard.headers["sec-websocket-key"] + WEBSOCKET_GUID).encode()).digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
