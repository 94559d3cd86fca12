"""Dusk's requests, and how they are signed. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from venues.rates import Cost
from venues.request import Context, HttpRequest
from venues.venue import SECOND_NS

SPOT: Final = "spot"
FUTURE: Final = "linear"
PRODUCTS: Final = (SPOT, FUTURE)
KINDS: Final = {SPOT: "coins", FUTURE: "futures"}
ASKS: Final = "asks"
LISTS: Final = "lists"
ADDRESS: Final = "address"
PUBLIC: Final = ("clock", "markets")


def get_request(
    product: str, path: str, wanted: Mapping[str, str | None], context: Context
) -> HttpRequest:
    """The request of `path`, signed if it is not public; what is None or empty is not asked for."""
    query = urlencode({name: value for name, value in wanted.items() if value})
    target = f"/v/{path}?{query}" if query else f"/v/{path}"
    signed = {} if path in PUBLIC else _signature(target, context)
    url = f"{context.endpoints.rest[product]}{target}"
    market = wanted.get("market")
    narrow = (Cost(LISTS, market=market),) if market else ()
    costs = (*narrow, Cost(ASKS), Cost(ADDRESS))
    return HttpRequest("GET", url, signed, channel=f"GET {path}", costs=costs)


def _signature(target: str, context: Context) -> dict[str, str]:
    now = seconds_of(context.venue_ns)
    mark = mac(context, f"{now}{target}")
    return {"Dusk-Key": context.credentials.key, "Dusk-Time": now, "Dusk-Mac": mark}


def seconds_of(ns: int | None) -> str:
    """A time as Dusk writes it."""
    return "" if ns is None else f"{ns // SECOND_NS}.{ns % SECOND_NS:09d}"


def mac(context: Context, what: str) -> str:
    """Dusk's signature of `what`."""
    return hmac.new(context.credentials.secret.encode(), what.encode(), hashlib.sha512).hexdigest()
