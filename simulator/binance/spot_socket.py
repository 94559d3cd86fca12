"""The Spot WS API: requests and the subscription (docs/venues/binance.md 2.3, 2.4 and 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from aiohttp import web

from simulator.accounts import Account
from simulator.binance.limits import Limits
from simulator.binance.params import Params
from simulator.binance.refusals import document_of, refused
from simulator.binance.signing import check_socket_signature, check_time
from simulator.binance.spot_calls import SPOT_CALLS, SPOT_METHODS
from simulator.binance.venue import BinanceVenue
from simulator.binance.wishes import wishes_of
from simulator.delivery import Connection, Feed, Subscription
from simulator.message import Document
from simulator.refusal import Refused
from simulator.sockets import Reader, Sockets
from simulator.trouble import SOCKET_FAULTS, Trouble
from simulator.wire import session
from simulator.wire.attempts import Act, Attempts
from simulator.wire.calls import HTTP_OK, NOBODY, Call
from simulator.wire.lines import SocketLine

CONNECT_WEIGHT = 2
REQUEST_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class SpotWire:
    """What every session works with."""

    venue: BinanceVenue
    limits: Limits
    attempts: Attempts
    trouble: Trouble


class SpotSocket:
    """Serves `/ws-api/v3`."""

    def __init__(self, wire: SpotWire, sockets: Sockets) -> None:
        self._wire = wire
        self._sockets = sockets

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler."""
        ip = request.remote or ""
        try:
            self._wire.limits.take(ip, "spot", CONNECT_WEIGHT)
        except Refused as refusal:
            return web.Response(status=refusal.status, text=refusal.message)

        def setup(connection: Connection) -> Reader:
            return Session(self._wire, self._sockets.feed, connection, ip).read

        return await self._sockets.serve(request, "spot", setup)


class Session(session.Session):
    """One connection's requests and subscriptions."""

    tells_status: ClassVar[bool] = True

    def __init__(self, wire: SpotWire, feed: Feed, connection: Connection, ip: str) -> None:
        super().__init__(feed, connection)
        self._venue = wire.venue
        self._limits = wire.limits
        self._wire = wire
        self._ip = ip
        self._next_id = 0

    def verb(self, request: Document | None, text: str) -> session.Verb:
        """By `method`: the subscriptions, or the REST call that equals it."""
        method = None if request is None else request.get("method")
        if not isinstance(method, str):
            raise refused("bad_json")
        if method in SPOT_METHODS:
            return partial(self._call, SPOT_CALLS[SPOT_METHODS[method]])
        verbs: dict[str, session.Verb] = {
            "userDataStream.subscribe.signature": self._subscribe,
            "userDataStream.unsubscribe": self._unsubscribe,
            "session.subscriptions": self._list,
        }
        if method not in verbs:
            raise refused("no_method")
        return verbs[method]

    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """`error`, and when to come again where that is known."""
        error = document_of(refusal)
        if refusal.status in (418, 429):
            now_ms = self._venue.now_ms
            wait_ms = self._limits.retry_after_s(self._ip, "spot") * 1000
            error["data"] = {"serverTime": now_ms, "retryAfter": now_ms + wait_ms}
        is_read = request is not None and isinstance(request.get("method"), str)
        shown = request if is_read and request is not None else {}
        self._reply(shown, {"status": refusal.status, "error": error})

    async def _call(self, call: Call, request: Document) -> None:
        params = _params(request)
        account = self._venue.by_key.get(str(params.get("apiKey", "")))
        wishes = wishes_of(call.wishes, Params(params), account, "spot")
        attempt = self._wire.attempts.begin(wishes, SocketLine(self.connection))
        admit = partial(self._admit, call, params)
        reply, refuse = partial(self._reply, request), partial(self.refuse, request)
        await self.attempt(attempt, admit, reply, refuse)

    def _admit(self, call: Call, params: Document) -> Act[Document]:
        fields = Params(params)
        self._limits.take(self._ip, "spot", call.cost(fields))
        account = NOBODY if call.access == "none" else self._authenticate(params)
        act = partial(self._carry_out, call, account, fields)
        if not call.wishes:
            return act
        return partial(self._wire.trouble.meet, self._ip, act, SOCKET_FAULTS)

    def _carry_out(self, call: Call, account: Account, fields: Params) -> Document:
        result = self._venue.ask(call, "spot", account, fields)
        if call.is_free_when_done:
            self._limits.give_back(self._ip, "spot", call.cost(fields))
        counts = self._venue.spot.counts.rows(account) if call.counts_orders else []
        return {"status": HTTP_OK, "result": result, "rateLimits": counts}

    def _authenticate(self, params: Mapping[str, object]) -> Account:
        key = str(params.get("apiKey", ""))
        account = self._venue.account_of(key, "spot")
        check_socket_signature(account.credentials[key].secret, params)
        fields = Params(params)
        if not isinstance(params.get("timestamp", 0), int):
            raise refused("bad", name="timestamp")
        check_time(fields.text("timestamp"), fields.text("recvWindow"), self._venue.now_ms)
        return account

    def _subscribe(self, request: Document) -> None:
        self._limits.take(self._ip, "spot", REQUEST_WEIGHT)
        account = self._authenticate(_params(request))
        if any(row.account == account.name for [row] in self.listening.values()):
            raise refused("subscribed")
        number, self._next_id = self._next_id, self._next_id + 1
        wrap = session.inside(f'{{"subscriptionId":{number},"event":', "}")
        self._done(request, {"subscriptionId": number})
        self.listen(number, [Subscription(self.connection, account.name, "spot", wrap)])

    def _unsubscribe(self, request: Document) -> None:
        wanted = _params(request).get("subscriptionId")
        numbers = list(self.listening) if wanted is None else [wanted]
        if not numbers or any(number not in self.listening for number in numbers):
            raise refused("not_subscribed")
        for number in numbers:
            self.unlisten(number)
        self._done(request, {})

    def _list(self, request: Document) -> None:
        self._done(request, [{"subscriptionId": number} for number in self.listening])

    def _done(self, request: Document, result: object) -> None:
        self._reply(request, {"status": HTTP_OK, "result": result})

    def _reply(self, request: Document, what: Document) -> None:
        self.put({"id": request.get("id"), "rateLimits": []} | what)


def _params(request: Document) -> Document:
    params: Document = request.get("params") or {}
    return params
