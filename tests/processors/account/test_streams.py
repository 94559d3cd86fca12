"""Blind intervals: when they open, and that only a look-up closes them."""

import itertools
import random
from typing import Any

import orjson

from orderloom.raw import ConnectionChange, Frame, Liveness
from processors.account.streams import (
    DOWN,
    ENDED_MAX,
    FIRST_CONTACT,
    LIVE,
    SILENT,
    STREAMS,
    Streams,
)

SECOND = 1_000_000_000


def a_change(change: str, at: int, connection: str = "c1") -> ConnectionChange:
    return ConnectionChange(connection, "spot", change, at * SECOND)


def a_frame(number: int, at: int, connection: str = "c1") -> Frame:
    return Frame(connection, number, "spot", at * SECOND, b"{}")


def a_liveness(at: int, *connections: str, account: str = "binance:main") -> Liveness:
    entries = [
        {
            "account": account,
            "connection": name,
            "product": "spot",
            "last_number": 0,
            "heard_ns": at * SECOND,
        }
        for name in connections
    ]
    return Liveness(at * SECOND, entries)


def document_of(streams: Streams) -> dict[str, object]:
    """The state of streams of which something changed."""
    streams.keep(lambda _: True)
    return dict(streams.state())[STREAMS]


def restored(streams: Streams, saved: dict[str, dict[str, Any]]) -> Streams:
    """The same streams after a restart."""
    again = Streams("binance:main", streams.owner)
    again.restore(STREAMS, orjson.loads(orjson.dumps(saved[STREAMS])))
    return again


def seen_streams() -> Streams:
    """One LIVE connection since second 10, first contact looked up."""
    streams = Streams("binance:main")
    streams.expect("spot")
    streams.take_change(1, a_change("LIVE", 10))
    streams.close("spot", 0, 20 * SECOND)
    assert not streams.blind
    return streams


def test_an_account_is_blind_until_it_was_looked_at() -> None:
    streams = Streams()
    streams.expect("spot")
    streams.take_change(1, a_change("LIVE", 10))
    assert streams.is_blind("spot")
    assert streams.blind[0].reason == FIRST_CONTACT


def test_a_lost_connection_opens_an_interval_from_when_it_was_last_heard() -> None:
    streams = seen_streams()
    streams.take_frame(1, a_frame(1, 30))
    streams.take_change(1, a_change("CLOSED", 35))
    (interval,) = streams.blind
    assert (interval.start_ns, interval.end_ns) == (30 * SECOND, None)
    assert streams.status("spot") == DOWN


def test_a_new_connection_ends_the_interval_but_does_not_close_it() -> None:
    streams = seen_streams()
    streams.take_change(1, a_change("CLOSED", 35))
    streams.take_change(1, a_change("LIVE", 40, "c2"))
    (interval,) = streams.blind
    assert interval.end_ns == 40 * SECOND
    assert streams.is_blind("spot")


def test_no_interval_opens_while_another_connection_is_live() -> None:
    streams = seen_streams()
    streams.take_change(1, a_change("LIVE", 30, "c2"))
    streams.take_change(1, a_change("CLOSED", 35))
    assert not streams.blind


def test_a_look_up_that_began_before_the_end_closes_nothing() -> None:
    streams = seen_streams()
    streams.take_change(1, a_change("CLOSED", 35))
    streams.take_change(1, a_change("LIVE", 40, "c2"))
    assert not streams.close("spot", 0, 39 * SECOND)
    assert streams.close("spot", 0, 40 * SECOND)
    assert not streams.blind


def test_a_look_up_that_does_not_reach_back_to_the_start_closes_nothing() -> None:
    streams = seen_streams()
    streams.take_frame(1, a_frame(1, 30))
    streams.take_change(1, a_change("CLOSED", 35))
    streams.take_change(1, a_change("LIVE", 40, "c2"))
    assert not streams.close("spot", 31 * SECOND, 50 * SECOND)


def test_a_hole_in_the_frame_numbers_is_a_loss() -> None:
    streams = seen_streams()
    streams.take_frame(1, a_frame(1, 30))
    streams.take_frame(1, a_frame(3, 32))
    (interval,) = streams.blind
    assert (interval.start_ns, interval.end_ns) == (30 * SECOND, 32 * SECOND)


def test_dense_frames_leave_no_interval() -> None:
    streams = seen_streams()
    for number in range(1, 20):
        streams.take_frame(1, a_frame(number, 30 + number))
    assert not streams.blind


def test_another_owner_ends_what_the_former_one_saw() -> None:
    streams = seen_streams()
    streams.take_frame(1, a_frame(1, 30))
    streams.follow(2, 36 * SECOND)
    (interval,) = streams.blind
    assert interval.start_ns == 30 * SECOND
    assert streams.status("spot") == DOWN


def test_what_an_older_generation_says_of_its_connections_is_no_statement_about_the_stream() -> (
    None
):
    streams = seen_streams()
    streams.follow(2, 36 * SECOND)
    streams.take_change(1, a_change("LIVE", 37, "old"))
    assert not streams.follow(1, 37 * SECOND)
    assert streams.status("spot") == DOWN
    assert streams.blind[0].end_ns is None


def test_a_closed_word_of_an_older_generation_does_not_end_the_new_view() -> None:
    streams = seen_streams()
    streams.take_change(2, a_change("LIVE", 37, "c2"))
    streams.take_change(1, a_change("CLOSED", 38, "c2"))
    assert streams.status("spot") == LIVE


def test_silence_is_blindness_and_liveness_ends_it() -> None:
    streams = seen_streams()
    streams.fall_silent()
    assert streams.status("spot") == SILENT
    streams.owner.take_liveness(a_liveness(70, "c1"))
    streams.revive(70 * SECOND)
    assert streams.status("spot") == LIVE
    assert streams.blind[0].end_ns == 70 * SECOND
    assert streams.is_blind("spot")


def test_another_accounts_liveness_says_nothing_of_ours() -> None:
    streams = seen_streams()
    streams.fall_silent()
    streams.owner.take_liveness(a_liveness(70, "c1", account="binance:other"))
    streams.revive(70 * SECOND)
    assert streams.status("spot") == SILENT


def test_saved_streams_go_on() -> None:
    streams = seen_streams()
    streams.take_frame(1, a_frame(1, 30))
    streams.take_change(1, a_change("CLOSED", 35))
    saved = dict(streams.state())
    assert saved[STREAMS] == document_of(restored(streams, saved))


def a_wide_change(change: str, at: int, connection: str, feed: str) -> ConnectionChange:
    return ConnectionChange(
        connection, "spot", change, at * SECOND, others=["linear"], feed=feed
    )  # fmt: skip


def wide_streams() -> Streams:
    """Two products on the same two connections of two feeds, both LIVE and looked up."""
    streams = Streams()
    for product in ("spot", "linear"):
        streams.expect(product)
    streams.take_change(1, a_wide_change("LIVE", 10, "c1", "private"))
    streams.take_change(1, a_wide_change("LIVE", 11, "c2", "business"))
    for product in ("spot", "linear"):
        streams.close(product, 0, 20 * SECOND)
    assert not streams.blind
    return streams


def test_a_connection_of_several_products_blinds_all_of_them() -> None:
    streams = wide_streams()
    streams.take_change(1, a_wide_change("CLOSED", 35, "c1", "private"))
    assert [(i.product, i.end_ns) for i in streams.blind] == [("spot", None), ("linear", None)]
    assert streams.status("spot") == streams.status("linear") == DOWN
    streams.take_change(1, a_wide_change("LIVE", 40, "c3", "private"))
    assert [i.end_ns for i in streams.blind] == [40 * SECOND, 40 * SECOND]


def test_a_product_is_seen_only_while_each_of_its_feeds_is_live() -> None:
    streams = wide_streams()
    streams.take_change(1, a_wide_change("CLOSED", 35, "c2", "business"))
    assert streams.status("spot") == DOWN
    streams.take_change(1, a_wide_change("LIVE", 36, "c4", "private"))
    assert streams.blind[0].end_ns is None
    streams.take_change(1, a_wide_change("LIVE", 37, "c5", "business"))
    assert {i.end_ns for i in streams.blind} == {37 * SECOND}


def test_missing_frames_are_a_loss_of_every_product_of_the_connection() -> None:
    streams = wide_streams()
    streams.take_frame(1, a_frame(1, 30))
    streams.take_frame(1, a_frame(5, 31))
    assert [i.product for i in streams.blind] == ["spot", "linear"]


def test_feeds_survive_a_restart_and_another_owner_names_its_own() -> None:
    streams = wide_streams()
    loaded = restored(streams, dict(streams.state()))
    assert loaded.feeds == streams.feeds
    loaded.follow(2, 50 * SECOND)
    loaded.take_change(2, ConnectionChange("d1", "spot", "LIVE", 51 * SECOND))
    assert (loaded.status("spot"), loaded.status("linear")) == (LIVE, DOWN)


def test_losses_that_adjoin_or_overlap_are_one_interval_in_any_order() -> None:
    spans = [(30, 31), (31, 33), (32, 32), (50, 52), (34, 34), (49, 51)]
    views = set()
    for order in itertools.permutations(spans):
        streams = seen_streams()
        for start, end in order:
            streams.note_loss("spot", start * SECOND, end * SECOND, f"at {start}")
        views.add(tuple((i.start_ns, i.end_ns, i.reason) for i in streams.blind))
    assert views == {
        ((30 * SECOND, 34 * SECOND, "at 30"), (49 * SECOND, 52 * SECOND, "at 49")),
    }


def test_a_flood_of_losses_leaves_few_intervals_and_none_of_it_is_forgotten() -> None:
    streams, dice = seen_streams(), random.Random(7)
    lost = [dice.randrange(30, 100_000) * SECOND for _ in range(5_000)]
    for at_ns in lost:
        streams.note_loss("spot", at_ns, at_ns, "a frame could not be read")
        assert len(streams.blind) <= ENDED_MAX
    assert all(any(i.start_ns <= at <= (i.end_ns or 0) for i in streams.blind) for at in lost)
    streams.close("spot", 0, 100_000 * SECOND)
    assert not streams.blind


def test_a_connection_that_flaps_leaves_few_intervals() -> None:
    streams = seen_streams()
    for number in range(1, 2_000):
        at = 30 + 10 * number
        streams.take_change(1, a_change("LIVE", at, f"d{number}"))
        streams.take_frame(1, Frame(f"d{number}", 1, "spot", (at + 1) * SECOND, b""))
        streams.take_change(1, a_change("CLOSED", at + 2, f"d{number}"))
    assert len(streams.blind) <= ENDED_MAX + 2


def test_feeds_that_go_one_after_another_are_one_interval() -> None:
    streams = wide_streams()
    streams.take_change(1, a_wide_change("CLOSED", 35, "c2", "business"))
    streams.take_change(1, a_wide_change("CLOSED", 36, "c1", "private"))
    assert [(i.product, i.end_ns) for i in streams.blind] == [("spot", None), ("linear", None)]
    assert {i.start_ns for i in streams.blind} == {10 * SECOND}


def test_losses_that_go_on_are_looked_at_once_and_not_since_the_first_of_them() -> None:
    streams = seen_streams()
    for at in range(30, 40):
        streams.note_loss("spot", at * SECOND, at * SECOND, "a frame could not be read")
    assert not streams.close("spot", 25 * SECOND, 35 * SECOND)
    (left,) = streams.blind
    assert (left.start_ns, left.end_ns) == (35 * SECOND, 39 * SECOND)
    assert streams.close("spot", 34 * SECOND, 39 * SECOND) == [left]


def test_the_first_contact_is_no_part_of_another_interval() -> None:
    streams = Streams()
    streams.expect("spot")
    streams.take_change(1, a_change("LIVE", 10))
    streams.note_loss("spot", 5 * SECOND, 12 * SECOND, "frames are missing")
    assert [i.reason for i in streams.blind] == [FIRST_CONTACT, "frames are missing"]
