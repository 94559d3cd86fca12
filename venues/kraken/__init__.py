"""Kraken: Spot (`spot`) and Kraken Futures (`linear`, `inverse`), two systems of one venue."""

from typing import Final

from venues.kraken.limits import BUCKET_LIMITS, backoff
from venues.kraken.profile import CLOCK_STEPS_NS, ENVIRONMENTS, PRODUCTS, PROFILES
from venues.kraken.questions import ask, is_complete_answer, next_page, server_time
from venues.kraken.streams import streams
from venues.kraken.translate import translate
from venues.kraken.words import INVERSE, LINEAR, SPOT
from venues.venue import Venue

KRAKEN: Final = Venue(
    name="kraken",
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
    clock_steps_ns=CLOCK_STEPS_NS,
    # A nonce must rise, and one that was overtaken is refused. Futures wants none.
    serial=frozenset({SPOT}),
    key_groups=(frozenset({SPOT}), frozenset({LINEAR, INVERSE})),
    # The stream says `BTC/USD`, answers `XBTUSD` or `XXBTZUSD`.
    names_vary=frozenset({SPOT}),
)
