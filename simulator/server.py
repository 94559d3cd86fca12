"""Start-up shared by all venues: one HTTP server on a loopback port, and its tasks."""

import asyncio
import signal
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from simulator.binance.app import BinanceBox
from simulator.box import Box, Venue
from simulator.bybit.app import BybitBox
from simulator.config import SimulatorConfig
from simulator.control import Control
from simulator.kraken.app import KrakenBox
from simulator.okx.app import OkxBox
from simulator.pacing import Pacer
from simulator.past import relive
from simulator.tally import Tally

HOST = "127.0.0.1"
BOXES: dict[str, Callable[[SimulatorConfig], Box[Venue]]] = {
    "binance": BinanceBox,
    "bybit": BybitBox,
    "kraken": KrakenBox,
    "okx": OkxBox,
}


def read_document(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file; `ValueError` where it is neither."""
    text = path.read_text(encoding="utf-8")
    kind = "TOML" if path.suffix == ".toml" else "JSON"
    try:
        document = tomllib.loads(text) if kind == "TOML" else orjson.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is not {kind}: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path} holds no settings")
    return document


@dataclass(slots=True)
class Server:
    """A running simulator; `box` is the venue itself, for tests in the same process."""

    port: int
    box: Box[Venue]
    _runner: web.AppRunner
    _tasks: list[asyncio.Task[None]]

    @property
    def address(self) -> str:
        """`127.0.0.1:port`, without a scheme: `http://` and `ws://` both lead here."""
        return f"{HOST}:{self.port}"

    async def close(self) -> None:
        """Stop trading, cut all connections, free the port."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.box.sockets.end_all(planned=False)
        await self._runner.cleanup()


async def start(config: SimulatorConfig) -> Server:
    """Start a simulator; `OSError` where the port is taken."""
    box = BOXES[config.venue](config)
    relive(box, config.seed)
    pacer = Pacer(box.venue.traders.step, lambda: box.feed.messages, config.seed)
    pacer.change(config.traffic)
    app = web.Application()
    box.add_routes(app)
    Control(box, pacer).add_routes(app)
    Tally(box.clock.now_ms, box.paths, box.weight_header).add_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, HOST, config.port)
    await site.start()
    jobs = [*box.tasks(), pacer.run]
    tasks = [asyncio.ensure_future(job()) for job in jobs]
    return Server(runner.addresses[0][1], box, runner, tasks)


async def serve(config: SimulatorConfig) -> None:
    """Run until SIGTERM or SIGINT; prints one JSON line with the port when ready."""
    server = await start(config)
    ready = {"venue": config.venue, "host": HOST, "port": server.port, "seed": config.seed}
    sys.stdout.write(orjson.dumps(ready).decode() + "\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.close()


def main(config: SimulatorConfig) -> None:
    """Run one simulator process to its end."""
    asyncio.run(serve(config))
