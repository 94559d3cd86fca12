"""The way of a connection to LIVE: what was said goes into what is said next."""

from dataclasses import replace

from ingest.actions import Ask, Publish, Send
from tests.ingest.test_connection import (
    KEY,
    UNPROBED,
    a_connection,
    at,
    changes,
    to_connecting,
)
from tests.ingest.toy_venue import toy_stream
from venues.venue import BadFrame, Context, Heard, HttpRequest, Stage, Turn, Verdict


def _advance(_body: bytes) -> Verdict:
    return Verdict(Turn.ADVANCE)


def test_what_was_said_goes_into_what_is_built_next() -> None:
    stages = tuple(Stage(lambda _context, heard: heard, _advance) for _ in range(2))
    kept: list[Heard] = []

    def keep(context: Context, heard: Heard) -> HttpRequest:
        kept.append(heard)
        return HttpRequest("PUT", context.endpoints.rest["TOY"])

    stream = replace(toy_stream(silence_ns_max=10**18), stages=stages, keep_alive=keep)
    connection = to_connecting(a_connection(stream, UNPROBED))
    said = [
        [act.frame for act in actions if isinstance(act, Send)]
        for actions in (
            connection.opened(at(2)),
            connection.received(b"a challenge", at(3)),
            connection.received(b"welcome", at(3)),
        )
    ]
    assert said == [[KEY], [KEY, b"a challenge"], []]
    [ask] = [act for act in connection.tick(at(1900)) if isinstance(act, Ask)]
    ask.build(at(1900))
    assert kept == [(KEY, b"a challenge", b"welcome")]


def test_a_venue_may_speak_first() -> None:
    stages = (Stage(lambda _context, _heard: (), _advance), *toy_stream().stages)
    connection = to_connecting(a_connection(replace(toy_stream(), stages=stages)))
    assert [type(act) for act in connection.opened(at(2))] == [Publish]
    assert Send("w1-1", b"login me") in connection.received(b"welcome", at(3))


def test_a_greeting_that_cannot_be_made_of_what_was_said_is_a_refusal() -> None:
    def say(_context: Context, heard: Heard) -> tuple[bytes, ...]:
        raise BadFrame(f"{heard!r} holds no token")

    stream = replace(toy_stream(), stages=(Stage(say, _advance),))
    actions = to_connecting(a_connection(stream)).opened(at(2))
    assert changes(actions) == ["OPEN", "REFUSED", "CLOSED"]
    assert "k1" not in str(actions)
