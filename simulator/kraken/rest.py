"""REST of both systems: who asks, how often, what trouble the request meets."""

from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.faults import Faults
from simulator.instrument import Product
from simulator.kraken import spot_calls
from simulator.kraken.fields import FuturesFields, SpotFields
from simulator.kraken.futures_calls import CALLS, HISTORY
from simulator.kraken.futures_queries import with_time
from simulator.kraken.limits import KrakenLimits
from simulator.kraken.refusals import (
    UNKNOWN_FUTURES,
    UNKNOWN_SPOT,
    futures_refused,
    spot_refused,
)
from simulator.kraken.settings import KrakenSettings
from simulator.kraken.signing import futures_signature, spot_signature
from simulator.kraken.system import KrakenSystem
from simulator.message import Document
from simulator.refusal import Refused
from simulator.trouble import ORDER_FAULTS, PAGE_FAULTS, QUESTION_FAULTS, Trouble
from simulator.wire.attempts import Act, Attempts
from simulator.wire.calls import NOBODY, Asked, Call, Rest
from simulator.wire.signing import is_same
from simulator.wire.tickets import Tickets

TOKEN = "GetWebSocketsToken"  # noqa: S105 (a path)
PRIVATE = "/0/private/"
SPOT: tuple[Product, ...] = ("spot",)
FUTURES: tuple[Product, ...] = ("linear", "inverse")
FIREWALLED = (429, 502)
"""Statuses of what stands before both systems, which answers without their words."""
NONCES_KEPT = 1000
OLDER_HISTORY = "/api/history/v2/"
"""Clients in use ask it still, and read the same."""


def fitting(call: Call) -> frozenset[str]:
    """What may happen to a call."""
    if call.counts_orders:
        return ORDER_FAULTS
    return PAGE_FAULTS if call.is_paged else QUESTION_FAULTS


class KrakenRest(Rest):
    """What both systems have in common."""

    def __init__(self, limits: KrakenLimits, attempts: Attempts) -> None:
        super().__init__(attempts)
        self.limits = limits

    def firewall(self, asked: Asked) -> web.Response | None:
        """Who is banned is answered by it."""
        if self.limits.is_banned(asked.ip):
            return web.Response(text="error code: 1015", status=429)
        return None

    async def handle(self, request: web.Request) -> web.Response:
        """Some refusals look as if the firewall gave them."""
        answer = await super().handle(request)
        is_ours = answer.content_type == "application/json"
        if is_ours and answer.status in FIREWALLED and answer.status != self.limits.limit_status:
            return web.Response(text=f"error code: {answer.status}", status=answer.status)
        return answer


class SpotRest(KrakenRest):
    """Answers requests to Spot."""

    def __init__(
        self, system: KrakenSystem, faults: Faults, attempts: Attempts, tokens: Tickets,
        face: KrakenSettings,
    ) -> None:  # fmt: skip
        super().__init__(system.limits, attempts)
        self._system, self._tokens, self._face = system, tokens, face
        self._nonces: dict[str, int] = {}
        self._trouble = Trouble(
            faults, system.venue.view, spot_refused, self.limits.ban_spot, unknown=UNKNOWN_SPOT
        )

    def admit(self, asked: Asked, headers: dict[str, str]) -> Act[Document]:
        """All is the book's part."""
        return partial(self._answer, asked)

    def _answer(self, asked: Asked) -> Document:
        """Public calls by GET, private ones by POST with a nonce that rises."""
        public = spot_calls.PUBLIC.get(asked.path)
        if public is not None:
            return {
                "error": [],
                "result": public.answer(self._system, NOBODY, SpotFields(asked.fields)),
            }
        name = asked.path.removeprefix(PRIVATE)
        call = Call(self._token, 1) if name == TOKEN else spot_calls.PRIVATE.get(name)
        if call is None or asked.method != "POST":
            raise spot_refused("no_path")
        fields = _body(asked)
        account = self._account(asked, SpotFields(fields))
        ask = partial(self._ask, call, account, SpotFields(fields))
        return {"error": [], "result": self._trouble.meet(asked.ip, ask, fitting(call))}

    def refusal(self, refusal: Refused) -> Document:
        """A list of one error."""
        return {"error": [refusal.message]}

    def _ask(self, call: Call, account: Account, fields: SpotFields) -> Any:
        cost = self._face.history_cost if call.cost is None else call.cost
        if cost:
            self.limits.take_call(account.name, cost)
        return call.answer(self._system, account, fields)

    def _token(self, system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
        ticket = self._tokens.open(account.name)
        return {"token": ticket.text, "expires": int(self._face.token_s)}

    def _account(self, asked: Asked, fields: SpotFields) -> Account:
        key, nonce = asked.headers.get("API-Key", ""), fields.text("nonce")
        account = self._system.venue.account_of(key, SPOT)
        if account is None:
            raise spot_refused("bad_key")
        secret = account.credentials[key].secret
        wanted = spot_signature(secret, asked.path, nonce, asked.body)
        if not is_same(wanted, asked.headers.get("API-Sign", "")):
            raise spot_refused("bad_signature")
        if not nonce.isdecimal() or int(nonce) <= self._nonces.get(key, 0):
            raise spot_refused("bad_nonce")
        self._nonces[key] = int(nonce)
        return account


def _body(asked: Asked) -> dict[str, Any]:
    if not asked.body.startswith("{"):
        return dict(asked.fields)
    try:
        document = orjson.loads(asked.body)
    except orjson.JSONDecodeError:
        raise spot_refused("bad", name="body") from None
    return dict(document)


class FuturesRest(KrakenRest):
    """Answers requests to Futures."""

    def __init__(self, system: KrakenSystem, faults: Faults, attempts: Attempts) -> None:
        super().__init__(system.limits, attempts)
        self._system = system
        self._nonces: dict[str, dict[int, None]] = {}
        self._trouble = Trouble(
            faults, system.venue.view, futures_refused, self.limits.ban_futures,
            unknown=UNKNOWN_FUTURES,
        )  # fmt: skip

    def admit(self, asked: Asked, headers: dict[str, str]) -> Act[Document]:
        """All is the book's part."""
        return partial(self._answer, asked)

    def _answer(self, asked: Asked) -> Document:
        """Every answer of the trading paths says the time."""
        path = asked.path.replace(OLDER_HISTORY, HISTORY)
        call = CALLS.get((asked.method, path)) or CALLS.get(("", path))
        if call is None:
            raise futures_refused("no_path")
        fields = FuturesFields(_repeated(asked))
        if call.access == "none":
            return dict(call.answer(self._system, NOBODY, fields))
        account = self._account(asked)
        ask = partial(self._ask, call, account, fields)
        return dict(self._trouble.meet(asked.ip, ask, fitting(call)))

    def refusal(self, refusal: Refused) -> Document:
        """`result: error`."""
        return with_time(self._system.venue, {"result": "error", "error": refusal.message})

    def _ask(self, call: Call, account: Account, fields: FuturesFields) -> Document:
        budget, cost = call.cost
        cost = cost(fields) if callable(cost) else cost
        self.limits.take_futures(account.name, budget, cost)
        return dict(call.answer(self._system, account, fields))

    def _account(self, asked: Asked) -> Account:
        key, nonce = asked.headers.get("APIKey", ""), asked.headers.get("Nonce", "")
        account = self._system.venue.account_of(key, FUTURES)
        if account is None:
            raise futures_refused("bad_key")
        secret, said = account.credentials[key].secret, asked.query or asked.body
        wanted = futures_signature(secret, asked.path, nonce, said)
        if not is_same(wanted, asked.headers.get("Authent", "")):
            raise futures_refused("bad_key")
        if nonce:
            self._take_nonce(key, nonce)
        return account

    def _take_nonce(self, key: str, nonce: str) -> None:
        """None twice; a little out of order is taken, far below the last ones is not."""
        seen = self._nonces.setdefault(key, {})
        if not nonce.isdecimal() or int(nonce) in seen:
            raise futures_refused("nonce_again")
        if len(seen) >= NONCES_KEPT and int(nonce) < min(seen):
            raise futures_refused("nonce_low")
        seen[int(nonce)] = None
        if len(seen) > NONCES_KEPT:
            del seen[min(seen)]


def _repeated(asked: Asked) -> dict[str, Any]:
    """Parameters; what comes several times is a list."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(asked.query or asked.body, keep_blank_values=True):
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
