"""Pages in five styles, over rows of which one is not meant and two have one number."""

from simulator.wire.pages import Paging, Place, between, cursor, down, newest, offset, up

ROWS = [10, 20, 30, 40, 50, 60, 70]
PAGING: Paging[int] = Paging(lambda row: row, lambda row: row * 1000, lambda row: row != 40)


def test_up_goes_on_from_a_number_and_never_parts_equal_ones() -> None:
    assert up(ROWS, PAGING, 30, 2) == [30, 40]
    assert up(ROWS, PAGING, None, 2) == [10, 20]
    assert up(ROWS, PAGING, 75, 2) == []
    both_sides = [10, 20, 20, 30]
    assert up(both_sides, PAGING, None, 2) == [10, 20, 20]
    assert up(both_sides, PAGING, 20, 1) == [20, 20]
    assert up(both_sides, PAGING, None, 0) == []


def test_the_newest_stand_oldest_first() -> None:
    assert newest(ROWS, 2) == [60, 70]
    assert newest(ROWS, 99) == ROWS


def test_down_lies_between_two_numbers_and_two_moments() -> None:
    assert down(ROWS, PAGING, Place(older_than=60), 2) == [50, 30]
    assert down(ROWS, PAGING, Place(newer_than=20), 2) == [50, 30]
    assert down(ROWS, PAGING, Place(begin=20_000, end=50_000), 9) == [50, 30, 20]


def test_times_are_inclusive() -> None:
    assert list(between(ROWS, PAGING, 20_000, 50_000)) == [20, 30, 50]
    assert list(between(ROWS, PAGING, None, None)) == [10, 20, 30, 50, 60, 70]


def test_an_offset_skips_the_newest_that_are_meant() -> None:
    assert offset(ROWS, PAGING, 0, 3) == [70, 60, 50]
    assert offset(ROWS, PAGING, 2, 2) == [50, 30]
    assert offset(ROWS, PAGING, 6, 2) == []


def test_cursors_lead_through_everything_once_and_end() -> None:
    found: list[int] = []
    named, pages = "", 0
    while pages == 0 or named:
        rows, named = cursor(ROWS, PAGING, named, 2)
        found += rows
        pages += 1
    assert found == [70, 60, 50, 30, 20, 10]
    assert pages == 3


def test_an_empty_page_has_no_cursor() -> None:
    assert cursor([], PAGING, "", 2) == ([], "")
    assert cursor(ROWS, PAGING, "10", 2) == ([], "")
