"""The REST face: who asks, how often, what trouble the request meets; codes in envelopes."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.faults import Faults
from simulator.journal import Wish
from simulator.message import Document
from simulator.okx import signing
from simulator.okx.calls import QUERIES, REST_OPERATIONS, Operation
from simulator.okx.fields import Fields
from simulator.okx.limits import Limits
from simulator.okx.operations import Operations
from simulator.okx.query_calls import KEY
from simulator.okx.refusals import refused
from simulator.okx.venue import OkxVenue
from simulator.refusal import Refused
from simulator.trouble import ORDER_FAULTS, Trouble
from simulator.wire.attempts import Act, Attempts
from simulator.wire.calls import NOBODY, Asked, Call, fitting_faults
from simulator.wire.calls import Rest as WireRest

BANNED = "<html><head><title>403 Forbidden</title></head><body>403 Forbidden</body></html>"
OPEN_OUTCOMES = ("system_error", "unavailable", "timeout")
"""Answers that leave it open whether the request was carried out."""


class Rest(WireRest):
    """Answers requests of all products."""

    def __init__(self, venue: OkxVenue, limits: Limits, faults: Faults, attempts: Attempts) -> None:
        super().__init__(attempts)
        self._venue = venue
        self._limits = limits
        self._trouble = Trouble(
            faults, venue.view, refused, limits.ban_all, "busy", OPEN_OUTCOMES, "too_many_orders"
        )
        self._operations = Operations(venue, limits)

    def firewall(self, asked: Asked) -> web.Response | None:
        """It answers who is banned without any of the venue's codes."""
        if self._limits.is_banned(asked.ip):
            return web.Response(text=BANNED, status=403, content_type="text/html")
        return None

    def wishes(self, asked: Asked) -> list[Wish]:
        """One for each order of an operation; one of nothing where its body cannot be read."""
        operation = _operation(asked)
        if operation is None:
            return []
        account = self._venue.by_key.get(asked.headers.get(KEY, ""))
        name = account.name if account else ""
        try:
            rows = _rows(asked.body, operation)
        except Refused:
            return [operation.nothing(name)]
        deadline = asked.headers.get("expTime", "")
        return self._operations.wishes(operation, name, rows, deadline)

    def admit(self, asked: Asked, headers: dict[str, str]) -> Act[Document]:
        """Operations by POST; questions by GET."""
        operation = _operation(asked)
        query = QUERIES.get(asked.path) if asked.method == "GET" else None
        if operation is not None:
            account = self._account(asked)
            if not account.credentials[asked.headers[KEY]].can_trade:
                raise refused("no_permission")
            rows = _rows(asked.body, operation)
            self._operations.let_in(operation, rows, asked.headers.get("expTime", ""))
            act = partial(self._operate, asked, account, operation, rows)
            return partial(self._timed, asked, act, time.time_ns() // 1000)
        if query is None:
            raise refused("no_path")
        if query.access == "none":
            return partial(self._ask, asked, NOBODY, query)
        ask = partial(self._ask, asked, self._account(asked), query)
        fitting = fitting_faults(asked.method, is_paged=query.is_paged)
        return partial(self._trouble.meet, asked.ip, ask, fitting)

    def refusal(self, refusal: Refused) -> Document:
        """As an answer without rows."""
        return {"code": refusal.code, "msg": refusal.message, "data": []}

    def _timed(self, asked: Asked, act: Act[Document], received_us: int) -> Document:
        """An operation with the times of its work."""
        answer = self._trouble.meet(asked.ip, act, ORDER_FAULTS)
        return answer | {"inTime": str(received_us), "outTime": str(time.time_ns() // 1000)}

    def _operate(
        self, asked: Asked, account: Account, operation: Operation, rows: list[Mapping[str, Any]]
    ) -> Document:
        deadline = asked.headers.get("expTime", "")
        return self._operations.carry_out(operation, account, rows, deadline)

    def _ask(self, asked: Asked, account: Account, query: Call) -> Document:
        fields = Fields(asked.fields | {KEY: asked.headers.get(KEY, "")})
        key = query.cost.key(asked.ip, account.name, asked.path, fields.text("instId"))
        self._limits.take(query.cost, key)
        return {"code": "0", "msg": "", "data": query.answer(self._venue, account, fields)}

    def _account(self, asked: Asked) -> Account:
        key, signature, timestamp, passphrase = signing.headers_of(asked.headers)
        account = self._venue.by_key.get(key)
        if account is None:
            raise refused("bad_key")
        is_demo = asked.headers.get("x-simulated-trading") == "1"
        if is_demo != account.config.is_demo:
            raise refused("other_environment")
        signing.check_time(timestamp, self._venue.now_ms)
        query = f"?{asked.query}" if asked.query else ""
        payload = f"{timestamp}{asked.method}{asked.path}{query}{asked.body}"
        signing.check_signature(account.credentials[key], payload, signature, passphrase)
        return account


def _operation(asked: Asked) -> Operation | None:
    return REST_OPERATIONS.get(asked.path) if asked.method == "POST" else None


def _rows(body: str, operation: Operation) -> list[Mapping[str, Any]]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise refused("bad_json") from None
    rows = document if isinstance(document, list) else [document]
    if not all(isinstance(row, dict) for row in rows) or operation.is_batch != isinstance(
        document, list
    ):
        raise refused("bad_form")
    return rows
