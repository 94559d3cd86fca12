"""Binance's whole wire on one aiohttp application, and the tasks that keep it alive."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from simulator.binance.limits import Limits
from simulator.binance.listen_keys import ListenKeys
from simulator.binance.rest import Rest
from simulator.binance.sockets import Sockets
from simulator.binance.spot_socket import SpotSocket
from simulator.binance.usdm_socket import UsdmSocket
from simulator.binance.venue import BinanceVenue
from simulator.clock import WallClock
from simulator.config import SimulatorConfig
from simulator.delivery import Feed
from simulator.faults import Faults

Task = Callable[[], Awaitable[None]]


class BinanceBox:
    """The venue, its listeners and its wire."""

    def __init__(self, config: SimulatorConfig) -> None:
        clock = WallClock(config.clock_skew_ms)
        self.faults = Faults(config.faults, config.seed)
        self.feed = Feed(clock, self.faults, int(config.timing.in_flight_s * 1000))
        self.venue = BinanceVenue(config, clock, self.feed.publish)
        self.keys = ListenKeys(clock.now_ms, config.timing.listen_key_s, config.seed)
        self.sockets = Sockets(self.feed, config.timing, self._shutdown_notice)
        self.private = UsdmSocket(self.sockets, self.keys, events_required=config.events_required)
        self._limits = Limits(config.limits, clock.now_ms)
        self._check_s = config.timing.check_s

    def add_routes(self, app: web.Application) -> None:
        """Put every path of both products into `app`."""
        rest = Rest(self.venue, self._limits, self.faults, self.keys)
        spot = SpotSocket(self.venue, self._limits, self.sockets)
        app.router.add_get("/ws-api/v3", spot.handle)
        app.router.add_get("/private/ws", self.private.raw)
        app.router.add_get("/private/ws/{key}", self.private.by_path)
        app.router.add_get("/private/stream", self.private.wrapped)
        app.router.add_get("/ws/{key}", self.private.dead)
        app.router.add_route("*", "/api/{rest:.*}", rest.handle)
        app.router.add_route("*", "/fapi/{rest:.*}", rest.handle)

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        return [self.sockets.keep, self._expire_keys]

    async def _expire_keys(self) -> None:
        while True:
            await asyncio.sleep(self._check_s)
            self.private.expire()

    def _shutdown_notice(self) -> str:
        event = {"e": "serverShutdown", "E": self.venue.clock.now_ms()}
        return orjson.dumps({"event": event}).decode()
