"""What stands still, and what only waits, moves slowly, or is at its end."""

from sinks.standstill import STILL_SECONDS_MAX, Standstill

A, B = ("orders.lab", 0), ("orders.lab", 1)


def test_only_what_stays_at_one_offset_short_of_its_end_for_long_stands_still() -> None:
    watch = Standstill()
    assert watch.look({A: 5, B: 5}, {A: 9, B: 9}, 0) == []
    assert watch.look({A: 5, B: 6}, {A: 9, B: 9}, STILL_SECONDS_MAX) == []
    assert watch.look({A: 5, B: 6}, {A: 10, B: 10}, STILL_SECONDS_MAX + 1) == [A]
    assert watch.look({A: 10, B: 6}, {A: 10, B: 10}, 2 * STILL_SECONDS_MAX + 1) == [B]


def test_what_was_at_its_end_in_between_begins_anew() -> None:
    watch = Standstill()
    assert watch.look({A: 5}, {A: 9}, 0) == []
    assert watch.look({A: 5}, {A: 5}, 1) == []  # as Kafka said for a moment
    assert watch.look({A: 5}, {A: 9}, STILL_SECONDS_MAX + 2) == []
