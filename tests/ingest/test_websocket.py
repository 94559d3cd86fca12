"""One socket beside peers that say the end, or break the protocol, and yet stay."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from ingest.actions import Handshake
from ingest.websocket import opened, reason_of
from tests.ingest.raw_server import Heard, a_raw_server, handshake

CLOSE = b"\x88\x02\x03\xe8"
MASKED = b"\x81\x81\0\0\0\0x"
"""Of a server no frame may be masked (RFC 6455, section 5.1)."""
PING = b"\x89\x00"
LONG_PING = b"\x89\x7d" + b"p" * 125
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("last", "reason"),
    [(CLOSE, "closed by the venue: 1000"), (MASKED, "closed by us: 1002 incorrect masking")],
)
async def test_who_said_the_end_and_goes_on_with_pings_is_heard_no_more(
    last: bytes, reason: str
) -> None:
    async def stay(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(handshake(heard) + last)
        while True:
            writer.write(PING)
            await writer.drain()
            await asyncio.sleep(0.05)

    async with a_raw_server(stay) as raw:
        socket = await opened(Handshake(f"ws://127.0.0.1:{raw.port}", {}))
        with pytest.raises(ConnectionClosed) as ended:
            await asyncio.wait_for(socket.recv(), 5)
        assert reason_of(ended.value) == reason


async def test_who_pings_without_end_and_reads_no_answer_is_left() -> None:
    sent = 0

    async def flood(heard: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(handshake(heard))
        while sent < 64 * MIB:
            writer.write(LONG_PING * 500)
            sent += len(LONG_PING) * 500
            await writer.drain()

    async with a_raw_server(flood) as raw:
        socket = await opened(Handshake(f"ws://127.0.0.1:{raw.port}", {}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 30)
        assert sent < 64 * MIB
