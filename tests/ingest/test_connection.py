"""One connection's machine: each state answers each input, and each beginning ends."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.actions import (
    Ask,
    Close,
    Connect,
    HttpAnswer,
    HttpFailure,
    Probe,
    Publish,
    Purpose,
    Send,
)
from ingest.connection import Actions, Connection, Ending, Patience, State
from ingest.instant import SECOND_NS, Instant
from orderloom import raw
from tests.ingest.toy_venue import toy_stream, toy_venue
from venues.binance.streams import linear_stream
from venues.request import Context, Credentials
from venues.venue import Stream, Turn, Verdict

KEY = b'{"key":"k1"}'


def at(seconds: float) -> Instant:
    return Instant(1_700_000_000 * SECOND_NS + int(seconds * SECOND_NS), int(seconds * SECOND_NS))


def context(now: Instant) -> Context:
    endpoints = toy_venue("http://127.0.0.1:9", "ws://127.0.0.1:9").environments["production"]
    return Context(Credentials("me", "secret"), endpoints, now.wall_ns)


UNPROBED = Patience(probe_after_ns=10**18)


def a_connection(stream: Stream | None = None, patience: Patience | None = None) -> Connection:
    return Connection("w1-1", stream or toy_stream(), context, patience or Patience(), at(0))


def answer(status: int, body: bytes = KEY) -> HttpAnswer:
    return HttpAnswer(status, {}, body, 0, 0)


def changes(actions: Actions) -> list[str]:
    items = [act.item for act in actions if isinstance(act, Publish)]
    return [item.change for item in items if isinstance(item, raw.ConnectionChange)]


def to_preparing(connection: Connection) -> Connection:
    connection.begin(at(0))
    return connection


def to_connecting(connection: Connection) -> Connection:
    to_preparing(connection).answered(Purpose.PREPARE, answer(200), at(1))
    return connection


def to_greeting(connection: Connection) -> Connection:
    to_connecting(connection).opened(at(2))
    return connection


def to_live(connection: Connection) -> Connection:
    to_greeting(connection).received(b"ok", at(3))
    connection.received(b"ok", at(3))
    return connection


def to_closed(connection: Connection) -> Connection:
    to_live(connection).closed("broken", at(4))
    return connection


WAYS: dict[State, Callable[[Connection], Connection]] = {
    State.PREPARING: to_preparing,
    State.CONNECTING: to_connecting,
    State.GREETING: to_greeting,
    State.LIVE: to_live,
    State.CLOSED: to_closed,
}
# (state, input) -> the state after it, and which kinds of action come of it.
ANSWERS: dict[str, dict[State, tuple[State, list[type[object]]]]] = {
    "prepared": {State.PREPARING: (State.CONNECTING, [Connect])},
    "prepare refused": {State.PREPARING: (State.CLOSED, [Publish, Publish, Close])},
    "prepare failed": {State.PREPARING: (State.CLOSED, [Publish, Close])},
    "kept alive": {},
    "key lost": {State.LIVE: (State.CLOSED, [Publish, Close])},
    "opened": {
        State.PREPARING: (State.PREPARING, [Close]),
        State.CONNECTING: (State.GREETING, [Publish, Send]),
        State.GREETING: (State.GREETING, [Close]),
        State.LIVE: (State.LIVE, [Close]),
        State.CLOSED: (State.CLOSED, [Close]),
    },
    "data": {
        State.GREETING: (State.GREETING, [Publish]),
        State.LIVE: (State.LIVE, [Publish]),
    },
    "advance": {
        State.GREETING: (State.GREETING, [Publish, Send]),
        State.LIVE: (State.LIVE, [Publish]),
    },
    "refusal": {
        State.GREETING: (State.CLOSED, [Publish, Publish, Publish, Close]),
        State.LIVE: (State.CLOSED, [Publish, Publish, Publish, Close]),
    },
    "gone": {
        State.GREETING: (State.CLOSED, [Publish, Publish, Close]),
        State.LIVE: (State.CLOSED, [Publish, Publish, Close]),
    },
    "bye": {
        State.GREETING: (State.GREETING, [Publish]),
        State.LIVE: (State.LIVE, [Publish]),
    },
    "garbage": {
        State.GREETING: (State.GREETING, [Publish]),
        State.LIVE: (State.LIVE, [Publish]),
    },
    "closed": {
        State.PREPARING: (State.CLOSED, [Publish, Close]),
        State.CONNECTING: (State.CLOSED, [Publish, Close]),
        State.GREETING: (State.CLOSED, [Publish, Close]),
        State.LIVE: (State.CLOSED, [Publish, Close]),
    },
    "retired": {
        State.PREPARING: (State.CLOSED, [Publish, Close]),
        State.CONNECTING: (State.CLOSED, [Publish, Close]),
        State.GREETING: (State.CLOSED, [Publish, Close]),
        State.LIVE: (State.CLOSED, [Publish, Close]),
    },
    "tick": {},
    "long silence": {
        State.PREPARING: (State.CLOSED, [Publish, Close]),
        State.CONNECTING: (State.CLOSED, [Publish, Close]),
        State.GREETING: (State.CLOSED, [Publish, Close]),
        State.LIVE: (State.CLOSED, [Publish, Close]),
    },
}
INPUTS: dict[str, Callable[[Connection, Instant], Actions]] = {
    "prepared": lambda one, now: one.answered(Purpose.PREPARE, answer(200), now),
    "prepare refused": lambda one, now: one.answered(Purpose.PREPARE, answer(401), now),
    "prepare failed": lambda one, now: one.answered(Purpose.PREPARE, HttpFailure("no", 0, 0), now),
    "kept alive": lambda one, now: one.answered(Purpose.KEEP_ALIVE, answer(200), now),
    "key lost": lambda one, now: one.answered(Purpose.KEEP_ALIVE, answer(400, b"lost"), now),
    "opened": lambda one, now: one.opened(now),
    "data": lambda one, now: one.received(b"data", now),
    "advance": lambda one, now: one.received(b"ok", now),
    "refusal": lambda one, now: one.received(b"no bad key", now),
    "gone": lambda one, now: one.received(b"gone", now),
    "bye": lambda one, now: one.received(b"bye", now),
    "garbage": lambda one, now: one.received(b"\xff\xfe\x00", now),
    "closed": lambda one, now: one.closed("broken", now),
    "retired": lambda one, now: one.retire("stopping", now),
    "tick": lambda one, now: one.tick(now),
    "long silence": lambda one, _now: one.tick(at(10_000)),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", INPUTS)
def test_each_state_has_an_answer_to_each_input(state: State, name: str) -> None:
    connection = WAYS[state](a_connection())
    actions = INPUTS[name](connection, at(5))
    expected_state, expected_kinds = ANSWERS[name].get(state, (state, []))
    assert connection.state is expected_state
    assert [type(act) for act in actions] == expected_kinds


def test_the_way_from_the_wish_to_live_and_back_is_published_in_order() -> None:
    connection = a_connection()
    actions = [
        *connection.begin(at(0)),
        *connection.answered(Purpose.PREPARE, answer(200), at(1)),
        *connection.opened(at(2)),
        *connection.received(b"ok", at(3)),
        *connection.received(b"ok", at(3)),
        *connection.received(b"fill", at(4)),
        *connection.closed("reset by peer", at(5)),
    ]
    assert changes(tuple(actions)) == ["CONNECTING", "OPEN", "LIVE", "CLOSED"]
    last = [act.item for act in actions if isinstance(act, Publish)][-1]
    assert isinstance(last, raw.ConnectionChange)
    assert (last.reason, last.last_number) == ("reset by peer", 3)
    assert [act.frame for act in actions if isinstance(act, Send)] == [b"login me", b"subscribe"]


def test_a_stream_without_key_and_greeting_is_live_as_soon_as_it_is_open() -> None:
    connection = a_connection(toy_stream(has_key=False, stages=0))
    assert [type(act) for act in connection.begin(at(0))] == [Publish, Connect]
    assert changes(connection.opened(at(1))) == ["OPEN", "LIVE"]


@pytest.mark.parametrize("stream", [toy_stream(), linear_stream()])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"5", b"<html>", b'{"listenKey":5}', b"\xff", b"[" * 9999]
)
def test_a_good_answer_without_a_usable_key_is_a_refusal(stream: Stream, body: bytes) -> None:
    connection = to_preparing(a_connection(stream))
    actions = connection.answered(Purpose.PREPARE, answer(200, body), at(1))
    assert changes(actions) == ["REFUSED", "CLOSED"]
    assert connection.ending is Ending.REFUSED
    [refused, _] = [act.item for act in actions if isinstance(act, Publish)]
    assert "preparing failed: no key in the answer" in str(refused)


@pytest.mark.parametrize("key", ["x y", "x\r\nHost: elsewhere", "\u2603", "k" * 9000])
def test_a_key_that_makes_no_address_is_a_refusal_and_is_not_shown(key: str) -> None:
    connection = to_preparing(a_connection())
    body = orjson.dumps({"key": key})
    actions = connection.answered(Purpose.PREPARE, answer(200, body), at(1))
    assert changes(actions) == ["REFUSED", "CLOSED"]
    assert key not in str(actions)


def test_requests_are_built_for_the_moment_when_they_are_sent() -> None:
    connection = a_connection(toy_stream(silence_ns_max=10**18), UNPROBED)
    [asked] = [act for act in connection.begin(at(0)) if isinstance(act, Ask)]
    assert asked.build(at(25)).headers["x-at"] == str(at(25).wall_ns)
    connection.answered(Purpose.PREPARE, answer(200), at(26))
    connection.opened(at(27))
    for _ in range(2):
        connection.received(b"ok", at(28))
    [kept] = [act for act in connection.tick(at(1900)) if isinstance(act, Ask)]
    assert kept.build(at(1950)).headers["x-at"] == str(at(1950).wall_ns)


ECHO = b'{"code":-1125,"msg":"the-key of X-MBX-APIKEY: the-key"}'


@pytest.mark.parametrize(
    ("body", "said"),
    [(ECHO, "code -1125"), (b"the-key", "no code"), (b'{"code":"the-key"}', "no code")],
)
def test_no_word_of_a_venue_stands_in_a_reason_as_it_may_be_a_key(body: bytes, said: str) -> None:
    refused = to_preparing(a_connection()).answered(Purpose.PREPARE, answer(401, body), at(1))
    assert f"preparing failed: answered 401, {said}" in str(refused)
    kept = toy_stream().keep_alive
    assert kept is not None
    stream = replace(toy_stream(), keep_alive=replace(kept, is_lost=lambda _status, _body: True))
    lost = to_live(a_connection(stream)).answered(Purpose.KEEP_ALIVE, answer(400, body), at(9))
    assert f"key lost: 400, {said}" in str(lost)
    assert "the-key" not in str(refused) + str(lost)


def test_a_reason_that_is_no_unicode_can_be_written() -> None:
    stream = replace(toy_stream(), judge=lambda _body: Verdict(Turn.REFUSED, "\ud800no"))
    for act in to_live(a_connection(stream)).received(b"x", at(4)):
        if isinstance(act, Publish):
            raw.encode(raw.RawRecord("toy:main", 1, "w1", (act.item,)))


def test_a_refusal_is_told_apart_from_trouble() -> None:
    refused, troubled = to_preparing(a_connection()), to_preparing(a_connection())
    assert changes(refused.answered(Purpose.PREPARE, answer(401), at(1))) == ["REFUSED", "CLOSED"]
    troubled.answered(Purpose.PREPARE, answer(429), at(1))
    assert (refused.ending, troubled.ending) == (Ending.REFUSED, Ending.TROUBLE)


def test_a_greeting_stage_that_is_not_answered_in_time_ends_it() -> None:
    connection = to_greeting(a_connection())
    assert connection.tick(at(11)) == ()
    assert "greeting stage 0" in str(connection.tick(at(13)))
    assert connection.state is State.CLOSED


def state_of(connection: Connection) -> State:
    """The state now, which may be another soon: a type checker believes `is` for good."""
    return connection.state


def test_silence_is_probed_before_it_is_called_death() -> None:
    connection = to_live(a_connection(toy_stream(silence_ns_max=30 * SECOND_NS)))
    assert connection.tick(at(12)) == ()
    assert connection.tick(at(14)) == (Probe("w1-1"),)
    assert connection.tick(at(15)) == ()
    connection.heard(at(20))
    assert connection.tick(at(34)) == (Probe("w1-1"),)
    assert state_of(connection) is State.LIVE
    connection.tick(at(51))
    assert connection.state is State.CLOSED


def test_a_peer_that_answers_no_probe_is_dead_long_before_its_own_heartbeat_is_due() -> None:
    connection = to_live(a_connection(toy_stream(silence_ns_max=600 * SECOND_NS)))
    assert connection.tick(at(24)) == (Probe("w1-1"),)
    assert connection.tick(at(42)) == ()
    connection.tick(at(44))
    assert connection.state is State.CLOSED


def test_what_waits_unread_is_not_claimed_to_be_heard() -> None:
    connection = to_live(a_connection())
    connection.heard(at(10), is_read=False)
    assert connection.heard_ns == at(3).wall_ns
    connection.heard(at(11))
    assert connection.heard_ns == at(11).wall_ns


def test_silence_says_nothing_while_the_edge_itself_does_not_listen() -> None:
    connection = to_live(a_connection(toy_stream(silence_ns_max=30 * SECOND_NS)))
    connection.deafened(True, at(5))
    assert connection.tick(at(500)) == ()
    connection.deafened(False, at(600))
    connection.tick(at(620))
    assert state_of(connection) is State.LIVE
    connection.tick(at(631))
    assert connection.state is State.CLOSED


def test_a_key_is_kept_alive_and_a_failure_is_tried_again_soon() -> None:
    connection = to_live(a_connection(toy_stream(silence_ns_max=10**18), UNPROBED))
    [asked] = [act for act in connection.tick(at(1804)) if isinstance(act, Ask)]
    assert asked.purpose is Purpose.KEEP_ALIVE
    connection.answered(Purpose.KEEP_ALIVE, HttpFailure("timeout", 0, 0), at(1805))
    assert not any(isinstance(act, Ask) for act in connection.tick(at(1860)))
    assert any(isinstance(act, Ask) for act in connection.tick(at(1866)))
    connection.answered(Purpose.KEEP_ALIVE, answer(400, b"lost"), at(1867))
    assert connection.ending is Ending.ASKED_TO_RECONNECT


def test_a_refusal_with_a_good_status_keeps_nothing_alive() -> None:
    stream = toy_stream(silence_ns_max=10**18)
    assert stream.keep_alive is not None
    kept = replace(stream.keep_alive, is_kept=lambda _status, body: body == b"kept")
    connection = to_live(a_connection(replace(stream, keep_alive=kept), UNPROBED))
    connection.tick(at(1804))
    connection.answered(Purpose.KEEP_ALIVE, answer(200, b"busy"), at(1805))
    assert any(isinstance(act, Ask) for act in connection.tick(at(1866)))
    connection.answered(Purpose.KEEP_ALIVE, answer(200, b"kept"), at(1867))
    assert not any(isinstance(act, Ask) for act in connection.tick(at(1930)))


def test_no_text_form_of_an_action_shows_a_key() -> None:
    actions = (
        *a_connection().begin(at(0)),
        *to_preparing(a_connection()).answered(Purpose.PREPARE, answer(200), at(1)),
        *to_connecting(a_connection()).opened(at(2)),
    )
    assert "k1" not in str(actions)
    assert "login me" not in str(actions)


steps = st.lists(st.tuples(st.sampled_from(sorted(INPUTS)), st.floats(0, 40)), max_size=60)


@given(steps)
def test_whatever_comes_numbers_are_dense_and_the_end_is_the_end(
    walk: list[tuple[str, float]],
) -> None:
    connection = a_connection()
    published = list(connection.begin(at(0)))
    seconds = 0.0
    for name, pause in walk:
        seconds += pause
        published += INPUTS[name](connection, at(seconds))
    published += connection.tick(at(seconds + 100_000))
    items = [act.item for act in published if isinstance(act, Publish)]
    numbers = [item.number for item in items if isinstance(item, raw.Frame)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert connection.state is State.CLOSED
    assert isinstance(items[-1], raw.ConnectionChange)
    assert (items[-1].change, items[-1].last_number) == ("CLOSED", len(numbers))
