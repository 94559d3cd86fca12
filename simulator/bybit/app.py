"""Bybit's whole wire on one aiohttp application."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, cast

from aiohttp import web

from simulator.box import Box, Task
from simulator.bybit.limits import Limits
from simulator.bybit.refusals import refused
from simulator.bybit.rest import OPEN_OUTCOMES, Rest
from simulator.bybit.session import Session, Wire
from simulator.bybit.settings import BybitSettings
from simulator.bybit.venue import BybitVenue
from simulator.config import SimulatorConfig
from simulator.delivery import Connection
from simulator.sockets import Heartbeat, Reader, Sockets
from simulator.trouble import Trouble


class BybitBox(Box[BybitVenue]):
    """All products; the client pings, silence ends a connection, and no end is announced."""

    paths: ClassVar[Mapping[str, str]] = {"/v5/": ""}

    def __init__(self, config: SimulatorConfig) -> None:
        super().__init__(config, BybitVenue)
        face = cast(BybitSettings, config.face)
        beats = Heartbeat(idle_s=face.idle_s, idle_text="no traffic")
        heartbeats = {"private": beats, "trade": beats}
        self.sockets = Sockets(self.feed, config.timing, heartbeats, lambda connection: "")
        self._limits = limits = Limits(self.clock.now_ms, face.scale)
        trouble = Trouble(
            self.faults, self.venue.view, refused, limits.ban_all, unknown=OPEN_OUTCOMES
        )
        self._wire = Wire(self.venue, self.feed, limits, trouble, self.attempts)

    def add_routes(self, app: web.Application) -> None:
        """Put every path of the venue into `app`."""
        rest = Rest(self.venue, self._limits, self.faults, self.attempts)
        for kind in ("private", "trade"):
            app.router.add_get(f"/v5/{kind}", partial(self._serve, kind=kind))
        app.router.add_route("*", "/v5/{rest:.*}", rest.handle)

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        return [self.sockets.keep]

    def controls(self) -> Mapping[str, Callable[[], object]]:
        """What a restart of the venue's services does to its lists."""
        return {"forget-recent-orders": self.venue.forget_recent}

    async def _serve(self, request: web.Request, kind: str) -> web.StreamResponse:
        ip = request.remote or ""
        if not self._limits.take_socket(ip):
            return web.Response(status=403, text="403 access too frequent")

        def setup(connection: Connection) -> Reader:
            return Session(self._wire, connection, ip).read

        return await self.sockets.serve(request, kind, setup)
