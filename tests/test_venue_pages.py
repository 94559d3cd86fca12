"""The pages about the venues: what code cites is there, and what they name is there."""

import re
from types import ModuleType

import pytest

from orderloom.words import Reason
from tests.source_tree import ROOT, modules
from venues import VENUES
from venues.binance import replies as binance_replies
from venues.bybit import replies as bybit_replies
from venues.kraken import replies as kraken_replies
from venues.okx import replies as okx_replies

PAGES = {name: ROOT / "docs" / "venues" / f"{name}.md" for name in VENUES}
HEADING = re.compile(r"^##+ (\d+(?:\.\d+)?)\.? ", re.M)
CITED = re.compile(
    r"docs/venues/(\w+)\.md,?\s*(?:#\s*)?(?:sections?\s*)?"
    r"((?:\d+(?:\.\d+)?)(?:(?:, (?:and )?| and | or | to )\d+(?:\.\d+)?)*)"
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LINKED = re.compile(r"\]\(([^)#]+)\)")
CODES = re.compile(r"(-?\d{3,6}|-1\b)(?: to (-?\d{3,6}))?")


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


def codes_by_reason(venue: str) -> dict[str, set[int]]:
    """The numbers in the page's table of refusal codes, by our word."""
    table = text(venue).partition("| our reason | codes |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([A-Z_, ]+) \| (.+) \|$", table, re.M)
    return {words: numbers_in(numbers) for words, numbers in rows}


def numbers_in(numbers: str) -> set[int]:
    found: set[int] = set()
    for first, last in CODES.findall(numbers):
        ends = sorted((int(first), int(last or first)))
        found |= set(range(ends[0], ends[1] + 1))
    return found


@pytest.mark.parametrize("replies", [okx_replies, bybit_replies], ids=["okx", "bybit"])
def test_the_page_has_the_refusal_codes_as_the_adapter_reads_them(replies: ModuleType) -> None:
    read: dict[str, set[int]] = {}
    for code, reason in replies.REASONS.items():
        read.setdefault(reason.value, set()).add(int(code))
    venue = replies.__name__.split(".")[1]
    assert codes_by_reason(venue) == read


def test_the_page_has_binances_refusal_codes_as_the_adapter_reads_them() -> None:
    page = codes_by_reason("binance")
    for code, reason in binance_replies.REASONS.items():
        rows = [words for words, codes in page.items() if code in codes]
        assert any(reason.value in words.split(", ") for words in rows), (code, rows)
    words = {word for row in page for word in row.split(", ")}
    assert words <= {reason.value for reason in Reason}


def test_the_page_has_krakens_refusals_as_the_adapter_reads_them() -> None:
    table = text("kraken").partition("| our reason | codes |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([A-Z_]+) \| (.+) \|$", table, re.M)
    page = {code: word for word, codes in rows for code in re.findall(r"`([^`]+)`", codes)}
    assert page == {code: reason.value for code, reason in kraken_replies.REASONS.items()}
