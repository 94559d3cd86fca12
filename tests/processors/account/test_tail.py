"""The tail of a position is saved in segments: few bytes a step, and the same after a restart."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from processors.account.positions import TAIL_KEPT, TAIL_MAX, HeldPosition, Traded
from processors.account.tail import ROWS_MAX, Row, Segments
from tests.processors.account.restoring import reloaded


def a_row(number: int) -> Row:
    return (number, f"t{number}", "1", "100")


def a_trade(at_ns: int, number: int) -> Traded:
    return Traded(at_ns, f"t{number}", Decimal(1), Decimal(100 + number % 7))


def changed(segments: Segments) -> dict[int, int]:
    """How many rows each segment holds that changed since the last call; 0: it is no more."""
    return {number: len(held["rows"]) if held else 0 for number, held in segments.state()}


def test_one_more_execution_writes_the_open_segment_alone() -> None:
    segments = Segments()
    for number in range(ROWS_MAX + 2):
        segments.add(a_row(number))
    assert changed(segments) == {1: ROWS_MAX, 2: 2}
    segments.add(a_row(99))
    assert changed(segments) == {2: 3}
    assert changed(segments) == {}


def test_a_segment_goes_when_all_of_it_is_forgotten_and_is_not_written_before() -> None:
    segments = Segments()
    for number in range(3 * ROWS_MAX):
        segments.add(a_row(number))
    changed(segments)
    segments.forget(a_row(ROWS_MAX + 3)[:2])
    assert changed(segments) == {1: 0}


@given(st.lists(st.integers(0, 400), max_size=200), st.integers(0, 200))
def test_a_restart_at_any_place_gives_the_same_position(times: list[int], cut: int) -> None:
    known: list[Traded] = []
    position, restarted = (HeldPosition("linear", "BTCUSDT", "NET", None, "base") for _ in "ab")
    for number, at_ns in enumerate(times):
        known.append(a_trade(at_ns, number))
        for one in (position, restarted):
            if not one.trade(known[-1]):
                one.recompute(known)
        if number == cut:
            restarted = reloaded(restarted)
    assert restarted == position
    assert reloaded(position) == position
    assert position.now == reloaded(position).now


def test_after_the_last_segment_was_forgotten_whole_the_next_is_the_same_after_a_restart() -> None:
    position = HeldPosition("linear", "BTCUSDT", "NET", None, "base")
    full = TAIL_MAX - ROWS_MAX
    late = range(1, ROWS_MAX + 2)  # a whole segment, and one in the next: forgotten first
    for number, at_ns in enumerate((*range(100, 100 + full), *late)):
        assert position.trade(a_trade(at_ns, number))
    restarted = reloaded(position)
    written = []
    for one in (position, restarted):
        changed(one.segments)
        assert one.trade(a_trade(900, 900))
        written.append(changed(one.segments))
    assert len(written[0]) == 1
    assert written[0] == written[1]


def test_a_step_writes_few_rows_however_long_the_tail_is() -> None:
    position = HeldPosition("linear", "BTCUSDT", "NET", None, "base")
    written = []
    for number in range(5 * TAIL_MAX):
        assert position.trade(a_trade(number, number))
        written.append(sum(changed(position.segments).values()))
    assert max(written) <= ROWS_MAX
    assert len(position.segments.by_number) <= TAIL_MAX // ROWS_MAX + 1
    assert len(position.tail) > TAIL_KEPT


def test_a_position_that_is_computed_again_drops_the_segments_that_it_had() -> None:
    position = HeldPosition("linear", "BTCUSDT", "NET", None, "base")
    for number in range(3 * ROWS_MAX):
        assert position.trade(a_trade(number, number))
    changed(position.segments)
    position.recompute([a_trade(5, 5)])
    assert changed(position.segments) == {1: 1, 2: 0, 3: 0}
