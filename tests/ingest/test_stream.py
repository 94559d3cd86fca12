"""The succession of connections: pauses that grow, and successors before planned ends."""

import itertools
import random
from dataclasses import replace
from typing import TypeGuard

from hypothesis import given
from hypothesis import strategies as st

from ingest.actions import Action, Ask, Close, Connect, Publish, Purpose, Send
from ingest.connection import Patience, State
from ingest.instant import SECOND_NS, Instant
from ingest.stream import Manner, Pauses, StreamKeeper
from orderloom import raw
from tests.ingest.test_connection import answer, at, context
from tests.ingest.toy_venue import toy_stream
from venues.request import Context, Credentials
from venues.venue import Stream


def a_keeper(stream: Stream | None = None, seed: int = 1) -> StreamKeeper:
    numbers = itertools.count(1)
    manner = Manner(Patience(probe_after_ns=10**18), Pauses(), random.Random(seed))
    stream = stream or toy_stream(has_key=False, stages=0, silence_ns_max=10**18)
    return StreamKeeper(stream, lambda: f"w-{next(numbers)}", context, manner)


def another_context(now: Instant) -> Context:
    return replace(context(now), credentials=Credentials("you", "secret"))


def connects(actions: tuple[Action, ...]) -> list[str]:
    return [act.connection for act in actions if isinstance(act, Connect)]


def until_connect(keeper: StreamKeeper, seconds: float, patience: float = 5_000) -> float:
    """The second of the next connection attempt; it is found by ticking ten times a second."""
    for tenth in range(int(patience * 10)):
        if connects(keeper.tick(at(seconds + tenth / 10))):
            return seconds + tenth / 10
    raise AssertionError("no connection was tried")


def test_the_first_tick_begins_and_a_failure_is_tried_again_after_growing_pauses() -> None:
    keeper = a_keeper()
    seconds, pauses = 0.0, []
    for number in range(1, 15):
        began = until_connect(keeper, seconds)
        pauses.append(began - seconds)
        keeper.closed(f"w-{number}", "refused by the network", at(began))
        seconds = began
    assert pauses[0] == 0
    assert pauses[1] < 0.5
    assert all(later <= 30.1 for later in pauses)
    assert min(pauses[-3:]) >= 15


def test_a_refused_sign_in_waits_a_minute_and_longer() -> None:
    keeper = a_keeper(toy_stream())
    asked = [act for act in keeper.tick(at(0)) if isinstance(act, Ask)]
    keeper.answered(asked[0].connection, Purpose.PREPARE, answer(401), at(1))
    assert not any(keeper.tick(at(second)) for second in range(2, 31))
    assert any(isinstance(act, Ask) for act in keeper.tick(at(62)))


def test_a_connection_that_lived_is_followed_at_once_by_another() -> None:
    keeper = a_keeper()
    for number in range(1, 6):
        until_connect(keeper, 100.0 * number)
        keeper.opened(f"w-{number}", at(100.0 * number))
        keeper.closed(f"w-{number}", "lost", at(100.0 * number + 90))
    assert until_connect(keeper, 590) < 590.4


def test_before_its_life_ends_a_successor_is_live_and_both_deliver_for_a_while() -> None:
    keeper = a_keeper(
        toy_stream(has_key=False, stages=0, life_ns=1000 * SECOND_NS, silence_ns_max=10**18)
    )
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    began = until_connect(keeper, 1)
    assert 850 <= began <= 951
    assert keeper.received("w-1", b"still", at(began)) != ()
    keeper.opened("w-2", at(began + 1))
    assert keeper.received("w-1", b"late", at(began + 2)) != ()
    assert [one.state for one in keeper.connections] == [State.LIVE, State.LIVE]
    closed = [act.connection for act in keeper.tick(at(began + 7)) if isinstance(act, Close)]
    assert closed == ["w-1"]
    assert [one.identity for one in keeper.connections] == ["w-2"]


def test_an_announced_end_brings_a_successor_and_a_failing_successor_spares_the_old() -> None:
    keeper = a_keeper()
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    keeper.received("w-1", b"bye", at(100))
    assert connects(keeper.tick(at(100))) == ["w-2"]
    keeper.closed("w-2", "no route", at(101))
    assert keeper.is_live
    assert connects(keeper.tick(at(102))) == ["w-3"]


def test_a_stream_that_says_gone_is_closed_at_once_and_made_anew() -> None:
    keeper = a_keeper()
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    keeper.received("w-1", b"gone", at(100))
    assert not keeper.is_live
    assert connects(keeper.tick(at(101))) == ["w-2"]


def test_another_key_brings_a_successor_before_the_old_one_is_closed() -> None:
    keeper = a_keeper()
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    assert keeper.renew(context, at(100)) == ()
    assert connects(keeper.tick(at(100))) == ["w-2"]
    assert keeper.received("w-1", b"still", at(101)) != ()
    keeper.opened("w-2", at(102))
    assert [one.state for one in keeper.connections] == [State.LIVE, State.LIVE]
    ended = [act.item for act in keeper.tick(at(108)) if isinstance(act, Publish)]
    assert [(one.connection, one.change, one.reason) for one in connections(ended)] == [
        ("w-1", "CLOSED", "replaced: another key")
    ]
    assert not connects(keeper.tick(at(200)))


def test_a_connection_signs_with_the_key_that_it_began_with() -> None:
    keeper = a_keeper(toy_stream(has_key=False, stages=1, silence_ns_max=10**18))
    keeper.tick(at(0))
    [*_, old] = keeper.opened("w-1", at(0))
    keeper.received("w-1", b"ok", at(0))
    keeper.renew(another_context, at(100))
    keeper.tick(at(100))
    [*_, new] = keeper.opened("w-2", at(100))
    assert [old, new] == [Send("w-1", b"login me"), Send("w-2", b"login you")]


def test_a_refused_new_key_spares_the_old_connection_and_the_next_key_is_tried_at_once() -> None:
    keeper = a_keeper(toy_stream(has_key=False, stages=1, silence_ns_max=10**18))
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    keeper.received("w-1", b"ok", at(0))
    keeper.renew(another_context, at(100))
    keeper.tick(at(100))
    keeper.opened("w-2", at(100))
    keeper.received("w-2", b"no such key", at(101))
    assert (keeper.is_live, keeper.is_refused) == (True, True)
    assert not any(connects(keeper.tick(at(second))) for second in range(102, 130))
    keeper.renew(context, at(130))
    assert not keeper.is_refused
    assert connects(keeper.tick(at(130))) == ["w-3"]
    keeper.opened("w-3", at(131))
    keeper.received("w-3", b"ok", at(131))
    assert (keeper.is_live, keeper.is_refused) == (True, False)


def test_a_key_that_changes_while_a_connection_rises_begins_another() -> None:
    keeper = a_keeper()
    assert connects(keeper.tick(at(0))) == ["w-1"]
    gone = keeper.renew(another_context, at(1))
    assert [act.connection for act in gone if isinstance(act, Close)] == ["w-1"]
    assert connects(keeper.tick(at(1))) == ["w-2"]


def test_while_the_edge_does_not_listen_nothing_is_begun_or_retired() -> None:
    keeper = a_keeper()
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    keeper.deafened(True, at(10))
    keeper.received("w-1", b"bye", at(10))
    assert keeper.tick(at(5_000)) == ()
    keeper.deafened(False, at(5_000))
    assert connects(keeper.tick(at(5_001))) == ["w-2"]


def test_after_stop_all_is_closed_and_nothing_begins() -> None:
    keeper = a_keeper()
    keeper.tick(at(0))
    keeper.opened("w-1", at(0))
    stopped = keeper.stop("this worker stops", at(1))
    assert [type(act) for act in stopped] == [Publish, Close]
    assert keeper.connections == ()
    assert keeper.tick(at(10_000)) == ()


def test_a_socket_that_opens_for_a_connection_that_is_gone_is_closed() -> None:
    assert a_keeper().opened("w-9", at(0)) == (Close("w-9", "opened too late"),)


events = st.lists(
    st.tuples(
        st.sampled_from(["tick", "open", "data", "bye", "gone", "close", "deaf", "hear", "key"]),
        st.integers(0, 2),
        st.floats(0, 20),
    ),
    max_size=80,
)


@given(events, st.integers(0, 1000))
def test_whatever_happens_at_most_two_compete_and_every_beginning_is_closed(
    walk: list[tuple[str, int, float]], seed: int
) -> None:
    keeper = a_keeper(
        toy_stream(has_key=False, stages=0, life_ns=60 * SECOND_NS, silence_ns_max=10**18), seed
    )
    actions: list[Action] = []
    seconds = 0.0
    for name, which, pause in walk:
        seconds += pause
        actions += _perform(keeper, name, which, seconds)
        assert sum(one.state is not State.LIVE for one in keeper.connections) <= 1
        assert len(keeper.connections) <= 4
    actions += keeper.stop("the end", at(seconds))
    changes = [act.item for act in actions if isinstance(act, Publish)]
    began = [one.connection for one in changes if _is(one, "CONNECTING")]
    ended = [one.connection for one in changes if _is(one, "CLOSED")]
    assert len(began) == len(set(began))
    assert sorted(began) == sorted(ended)


def connections(items: list[raw.Item]) -> list[raw.ConnectionChange]:
    return [item for item in items if isinstance(item, raw.ConnectionChange)]


def _is(item: raw.Item, change: str) -> TypeGuard[raw.ConnectionChange]:
    return isinstance(item, raw.ConnectionChange) and item.change == change


def _perform(keeper: StreamKeeper, name: str, which: int, seconds: float) -> tuple[Action, ...]:
    now = at(seconds)
    held = [one.identity for one in keeper.connections]
    connection = held[which % len(held)] if held else "w-0"
    if name in ("deaf", "hear"):
        keeper.deafened(name == "deaf", now)
        return ()
    if name == "key":
        return keeper.renew(context, now)
    if name == "open":
        opening = [one for one in keeper.connections if one.state is State.CONNECTING]
        return keeper.opened(opening[0].identity, now) if opening else ()
    if name == "close":
        return keeper.closed(connection, "broken", now)
    if name == "tick":
        return keeper.tick(now)
    return keeper.received(connection, name.encode(), now)
