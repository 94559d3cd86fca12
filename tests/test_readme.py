"""What the pages for people tell them to type exists."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.source_tree import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/by-hand.md")
COMMAND = str(Path(sys.executable).parent / "orderloom")


def pages() -> str:
    return "\n".join((ROOT / page).read_text() for page in PAGES if (ROOT / page).exists())


def code(text: str) -> str:
    """What stands in code blocks and between backticks."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, re.S)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(), re.M))


def commands_of_the_compose_file() -> set[str]:
    services = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"].values()
    return {service["command"][0] for service in services if "command" in service}


def commands_of_the_pages() -> set[str]:
    return set(re.findall(r"^\$? ?(?:\.venv/bin/)?orderloom ([a-z][a-z-]*)", code(pages()), re.M))


@cache
def help_of(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *command.split(), "--help"], capture_output=True, text=True, check=False
    )


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"^\$? ?make ([a-z]+)", code(pages()), re.M))
    assert "test" in named
    assert named <= make_targets(), named - make_targets()


@pytest.mark.parametrize(
    "command", sorted(commands_of_the_pages() | commands_of_the_compose_file())
)
def test_every_command_that_is_named_exists(command: str) -> None:
    answer = help_of(command)
    assert answer.returncode == 0, answer.stderr
    assert "Usage" in answer.stdout


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in code((ROOT / "README.md").read_text())
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()
