"""OKX: spot and margin (`spot`), linear and inverse perpetual contracts (`linear`, `inverse`)."""

from typing import Final

from venues.okx.limits import BUCKET_LIMITS, backoff
from venues.okx.order_entry import ORDERS
from venues.okx.profile import ENVIRONMENTS, PRODUCTS, PROFILES
from venues.okx.questions import ask, is_complete_answer, next_page, server_time
from venues.okx.requests import PONG
from venues.okx.streams import streams
from venues.okx.translate import translate
from venues.venue import Venue

OKX: Final = Venue(
    name="okx",
    products=PRODUCTS,
    environments=ENVIRONMENTS,
    buckets=BUCKET_LIMITS,
    profiles=PROFILES,
    streams=streams,
    ask=ask,
    next_page=next_page,
    is_complete_answer=is_complete_answer,
    backoff=backoff,
    server_time=server_time,
    translate=translate,
    bare_words=frozenset({PONG}),
    list_field="data",
    needs_passphrase=True,
    orders=ORDERS,
)
