"""Binance: Spot (`spot`) and USD-M futures (`linear`)."""

from typing import Final

from venues.binance.limits import BUCKET_LIMITS, backoff
from venues.binance.order_entry import ORDERS
from venues.binance.profile import ENVIRONMENTS, PROFILES
from venues.binance.questions import ask, is_complete_answer, next_page, server_time
from venues.binance.reading import LINEAR, SPOT
from venues.binance.streams import streams
from venues.binance.translate import translate
from venues.binance.usual import usual
from venues.venue import Venue

BINANCE: Final = Venue(
    name="binance",
    products=(SPOT, LINEAR),
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
    usual=usual,
    orders=ORDERS,
)
