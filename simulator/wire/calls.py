"""REST: a table of calls, and what becomes of each request on its way through it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from simulator.accounts import Account
from simulator.config import AccountConfig
from simulator.journal import Wish
from simulator.message import Document
from simulator.refusal import Refused
from simulator.trouble import ORDER_FAULTS, PAGE_FAULTS, QUESTION_FAULTS
from simulator.wire.attempts import Act, Attempts, Lost
from simulator.wire.fields import Fields
from simulator.wire.lines import RequestLine
from simulator.wire.wishes import Said

HTTP_OK = 200
NOBODY = Account(AccountConfig(name="", api_key="", secret=""))
"""Who asks where no key is needed."""
Access = Literal["none", "key", "signed"]


class LimitAnswer(web.Response):
    """A refusal for a rate limit: at some venues its status does not say so."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what answers it, what it costs, and who may.

    `answer` takes where it is asked (a market, a venue), who asks, and the fields. `cost` is the
    venue's own measure.
    """

    answer: Callable[[Any, Account, Any], Any]
    cost: Any
    access: Access = "signed"
    is_paged: bool = False
    """Whether its list goes on over further pages."""
    counts_orders: bool = False
    """Whether it makes or changes orders, which the venue counts."""
    is_free_when_done: bool = False
    """Whether only a refusal costs something."""
    wishes: tuple[Said, ...] = ()
    """What it asks the book to do, where it asks for anything."""


def costs(cost: int) -> Callable[[Fields], int]:
    """The same whatever the fields."""
    return lambda fields: cost


def costs_by(name: str, named: int, unnamed: int) -> Callable[[Fields], int]:
    """Another where a field is sent."""
    return lambda fields: named if fields.has(name) else unnamed


@dataclass(frozen=True)
class Asked:
    """One request as it stood on the wire."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    ip: str

    @cached_property
    def fields(self) -> dict[str, str]:
        """Query and form body; the query wins."""
        body = dict(parse_qsl(self.body, keep_blank_values=True))
        return body | dict(parse_qsl(self.query, keep_blank_values=True))


def fitting_faults(method: str, *, is_paged: bool) -> frozenset[str]:
    """What may happen to such a request."""
    if method != "GET":
        return ORDER_FAULTS
    return PAGE_FAULTS if is_paged else QUESTION_FAULTS


class Rest(ABC):
    """Answers requests; each venue's own looks them up, charges them and knows who asks."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def handle(self, request: web.Request) -> web.Response:
        """The aiohttp handler of every REST path."""
        path, _, query = request.raw_path.partition("?")
        ip, body = request.remote or "", await request.text()
        asked = Asked(request.method, path, query, body, request.headers, ip)
        attempt = self._attempts.begin(self.wishes(asked), RequestLine(request))
        headers: dict[str, str] = {}
        try:
            await attempt.arrive()
            barred = self.firewall(asked)
            if barred is not None:
                attempt.barred(barred.status)
                return barred
            document = await attempt.carry_out(partial(self.admit, asked, headers))
        except Lost:
            return web.Response()  # the connection is gone: nobody reads it
        except Refused as refusal:
            attempt.answered(refusal.status, str(refusal.code))
            return self._refused(refusal, headers)
        attempt.answered(HTTP_OK)
        return _json(document, HTTP_OK, headers)

    def _refused(self, refusal: Refused, headers: Mapping[str, str]) -> web.Response:
        kind = LimitAnswer if refusal.is_limit else web.Response
        return _json(self.refusal(refusal), refusal.status, headers, kind)

    def wishes(self, asked: Asked) -> list[Wish]:
        """What a request would change, for the journal; empty where it only asks."""
        return []

    def firewall(self, asked: Asked) -> web.Response | None:
        """What stands before the venue answers who is banned; None lets the request through."""
        return None

    @abstractmethod
    def admit(self, asked: Asked, headers: dict[str, str]) -> Act[object]:
        """Let a request in, or refuse it; what is left to do makes the answer's document.

        The answer's headers are put into `headers`.
        """

    @abstractmethod
    def refusal(self, refusal: Refused) -> Document:
        """The document of a refusal."""


def _json(
    document: object,
    status: int,
    headers: Mapping[str, str],
    kind: type[web.Response] = web.Response,
) -> web.Response:
    return kind(
        body=orjson.dumps(document),
        status=status,
        headers=headers,
        content_type="application/json",
    )
