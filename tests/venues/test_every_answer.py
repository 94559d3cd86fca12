"""One contract, every exchange: what a question names, and what is made of the answers."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from orderloom.event import Event, OrderReport, Reply
from orderloom.question import About, Question
from orderloom.words import Source
from processors.pages import split
from tests.venues.frames import Case, cases, samples
from tests.venues.test_every_venue import (
    EVERY_VENUE,
    HISTORIES,
    LISTS_MAX,
    NOW_NS,
    context_of,
    question,
    questions,
    said_by,
)
from venues.document import parse
from venues.request import Credentials, HttpRequest
from venues.venue import MINUTE_NS, UNREADABLE, Page, Translation, Venue


def events_of(venue: Venue, case: Case) -> tuple[Event, ...]:
    return venue.translate(case.inbound(parse(case.body))).events


def asked_by(venue: Venue, asked: Question) -> tuple[str, bytes]:
    request = venue.ask(asked, context_of(venue))
    return request.url, request.body


@EVERY_VENUE
def test_a_question_about_an_order_names_it_or_asks_for_all_that_stand(venue: Venue) -> None:
    for product in venue.products:
        listed = asked_by(venue, question(venue, About.OPEN_ORDERS, product))
        for ids in ({"venue_order_id": "771"}, {"client_order_id": "771", "venue_order_id": None}):
            url, body = asked_by(venue, question(venue, About.ORDER, product, **ids))
            assert "771" in url or b"771" in body or (url, body) == listed, ids


@EVERY_VENUE
def test_a_question_about_the_past_says_since_when(venue: Venue) -> None:
    for product in venue.products:
        for about in HISTORIES:
            asked = {
                asked_by(venue, question(venue, about, product, since_ns=NOW_NS - ago_ns))
                for ago_ns in (60 * MINUTE_NS, 120 * MINUTE_NS)
            }
            assert len(asked) == 2, about


def complete_pages(venue: Venue) -> Iterator[tuple[Question, HttpRequest, Case]]:
    """Each question with the answers in the venue's frames that count as complete for it."""
    answers = [case for case in cases(venue.name) if case.source is not Source.STREAM]
    for asked in questions(venue):
        request = venue.ask(asked, context_of(venue))
        for case in answers:
            if venue.is_complete_answer(Page(1, request, 200, case.body)):
                yield asked, request, case


@EVERY_VENUE
def test_a_refusal_with_status_200_is_no_complete_answer(venue: Venue) -> None:
    for asked, _request, case in complete_pages(venue):
        said = events_of(venue, case)
        assert not said or any(type(one) is not Reply or one.accepted for one in said), (
            asked.about,
            case.name,
        )


@EVERY_VENUE
def test_the_same_page_again_and_again_is_never_asked_for_twice(venue: Venue) -> None:
    context = context_of(venue)
    for asked, first, case in complete_pages(venue):
        request: HttpRequest | None = first
        sent: list[tuple[object, ...]] = []
        with suppress(*UNREADABLE):  # a page that leads to itself may be an error, or an end
            while request is not None and len(sent) < LISTS_MAX:
                sent.append((request.url, request.body, request.carry))
                page = Page(len(sent), request, 200, case.body)
                request = venue.next_page(asked, page, context)
        assert len(set(sent)) == len(sent), (asked.about, case.name)


@EVERY_VENUE
def test_the_rows_of_what_stands_are_where_the_venue_says(venue: Venue) -> None:
    if venue.list_field is None:
        return  # it is the whole answer, or its rows are read each time (decision 0016)
    pages = {
        case.name: case.body
        for asked, _request, case in complete_pages(venue)
        if asked.about is About.OPEN_ORDERS
    }
    assert pages
    assert all(split(body, venue.list_field) is not None for body in pages.values())


@EVERY_VENUE
def test_its_clock_is_read_in_ns_from_an_answer_that_is_one(venue: Venue) -> None:
    told = samples(venue.name).clocks
    for body, ns in told:
        assert venue.server_time(body) == ns
    for product in venue.products:
        request = venue.ask(question(venue, About.SERVER_TIME, product), context_of(venue))
        assert any(venue.is_complete_answer(Page(1, request, 200, body)) for body, _ in told)
    for garbage in (b"", b"{}", b"[]", b"null", b"\xff", b'"soon"'):
        with pytest.raises(UNREADABLE):
            venue.server_time(garbage)


@EVERY_VENUE
def test_its_clock_and_instruments_are_asked_for_without_a_key(venue: Venue) -> None:
    # The edge has none for them: signed with nothing, each would be a refused key.
    named = context_of(venue)
    nobody = replace(named, credentials=Credentials("", ""))
    for product in venue.products:
        for about in (About.SERVER_TIME, About.INSTRUMENTS):
            asked = question(venue, about, product)
            one, other = venue.ask(asked, named), venue.ask(asked, nobody)
            assert (one.url, one.headers, one.body) == (other.url, other.headers, other.body), about


@EVERY_VENUE
def test_a_word_that_is_no_json_is_known_as_one_and_read(venue: Venue) -> None:
    documents = [parse(case.body) for case in cases(venue.name)]
    bare = {one.encode() for one in documents if type(one) is str}
    assert bare == venue.bare_words
    assert all(isinstance(said_by(venue, word), Translation) for word in bare)


@EVERY_VENUE
def test_what_is_pushed_and_what_is_asked_for_of_orders_compare_in_time(venue: Venue) -> None:
    dated = {
        case.source
        for case in cases(venue.name)
        for said in events_of(venue, case)
        if isinstance(said, OrderReport) and said.ordinal is not None
    }
    assert dated == {Source.STREAM, Source.QUERY}
