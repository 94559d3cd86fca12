"""What comments and pages cite can be opened: pages, decisions, rules of the state model."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.source_tree import ROOT, modules

DOCS = ROOT / "docs"
RULES = re.findall(
    r"^#{2,3} (\d+(?:\.\d+)?|INV-\d+)\b", (DOCS / "state-model.md").read_text("utf-8"), re.M
)
NUMBER = r"(?:\d+(?:\.\d+)?|INV-\d+)"
CITED_RULES = re.compile(rf"docs/state-model\.md(?: ({NUMBER}(?:(?:, | and ){NUMBER})*))?")
CITED_PAGE = re.compile(r"(?<![\w./-])docs/([\w/-]+(?:\.md)?)")
CITED_DECISIONS = re.compile(r"\bdecisions? (\d{4}(?:(?:, | and )\d{4})*)")
UNNAMED = re.compile(r"STATE-MODEL|DESIGN|\(F\d+|docs/state-model\.md,? (?:section|rule)")


def flowing(path: Path) -> str:
    """The text of a file in one line: a citation may go on in the next, after its mark."""
    return re.sub(r"\s+(?:# |#: )?", " ", path.read_text(encoding="utf-8"))


def sources() -> Iterator[Path]:
    """Every module, but for this one, whose patterns cite nothing."""
    return (module.path for module in modules() if module.path != Path(__file__))


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]


def wrong_pages(text: str) -> list[str]:
    """The cited pages that are not there; a decision may be cited by its number alone."""
    cited = CITED_PAGE.findall(text)
    return [
        page for page in cited if not (DOCS / page).exists() and not list(DOCS.glob(f"{page}-*.md"))
    ]


def wrong_rules(text: str) -> list[str]:
    """The cited rules of the state model that its page has not."""
    cited = [number for found in CITED_RULES.findall(text) for number in re.findall(NUMBER, found)]
    return [number for number in cited if number not in RULES] + UNNAMED.findall(text)


def wrong_decisions(text: str) -> list[str]:
    cited = re.findall(r"\d{4}", " ".join(CITED_DECISIONS.findall(text)))
    return [number for number in cited if not list((DOCS / "decisions").glob(f"{number}-*.md"))]


def found(check: Callable[[str], list[str]], paths: Iterable[Path]) -> dict[str, list[str]]:
    wrong = {str(path.relative_to(ROOT)): check(flowing(path)) for path in paths}
    return {name: cited for name, cited in wrong.items() if cited}


def test_every_page_that_a_module_cites_exists() -> None:
    assert found(wrong_pages, sources()) == {}


def test_every_rule_of_the_state_model_that_is_cited_stands_on_its_page() -> None:
    assert found(wrong_rules, [*sources(), *pages()]) == {}


def test_every_decision_that_is_cited_exists() -> None:
    assert found(wrong_decisions, [*sources(), *pages()]) == {}


@pytest.mark.parametrize(
    ("text", "page", "rule"),
    [
        ("see docs/state-model.md 4.9 and INV-3", [], []),
        ("see docs/state-model.md 4.99, 3", [], ["4.99"]),
        ("see docs/state-model.md INV-12", [], ["INV-12"]),
        ("see docs/state-model.md, section 4, rule 9", [], ["docs/state-model.md, section"]),
        ("see docs/nothing.md and docs/decisions/0401", ["nothing.md"], []),
        ("see docs/decisions/9999", ["decisions/9999"], []),
        ("https://example.com/docs/nothing", [], []),
    ],
)
def test_a_wrong_citation_is_found(text: str, page: list[str], rule: list[str]) -> None:
    assert (wrong_pages(text), wrong_rules(text)) == (page, rule)
