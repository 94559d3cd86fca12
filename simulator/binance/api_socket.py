"""What the WS APIs of both products share: signed requests, answered as by REST.

docs/venues/binance.md 2.3 and 8. `session.logon` is left out: it wants keys of another kind.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from aiohttp import web

from simulator.accounts import Account
from simulator.binance.limits import Limits, Pool
from simulator.binance.params import Params
from simulator.binance.refusals import document_of, refused
from simulator.binance.signing import check_socket_signature, check_time
from simulator.binance.venue import BinanceVenue
from simulator.binance.wishes import wishes_of
from simulator.delivery import Connection, Feed
from simulator.instrument import Product
from simulator.message import Document
from simulator.refusal import Refused
from simulator.sockets import Reader, Sockets
from simulator.trouble import SOCKET_FAULTS, Trouble
from simulator.wire import session
from simulator.wire.attempts import Act, Attempts
from simulator.wire.calls import HTTP_OK, NOBODY, Call
from simulator.wire.lines import SocketLine


@dataclass(frozen=True, slots=True)
class ApiWire:
    """What every session works with."""

    venue: BinanceVenue
    limits: Limits
    attempts: Attempts
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two sockets."""

    name: str
    """Of its connections."""
    product: Product
    pool: Pool
    """Which weight its requests use."""
    connect_weight: int


class ApiSession(session.Session):
    """One connection's requests."""

    tells_status: ClassVar[bool] = True
    kind: ClassVar[Kind]

    def __init__(
        self,
        wire: ApiWire,
        feed: Feed,
        connection: Connection,
        ip: str,
        *,
        tells_limits: bool = True,
    ) -> None:
        super().__init__(feed, connection)
        self._wire = wire
        self._ip = ip
        self._tells_limits = tells_limits

    @abstractmethod
    def call_of(self, method: str) -> Call | None:
        """The REST call that a method equals; None where there is none."""

    def own_verbs(self) -> Mapping[str, session.Verb]:
        """What only this socket has."""
        return {}

    def verb(self, request: Document | None, text: str) -> session.Verb:
        """By `method`."""
        method = None if request is None else request.get("method")
        if not isinstance(method, str):
            raise refused("bad_json")
        call = self.call_of(method)
        if call is not None:
            return partial(self._call, call)
        verbs = self.own_verbs()
        if method not in verbs:
            raise refused("no_method")
        return verbs[method]

    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """`error`, and when to come again where that is known."""
        error = document_of(refusal)
        if refusal.status in (418, 429):
            now_ms = self._wire.venue.now_ms
            wait_ms = self._wire.limits.retry_after_s(self._ip, self.kind.pool) * 1000
            error["data"] = {"serverTime": now_ms, "retryAfter": now_ms + wait_ms}
        is_read = request is not None and isinstance(request.get("method"), str)
        shown = request if is_read and request is not None else {}
        self.reply(shown, {"status": refusal.status, "error": error})

    def done(self, request: Document, result: object) -> None:
        """Answer that it is done."""
        self.reply(request, {"status": HTTP_OK, "result": result})

    def reply(self, request: Document, what: Document) -> None:
        """An answer, with the counters of orders unless they are not wanted."""
        told: Document = {"id": request.get("id"), "rateLimits": []} | what
        wants = Params(params_of(request)).text("returnRateLimits", "true")
        if not self._tells_limits or wants == "false":
            del told["rateLimits"]
        self.put(told)

    def charge(self, weight: int) -> None:
        """Use the weight of a request."""
        self._wire.limits.take(self._ip, self.kind.pool, weight)

    def authenticate(self, params: Mapping[str, object]) -> Account:
        """Who asks, and in time."""
        account = self._account(params)
        key = str(params["apiKey"])
        check_socket_signature(account.credentials[key].secret, params)
        fields = Params(params)
        if not isinstance(params.get("timestamp", 0), int):
            raise refused("bad", name="timestamp")
        now_ms = self._wire.venue.now_ms
        check_time(fields.text("timestamp"), fields.text("recvWindow"), now_ms)
        return account

    def check_form(self, params: Mapping[str, object]) -> None:
        """Refuse parameters whose JSON is of the wrong kind."""

    def _account(self, params: Mapping[str, object]) -> Account:
        return self._wire.venue.account_of(str(params.get("apiKey", "")), self.kind.product)

    async def _call(self, call: Call, request: Document) -> None:
        params = params_of(request)
        account = self._wire.venue.by_key.get(str(params.get("apiKey", "")))
        wishes = wishes_of(call.wishes, Params(params), account, self.kind.product)
        attempt = self._wire.attempts.begin(wishes, SocketLine(self.connection))
        admit = partial(self._admit, call, params)
        reply, refuse = partial(self.reply, request), partial(self.refuse, request)
        await self.attempt(attempt, admit, reply, refuse)

    def _admit(self, call: Call, params: Document) -> Act[Document]:
        fields = Params(params)
        self.charge(call.cost(fields))
        account = NOBODY
        if call.access != "none":
            is_signed = call.access == "signed"
            account = self.authenticate(params) if is_signed else self._account(params)
            if call.wishes and not account.credentials[str(params["apiKey"])].can_trade:
                raise refused("bad_key")
        self.check_form(params)
        act = partial(self._carry_out, call, account, fields)
        if not call.wishes:
            return act
        return partial(self._wire.trouble.meet, self._ip, act, SOCKET_FAULTS)

    def _carry_out(self, call: Call, account: Account, fields: Params) -> Document:
        venue = self._wire.venue
        result = venue.ask(call, self.kind.product, account, fields)
        if call.is_free_when_done:
            self._wire.limits.give_back(self._ip, self.kind.pool, call.cost(fields))
        market = venue.spot if self.kind.product == "spot" else venue.linear
        counts = market.counts.rows(account) if call.counts_orders else []
        return {"status": HTTP_OK, "result": result, "rateLimits": counts}


class ApiSocket:
    """Serves one path of a WS API."""

    def __init__(
        self, wire: ApiWire, sockets: Sockets, kind: Kind, make: Callable[..., ApiSession]
    ) -> None:
        self._wire = wire
        self._sockets = sockets
        self._kind = kind
        self._make = make

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler."""
        ip = request.remote or ""
        try:
            self._wire.limits.take(ip, self._kind.pool, self._kind.connect_weight)
        except Refused as refusal:
            return web.Response(status=refusal.status, text=refusal.message)
        tells = request.query.get("returnRateLimits", "true") != "false"

        def setup(connection: Connection) -> Reader:
            feed = self._sockets.feed
            return self._make(self._wire, feed, connection, ip, tells_limits=tells).read

        return await self._sockets.serve(request, self._kind.name, setup)


def params_of(request: Document) -> Document:
    """The parameters of a request."""
    params: Document = request.get("params") or {}
    return params
