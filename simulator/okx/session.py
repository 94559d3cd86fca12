"""A private or business socket: login, subscriptions, orders (docs/venues/okx.md 2.2, 3 and 8)."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import orjson

from simulator.accounts import Account
from simulator.delivery import Connection, Feed, Subscription
from simulator.journal import Wish
from simulator.message import Document
from simulator.okx import signing
from simulator.okx.calls import SOCKET_OPERATIONS, Operation
from simulator.okx.channels import Wanted, snapshot, understood
from simulator.okx.limits import Limits
from simulator.okx.operations import Operations
from simulator.okx.refusals import Refusal, refused
from simulator.okx.venue import OkxVenue
from simulator.refusal import Refused
from simulator.trouble import SOCKET_FAULTS, Trouble
from simulator.wire import session
from simulator.wire.attempts import Act, Attempts
from simulator.wire.lines import SocketLine

REQUEST_ID = re.compile(r"[A-Za-z0-9]{1,32}")
REQUESTS_MAX = 480
"""Logins and subscriptions of one connection; the venue counts them by the hour."""
LISTENERS_MAX = 30
"""Connections of one channel and account."""
LOGIN_FAILED = 4001


@dataclass(frozen=True, slots=True)
class Wire:
    """What every session of a box works with."""

    venue: OkxVenue
    feed: Feed
    limits: Limits
    operations: Operations
    trouble: Trouble
    listeners: Counter[tuple[str, str]]
    """How many connections listen to an account's channel."""
    attempts: Attempts


class Session(session.Session):
    """One connection's requests."""

    bare_words: ClassVar[Mapping[str, str]] = {"ping": "pong"}

    def __init__(self, wire: Wire, connection: Connection, path: str, ip: str) -> None:
        super().__init__(wire.feed, connection)
        self._wire = wire
        self._path = path
        self._ip = ip
        self._requests = 0
        self.account: Account | None = None
        self._can_trade = False
        self._wanted: dict[bytes, Wanted] = {}

    def verb(self, request: Document | None, text: str) -> session.Verb:
        """By `op`: the login, the subscriptions, or an operation."""
        name = str(request.get("op", "")) if request else ""
        verbs: dict[str, session.Verb] = {
            "login": self._login,
            "subscribe": self._subscriptions,
            "unsubscribe": self._subscriptions,
        }
        if self._path == "private":
            verbs |= {
                name: partial(self._operate, operation)
                for name, operation in SOCKET_OPERATIONS.items()
            }
        is_list = request is not None and isinstance(request.get("args", []), list)
        if not is_list or name not in verbs:
            raise refused("bad_frame", text=text[:200])
        return verbs[name]

    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """The event `error`; what is no list of arguments is not even echoed."""
        shown = request if request and isinstance(request.get("args", []), list) else {}
        error = {"event": "error", "code": refusal.code, "msg": refusal.message}
        self._say(_echo(shown) | error)

    def repeat(self) -> None:
        """Tell positions and balances again to subscriptions that want it."""
        for wanted in self._wanted.values():
            if wanted.repeats and wanted.channel in ("positions", "account"):
                self._tell_snapshot(wanted)

    def forget(self) -> None:
        """The connection is gone."""
        for wanted in self._wanted.values():
            self._count(wanted, -1)
        self._wanted.clear()

    async def _login(self, request: Document) -> None:
        args = request.get("args") or [{}]
        fields: Mapping[str, Any] = args[0] if isinstance(args[0], dict) else {}
        key = str(fields.get("apiKey", ""))
        account = self._wire.venue.by_key.get(key)
        try:
            self._take_request()
            if self.account is not None:
                raise refused("logged_in")
            found = account.credentials[key] if account else None
            config = signing.check_login(found, fields, self._wire.venue.now_ms)
        except Refusal as refusal:
            self.refuse(request, refusal)
            if self.account is None:
                await self.connection.close("login failed", LOGIN_FAILED)
            return
        self.account, self._can_trade = account, config.can_trade
        self._say({"event": "login", "code": "0", "msg": ""})

    def _subscriptions(self, request: Document) -> None:
        for arg in request.get("args", [{}]):
            try:
                self._take_request()
                if self.account is None:
                    raise refused("no_login")
                if not isinstance(arg, dict):
                    raise refused("bad_request")
                wanted = understood(arg, self._path, self.account)
            except Refusal as refusal:
                self.refuse(request, refusal)
                continue
            if request["op"] == "subscribe":
                self._subscribe(self.account, wanted, request)
            else:
                self._unsubscribe(wanted, request)

    def _subscribe(self, account: Account, wanted: Wanted, request: Document) -> None:
        self._say(_echo(request) | {"event": "subscribe", "arg": wanted.arg})
        if wanted.key in self._wanted:
            return
        key = (account.name, wanted.channel)
        if self._wire.listeners[key] >= LISTENERS_MAX:
            # An ack comes first, then silence for who does not read this (docs/venues/okx.md 2.3).
            self._say_count("channel-conn-count-error", wanted, LISTENERS_MAX)
            return
        self._count(wanted, +1)
        self._say_count("channel-conn-count", wanted, self._wire.listeners[key])
        self._wanted[wanted.key] = wanted
        wrap, kinds = self._wrap(wanted), frozenset({wanted.channel})
        self.listen(
            wanted.key,
            [
                Subscription(self.connection, account.name, product, wrap, kinds, wanted.wants)
                for product in wanted.products
            ],
        )
        self._tell_snapshot(wanted)

    def _unsubscribe(self, wanted: Wanted, request: Document) -> None:
        self._say(_echo(request) | {"event": "unsubscribe", "arg": wanted.arg})
        if wanted.key in self._wanted:
            self._count(self._wanted.pop(wanted.key), -1)
            self.unlisten(wanted.key)

    def _tell_snapshot(self, wanted: Wanted) -> None:
        assert self.account is not None, "only who has logged in subscribes"
        for document in snapshot(self._wire.venue, self.account, wanted):
            self.connection.put(self._wrap(wanted)(orjson.dumps(document).decode()))

    async def _operate(self, operation: Operation, request: Document) -> None:
        received_us = time.time_ns() // 1000
        request_id = str(request.get("id", ""))
        wishes = self._wishes(operation, request)
        attempt = self._wire.attempts.begin(wishes, SocketLine(self.connection))
        head: Document = {"id": request_id, "op": operation.name}

        def answer(done: Document) -> None:
            times = {"inTime": str(received_us), "outTime": str(time.time_ns() // 1000)}
            told = {"data": done["data"], "code": done["code"], "msg": done["msg"]}
            self.put(head | told | times)

        def refuse(refusal: Refused) -> None:
            answer({"code": refusal.code, "msg": refusal.message, "data": []})

        admit = partial(self._admit, operation, request, request_id)
        await self.attempt(attempt, admit, answer, refuse)

    def _wishes(self, operation: Operation, request: Document) -> list[Wish]:
        """What it asks for, as far as that can be read."""
        name = self.account.name if self.account else ""
        rows = []
        for row in request.get("args") or []:
            if isinstance(row, dict):
                try:
                    rows.append(self._with_symbol(row))
                except Refusal:
                    rows.append(row | {"instId": ""})
        deadline = str(request.get("expTime") or "")
        made = self._wire.operations.wishes(operation, name, rows, deadline)
        return made or [operation.nothing(name)]

    def _admit(self, operation: Operation, request: Document, request_id: str) -> Act[Document]:
        if not REQUEST_ID.fullmatch(request_id):
            raise refused("bad_args")
        if self.account is None:
            raise refused("no_login")
        if not self._can_trade:
            raise refused("no_permission")
        rows = [self._with_symbol(row) for row in request.get("args") or []]
        deadline = str(request.get("expTime") or "")
        self._wire.operations.let_in(operation, rows, deadline)
        act = partial(self._wire.operations.carry_out, operation, self.account, rows, deadline)
        return partial(self._carry_out, act)

    def _carry_out(self, act: Act[Document]) -> Document:
        """Rows speak for themselves: `msg` is empty, unlike REST's (docs/venues/okx.md 8)."""
        return self._wire.trouble.meet(self._ip, act, SOCKET_FAULTS) | {"msg": ""}

    def _with_symbol(self, row: object) -> Mapping[str, Any]:
        """The instrument by its code: `instId` does not count here (docs/venues/okx.md 8)."""
        if not isinstance(row, dict):
            raise refused("bad_args")
        code = row.get("instIdCode")
        if code is None:
            raise refused("missing", name="instIdCode")
        if not isinstance(code, int):
            raise refused("bad_args")
        return row | {"instId": self._wire.venue.symbol_of(code)}

    def _take_request(self) -> None:
        self._requests += 1
        if self._requests > REQUESTS_MAX:
            raise refused("busy_socket")

    def _count(self, wanted: Wanted, change: int) -> None:
        assert self.account is not None, "only who has logged in subscribes"
        self._wire.listeners[self.account.name, wanted.channel] += change

    def _say_count(self, event: str, wanted: Wanted, count: int) -> None:
        self._say({"event": event, "channel": wanted.channel, "connCount": str(count)})

    def _wrap(self, wanted: Wanted) -> Callable[[str], str]:
        """Puts before an event what was subscribed to, and the user."""
        assert self.account is not None, "only who has logged in subscribes"
        shown = {name: value for name, value in wanted.arg.items() if name != "extraParams"}
        arg = orjson.dumps(shown | {"uid": self._wire.venue.user_id(self.account)}).decode()
        return lambda text: f'{{"arg":{arg},{text[1:]}'

    def _say(self, document: Document) -> None:
        self.put(document | {"connId": connection_id(self.connection)})


def connection_id(connection: Connection) -> str:
    """`connId`: eight hex digits."""
    return f"{connection.number:08x}"


def _echo(request: Document) -> Document:
    """The request's `id`, where it has one."""
    return {"id": str(request["id"])} if request.get("id") else {}
