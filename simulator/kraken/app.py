"""Kraken's whole wire on one aiohttp application, and the tasks that keep it alive."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import ClassVar, cast

import orjson
from aiohttp import web

from simulator.box import Box, Task, every
from simulator.config import SimulatorConfig
from simulator.delivery import Connection
from simulator.kraken.futures_session import FuturesSession
from simulator.kraken.limits import KrakenLimits
from simulator.kraken.refusals import UNKNOWN_SPOT, spot_refused
from simulator.kraken.rest import FuturesRest, SpotRest
from simulator.kraken.settings import KrakenSettings
from simulator.kraken.spot_session import SpotSession, SpotWire
from simulator.kraken.system import KrakenSystem
from simulator.kraken.venue import KrakenVenue
from simulator.sockets import Heartbeat, Reader, Sockets
from simulator.trouble import Trouble
from simulator.wire.tickets import Tickets

SPOT, FUTURES = "spot", "futures"
MAINTENANCE = {
    "channel": "status",
    "type": "update",
    "data": [
        {"system": "maintenance", "api_version": "v2", "connection_id": 0, "version": "2.0.10"}
    ],
}


def notice(connection: Connection) -> str:
    """Spot says that maintenance begins; Futures says nothing."""
    return orjson.dumps(MAINTENANCE).decode() if connection.kind == SPOT else ""


class KrakenBox(Box[KrakenVenue]):
    """Both systems, as if one host were all of theirs."""

    paths: ClassVar[Mapping[str, str]] = {"/0/": "", "/derivatives/": "", "/api/history/": ""}

    def __init__(self, config: SimulatorConfig) -> None:
        super().__init__(config, KrakenVenue)
        self._face = face = cast(KrakenSettings, config.face)
        beats = Heartbeat(idle_s=face.idle_s, idle_text="Idle", idle_code=1000)
        self.sockets = Sockets(self.feed, config.timing, {SPOT: beats, FUTURES: beats}, notice)
        limits = KrakenLimits(self.clock.now_ms, face)
        self._tokens = Tickets(self.clock.now_ms, face.token_s, Random(f"{config.seed}:tokens"))
        self._random = Random(f"{config.seed}:challenges")
        self._system = KrakenSystem(self.venue, limits)
        trouble = Trouble(
            self.faults, self.venue.view, spot_refused, limits.ban_spot, "busy_socket",
            UNKNOWN_SPOT[1:],
        )  # fmt: skip
        self._wire = SpotWire(self._system, self.feed, self._tokens, trouble)
        self._beats: dict[int, Callable[[], None]] = {}

    def add_routes(self, app: web.Application) -> None:
        """Put every path of both systems into `app`."""
        spot = SpotRest(self._system, self.faults, self.attempts, self._tokens, self._face)
        futures = FuturesRest(self._system, self.faults, self.attempts)
        app.router.add_get("/v2", partial(self._serve, SPOT))
        app.router.add_get("/ws/v1", partial(self._serve, FUTURES))
        app.router.add_route("*", "/0/{rest:.*}", spot.handle)
        app.router.add_route("*", "/derivatives/{rest:.*}", futures.handle)
        app.router.add_route("*", "/api/{rest:.*}", futures.handle)

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        return [
            self.sockets.keep,
            every(self._face.flush_s, self.venue.flush),
            every(self._face.heartbeat_s, self._beat),
        ]

    async def _serve(self, kind: str, request: web.Request) -> web.StreamResponse:
        numbers: list[int] = []

        def setup(connection: Connection) -> Reader:
            numbers.append(connection.number)
            if kind == SPOT:
                spot = SpotSession(self._wire, connection, request.remote or "")
                self._beats[connection.number] = partial(self._beat_spot, spot)
                return spot.read
            futures = FuturesSession(self.venue, self.feed, connection, self._random)
            self._beats[connection.number] = partial(self._beat_futures, futures)
            return futures.read

        try:
            return await self.sockets.serve(request, kind, setup)
        finally:
            for number in numbers:
                del self._beats[number]

    def _beat(self) -> None:
        for beat in list(self._beats.values()):
            beat()

    def _beat_spot(self, session: SpotSession) -> None:
        session.beat(self._face.heartbeat_s, asyncio.get_running_loop().time())

    def _beat_futures(self, session: FuturesSession) -> None:
        session.beat(self.clock.now_ms())
