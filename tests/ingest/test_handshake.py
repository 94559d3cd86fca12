"""The way of a connection to LIVE: what was said goes into what is said next."""

from dataclasses import replace

from ingest.actions import Ask, Publish, Purpose, Send
from ingest.connection import Connection, Ending, State
from ingest.instant import SECOND_NS
from orderloom import raw
from tests.ingest.test_connection import (
    KEY,
    UNPROBED,
    a_connection,
    answer,
    at,
    changes,
    to_connecting,
    to_preparing,
)
from tests.ingest.toy_venue import toy_stream
from venues.request import Context, HttpRequest
from venues.venue import BadFrame, Heard, KeepAlive, Preparation, Stage, Turn, Verdict


def _advance(_body: bytes) -> Verdict:
    return Verdict(Turn.ADVANCE)


def _never(_status: int, _body: bytes) -> bool:
    return False


def test_what_was_said_goes_into_what_is_built_next() -> None:
    stages = tuple(Stage(lambda _context, heard: heard, _advance) for _ in range(2))
    kept: list[Heard] = []

    def keep(context: Context, heard: Heard) -> HttpRequest:
        kept.append(heard)
        return HttpRequest("PUT", context.endpoints.rest["TOY"])

    stream = replace(
        toy_stream(silence_ns_max=10**18),
        stages=stages,
        keep_alive=KeepAlive(keep, 1800 * SECOND_NS, _never),
    )
    connection = to_connecting(a_connection(stream, UNPROBED))
    steps = (
        connection.opened(at(2)),
        connection.received(b"a challenge", at(3)),
        connection.received(b"welcome", at(3)),
    )
    said = [[act.frame for act in actions if isinstance(act, Send)] for actions in steps]
    published = [act.item for actions in steps for act in actions if isinstance(act, Publish)]
    assert said == [[KEY], [KEY, b"a challenge"], []]
    assert b"k1" not in raw.encode(raw.RawRecord("toy:main", 1, "w1", tuple(published)))
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


def _errors_in_the_body(_status: int, body: bytes) -> Verdict:
    words = {b"no": Turn.REFUSED, b"busy": Turn.RECONNECT, b"garbage": None}
    turn = words.get(body, Turn.ADVANCE)
    if turn is None:
        raise BadFrame("the-key")
    return Verdict(turn, "" if turn is Turn.ADVANCE else "refused: code 5")


def _prepared_by(body: bytes) -> tuple[Connection, str]:
    """A connection of a venue that answers everything with 200, and what became of it."""
    prepare = toy_stream().prepare
    assert prepare is not None
    stream = replace(toy_stream(), prepare=Preparation(prepare.request, _errors_in_the_body))
    connection = to_preparing(a_connection(stream))
    return connection, str(connection.answered(Purpose.PREPARE, answer(200, body), at(1)))


def test_an_answer_to_preparing_is_judged_by_its_body_where_the_venue_says_so() -> None:
    connection, _ = _prepared_by(KEY)
    assert connection.state is State.CONNECTING
    for body, ending in ((b"no", Ending.REFUSED), (b"busy", Ending.TROUBLE)):
        connection, said = _prepared_by(body)
        assert connection.ending is ending
        assert "preparing failed: refused: code 5" in said


def test_an_answer_that_cannot_be_judged_is_a_refusal_and_is_not_shown() -> None:
    connection, said = _prepared_by(b"garbage")
    assert connection.ending is Ending.REFUSED
    assert "the-key" not in said
