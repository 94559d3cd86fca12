"""The REST face: its calls, who asks, how often, what trouble the request meets."""

from functools import partial
from typing import Any

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.bybit import query_calls as queries
from simulator.bybit import trade_calls as trades
from simulator.bybit.fields import Fields
from simulator.bybit.limits import Limits
from simulator.bybit.refusals import refused
from simulator.bybit.signing import check_request
from simulator.bybit.trade_calls import Operation
from simulator.bybit.venue import BybitVenue
from simulator.bybit.wishes import wishes_of
from simulator.faults import Faults
from simulator.journal import Wish
from simulator.message import Document
from simulator.refusal import Refused
from simulator.trouble import ORDER_FAULTS, Trouble
from simulator.wire.attempts import Act, Attempts
from simulator.wire.calls import NOBODY, Asked, Call, fitting_faults
from simulator.wire.calls import Rest as WireRest

OPEN_OUTCOMES = ("timeout", "server_error", "unavailable")
"""Answers that leave it open whether the request was carried out."""
OPERATIONS = {
    f"/v5/order/{one.name}": one
    for one in (
        Operation("create", trades.create, 10, 20),
        Operation("amend", trades.amend, 10, 10),
        Operation("cancel", trades.cancel, 10, 20),
        Operation("cancel-all", trades.cancel_all, 10, 20),
        Operation("create-batch", trades.create, 10, 20, is_batch=True),
        Operation("amend-batch", trades.amend, 10, 20, is_batch=True),
        Operation("cancel-batch", trades.cancel, 10, 20, is_batch=True),
    )
}
QUERIES = {
    "/v5/market/time": Call(queries.server_time, 0, "none"),
    "/v5/market/instruments-info": Call(queries.instruments, 0, "none", is_paged=True),
    "/v5/order/realtime": Call(queries.realtime, 50, is_paged=True),
    "/v5/order/history": Call(queries.history, 50, is_paged=True),
    "/v5/execution/list": Call(queries.executions, 50, is_paged=True),
    "/v5/position/list": Call(queries.positions, 50, is_paged=True),
    "/v5/account/wallet-balance": Call(queries.wallet, 50),
    "/v5/account/fee-rate": Call(queries.fee_rate, 5),
    "/v5/account/info": Call(queries.account_info, 50),
    "/v5/user/query-api": Call(queries.key_info, 10),
}


class Rest(WireRest):
    """Answers requests of all products."""

    def __init__(
        self, venue: BybitVenue, limits: Limits, faults: Faults, attempts: Attempts
    ) -> None:
        super().__init__(attempts)
        self._venue = venue
        self._limits = limits
        self._trouble = Trouble(faults, venue.view, refused, limits.ban_all, unknown=OPEN_OUTCOMES)

    def firewall(self, asked: Asked) -> web.Response | None:
        """It answers who is banned, or sends a body with a question, without any codes."""
        has_body = asked.method == "GET" and bool(asked.body)
        if has_body or self._limits.is_banned(asked.ip):
            text = "403 Forbidden" if has_body else "403 access too frequent"
            return web.Response(text=text, status=403, content_type="text/html")
        return None

    def wishes(self, asked: Asked) -> list[Wish]:
        """One for each order of an operation; one of nothing where its body cannot be read."""
        operation = OPERATIONS.get(asked.path) if asked.method == "POST" else None
        if operation is None:
            return []
        account = self._venue.by_key.get(asked.headers.get("X-BAPI-API-KEY", ""))
        stamps = [asked.headers.get(f"X-BAPI-{name}", "") for name in ("TIMESTAMP", "RECV-WINDOW")]
        try:
            fields = _body(asked.body)
        except Refused:
            fields = Fields({})
        return wishes_of(operation.name, fields, account.name if account else "", *stamps)

    def admit(self, asked: Asked, headers: dict[str, str]) -> Act[Document]:
        """Operations by POST, questions by GET."""
        self._limits.take_request(asked.ip)
        operation = OPERATIONS.get(asked.path) if asked.method == "POST" else None
        query = QUERIES.get(asked.path) if asked.method == "GET" else None
        if operation is None and query is None:
            raise refused("no_path")
        if query is not None and query.access == "none":
            return partial(self._ask, asked, NOBODY, query, headers)
        payload, now_ms = asked.query if query else asked.body, self._venue.now_ms
        account = check_request(self._venue.by_key, asked.headers, payload, now_ms)
        if query is not None:
            fitting = fitting_faults(asked.method, is_paged=query.is_paged)
            ask = partial(self._ask, asked, account, query, headers)
            return partial(self._trouble.meet, asked.ip, ask, fitting)
        assert operation is not None, "neither a question nor an operation has no path"
        act = partial(self._operate, asked, account, operation, headers)
        return partial(self._trouble.meet, asked.ip, act, ORDER_FAULTS)

    def refusal(self, refusal: Refused) -> Document:
        """As an answer with an empty result."""
        return envelope(refusal.code, refusal.message, {}, self._venue.now_ms)

    def _operate(
        self, asked: Asked, account: Account, operation: Operation, headers: dict[str, str]
    ) -> Document:
        wire = (self._limits, headers)
        result, more = operation.carry_out(self._venue, account, _body(asked.body), wire)
        return envelope(0, "OK", result, self._venue.now_ms, more)

    def _ask(
        self, asked: Asked, account: Account, query: Call, headers: dict[str, str]
    ) -> Document:
        if query.cost:
            self._limits.take(account.name, asked.path, query.cost, headers)
        fields = queries.FIELDS.get(asked.path, Fields)(asked.fields)
        result = query.answer(self._venue, account, fields)
        return envelope(0, "OK", result, self._venue.now_ms)


def envelope(
    code: int | str, text: str, result: Any, now_ms: int, more: Document | None = None
) -> Document:
    """What every answer stands in."""
    return {"retCode": code, "retMsg": text, "result": result, "retExtInfo": more or {},
        "time": now_ms}  # fmt: skip


def _body(text: str) -> Fields:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise refused("bad", name="body")
    return Fields(document)
