"""How orders are entered at a venue: what is sent, and what an answer to it means. Pure.

An adapter that describes it gives its `Venue` an `OrderEntry`; one without takes no orders.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from venues.request import Context, HttpRequest

_CODE: Final = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class OrderName:
    """How the venue knows an order; one of the two ids is there, and the venue's own goes first.

    `is_conditional`: it waits for its trigger, under end points of its own where a venue has such.
    """

    product: str
    symbol: str
    venue_order_id: str | None = None
    client_order_id: str | None = None
    is_conditional: bool = False


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One request that changes something at the venue, signed; used once.

    `canonical` is what it says without key, time and signature: what the log may hold.
    `expires_ns` is the venue's own time (ns) until which it takes the request; None: for ever.
    """

    http: HttpRequest
    canonical: str
    expires_ns: int | None = None


class Judgement(NamedTuple):
    """What an answer means for the request that it answers; `code` is the venue's own, or ""."""

    reply: ReplyClass
    code: str = ""


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """The requests of one venue, and the meaning of its answers.

    `cancel` raises ValueError where the order cannot be named so. `judge(verb, product, status,
    body)` is a whitelist: what it does not know by verb, status, code and text is UNKNOWN, and so
    is a body that cannot be read; it never raises.
    """

    cancel: Callable[[OrderName, Context], SignedRequest]
    judge: Callable[[Verb, str, int, bytes], Judgement]


def code_in(answer: Mapping[str, Any], name: str) -> str:
    """The venue's code in field `name`; "" where there is none.

    What is longer than any code is none: it may be an echo of what was sent (decision 0513).
    """
    code = answer.get(name)
    text = str(code) if type(code) in (int, str) else ""
    return text if _CODE.fullmatch(text) else ""
