"""The REST face: who asks, how often, what trouble the request meets; codes in envelopes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.config import AccountConfig
from simulator.faults import Faults
from simulator.message import Document
from simulator.okx import signing
from simulator.okx.calls import QUERIES, REST_OPERATIONS, Operation, Query
from simulator.okx.fields import Fields
from simulator.okx.limits import Limits
from simulator.okx.operations import Operations
from simulator.okx.refusals import HTTP_OK, Refusal, refused
from simulator.okx.trouble import RestTrouble
from simulator.okx.venue import OkxVenue
from simulator.trouble import ORDER_FAULTS, PAGE_FAULTS, QUESTION_FAULTS

NOBODY = Account(AccountConfig(name="", api_key="", secret=""))
BANNED = "<html><head><title>403 Forbidden</title></head><body>403 Forbidden</body></html>"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it stood on the wire."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    ip: str

    @property
    def signed_text(self) -> str:
        """What is signed after the timestamp."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.method}{self.path}{query}{self.body}"


class Rest:
    """Answers requests of all products."""

    def __init__(self, venue: OkxVenue, limits: Limits, faults: Faults) -> None:
        self._venue = venue
        self._limits = limits
        self._trouble = RestTrouble(faults, venue, limits)
        self._operations = Operations(venue, limits)

    async def handle(self, request: web.Request) -> web.Response:
        """The aiohttp handler of every REST path."""
        path, _, query = request.raw_path.partition("?")
        asked = Asked(
            method=request.method,
            path=path,
            query=query,
            body=await request.text(),
            headers=request.headers,
            ip=request.remote or "",
        )
        if self._limits.is_banned(asked.ip):
            return web.Response(text=BANNED, status=403, content_type="text/html")
        received_us = time.time_ns() // 1000
        try:
            document, is_trade = self._answer(asked)
        except Refusal as refusal:
            body: Document = {"code": refusal.code, "msg": refusal.message, "data": []}
            return _json(body, refusal.status)
        if is_trade:
            document |= {"inTime": str(received_us), "outTime": str(time.time_ns() // 1000)}
        return _json(document)

    def _answer(self, asked: Asked) -> tuple[Document, bool]:
        operation = REST_OPERATIONS.get(asked.path) if asked.method == "POST" else None
        query = QUERIES.get(asked.path) if asked.method == "GET" else None
        if operation is not None:
            account = self._account(asked)
            rows = _rows(asked.body, operation)
            act = partial(self._operate, asked, account, operation, rows)
            return self._trouble.meet(asked.ip, act, ORDER_FAULTS), True
        if query is None:
            raise refused("no_path")
        if query.is_public:
            return self._ask(asked, NOBODY, query), False
        ask = partial(self._ask, asked, self._account(asked), query)
        fitting = PAGE_FAULTS if query.is_paged else QUESTION_FAULTS
        return self._trouble.meet(asked.ip, ask, fitting), False

    def _operate(
        self, asked: Asked, account: Account, operation: Operation, rows: list[Mapping[str, Any]]
    ) -> Document:
        deadline = asked.headers.get("expTime", "")
        return self._operations.carry_out(operation, account, rows, deadline)

    def _ask(self, asked: Asked, account: Account, query: Query) -> Document:
        fields = Fields(dict(parse_qsl(asked.query, keep_blank_values=True)))
        key = [asked.ip if query.rate.scope == "ip" else account.name, asked.path]
        if query.rate.scope == "user+instrument":
            key.append(fields.text("instId"))
        self._limits.take(query.rate, tuple(key))
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
        payload = timestamp + asked.signed_text
        signing.check_signature(account.credentials[key], payload, signature, passphrase)
        return account


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


def _json(document: Document, status: int = HTTP_OK) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")
