"""What was asked of the box over HTTP: `/control/requests`, for tests and benches.

`GET` shows, by path: how many requests, how many were refused for a rate limit or ban, how many
bytes were answered, and the most in one window of two seconds. `weight` is the highest count of
used weight that an answer told, by product, at a venue that tells it. `POST` forgets it all.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field

import orjson
from aiohttp import web

from simulator.wire.calls import LimitAnswer

WINDOW_MS = 2000
REFUSED = (403, 418, 429)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Asked:
    """One path's requests; `busiest` is the most in one window of two seconds."""

    requests: int = 0
    refused: int = 0
    bytes: int = 0
    busiest: int = 0
    window: int = 0
    in_window: int = 0

    def take(self, size: int, now_ms: int, *, is_refused: bool) -> None:
        """One answer was given."""
        self.requests += 1
        self.refused += is_refused
        self.bytes += size
        if self.window != now_ms // WINDOW_MS:
            self.window, self.in_window = now_ms // WINDOW_MS, 0
        self.in_window += 1
        self.busiest = max(self.busiest, self.in_window)

    def document(self) -> dict[str, int]:
        """As it is shown."""
        shown = asdict(self)
        return {name: shown[name] for name in ("requests", "refused", "bytes", "busiest")}


@dataclass(slots=True)
class Tally:
    """Counts the venue's requests; `now_ms` is its clock."""

    now_ms: Callable[[], int]
    products: Mapping[str, str]
    """By how the venue's own paths begin, the product whose weight their answers tell."""
    weight_header: str = ""
    paths: dict[str, Asked] = field(default_factory=lambda: defaultdict(Asked))
    weight: dict[str, int] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """Put its path into `app`, and itself before every handler."""
        app.middlewares.append(self._count)
        app.router.add_get("/control/requests", self.show)
        app.router.add_post("/control/requests", self.clear)

    async def show(self, request: web.Request) -> web.Response:
        """The counts so far."""
        paths = {path: asked.document() for path, asked in sorted(self.paths.items())}
        body = orjson.dumps({"paths": paths, "weight": self.weight})
        return web.Response(body=body, content_type="application/json")

    async def clear(self, request: web.Request) -> web.Response:
        """Begin to count anew."""
        self.paths.clear()
        self.weight.clear()
        return await self.show(request)

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        family = next((name for name in self.products if request.path.startswith(name)), None)
        if family is None or not isinstance(answer, web.Response):
            return answer
        body = answer.body
        size = len(body) if isinstance(body, bytes) else 0
        is_refused = answer.status in REFUSED or isinstance(answer, LimitAnswer)
        self.paths[request.path].take(size, self.now_ms(), is_refused=is_refused)
        used = answer.headers.get(self.weight_header)
        if used is not None:
            product = self.products[family]
            self.weight[product] = max(self.weight.get(product, 0), int(used))
        return answer
