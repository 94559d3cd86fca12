"""Pages newest first: `after` is older than, `before` newer than, both exclusive."""

import pytest

from simulator.okx.fields import Fields
from simulator.okx.paging import Paging, page
from simulator.okx.refusals import Refusal
from simulator.visibility import View

ROWS = list(range(10, 110, 10))
PAGING: Paging[int] = Paging(lambda row: row, lambda row: row * 1000, lambda row: row != 50)


def paged(view: View | None = None, **fields: object) -> list[int]:
    texts = {name: str(value) for name, value in fields.items()}
    return page(ROWS, Fields(texts), PAGING, view or View())


def test_without_a_place_the_page_is_the_newest() -> None:
    assert paged(limit=3) == [100, 90, 80]


def test_after_is_older_and_before_is_newer() -> None:
    assert paged(after=60, limit=3) == [40, 30, 20]
    assert paged(before=60) == [100, 90, 80, 70]
    assert paged(before=20, after=80) == [70, 60, 40, 30]
    assert paged(after=10) == []


def test_with_before_alone_the_page_is_the_one_nearest_to_it() -> None:
    assert paged(before=20, limit=3) == [60, 40, 30]


def test_times_are_inclusive() -> None:
    assert paged(begin=30_000, end=60_000) == [60, 40, 30]


def test_a_page_cut_short_is_its_first_half_and_the_next_goes_on() -> None:
    view = View()
    found: list[int] = []
    with view.cut():
        while rows := paged(view, limit=4, **({"after": found[-1]} if found else {})):
            assert len(rows) <= 2
            found += rows
    assert found == paged()


def test_a_limit_is_at_most_a_hundred_and_a_whole_number() -> None:
    assert Fields({"limit": "500"}).limit() == 100
    with pytest.raises(Refusal, match="51000"):
        Fields({"limit": "many"}).limit()
