"""A late view lacks what is young; it is over with its question."""

from simulator.visibility import View

NOW_MS = 10_000
MADE_MS = {"old": 1_000, "young": 9_990}


def seen(view: View) -> list[str]:
    return [name for name, made_ms in MADE_MS.items() if view.shows(made_ms, NOW_MS)]


def test_a_view_shows_everything_unless_it_is_late() -> None:
    view = View()
    with view.behind(100):
        assert seen(view) == ["old"]
    assert seen(view) == ["old", "young"]


def test_a_cut_page_holds_half_its_rows_and_at_least_one() -> None:
    view = View()
    assert view.page_limit(100) == 100
    with view.cut():
        assert [view.page_limit(limit) for limit in (100, 5, 1)] == [50, 2, 1]
    assert view.page_limit(100) == 100
