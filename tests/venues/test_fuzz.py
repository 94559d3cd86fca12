"""10,000 seeded messages that went wrong: each is accounted for, and none of them harms another."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.venues.frames import Case, cases, is_placed
from tests.venues.mutations import MUTATIONS, extended
from venues import VENUES
from venues.document import parse
from venues.venue import BadFrame, Translation, UnknownFrame, Venue

SEED = 20_261_121
MESSAGES = 10_000
UNMUTATED_EVERY = 10
EVERY_VENUE = pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))


def outcome_of(venue: Venue, case: Case, body: bytes) -> tuple[str, Translation | None]:
    """How a message is accounted for; anything else that is raised fails the test."""
    try:
        translation = venue.translate(case.inbound(parse(body)))
    except (BadFrame, UnknownFrame) as error:
        reason = error.args[0]
        return ("bad" if type(error) is BadFrame else "unknown") if reason else "silent", None
    assert not (translation.events and translation.ignored)
    assert all(is_placed(venue, said) for said in translation.events), translation.events
    return ("evidence" if translation.events else "ignored"), translation


def document_of(case: Case) -> Any:
    return parse(case.body)


@EVERY_VENUE
def test_every_mutated_message_is_accounted_for_and_whole_ones_between_say_the_same(
    venue: Venue,
) -> None:
    random = Random(SEED)
    known = cases(venue.name)
    whole = {case.name: outcome_of(venue, case, case.body) for case in known}
    outcomes: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    names = list(MUTATIONS)
    for number in range(MESSAGES):
        case, name = known[number % len(known)], names[random.randrange(len(names))]
        body = MUTATIONS[name](document_of(case), random)
        outcomes[name, outcome_of(venue, case, body)[0]] += 1
        kinds[case.kind] += 1
        if number % UNMUTATED_EVERY == 0:
            other = random.choice(known)
            assert outcome_of(venue, other, other.body) == whole[other.name]
    assert sum(outcomes.values()) == MESSAGES
    assert set(kinds) == {case.kind for case in known}
    assert {name for name, _ in outcomes} == set(MUTATIONS)
    assert {outcome for _, outcome in outcomes} == {"bad", "unknown", "evidence", "ignored"}


@EVERY_VENUE
def test_an_unknown_field_anywhere_changes_nothing_in_the_evidence(venue: Venue) -> None:
    random = Random(SEED)
    for case in cases(venue.name) * 5:
        outcome, translation = outcome_of(venue, case, case.body)
        changed = outcome_of(venue, case, extended(document_of(case), random))
        assert changed[0] == outcome, case.name
        if translation is not None and changed[1] is not None:
            assert changed[1].events == translation.events, case.name
            assert changed[1].ignored == translation.ignored, case.name


@EVERY_VENUE
def test_a_message_says_the_same_each_time_and_is_not_changed_by_reading(venue: Venue) -> None:
    for case in cases(venue.name):
        document = document_of(case)
        first = venue.translate(case.inbound(document))
        assert document == document_of(case), case.name
        assert venue.translate(case.inbound(document)) == first, case.name
