"""The simulated Bybit and a partition's state in one process, on one clock: see `venue_lab`."""

from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import orjson

from orderloom.raw import ConnectionChange
from simulator.bybit.fields import Fields
from simulator.bybit.query_calls import FIELDS
from simulator.bybit.refusals import Refusal
from simulator.bybit.rest import QUERIES, envelope
from simulator.bybit.venue import BybitVenue
from simulator.config import SimulatorConfig
from simulator.message import Message
from tests.processors.venue_lab import VenueLab

SPOT, LINEAR, INVERSE = "SOLUSDT", "SOLUSDT", "BTCUSD"
SYMBOLS = (LINEAR, "BTCPERP", INVERSE)
OF_PRODUCTS = {"spot": (SPOT,), "linear": (LINEAR, "BTCPERP"), "inverse": (INVERSE,)}


class BybitLab(VenueLab):
    """One account at all products, on its one connection."""

    venue_name: ClassVar = "bybit"
    products: ClassVar[tuple[str, ...]] = ("spot", "linear", "inverse")
    feeds: ClassVar[dict[str, str]] = {"private": "spot"}

    def __init__(self, seed: int = 1, **keywords: Any) -> None:
        super().__init__(seed, traded=SYMBOLS, **keywords)

    def make_venue(self, config: SimulatorConfig) -> BybitVenue:
        return BybitVenue(config, self.clock, self.hear)

    def symbols_of(self, product: str, symbols: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in symbols if one in OF_PRODUCTS[product])

    def pushed(self, message: Message) -> tuple[str, Any]:
        return "private", {"id": "1", "topic": message.kind} | message.document

    def connections(self, change: str) -> list[ConnectionChange]:
        others = list(self.products[1:])
        return [
            ConnectionChange(feed, "spot", change, self.now_ns, others=others, feed=feed)
            for feed in self.feeds
        ]

    def called(self, url: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        fields = FIELDS.get(parts.path, Fields)(dict(parse_qsl(parts.query)))
        self.asked.append(parts.path)
        now_ms = self.clock.now_ms()
        try:
            result = QUERIES[parts.path].answer(self.venue, self.account, fields)
        except Refusal as refusal:
            return 200, orjson.dumps(envelope(refusal.code, refusal.message, {}, now_ms))
        return 200, orjson.dumps(envelope(0, "OK", result, now_ms))
