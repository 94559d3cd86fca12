"""The index of decisions has every page once, with its decision; what is cited is there."""

import re

from tests.source_tree import ROOT

FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(path.name for path in FOLDER.glob("*.md") if path.name != "README.md")
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
LINE = re.compile(r"^\* \[(\d{4})\]\(([\w.-]+\.md)\) ((?:.|\n  )+)$", re.M)
CITED = re.compile(r"(?:\bdecisions? |docs/decisions/)(\d{4})\b")
WORDS_MIN = 5


def lines() -> list[tuple[str, str, str]]:
    return LINE.findall(INDEX)


def test_every_page_is_in_the_index_once_and_in_order() -> None:
    assert [name for _, name, _ in lines()] == PAGES


def test_no_line_of_the_index_is_of_another_form() -> None:
    assert len(re.findall(r"^\* ", INDEX, re.M)) == len(lines())


def test_a_line_names_its_page_by_number_and_says_the_decision() -> None:
    wrong = [
        name
        for number, name, decision in lines()
        if not name.startswith(f"{number}-") or len(decision.split()) < WORDS_MIN
    ]
    assert not wrong, wrong


def test_every_link_of_the_decisions_exists() -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    missing = [
        f"{name}: {link}"
        for name, text in pages.items()
        for link in re.findall(r"\]\(([^)#]+)\)", text)
        if not link.startswith("http") and not (FOLDER / link).exists()
    ]
    assert not missing, missing


def test_a_page_stands_under_the_heading_of_its_room() -> None:
    sections = INDEX.split("\n## ")[1:]
    assert sections
    for section in sections:
        room = section[:2]
        assert re.search(rf"^\| {room} \| ", INDEX, re.M), room
        assert all(number.startswith(room) for number, _, _ in LINE.findall(section)), room
