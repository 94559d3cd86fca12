"""The page of features names tests that exist, and every capability once."""

import re

import pytest

from tests.source_tree import ROOT

PAGE = ROOT / "docs" / "features.md"
EXPECTED = [f"F{number}" for number in range(1, 121)] + [f"C{number}" for number in range(1, 23)]
ROW = re.compile(r"^\| ([FC]\d+) \| (.+?) \| (.+?) \|$", re.M)
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_every_capability_has_one_row_in_order() -> None:
    assert [number for number, _, _ in rows()] == EXPECTED


def test_every_row_names_a_test_or_says_not_yet() -> None:
    silent = [number for number, _, proof in rows() if not NAMED.search(proof)]
    assert all(proof.startswith("not yet") for number, _, proof in rows() if number in silent), (
        silent
    )


def test_what_stands_in_backticks_as_a_test_is_named_in_full() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(re.findall(r"::test_", page)) == len(NAMED.findall(page))


@pytest.mark.parametrize(
    ("path", "name"), sorted(set(NAMED.findall(PAGE.read_text(encoding="utf-8"))))
)
def test_every_named_test_exists(path: str, name: str) -> None:
    file = ROOT / "tests" / path
    assert file.exists(), path
    assert re.search(rf"^(?:async )?def {name}\(", file.read_text(encoding="utf-8"), re.M), name
