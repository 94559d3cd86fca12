"""Binance's whole wire on one aiohttp application, and the tasks that keep it alive."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from simulator.binance.limits import Limits
from simulator.binance.listen_keys import ListenKeys
from simulator.binance.rest import Rest
from simulator.binance.sockets import BinanceSockets
from simulator.binance.spot_socket import SpotSocket
from simulator.binance.usdm_socket import UsdmSocket
from simulator.binance.venue import BinanceVenue
from simulator.box import Task
from simulator.clock import WallClock
from simulator.config import SimulatorConfig
from simulator.delivery import Feed
from simulator.faults import Faults


class BinanceBox:
    """The venue, its listeners and its wire."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.clock = clock = WallClock(config.clock_skew_ms)
        self.faults = Faults(config.faults, config.seed)
        self.feed = Feed(clock, self.faults, int(config.timing.in_flight_s * 1000))
        self.venue = BinanceVenue(config, clock, self.feed.publish, self.faults)
        self.keys = ListenKeys(clock.now_ms, config.timing.listen_key_s, config.seed)
        self.sockets = BinanceSockets(self.feed, config.timing)
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

    def controls(self) -> Mapping[str, Callable[[], object]]:
        """`expire-listen-keys`: all listenKeys end now."""
        return {"expire-listen-keys": lambda: {"expired": self.private.expire(everything=True)}}

    async def _expire_keys(self) -> None:
        while True:
            await asyncio.sleep(self._check_s)
            self.private.expire()
