"""The straight way of the most frequent frames says what the general way says, or nothing."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import orjson
import pytest

from bench.frames import Load
from orderloom.words import Source
from tests.venues.frames import cases
from tests.venues.mutations import MUTATIONS
from venues import VENUES
from venues.document import read
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame, Venue

SEED = 20_261_130
MUTATED = 20_000
TRADED = 4_000
USUAL = [pytest.param(venue, id=name) for name, venue in VENUES.items() if venue.usual is not None]


def generally(venue: Venue, body: bytes, product: str | None) -> Translation | str:
    try:
        document = read(body, venue.bare_words)
        return venue.translate(Inbound(document, Source.STREAM, product))
    except (BadFrame, UnknownFrame) as error:
        return str(error)


def agree(venue: Venue, body: bytes, product: str | None) -> bool:
    """Whether the straight way took the frame; where it did, the general way says the same."""
    assert venue.usual is not None
    events = venue.usual(body, product)
    if events is None:
        return False
    said = generally(venue, body, product)
    assert said == Translation(events), body
    assert repr(said) == repr(Translation(events)), body  # the very digits too
    return True


def traded(venue: str) -> Iterator[tuple[bytes, str]]:
    """Frames of the simulated venue's seeded histories."""
    load = Load()
    assert venue == "binance"
    for account in load.accounts:
        for frame in load.frames(account, TRADED // len(load.accounts)):
            yield frame.body, frame.product


@pytest.mark.parametrize("venue", USUAL)
def test_every_recorded_and_documented_message(venue: Venue) -> None:
    for case in cases(venue.name):
        for product in (case.product, None):
            agree(venue, case.body, product)


@pytest.mark.parametrize("venue", USUAL)
def test_what_a_simulated_venue_sends_and_most_of_it_is_taken(venue: Venue) -> None:
    taken: Counter[tuple[str, bool]] = Counter()
    for body, product in traded(venue.name):
        document = orjson.loads(body)
        event = document.get("event", document)
        taken[event["e"], agree(venue, body, product)] += 1
    for name in ("executionReport", "ORDER_TRADE_UPDATE", "TRADE_LITE", "outboundAccountPosition"):
        assert taken[name, True] > 2 * taken[name, False], taken


@pytest.mark.parametrize("venue", USUAL)
def test_whatever_happens_to_a_frame(venue: Venue) -> None:
    random = Random(SEED)
    known = [
        (body, product)
        for body, product in islice(traded(venue.name), 500)
        if venue.usual is not None and venue.usual(body, product) is not None
    ]
    names = list(MUTATIONS)
    outcomes: Counter[bool] = Counter()
    for number in range(MUTATED):
        body, product = known[number % len(known)]
        document: Any = orjson.loads(body)
        mutated = MUTATIONS[names[random.randrange(len(names))]](document, random)
        outcomes[agree(venue, mutated, product)] += 1
    assert min(outcomes.values()) > MUTATED / 100, outcomes
