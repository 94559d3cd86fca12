"""Binance's whole wire on one aiohttp application, and the tasks that keep it alive."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import ClassVar, cast

import orjson
from aiohttp import web

from simulator.binance.api_socket import ApiSocket, ApiWire
from simulator.binance.limits import Limits
from simulator.binance.rest import PRODUCTS, USED_WEIGHT, Rest, troubled
from simulator.binance.settings import BinanceSettings
from simulator.binance.spot_socket import SPOT, SpotSession
from simulator.binance.switch import CHECK_S, fire
from simulator.binance.usdm_api_socket import USDM_API, usdm_api
from simulator.binance.usdm_socket import UsdmSocket
from simulator.binance.venue import BinanceVenue
from simulator.box import Box, Task, every
from simulator.config import SimulatorConfig
from simulator.delivery import Connection
from simulator.sockets import Heartbeat, Sockets
from simulator.wire.tickets import Tickets


class BinanceBox(Box[BinanceVenue]):
    """Both products, each with its own sockets."""

    paths: ClassVar[Mapping[str, str]] = {
        "/api/v3/": "spot", "/sapi/": "spot", "/fapi/": "linear",
    }  # fmt: skip
    weight_header: ClassVar[str] = USED_WEIGHT

    def __init__(self, config: SimulatorConfig) -> None:
        super().__init__(config, BinanceVenue)
        face, timing = cast(BinanceSettings, config.face), config.timing
        ends = Heartbeat(life_s=face.connection_life_s, notice_s=face.shutdown_notice_s)
        linear = replace(ends, ping_s=face.linear_ping_s, pong_s=face.linear_pong_s)
        heartbeats = {
            "spot": replace(ends, ping_s=face.spot_ping_s, pong_s=face.spot_pong_s),
            "linear": linear,
            USDM_API.name: linear,
        }
        self.keys = Tickets(
            self.clock.now_ms, face.listen_key_s, Random(f"{config.seed}:listen-keys")
        )
        self.sockets = Sockets(self.feed, timing, heartbeats, self._notice)
        self.private = UsdmSocket(self.sockets, self.keys, events_required=face.events_required)
        self._limits = Limits(face, self.clock.now_ms)
        self._check_s = timing.check_s

    def _notice(self, connection: Connection) -> str:
        """`serverShutdown` at Spot; USD-M says nothing (docs/venues/binance.md 2.6)."""
        if connection.kind != "spot":
            return ""
        event = {"e": "serverShutdown", "E": self.clock.now_ms()}
        return orjson.dumps({"event": event}).decode()

    def add_routes(self, app: web.Application) -> None:
        """Put every path of both products into `app`."""
        spot_wire, usdm_wire = (
            ApiWire(
                self.venue,
                self._limits,
                self.attempts,
                troubled(product, self.faults, self.venue, self._limits),
            )
            for product in PRODUCTS
        )
        rest = Rest(self.venue, self._limits, self.faults, self.keys, self.attempts)
        spot = ApiSocket(spot_wire, self.sockets, SPOT, SpotSession)
        usdm = usdm_api(usdm_wire, self.sockets, self.keys)
        app.router.add_get("/ws-api/v3", spot.handle)
        app.router.add_get("/ws-fapi/v1", usdm.handle)
        app.router.add_get("/private/ws", self.private.by_query)
        app.router.add_get("/private/ws/{key}", self.private.by_path)
        app.router.add_get("/private/stream", self.private.by_query)
        app.router.add_get("/ws/{key}", self.private.by_path)
        app.router.add_route("*", "/api/{rest:.*}", rest.handle)
        app.router.add_route("*", "/sapi/{rest:.*}", rest.handle)
        app.router.add_route("*", "/fapi/{rest:.*}", rest.handle)

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        return [
            self.sockets.keep,
            every(self._check_s, self.private.expire),
            every(CHECK_S, lambda: fire(self.venue.linear)),
        ]

    def controls(self) -> Mapping[str, Callable[[], object]]:
        """`expire-listen-keys`: all listenKeys end now."""
        return {"expire-listen-keys": lambda: {"expired": self.private.expire(everything=True)}}
