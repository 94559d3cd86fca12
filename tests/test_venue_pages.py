"""The pages about the venues: what code cites is there, and what they name is there."""

import re
from importlib import import_module

import pytest

from orderloom.words import Reason
from tests.source_tree import ROOT, modules
from venues import VENUES

PAGES = {name: ROOT / "docs" / "venues" / f"{name}.md" for name in VENUES}
HEADING = re.compile(r"^##+ (\d+(?:\.\d+)?)\.? ", re.M)
CITED = re.compile(
    r"docs/venues/(\w+)\.md,?\s*(?:#\s*)?(?:sections?\s*)?"
    r"((?:\d+(?:\.\d+)?)(?:(?:, (?:and )?| and | or | to )\d+(?:\.\d+)?)*)"
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LINKED = re.compile(r"\]\(([^)#]+)\)")
CODES = re.compile(r"(-?\d{3,6}|-1\b)(?: to (-?\d{3,6}))?")
MORE_THAN_THE_CODE = frozenset({"binance"})
"""Whose texts and products decide beside the code: their pages name codes of several reasons."""


def text(venue: str) -> str:
    return PAGES[venue].read_text(encoding="utf-8")


def cited() -> list[tuple[str, str, str]]:
    return sorted(
        (module.name, venue, number)
        for module in modules()
        for venue, numbers in CITED.findall(module.text)
        for number in NUMBER.findall(numbers)
    )


def test_every_venue_has_a_page_and_every_page_a_venue() -> None:
    assert {path.stem for path in (ROOT / "docs" / "venues").glob("*.md")} == set(VENUES)


def test_every_section_that_code_cites_is_on_the_page() -> None:
    assert len(cited()) > 50  # the pattern still finds them
    headings = {venue: set(HEADING.findall(text(venue))) for venue in VENUES}
    missing = [one for one in cited() if one[2] not in headings.get(one[1], set())]
    assert not missing, missing


@pytest.mark.parametrize("venue", VENUES)
def test_every_test_and_page_that_a_page_names_exists(venue: str) -> None:
    known = {name for module in modules() for name in re.findall(r"def (test_\w+)", module.text)}
    named = set(re.findall(r"\b(test_\w+)\b(?!\.py|/)", text(venue)))
    assert named
    assert named <= known, named - known
    paths = re.findall(r"`((?:tests|venues|simulator)/[\w/]+\.py)", text(venue))
    roots = (ROOT, ROOT / "tests")
    assert paths
    assert all(any((root / path).exists() for root in roots) for path in paths), paths
    folder = PAGES[venue].parent
    links = [link for link in LINKED.findall(text(venue)) if not link.startswith("http")]
    assert links
    assert all((folder / link).exists() for link in links), links


def codes_in(text: str) -> set[str]:
    """The codes in a row: numbers and ranges of them, or the words in backticks."""
    found: set[str] = set()
    for first, last in CODES.findall(text):
        low, high = sorted((int(first), int(last or first)))
        found |= {str(code) for code in range(low, high + 1)}
    return found or set(re.findall(r"`([^`]+)`", text))


def refusals(venue: str) -> list[tuple[set[str], set[str]]]:
    """The rows of the page's table: our words, and the codes that they are for."""
    table = text(venue).partition("| our reason | codes |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([A-Z_, ]+) \| (.+) \|$", table, re.M)
    return [(set(words.split(", ")), codes_in(codes)) for words, codes in rows]


@pytest.mark.parametrize("venue", VENUES)
def test_the_page_has_the_refusal_codes_as_the_adapter_reads_them(venue: str) -> None:
    reasons = import_module(f"venues.{venue}.replies").REASONS
    read = {(str(code), reason.value) for code, reason in reasons.items()}
    assert read
    rows = refusals(venue)
    assert {word for words, _ in rows for word in words} <= set(Reason)
    shown = {(code, word) for words, codes in rows for word in words for code in codes}
    assert read <= shown, read - shown
    assert shown == read or venue in MORE_THAN_THE_CODE, shown - read
