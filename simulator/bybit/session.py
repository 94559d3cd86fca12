"""Sockets: the private one, and the one for orders (docs/venues/bybit.md 2.2, 2.3, 3 and 8).

They have two dialects: `req_id`, `success`, `ret_msg` and `conn_id` on the first, `reqId`,
`retCode`, `retMsg` and `connId` on the second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from simulator.accounts import Account
from simulator.bybit.account_documents import WALLET
from simulator.bybit.fields import Fields
from simulator.bybit.limits import Limits
from simulator.bybit.refusals import refused
from simulator.bybit.rest import OPERATIONS
from simulator.bybit.signing import check_sign_in, check_time
from simulator.bybit.trade_calls import Operation
from simulator.bybit.venue import BybitVenue
from simulator.bybit.wishes import wishes_of
from simulator.bybit.words import CATEGORIES
from simulator.delivery import Connection, Feed, Subscription
from simulator.instrument import Product
from simulator.message import Document
from simulator.refusal import Refused
from simulator.trouble import SOCKET_FAULTS, Trouble
from simulator.wire import session
from simulator.wire.attempts import Act, Attempts
from simulator.wire.lines import SocketLine

TOPICS = ("order", "execution", "execution.fast", "position")
ALONE = ("wallet", "greeks", "dcp.future", "dcp.spot", "dcp.option")
"""Topics that have no category."""
REQUEST_ID_MAX = 36
SOCKET_OPERATIONS = {
    f"order.{one.name}": one for one in OPERATIONS.values() if one.name != "cancel-all"
}


@dataclass(frozen=True, slots=True)
class Wire:
    """What every session of a box works with."""

    venue: BybitVenue
    feed: Feed
    limits: Limits
    trouble: Trouble
    attempts: Attempts


class Session(session.Session):
    """One connection's requests."""

    def __init__(self, wire: Wire, connection: Connection, ip: str) -> None:
        super().__init__(wire.feed, connection)
        self._wire = wire
        self._ip = ip
        self._is_trade = connection.kind == "trade"
        self._numbers = count(1)
        self._used: set[str] = set()
        self.account: Account | None = None

    def verb(self, request: Document | None, text: str) -> session.Verb:
        """By `op`."""
        name = str(request.get("op", "")) if request else ""
        verbs: dict[str, session.Verb] = {"auth": self._sign_in, "ping": self._pong}
        if not self._is_trade:
            verbs |= {"subscribe": self._subscribe, "unsubscribe": self._unsubscribe}
        elif name in SOCKET_OPERATIONS:
            return partial(self._operate, SOCKET_OPERATIONS[name])
        if name not in verbs:
            raise refused("bad", name="op")
        return verbs[name]

    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """In the dialect of the socket."""
        shown = request or {}
        name = str(shown.get("op", ""))
        if self._is_trade:
            self._reply(shown, name, refusal)
        else:
            self._said(shown, name, refusal.message)

    def _sign_in(self, request: Document) -> None:
        if self.account is not None and self._is_trade:
            raise refused("logged_in")
        venue = self._wire.venue
        self.account = check_sign_in(venue.by_key, request.get("args"), venue.now_ms)
        if self._is_trade:
            self._reply(request, "auth")
        else:
            self._said({}, "auth")

    def _pong(self, request: Document) -> None:
        now = [str(self._wire.venue.now_ms)]
        if self._is_trade:
            self.put({"retCode": 0, "retMsg": "OK", "op": "pong", "data": now} | self._connection)
        else:
            head = {"req_id": str(request["req_id"])} if "req_id" in request else {}
            self.put(head | {"op": "pong", "args": now} | self._connection)

    def _subscribe(self, request: Document) -> None:
        account, topics = self._signed_in(), _topics(request)
        for topic in topics:
            kind, products = understood(topic)
            if topic in self.listening:
                continue
            wrap = self._wrap(topic)
            self.listen(
                topic,
                [
                    Subscription(self.connection, account.name, product, wrap, frozenset({kind}))
                    for product in products
                ],
            )
        self._said(request, "subscribe")

    def _unsubscribe(self, request: Document) -> None:
        self._signed_in()
        for topic in _topics(request):
            if topic in self.listening:
                self.unlisten(topic)
        self._said(request, "unsubscribe")

    def _wrap(self, topic: str) -> Callable[[str], str]:
        def wrap(text: str) -> str:
            own = f'"id":"{self.connection.number}-{next(self._numbers)}",'
            head = "" if topic.startswith("execution.fast") else own
            return f'{{{head}"topic":"{topic}",{text[1:]}'

        return wrap

    async def _operate(self, operation: Operation, request: Document) -> None:
        name, headers = str(request["op"]), dict[str, str]()
        args, owner = request.get("args"), self.account.name if self.account else ""
        is_one = isinstance(args, list) and len(args) == 1 and isinstance(args[0], dict)
        fields = Fields(args[0] if is_one and isinstance(args, list) else {})
        wishes = wishes_of(operation.name, fields, owner, *_stamps(request))
        attempt = self._wire.attempts.begin(wishes, SocketLine(self.connection))

        def answer(done: tuple[Document, Document]) -> None:
            told = {"data": done[0], "retExtInfo": done[1]}
            self._reply(request, name, None, headers, told)

        def refuse(refusal: Refused) -> None:
            self._reply(request, name, refusal, headers)

        admit = partial(self._admit, operation, request, headers)
        await self.attempt(attempt, admit, answer, refuse)

    def _admit(
        self, operation: Operation, request: Document, headers: dict[str, str]
    ) -> Act[tuple[Document, Document]]:
        account, request_id = self._signed_in(), str(request.get("reqId", ""))
        if len(request_id) > REQUEST_ID_MAX:
            raise refused("bad", name="reqId")
        if request_id and request_id in self._used:
            raise refused("duplicate_request")
        self._used.add(request_id)
        check_time(*_stamps(request), self._wire.venue.now_ms)
        args = request.get("args")
        if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], dict):
            raise refused("bad", name="args")
        act = partial(
            operation.carry_out,
            self._wire.venue,
            account,
            Fields(args[0]),
            (self._wire.limits, headers),
        )
        return partial(self._wire.trouble.meet, self._ip, act, SOCKET_FAULTS)

    def _reply(
        self,
        request: Document,
        name: str,
        refusal: Refused | None = None,
        headers: Document | None = None,
        done: Document | None = None,
    ) -> None:
        """On the socket for orders."""
        head = {"reqId": str(request["reqId"])} if request.get("reqId") else {}
        verdict = {
            "retCode": refusal.code if refusal else 0,
            "retMsg": refusal.message if refusal else "OK",
            "op": name,
        }
        if name in SOCKET_OPERATIONS:
            now = str(self._wire.venue.now_ms)
            header = (headers or {}) | {"Traceid": f"{next(self._numbers):x}", "Timenow": now}
            verdict |= (done or {"data": {}, "retExtInfo": {}}) | {"header": header}
        self.put(head | verdict | self._connection)

    def _said(self, request: Document, name: str, problem: str = "") -> None:
        """On the private socket."""
        head = {"req_id": str(request["req_id"])} if request.get("req_id") else {}
        verdict = {"success": not problem, "ret_msg": problem, "op": name}
        self.put(verdict | head | self._connection)

    def _signed_in(self) -> Account:
        if self.account is None:
            raise refused("no_login")
        return self.account

    @property
    def _connection(self) -> Document:
        name = "connId" if self._is_trade else "conn_id"
        return {name: f"sim-{self.connection.number:04x}"}


def _stamps(request: Document) -> tuple[str, str]:
    """The time and the window of a request."""
    said = request.get("header")
    given: Document = said if isinstance(said, dict) else {}
    sent, window = given.get("X-BAPI-TIMESTAMP", ""), given.get("X-BAPI-RECV-WINDOW", "")
    return str(sent), str(window)


def _topics(request: Document) -> list[str]:
    """Those of one request: all together, or all by category (docs/venues/bybit.md 2.2)."""
    args: Any = request.get("args")
    if not isinstance(args, list) or not all(isinstance(one, str) for one in args):
        raise refused("bad", name="args")
    kinds = {topic.rpartition(".")[2] in CATEGORIES for topic in args if topic not in ALONE}
    if len(kinds) > 1:
        raise refused("bad", name="args: topics of all and of one category")
    for topic in args:
        understood(topic)
    return args


def understood(topic: str) -> tuple[str, tuple[Product, ...]]:
    """What is meant: a kind of message, and of which products."""
    kind, _, category = topic.rpartition(".")
    if category in CATEGORIES and kind in TOPICS:
        return kind, (CATEGORIES[category],)
    if topic in TOPICS:
        return topic, tuple(CATEGORIES.values())
    if topic in ALONE:
        return topic, (WALLET,)
    raise refused("bad", name=f"args: no topic {topic:.80}")
