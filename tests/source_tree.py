"""The project's own source, read for the tests that hold it to its style."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Each room with the rooms that it may import. Schemas are the package `orderloom`.
ROOMS = {
    "orderloom": set(),
    "venues": {"orderloom"},
    "runtime": {"orderloom"},
    "ingest": {"orderloom", "venues", "runtime"},
    "processors": {"orderloom", "venues", "runtime"},
    "sinks": {"orderloom", "venues", "runtime"},
    "simulator": {"orderloom", "runtime"},
    "trial": {"orderloom", "venues", "runtime", "simulator"},
    "cli": {
        "orderloom", "venues", "runtime", "ingest", "processors", "sinks", "simulator", "trial",
    },
}  # fmt: skip
BESIDES = ("tests", "bench")  # may import anything, and are imported by no room


@dataclass(frozen=True)
class Module:
    """One Python file of ours."""

    path: Path
    name: str

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def is_pure(self) -> bool:
        words = ast.get_docstring(self.tree) or ""
        first = words.partition("\n")[0]
        return bool(re.search(r"\bpure\b", first, re.I) or re.search(r"^Pure[:.]", words, re.M))

    def functions(self) -> Iterator[tuple[str, int]]:
        """Each function with its number of lines."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{self.name}.{node.name}", (node.end_lineno or 0) - node.lineno + 1

    def imports(self, *, at_runtime: bool = False) -> set[str]:
        """The modules imported; `from x import y` gives `x.y` where that is a module of ours."""
        found = set()
        for node in _nodes(self.tree, skip_typing=at_runtime):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {_imported(self, node, alias.name) for alias in node.names}
        return found


def _nodes(tree: ast.AST, *, skip_typing: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if skip_typing and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _nodes(node, skip_typing=skip_typing)


def _imported(module: Module, node: ast.ImportFrom, name: str) -> str:
    base = node.module or ""
    if node.level:
        package = module.name.split(".")[: -node.level]
        base = ".".join([*package, base] if base else package)
    return f"{base}.{name}" if f"{base}.{name}" in names() else base


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the rooms, of `tests` and of `bench`."""
    found = []
    for room in (*ROOMS, *BESIDES):
        base = ROOT / "schemas" if room == "orderloom" else ROOT
        for path in sorted((base / room).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            found.append(Module(path, ".".join(parts).removesuffix(".__init__")))
    return tuple(found)


@cache
def names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def source() -> list[Module]:
    """The product, without tests and bench."""
    return [module for module in modules() if module.room in ROOMS]


def room_of(imported: str) -> str | None:
    room = imported.partition(".")[0]
    return room if room in ROOMS or room in BESIDES else None


def literals(module: Module) -> Iterator[tuple[int, str]]:
    """String constants that are no docstrings, those inside f-strings too."""
    words = {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words:
            yield node.lineno, node.value
