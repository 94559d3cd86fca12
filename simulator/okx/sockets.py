"""OKX's heartbeat and its notice of a planned end (docs/venues/okx.md 2.3)."""

import orjson

from simulator.delivery import Connection
from simulator.sockets import Socket, Sockets

IDLE_CODE = 4004
NOTICE = "The connection will soon be closed for a service upgrade. Please reconnect."


def connection_id(connection: Connection) -> str:
    """`connId`: eight hex digits."""
    return f"{connection.number:08x}"


class OkxSockets(Sockets):
    """The client pings in plain text; a connection on which nobody says anything is closed."""

    async def beat(self, socket: Socket, now: float) -> None:
        """Close what was idle for too long."""
        last = max(socket.heart.heard_s, socket.connection.wrote_s)
        if now - last >= self.timing.okx_idle_s:
            await socket.connection.close("No data received in 30s.", IDLE_CODE)

    def notice(self, socket: Socket) -> str:
        """The event `notice` with code 64008."""
        document = {
            "event": "notice",
            "code": "64008",
            "msg": NOTICE,
            "connId": connection_id(socket.connection),
        }
        return orjson.dumps(document).decode()
