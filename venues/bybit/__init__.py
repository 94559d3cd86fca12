"""Bybit v5, unified account: `spot`, linear and inverse contracts (`linear`, `inverse`)."""

from typing import Final

from venues.bybit.limits import BUCKET_LIMITS, backoff
from venues.bybit.profile import ENVIRONMENTS, PRODUCTS, PROFILES
from venues.bybit.questions import ask, is_complete_answer, next_page, server_time
from venues.bybit.streams import streams
from venues.bybit.translate import translate
from venues.venue import Venue

BYBIT: Final = Venue(
    name="bybit",
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
)
