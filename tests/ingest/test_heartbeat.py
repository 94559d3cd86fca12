"""The pings that a venue wants: its own or the protocol's, after quiet or by the clock."""

from dataclasses import replace

from ingest.actions import Probe, Send
from ingest.instant import SECOND_NS
from tests.ingest.test_connection import UNPROBED, a_connection, at, to_live
from tests.ingest.toy_venue import toy_stream
from venues.venue import Heartbeat


def test_the_venues_own_ping_goes_out_after_a_pause_and_not_in_floods() -> None:
    connection = to_live(a_connection(toy_stream(ping_after_ns=10 * SECOND_NS)))
    sent = [connection.tick(at(second)) for second in range(4, 30)]
    assert sum(Send("w1-1", b"beat?") in actions for actions in sent) == 2


def test_a_venue_that_wants_pings_by_the_clock_gets_them_however_busy_it_is() -> None:
    periodic = to_live(a_connection(toy_stream(ping_every_ns=10 * SECOND_NS)))
    quiet = to_live(a_connection(toy_stream(ping_after_ns=10 * SECOND_NS)))
    pings = dict.fromkeys((periodic, quiet), 0)
    for second in range(4, 64):
        for connection in pings:
            connection.received(b"busy", at(second))
            pings[connection] += Send("w1-1", b"beat?") in connection.tick(at(second))
    assert list(pings.values()) == [6, 0]


def test_a_ping_is_made_for_its_moment() -> None:
    beat = Heartbeat(10**18, lambda one: str(one.venue_ns).encode(), ping_every_ns=SECOND_NS)
    connection = to_live(a_connection(replace(toy_stream(), heartbeat=beat), UNPROBED))
    sent = [connection.tick(at(second)) for second in (5, 5.5, 6)]
    said = [(Send("w1-1", str(at(second).wall_ns).encode()),) for second in (5, 6)]
    assert sent == [said[0], (), said[1]]


def test_a_venue_may_want_the_pings_of_the_protocol_by_the_clock() -> None:
    beat = Heartbeat(10**18, ping_every_ns=10 * SECOND_NS)
    connection = to_live(a_connection(replace(toy_stream(), heartbeat=beat), UNPROBED))
    pings = 0
    for second in range(4, 64):
        connection.received(b"busy", at(second))
        pings += connection.tick(at(second)).count(Probe("w1-1"))
    assert pings == 6


def test_neither_bytes_nor_our_own_deafness_put_the_venues_ping_off() -> None:
    """A protocol pong is no message: a venue that counts messages would close the connection."""
    connection = to_live(a_connection(toy_stream(ping_after_ns=10 * SECOND_NS)))
    connection.heard(at(12))
    assert Send("w1-1", b"beat?") in connection.tick(at(13))
    connection.deafened(True, at(14))
    assert Send("w1-1", b"beat?") in connection.tick(at(23))
