"""One WebSocket: opened at an address and at no other, written to in order, every byte noticed."""

import asyncio
import logging

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ingest.actions import Handshake

FRAMES_QUEUED_MAX = 32
MESSAGE_BYTES_MAX = 32 * 1024 * 1024
OPEN_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 1.0
UNSENT_BYTES_MAX = 1024 * 1024

# At DEBUG the library writes each handshake and frame to the log, our key and greeting among them.
_library_log = logging.getLogger(f"{__name__}.websockets")
_library_log.setLevel(logging.INFO)


class Socket(ClientConnection):
    """Notices every byte: a ping of the protocol proves life as well as a message.

    It ends soon after the peer said the end, or broke the protocol, whatever the peer does then.
    """

    has_heard = False
    _is_ending = False

    @property
    def is_read(self) -> bool:
        """Whether no message waits to be read."""
        return len(self.recv_messages.frames) == 0

    def data_received(self, data: bytes) -> None:
        if self._is_ending:  # the library drops all that follows: it proves nothing
            return
        self.has_heard = True
        super().data_received(data)
        if self.protocol.close_expected():
            # The library waits for the peer to close its half, without an end: who said the end
            # and stays would be taken for live.
            self._is_ending = True
            self.loop.call_later(CLOSE_SECONDS_MAX, self.transport.abort)
        # Pings are answered whether the peer reads or not.
        elif self.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.transport.abort()


class _Connect(connect):
    """Connects to the address that it is given, and to no other.

    The library follows a redirect to any host, and the greeting with the key's signature after it.
    """

    def process_redirect(self, exc: Exception) -> Exception:
        """A redirect is an answer that is no handshake."""
        return exc


async def opened(handshake: Handshake) -> Socket:
    """The socket; raises OSError, TimeoutError and what websockets makes of an answer."""
    socket = await _Connect(
        handshake.url,
        create_connection=Socket,
        additional_headers=handshake.headers,
        logger=_library_log,
        compression=None,
        proxy=None,  # decision 0508
        open_timeout=OPEN_SECONDS_MAX,
        close_timeout=CLOSE_SECONDS_MAX,
        ping_interval=None,  # the machine probes; the library would call our own pauses death
        max_size=MESSAGE_BYTES_MAX,
        max_queue=FRAMES_QUEUED_MAX,
    )
    assert isinstance(socket, Socket)
    return socket


async def write(socket: Socket, to_send: asyncio.Queue[bytes | None]) -> None:
    """Send one after the other; None is a ping. A closed socket is the reader's to report."""
    try:
        while True:
            frame = await to_send.get()
            if frame is None:
                await socket.ping()
            else:
                await socket.send(frame, text=True)
    except ConnectionClosed:
        return


def reason_of(error: ConnectionClosed) -> str:
    """Why a socket is closed, by its code."""
    if error.rcvd is not None:
        return f"closed by the venue: {error.rcvd.code}"  # its words may hold the address, a key
    if error.sent is not None:
        return f"closed by us: {error.sent.code} {error.sent.reason}".rstrip()
    return "broken: no closing handshake"
