"""The simulated OKX and a partition's state in one process, on one clock: see `venue_lab`."""

from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import orjson

from orderloom.raw import ConnectionChange
from simulator.config import SimulatorConfig
from simulator.message import Message
from simulator.okx.calls import QUERIES
from simulator.okx.fields import Fields
from simulator.okx.refusals import Refusal
from simulator.okx.venue import OkxVenue
from tests.processors.venue_lab import VenueLab

LINEAR, INVERSE, SPOT = "SOL-USDT-SWAP", "BTC-USD-SWAP", "SOL-USDT"
SYMBOLS = (SPOT, LINEAR, INVERSE)
CHANNELS = {"orders-algo": "business", "algo-advance": "business"}


class OkxLab(VenueLab):
    """One account at all products, on its two connections; the list `hidden` shows nothing."""

    venue_name: ClassVar = "okx"
    products: ClassVar[tuple[str, ...]] = ("spot", "linear", "inverse")
    feeds: ClassVar[dict[str, str]] = {"private": "spot", "business": "spot"}

    def __init__(self, seed: int = 1, **keywords: Any) -> None:
        super().__init__(seed, traded=SYMBOLS, **keywords)
        self.hidden = "none"

    def make_venue(self, config: SimulatorConfig) -> OkxVenue:
        return OkxVenue(config, self.clock, self.hear)

    def symbols_of(self, product: str, symbols: tuple[str, ...]) -> tuple[str, ...]:
        own = {"spot": SPOT, "linear": LINEAR, "inverse": INVERSE}[product]
        return tuple(one for one in symbols if one == own)

    def pushed(self, message: Message) -> tuple[str, Any]:
        argument = {"channel": message.kind, "instType": "ANY"}
        return CHANNELS.get(message.kind, "private"), {"arg": argument} | message.document

    def connections(self, change: str) -> list[ConnectionChange]:
        others = list(self.products[1:])
        return [
            ConnectionChange(feed, "spot", change, self.now_ns, others=others, feed=feed)
            for feed in self.feeds
        ]

    def called(self, url: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        fields = Fields(dict(parse_qsl(parts.query)))
        try:
            rows = QUERIES[parts.path].answer(self.venue, self.account, fields)
        except Refusal as refusal:
            document = {"code": refusal.code, "msg": refusal.message, "data": []}
            return refusal.status, orjson.dumps(document)
        shown = [] if parts.path.endswith(self.hidden) else rows
        return 200, orjson.dumps({"code": "0", "msg": "", "data": shown})

    def wait(self, milliseconds: int) -> None:
        self.venue.flush()
        super().wait(milliseconds)
