"""The USD-M private streams: by listenKey, raw or wrapped (docs/venues/binance.md 1.2 and 2.5)."""

from collections import deque
from dataclasses import dataclass

import orjson
from aiohttp import web

from simulator.clock import Clock
from simulator.delivery import Connection, Feed, Subscription
from simulator.sockets import Reader, Sockets
from simulator.wire.session import inside
from simulator.wire.tickets import Ticket, Tickets

INBOUND_PER_SECOND_MAX = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """One listenKey of a URL with its list of events; None where the URL has none."""

    key: str
    events: frozenset[str] | None


def wanted_streams(pairs: list[tuple[str, str]]) -> list[Wanted]:
    """`listenKey=..&events=A/B`, perhaps several times, in the order of the URL."""
    found: list[Wanted] = []
    for name, value in pairs:
        if name == "listenKey":
            found.append(Wanted(value, None))
        elif name == "events" and found:
            found[-1] = Wanted(found[-1].key, frozenset(value.split("/")))
    return found


class UsdmSocket:
    """Serves `/private/ws`, `/private/stream`, and the dead `/ws/<listenKey>`."""

    def __init__(self, sockets: Sockets, keys: Tickets, *, events_required: bool) -> None:
        self._sockets = sockets
        self._keys = keys
        self._events_required = events_required
        self._subscriptions: dict[str, list[Subscription]] = {}

    async def by_query(self, request: web.Request) -> web.StreamResponse:
        """`?listenKey=..&events=..`: as they are at `/ws`, named by their keys at `/stream`."""
        wanted = wanted_streams(list(request.query.items()))
        return await self._serve(request, wanted, wrap=request.path.endswith("/stream"))

    async def by_path(self, request: web.Request) -> web.StreamResponse:
        """`/private/ws/<listenKey>`; `/ws/<listenKey>` connects and never delivers anything."""
        is_dead = not request.path.startswith("/private/")
        wanted = [] if is_dead else [Wanted(request.match_info["key"], None)]
        return await self._serve(request, wanted, wrap=False)

    def expire(self, *, everything: bool = False) -> int:
        """Tell the listeners of keys whose time is over; the sockets stay open and silent."""
        gone = self._keys.expire(everything=everything)
        for key in gone:
            for subscription in self._subscriptions.pop(key.text, []):
                self._tell_expired(key, subscription)
        return len(gone)

    async def _serve(
        self, request: web.Request, wanted: list[Wanted], *, wrap: bool
    ) -> web.StreamResponse:
        made: list[tuple[str, Subscription]] = []

        def setup(connection: Connection) -> Reader:
            for stream in wanted:
                subscription = self._subscribe(connection, stream, wrap=wrap)
                if subscription is not None:
                    made.append((stream.key, subscription))
            return Inbound(connection, self._sockets.feed.clock).read

        try:
            return await self._sockets.serve(request, "linear", setup)
        finally:
            for key, subscription in made:
                rows = self._subscriptions.get(key, [])
                if subscription in rows:
                    rows.remove(subscription)

    def _subscribe(
        self, connection: Connection, stream: Wanted, *, wrap: bool
    ) -> Subscription | None:
        account = self._keys.account_of(stream.key)
        if not account or (stream.events is None and self._events_required):
            return None  # the venue says nothing either: such a socket is just silent
        named = inside(f'{{"stream":"{stream.key}","data":', "}") if wrap else inside("")
        subscription = Subscription(connection, account, "linear", named, stream.events)
        self._subscriptions.setdefault(stream.key, []).append(subscription)
        self._sockets.feed.subscribe(subscription)
        return subscription

    def _tell_expired(self, key: Ticket, subscription: Subscription) -> None:
        feed: Feed = self._sockets.feed
        feed.unsubscribe(subscription)
        document = {
            "e": "listenKeyExpired",
            "E": feed.clock.now_ms(),
            "listenKey": key.text,
        }
        if subscription.kinds is None or "listenKeyExpired" in subscription.kinds:
            subscription.connection.put(subscription.wrap(orjson.dumps(document).decode()))


class Inbound:
    """What a client says: little, or it is cut off (docs/venues/binance.md 2.6)."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._times: deque[int] = deque(maxlen=INBOUND_PER_SECOND_MAX)

    async def read(self, text: str) -> None:
        """Answer a request that has an id; more than ten a second end the connection."""
        now_ms = self._clock.now_ms()
        is_full = len(self._times) == INBOUND_PER_SECOND_MAX
        if is_full and now_ms - self._times[0] < 1000:
            self._connection.cut("too many messages")
            return
        self._times.append(now_ms)
        try:
            request = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        if isinstance(request, dict) and "id" in request:
            reply = {"result": None, "id": request["id"]}
            self._connection.put(orjson.dumps(reply).decode())
