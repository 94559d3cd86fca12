"""The page of the state model: drawn from the code, and each rule with its module and its test."""

import re

import pytest

from orderloom.words import Lifecycle, Trust
from processors.orders.tracks import trust
from processors.orders.tracks.diagram import diagram, table
from processors.orders.tracks.lifecycle import CLOSED, PRECEDENCE
from tests.source_tree import ROOT
from venues.venue import Profile

PAGE = (ROOT / "docs" / "state-model.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"<!-- drawn: (\w+) -->\n\n(.*?)\n\n<!-- end -->", PAGE, re.S))
RULES = dict(re.findall(r"^### (\d+\.\d+|INV-\d+)\b(.*?)(?=^##|\Z)", PAGE, re.M | re.S))
TESTS = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))
MODULES = sorted(set(re.findall(r"`((?:processors|schemas|venues)/[\w/]+\.py)`", PAGE)))


def mermaid(text: str) -> str:
    return f"```mermaid\n{text}\n```"


DRAWN = {
    "open": mermaid(diagram([state for state in Lifecycle if state not in CLOSED])),
    "closed": mermaid(diagram(CLOSED)),
    "table": table(),
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_the_page_draws_is_what_the_code_gives(name: str) -> None:
    drawn = DRAWN[name]
    assert BLOCKS[name] == drawn, f"write between the markers of {name!r}:\n\n{drawn}\n"


def test_nothing_stands_between_markers_that_is_not_drawn() -> None:
    assert set(BLOCKS) == set(DRAWN)


def test_the_rows_of_precedence_stand_in_their_order() -> None:
    states = re.findall(r"^\| .+ \| ([A-Z_]+)(?:, reason \w+)? \|$", RULES["3.1"], re.M)
    assert states == [state for _, state in PRECEDENCE]


@pytest.mark.parametrize("number", RULES)
def test_a_rule_names_its_module_and_its_test_or_says_that_it_is_not_built(number: str) -> None:
    rule = RULES[number]
    if "Not built" in rule and "- Shown by" not in rule:
        return
    assert ".py::test_" in rule
    assert "- Decided by" in rule or "drawn from" in rule


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_named_test_exists(path: str, name: str) -> None:
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {name}\(", text, re.M)


@pytest.mark.parametrize("path", MODULES)
def test_a_named_module_exists(path: str) -> None:
    assert (ROOT / path).is_file()


def test_sections_and_rules_stand_in_order_and_once() -> None:
    numbers = re.findall(r"^#{2,3} (\d+(?:\.\d+)?|INV-\d+)", PAGE, re.M)
    ranked = [[int(part) for part in one.replace("INV-", "6.").split(".")] for one in numbers]
    assert ranked == sorted(ranked)
    assert len(numbers) == len(set(numbers))


def test_every_dispute_trust_and_field_of_a_profile_is_explained() -> None:
    named = set(re.findall(r"`([\w-]+)`", PAGE)) | set(re.findall(r"^\| ([A-Z]+) \|", PAGE, re.M))
    disputes = {value for name, value in vars(trust).items() if is_code(name, value)}
    assert len(disputes) == 9
    assert disputes | set(Trust) | set(Profile.__dataclass_fields__) <= named


def is_code(name: str, value: object) -> bool:
    """Whether a name of the module is a dispute's code: words with hyphens."""
    return name.isupper() and isinstance(value, str) and bool(re.fullmatch(r"[a-z-]+", value))
