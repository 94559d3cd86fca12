"""What is imported is declared, what is declared is used, and what is installed has its hash."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.source_tree import ROOT

ROOMS = ("cli", "ingest", "processors", "runtime", "simulator", "sinks", "trial", "venues")
OURS = {*ROOMS, "orderloom", "tests", "bench"}
TOOLS = {
    "pytest-asyncio", "pytest-timeout", "pytest-xdist", "mypy", "ruff", "check-jsonschema", "uv",
}  # fmt: skip
"""Declared for development and started, not imported."""
ELSEWHERE = {"quixstreams", "nexustrader", "loguru"}
"""Peers that `bench` measures in environments of their own, and what they log by."""
PINNED = re.compile(r"^([a-z0-9._-]+)==([^ ]+)(?: ; [^\\]+)? \\$", re.M)
HOST = re.compile(r"https?:|index-url|find-links|[a-z0-9-]+\.(?:org|com|io|net)\b")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTRACT: dict[str, Any] = tomllib.loads((ROOT / "schemas/pyproject.toml").read_text())["project"]


def imported(*places: str) -> set[str]:
    """The distributions that the modules below these folders import, none of ours."""
    found: set[str] = set()
    for place in places:
        for file in (ROOT / place).rglob("*.py"):
            found |= set(imports_of(file))
    distributions = packages_distributions()
    packages = found - OURS - ELSEWHERE - sys.stdlib_module_names
    return {plain(distributions[name][0]) for name in packages}


def imports_of(file: Path) -> set[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return {name.partition(".")[0] for name in names}


def declared(requirements: list[str]) -> set[str]:
    names = (re.match(r"[A-Za-z0-9._-]+", one) for one in requirements)
    return {plain(name.group()) for name in names if name is not None}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: Path) -> dict[str, str]:
    return {plain(name): version for name, version in PINNED.findall(file.read_text())}


def test_the_product_declares_what_it_imports_and_no_more() -> None:
    assert declared(PROJECT["dependencies"]) - {"orderloom"} == imported(*ROOMS)


def test_the_contract_declares_what_it_imports_and_no_more() -> None:
    assert declared(CONTRACT["dependencies"]) == imported("schemas/orderloom")


def test_tests_and_benches_declare_what_they_import() -> None:
    extras = PROJECT["optional-dependencies"]
    development = declared(extras["dev"])
    assert development - TOOLS <= imported("tests", "bench")
    assert imported("tests", "bench") <= development | declared(PROJECT["dependencies"])


LOCKS = sorted((ROOT / "locks").glob("*.txt"))


def test_there_is_a_lock_for_each_use() -> None:
    assert [lock.stem for lock in LOCKS] == ["build", "dev", "run"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_each_package_of_a_lock_has_its_version_and_hashes(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]
    assert len(entries) == len(pins(lock)) > 0
    for entry in entries:
        assert re.search(r"^    --hash=sha256:[0-9a-f]{64}", entry, re.M), entry[:80]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_registry(lock: Path) -> None:
    assert HOST.search(lock.read_text()) is None


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("run", PROJECT["dependencies"] + CONTRACT["dependencies"]),
        ("dev", [one for extra in PROJECT["optional-dependencies"].values() for one in extra]),
        ("build", PROJECT["optional-dependencies"]["build"]),
    ],
)
def test_a_lock_holds_all_that_is_declared(lock: str, requirements: list[str]) -> None:
    """Whoever declares something runs `make lock`."""
    assert declared(requirements) - {"orderloom"} <= set(pins(ROOT / "locks" / f"{lock}.txt"))


def test_what_is_tested_is_what_is_shipped() -> None:
    run, dev = pins(ROOT / "locks/run.txt"), pins(ROOT / "locks/dev.txt")
    assert run.items() <= dev.items()


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_packages_are_installed_by_their_hashes_alone(file: str) -> None:
    """Every pip command asks for hashes, or for no package of a registry."""
    text = (ROOT / file).read_text().replace("\\\n", " ")
    commands = re.findall(r"(?:\$\(PIP\)|pip (?:install|wheel)) [^&|\n]*", text)
    commands = [one for one in commands if "--disable-pip-version-check" not in one]
    assert len(commands) >= 2
    assert all("--require-hashes" in one or "--no-index" in one for one in commands), commands
