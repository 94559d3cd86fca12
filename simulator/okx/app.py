"""OKX's whole wire on one aiohttp application, and the tasks that keep it alive."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, cast

import orjson
from aiohttp import web

from simulator.box import Box, Task, every
from simulator.config import SimulatorConfig
from simulator.delivery import Connection
from simulator.okx.limits import Limits, Rate
from simulator.okx.operations import Operations
from simulator.okx.refusals import Refusal, refused
from simulator.okx.rest import Rest
from simulator.okx.session import Session, Wire, connection_id
from simulator.okx.settings import OkxSettings
from simulator.okx.switch import CHECK_S, Ending
from simulator.okx.venue import OkxVenue
from simulator.sockets import Heartbeat, Reader, Sockets
from simulator.trouble import Trouble

CONNECTIONS = Rate(6, "ip")
"""New connections in two seconds: three a second (docs/venues/okx.md 2.3)."""


UPDATED = re.compile(r'"uTime":"(\d+)"')
IDLE_CODE = 4004
LATER_MS = 5_000
"""A copy's `uTime` is later than that of everything that passed it meanwhile."""


def told_again(text: str) -> str:
    """A push that is sent again, with a later `uTime` (docs/venues/okx.md 6)."""
    if '"channel":"orders"' not in text:
        return text
    return UPDATED.sub(lambda found: f'"uTime":"{int(found[1]) + LATER_MS}"', text)


NOTICE = "The connection will soon be closed for a service upgrade. Please reconnect."


def notice(connection: Connection) -> str:
    """The event `notice` with code 64008 (docs/venues/okx.md 2.3)."""
    document = {"event": "notice", "code": "64008", "msg": NOTICE}
    return orjson.dumps(document | {"connId": connection_id(connection)}).decode()


class OkxBox(Box[OkxVenue]):
    """All products; the client pings, and silence ends a connection (docs/venues/okx.md 2.3)."""

    paths: ClassVar[Mapping[str, str]] = {"/api/v5/": ""}

    def __init__(self, config: SimulatorConfig) -> None:
        super().__init__(config, OkxVenue)
        self.feed.copied = told_again
        self._face = face = cast(OkxSettings, config.face)
        venue = self.venue
        beats = Heartbeat(
            idle_s=face.idle_s, idle_text="No data received in 30s.", idle_code=IDLE_CODE
        )
        heartbeats = {"private": beats, "business": beats}
        self.sockets = Sockets(self.feed, config.timing, heartbeats, notice)
        self._limits = limits = Limits(self.clock.now_ms, face.scale)
        self._sessions: dict[int, Session] = {}
        trouble = Trouble(
            self.faults,
            venue.view,
            refused,
            limits.ban_all,
            "busy_socket",
            ("unknown_on_socket",),
            "too_many_orders",
        )
        operations = Operations(venue, limits)
        self._wire = Wire(venue, self.feed, limits, operations, trouble, Counter(), self.attempts)

    def add_routes(self, app: web.Application) -> None:
        """Put every path of the venue into `app`."""
        rest = Rest(self.venue, self._limits, self.faults, self.attempts)
        app.router.add_get("/ws/v5/private", partial(self._serve, path="private"))
        app.router.add_get("/ws/v5/business", partial(self._serve, path="business"))
        app.router.add_route("*", "/api/v5/{rest:.*}", rest.handle)

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        return [
            self.sockets.keep,
            every(self._face.flush_s, self.venue.flush),
            every(CHECK_S, Ending(self.venue).step),
            every(self._face.repeat_s, self._repeat),
        ]

    async def _serve(self, request: web.Request, path: str) -> web.StreamResponse:
        ip = request.remote or ""
        try:
            self._limits.take(CONNECTIONS, (ip, "connections"))
        except Refusal as refusal:
            return web.Response(status=refusal.status, text=refusal.message)
        made: list[tuple[int, Session]] = []

        def setup(connection: Connection) -> Reader:
            session = Session(self._wire, connection, path, ip)
            made.append((connection.number, session))
            self._sessions[connection.number] = session
            return session.read

        try:
            return await self.sockets.serve(request, path, setup)
        finally:
            for number, session in made:
                session.forget()
                del self._sessions[number]

    def _repeat(self) -> None:
        for session in list(self._sessions.values()):
            session.repeat()
