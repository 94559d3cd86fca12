"""OKX's whole wire on one aiohttp application, and the tasks that keep it alive."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping

from aiohttp import web

from simulator.box import Task
from simulator.clock import WallClock
from simulator.config import SimulatorConfig
from simulator.delivery import Connection, Feed
from simulator.faults import Faults
from simulator.okx.limits import Limits, Rate
from simulator.okx.operations import Operations
from simulator.okx.refusals import Refusal
from simulator.okx.rest import Rest
from simulator.okx.session import Session, Wire
from simulator.okx.sockets import OkxSockets
from simulator.okx.trouble import SocketTrouble
from simulator.okx.venue import OkxVenue
from simulator.sockets import Reader

CONNECTIONS = Rate(6, "ip")
"""New connections in two seconds: three a second (docs/venues/okx.md 2.3)."""


UPDATED = re.compile(r'"uTime":"(\d+)"')
LATER_MS = 5_000
"""A copy's `uTime` is later than that of everything that passed it meanwhile."""


def told_again(text: str) -> str:
    """A push that is sent again, with a later `uTime` (docs/venues/okx.md 6)."""
    if '"channel":"orders"' not in text:
        return text
    return UPDATED.sub(lambda found: f'"uTime":"{int(found[1]) + LATER_MS}"', text)


class OkxBox:
    """The venue, its listeners and its wire."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.clock = clock = WallClock(config.clock_skew_ms)
        self.faults = Faults(config.faults, config.seed)
        self.feed = Feed(clock, self.faults, int(config.timing.in_flight_s * 1000))
        self.feed.copied = told_again
        self.venue = OkxVenue(config, clock, self.feed.publish, self.faults)
        self.sockets = OkxSockets(self.feed, config.timing)
        self._timing = config.timing
        self._limits = Limits(clock.now_ms, config.limits.scale)
        self._sessions: dict[int, Session] = {}
        operations = Operations(self.venue, self._limits)
        trouble = SocketTrouble(self.faults, self.venue, self._limits)
        self._wire = Wire(self.venue, self.feed, self._limits, operations, trouble, Counter())

    def add_routes(self, app: web.Application) -> None:
        """Put every path of the venue into `app`."""
        rest = Rest(self.venue, self._limits, self.faults)
        app.router.add_get("/ws/v5/private", self._private)
        app.router.add_get("/ws/v5/business", self._business)
        app.router.add_route("*", "/api/v5/{rest:.*}", rest.handle)

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        return [self.sockets.keep, self._flush, self._repeat]

    def controls(self) -> Mapping[str, Callable[[], object]]:
        """Nothing that only OKX has."""
        return {}

    async def _private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, "private")

    async def _business(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, "business")

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

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(self._timing.okx_flush_s)
            self.venue.flush()

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._timing.okx_repeat_s)
            for session in list(self._sessions.values()):
                session.repeat()
