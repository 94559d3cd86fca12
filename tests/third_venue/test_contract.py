"""The suites over every venue, run over the third one, which they have never heard of."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.third_venue.dusk import DUSK
from tests.venues import frames, test_every_answer, test_every_stream, test_every_venue, test_fuzz
from venues import VENUES

Test = Callable[..., None]


def those_that_take(*names: str) -> list[Any]:
    """The tests of these suites with exactly these parameters."""
    return [
        pytest.param(test, id=name)
        for suite in (test_every_venue, test_every_answer, test_every_stream, test_fuzz)
        for name, test in vars(suite).items()
        if name.startswith("test_") and set(inspect.signature(test).parameters) == set(names)
    ]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The one line in the register; and its frames, where the suites look for a venue's frames."""
    (tmp_path / DUSK.name).symlink_to(Path(__file__).parent)
    monkeypatch.setattr(frames, "HERE", tmp_path)
    monkeypatch.setitem(VENUES, DUSK.name, DUSK)


@pytest.mark.parametrize("test", those_that_take("venue"))
def test_it_holds_to_the_contract(test: Test) -> None:
    test(DUSK)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 502, 503])
@pytest.mark.parametrize("test", those_that_take("venue", "status"))
def test_it_holds_to_the_contract_at_each_status(test: Test, status: int) -> None:
    test(DUSK, status)


@pytest.mark.parametrize("test", those_that_take("case"))
def test_its_messages_say_what_their_files_say(test: Test) -> None:
    known = frames.cases(DUSK.name)
    assert len(known) > 20
    for case in known:
        test(case)


def test_no_suite_was_passed_over() -> None:
    assert len(those_that_take("venue")) >= 25
    assert len(those_that_take("venue", "status")) == 1
    assert len(those_that_take("case")) == 1
