"""What the WS APIs of both products share: signed requests, answered as by REST.

docs/venues/binance.md 2.3 and 8. Who has logged on need neither name its key nor sign.
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
from simulator.binance.signing import check_socket_signature, check_time, is_ed25519
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

LOGON_WEIGHT = 2


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
        self._key = ""
        """The key that has logged on."""
        self._authorized_ms = 0

    @abstractmethod
    def call_of(self, method: str) -> Call | None:
        """The REST call that a method equals; None where there is none."""

    def own_verbs(self) -> Mapping[str, session.Verb]:
        """What is no call of REST."""
        return {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
        }

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
        if self._key and self._key not in self._wire.venue.by_key:
            is_read = False  # a key that died meanwhile is told of without an id
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
        account, key = self._account(params), self.key_of(params)
        if key != self._key or params.get("signature"):
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
        return self._wire.venue.account_of(self.key_of(params), self.kind.product)

    def key_of(self, params: Mapping[str, object]) -> str:
        """The key that a request names, else the one that has logged on."""
        return str(params.get("apiKey") or self._key)

    def _logon(self, request: Document) -> None:
        self.charge(LOGON_WEIGHT)
        params = params_of(request)
        key = str(params.get("apiKey", ""))
        account = self._wire.venue.account_of(key, self.kind.product)
        if not is_ed25519(account.credentials[key].secret):
            raise refused("no_logon")
        check_socket_signature(account.credentials[key].secret, params)
        self.authenticate(params)
        self._key, self._authorized_ms = key, self._wire.venue.now_ms
        self._status(request)

    def _logout(self, request: Document) -> None:
        self._key = ""
        self._status(request)

    def _status(self, request: Document) -> None:
        is_on = bool(self._key)
        self.done(
            request,
            {
                "apiKey": self._key or None,
                "authorizedSince": self._authorized_ms if is_on else None,
                "connectedSince": self.connection.opened_ms,
                "returnRateLimits": self._tells_limits,
                "serverTime": self._wire.venue.now_ms,
                "userDataStream": bool(self.listening),
            },
        )

    async def _call(self, call: Call, request: Document) -> None:
        params = params_of(request)
        account = self._wire.venue.by_key.get(self.key_of(params))
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
            if call.wishes and not account.credentials[self.key_of(params)].can_trade:
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
    params = request.get("params")
    return params if isinstance(params, dict) else {}
