"""The REST face of both products: who asks, what it weighs, what trouble it meets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.binance.limits import Limits
from simulator.binance.listen_keys import ListenKeys
from simulator.binance.params import Call, Params
from simulator.binance.refusals import Refusal, refused
from simulator.binance.signing import check_rest_signature, check_time
from simulator.binance.spot_calls import SPOT_CALLS
from simulator.binance.trouble import BinanceTrouble
from simulator.binance.usdm_calls import USDM_CALLS
from simulator.binance.venue import BinanceVenue
from simulator.config import AccountConfig
from simulator.faults import Faults
from simulator.instrument import Product
from simulator.trouble import ORDER_FAULTS, PAGE_FAULTS, QUESTION_FAULTS

NOBODY = Account(AccountConfig(name="", api_key="", secret=""))
USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it stood on the wire."""

    method: str
    path: str
    query: str
    body: str
    api_key: str
    ip: str

    @property
    def product(self) -> Product:
        """Which product the path belongs to."""
        return "spot" if self.path.startswith("/api/") else "linear"

    @property
    def params(self) -> dict[str, str]:
        """Query and form body; the query wins (docs/venues/binance.md 2.1)."""
        body = dict(parse_qsl(self.body, keep_blank_values=True))
        return body | dict(parse_qsl(self.query, keep_blank_values=True))


class Rest:
    """Answers requests of both products."""

    def __init__(
        self, venue: BinanceVenue, limits: Limits, faults: Faults, keys: ListenKeys
    ) -> None:
        self._venue = venue
        self._limits = limits
        self._trouble = BinanceTrouble(faults, venue.view, limits)
        self._calls: dict[tuple[str, str], Call] = SPOT_CALLS | USDM_CALLS | keys.calls()

    async def handle(self, request: web.Request) -> web.Response:
        """The aiohttp handler of every REST path."""
        path, _, query = request.raw_path.partition("?")
        asked = Asked(
            method=request.method,
            path=path,
            query=query,
            body=await request.text(),
            api_key=request.headers.get("X-MBX-APIKEY", ""),
            ip=request.remote or "",
        )
        headers: dict[str, str] = {}
        try:
            return _json(self._answer(asked, headers), 200, headers)
        except Refusal as refusal:
            return _refused(refusal, headers)

    def _answer(self, asked: Asked, headers: dict[str, str]) -> object:
        call = self._calls.get((asked.method, asked.path))
        if call is None:
            raise refused("no_path")
        params = Params(asked.params)
        self._charge(asked, call.weight(params), headers)
        if call.security == "none":
            return self._carry_out(call, asked, params, headers)
        act = partial(self._carry_out, call, asked, params, headers)
        fitting = ORDER_FAULTS
        if asked.method == "GET":
            fitting = PAGE_FAULTS if call.is_paged else QUESTION_FAULTS
        try:
            return self._trouble.meet(asked.ip, act, fitting)
        except Refusal as refusal:
            if refusal.status == 429 and refusal.code == -1003:
                headers["Retry-After"] = "1"
            elif refusal.status == 418:
                wait_s = self._limits.retry_after_s(asked.ip, asked.product)
                headers["Retry-After"] = str(wait_s)
            raise

    def _carry_out(
        self, call: Call, asked: Asked, params: Params, headers: dict[str, str]
    ) -> object:
        market = self._venue.spot if asked.product == "spot" else self._venue.linear
        account = self._account(asked, call)
        answer = call.answer(market, account, params)
        if call.is_free_when_done:
            used = self._limits.give_back(asked.ip, asked.product, call.weight(params))
            headers[USED_WEIGHT] = str(used)
        if call.counts_orders:
            headers |= market.counts.headers(account)
        return answer

    def _charge(self, asked: Asked, weight: int, headers: dict[str, str]) -> None:
        try:
            used = self._limits.take(asked.ip, asked.product, weight)
            headers[USED_WEIGHT] = str(used)
        except Refusal:
            headers["Retry-After"] = str(self._limits.retry_after_s(asked.ip, asked.product))
            raise

    def _account(self, asked: Asked, call: Call) -> Account:
        if call.security == "none":
            return NOBODY
        account = self._venue.by_key.get(asked.api_key)
        if account is None:
            raise refused("bad_key") if asked.api_key else refused("no_key")
        if asked.product not in account.config.symbols:
            raise refused("bad_key")
        if call.security == "signed":
            check_signed(account, asked, self._venue.clock.now_ms())
        return account


def check_signed(account: Account, asked: Asked, now_ms: int) -> None:
    """`Refusal` where signature or time are wrong."""
    secret = account.credentials[asked.api_key].secret
    check_rest_signature(secret, asked.query, asked.body)
    params = asked.params
    check_time(params.get("timestamp", ""), params.get("recvWindow", ""), now_ms)


def _refused(refusal: Refusal, headers: Mapping[str, str]) -> web.Response:
    return _json(refusal.document, refusal.status, headers)


def _json(document: object, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=orjson.dumps(document),
        status=status,
        headers=headers,
        content_type="application/json",
    )
