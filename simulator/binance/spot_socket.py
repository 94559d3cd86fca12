"""The Spot WS API: requests and the subscription (docs/venues/binance.md 2.3, 2.4 and 8)."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.binance.limits import Limits
from simulator.binance.params import Params
from simulator.binance.refusals import Refusal, refused
from simulator.binance.signing import check_socket_signature, check_time
from simulator.binance.spot_calls import SPOT_CALLS, SPOT_METHODS
from simulator.binance.venue import BinanceVenue
from simulator.delivery import Connection, Feed, Subscription
from simulator.sockets import Reader, Sockets
from simulator.wire.calls import NOBODY

CONNECT_WEIGHT = 2
REQUEST_WEIGHT = 2


class SpotSocket:
    """Serves `/ws-api/v3`."""

    def __init__(self, venue: BinanceVenue, limits: Limits, sockets: Sockets) -> None:
        self._venue = venue
        self._limits = limits
        self._sockets = sockets

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler."""
        ip = request.remote or ""
        try:
            self._limits.take(ip, "spot", CONNECT_WEIGHT)
        except Refusal as refusal:
            return web.Response(status=refusal.status, text=refusal.message)

        def setup(connection: Connection) -> Reader:
            return Session(self._venue, self._limits, self._sockets.feed, connection, ip).read

        return await self._sockets.serve(request, "spot", setup)


class Session:
    """One connection's requests and subscriptions."""

    def __init__(
        self, venue: BinanceVenue, limits: Limits, feed: Feed, connection: Connection, ip: str
    ) -> None:
        self._venue = venue
        self._limits = limits
        self._feed = feed
        self._connection = connection
        self._ip = ip
        self._subscriptions: dict[int, Subscription] = {}
        self._next_id = 0

    async def read(self, text: str) -> None:
        """Answer one request."""
        try:
            request = orjson.loads(text)
        except orjson.JSONDecodeError:
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            self._reply(None, refused("bad_json"))
            return
        params = request.get("params") or {}
        try:
            self._answer(request.get("id"), request["method"], params)
        except Refusal as refusal:
            self._reply(request.get("id"), refusal)

    def _answer(self, request_id: object, method: str, params: dict[str, Any]) -> None:
        if method == "userDataStream.subscribe.signature":
            self._subscribe(request_id, params)
        elif method == "userDataStream.unsubscribe":
            self._unsubscribe(request_id, params)
        elif method == "session.subscriptions":
            rows = [{"subscriptionId": number} for number in self._subscriptions]
            self._reply(request_id, rows)
        elif method in SPOT_METHODS:
            call = SPOT_CALLS[SPOT_METHODS[method]]
            fields = Params(params)
            self._limits.take(self._ip, "spot", call.cost(fields))
            account = NOBODY if call.access == "none" else self._authenticate(params)
            result = call.answer(self._venue.spot, account, fields)
            if call.is_free_when_done:
                self._limits.give_back(self._ip, "spot", call.cost(fields))
            counts = self._venue.spot.counts.rows(account) if call.counts_orders else []
            self._reply(request_id, result, counts)
        else:
            raise refused("no_method")

    def _authenticate(self, params: Mapping[str, object]) -> Account:
        key = str(params.get("apiKey", ""))
        account = self._venue.account_of(key, "spot")
        check_socket_signature(account.credentials[key].secret, params)
        fields = Params(params)
        now_ms = self._venue.clock.now_ms()
        if not isinstance(params.get("timestamp", 0), int):
            raise refused("bad", name="timestamp")
        check_time(fields.text("timestamp"), fields.text("recvWindow"), now_ms)
        return account

    def _subscribe(self, request_id: object, params: dict[str, Any]) -> None:
        self._limits.take(self._ip, "spot", REQUEST_WEIGHT)
        account = self._authenticate(params)
        if any(row.account == account.name for row in self._subscriptions.values()):
            raise refused("subscribed")
        number, self._next_id = self._next_id, self._next_id + 1
        prefix = f'{{"subscriptionId":{number},"event":'

        def wrap(text: str) -> str:
            return prefix + text + "}"

        subscription = Subscription(self._connection, account.name, "spot", wrap)
        self._subscriptions[number] = subscription
        self._reply(request_id, {"subscriptionId": number})
        self._feed.subscribe(subscription)

    def _unsubscribe(self, request_id: object, params: dict[str, Any]) -> None:
        wanted = params.get("subscriptionId")
        numbers = list(self._subscriptions) if wanted is None else [wanted]
        if not numbers or any(number not in self._subscriptions for number in numbers):
            raise refused("not_subscribed")
        for number in numbers:
            self._feed.unsubscribe(self._subscriptions.pop(number))
        self._reply(request_id, {})

    def _reply(self, request_id: object, result: object, counts: Sequence[object] = ()) -> None:
        document: dict[str, object] = {"id": request_id}
        if isinstance(result, Refusal):
            error = result.document
            if result.status in (418, 429):
                error["data"] = self._retry_data()
            document |= {"status": result.status, "error": error}
        else:
            document |= {"status": 200, "result": result}
        self._connection.put(orjson.dumps(document | {"rateLimits": list(counts)}).decode())

    def _retry_data(self) -> dict[str, int]:
        now_ms = self._venue.clock.now_ms()
        wait_ms = self._limits.retry_after_s(self._ip, "spot") * 1000
        return {"serverTime": now_ms, "retryAfter": now_ms + wait_ms}
