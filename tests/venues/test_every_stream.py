"""One contract, every exchange: its private connections, from the wish to LIVE."""

import re
from contextlib import suppress
from dataclasses import replace

import pytest

from ingest.http import can_be_headers
from tests.venues.frames import cases, heard_by, judged
from tests.venues.test_every_venue import EVERY_VENUE, SECRET, context_of, questions
from venues.request import Endpoints
from venues.venue import UNREADABLE, Turn, Venue


@EVERY_VENUE
def test_addresses_given_from_outside_replace_the_venues_own(venue: Venue) -> None:
    local = Endpoints(
        rest=dict.fromkeys(venue.products, "http://127.0.0.1:1"),
        stream=dict.fromkeys(venue.products, "ws://127.0.0.1:2"),
    )
    context = replace(context_of(venue), endpoints=local)
    for asked in questions(venue):
        assert venue.ask(asked, context).url.startswith("http://127.0.0.1:1/")
    for stream, heard in heard_by(venue):
        assert stream.address(context, heard[0]).startswith("ws://127.0.0.1:2/")


@EVERY_VENUE
def test_each_product_has_a_private_stream(venue: Venue) -> None:
    streams = venue.streams(venue.products)
    assert {product for stream in streams for product in stream.products} == set(venue.products)
    feeds = [(product, stream.feed) for stream in streams for product in stream.products]
    assert len(set(feeds)) == len(feeds), "two connections that bring the same"


@EVERY_VENUE
def test_a_heartbeat_is_well_within_the_silence_that_means_death(venue: Venue) -> None:
    for stream in venue.streams(venue.products):
        beat = stream.heartbeat
        assert beat.silence_ns_max > 0
        for period_ns in (beat.ping_after_ns, beat.ping_every_ns):
            assert period_ns is None or 0 < period_ns <= beat.silence_ns_max / 2
        if beat.ping is not None:
            ping = beat.ping(context_of(venue))
            assert type(ping) is bytes
            assert SECRET.encode() not in ping
            assert beat.ping_after_ns or beat.ping_every_ns, "it would never be sent"


@EVERY_VENUE
def test_a_handshake_has_headers_that_one_line_each_can_hold(venue: Venue) -> None:
    for environment, endpoints in venue.environments.items():
        given = [endpoints.headers, endpoints.stream_headers]
        context = context_of(venue, environment)
        given += [
            stream.headers(context) for stream in venue.streams(tuple(sorted(endpoints.products)))
        ]
        assert all(can_be_headers(headers) for headers in given)


STRANGE = (b"", b"\xff", b"null", b"[" * 999, b'{"token":5,"result":[]}', b"[7]", b"[[]]")


@EVERY_VENUE
def test_only_an_answer_that_holds_what_the_connection_needs_prepares_it(venue: Venue) -> None:
    for stream, heard in heard_by(venue):
        if stream.prepare is None:
            continue
        judge = stream.prepare.judge
        assert judge(200, heard[0][0]).turn is Turn.ADVANCE
        assert judge(401, b"{}").turn is Turn.REFUSED
        assert {judge(status, b"").turn for status in (429, 503)} == {Turn.RECONNECT}
        for body in STRANGE:
            # Raised or said, it is a refusal to the edge (decision 0512).
            with suppress(*UNREADABLE):
                if judge(200, body).turn is Turn.ADVANCE:
                    stream.address(context_of(venue), (body,))
                    pytest.fail(f"{body!r} was taken for a key")


@EVERY_VENUE
def test_each_stage_of_a_greeting_ends_with_its_own_answer(venue: Venue) -> None:
    for stream, heard in heard_by(venue):
        for number, (stage, said) in enumerate(zip(stream.stages, heard, strict=False)):
            frames = stage.say(context_of(venue), said)
            assert all(type(frame) is bytes and frame for frame in frames)
            answer = heard[number + 1][-1]
            assert stage.judge(answer).turn is Turn.ADVANCE
            for later in stream.stages[number + 1 :]:
                assert later.judge(answer).turn is not Turn.ADVANCE, "it would end two stages"


@EVERY_VENUE
def test_what_was_heard_may_be_anything_and_is_repeated_in_no_refusal(venue: Venue) -> None:
    for stream, heard in heard_by(venue):
        for stage, said in zip(stream.stages, heard, strict=False):
            for body in STRANGE:
                with suppress(*UNREADABLE):  # then it is a refusal (decision 0808)
                    stage.say(context_of(venue), (body,) * len(said))
                assert stage.judge(body).turn is not Turn.ADVANCE
        for judge in (*(stage.judge for stage in stream.stages), stream.judge):
            for echo in map(_echoing, heard[-1]):
                assert SECRET not in judge(echo).reason
        if stream.prepare is not None:
            for echo in (_echoing(heard[0][0]), *STRANGE):
                with suppress(*UNREADABLE):
                    assert SECRET not in stream.prepare.judge(200, echo).reason


def _echoing(answer: bytes) -> bytes:
    """A refusal of the answer's shape, all of whose texts repeat a secret."""
    return re.sub(rb'"(?:[^"\\]|\\.)*"(?!:)', b'"' + SECRET.encode() + b'"', answer)


@EVERY_VENUE
def test_a_stream_takes_every_known_message_and_every_garbage_for_data_or_a_turn(
    venue: Venue,
) -> None:
    for stream in venue.streams(venue.products):
        for case in cases(venue.name):
            for stage in range(len(stream.stages) + 1):
                assert isinstance(judged(stream, case.body, stage).turn, Turn)
        for garbage in (b"", b"\xff", b"{", b"[" * 100_000, b"null", b"1", b'"status" {}'):
            assert stream.judge(garbage).turn is Turn.DATA
