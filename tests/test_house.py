"""The house holds itself to its style: imports point down, pure is pure, sizes are small."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.topology import TOPICS
from tests.source_tree import ROOMS, ROOT, Module, literals, modules, room_of, source
from venues import VENUES

# What `runtime` may know of the contract: the registry's model, which it loads.
CONTRACT_OF_RUNTIME = {"orderloom.account", "orderloom.control"}

PURE_LIBRARIES = """
__future__ abc base64 binascii bisect collections contextlib copy dataclasses datetime decimal
difflib email.utils enum fractions functools hashlib heapq hmac itertools json math numbers
operator random re statistics string struct textwrap types typing unicodedata urllib.parse uuid zlib
cryptography msgspec orjson pydantic pydantic_core typing_extensions
""".split()  # noqa: SIM905  a list literal would take forty lines
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval"})
IMPURE_METHODS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "getnode", "getLogger"})
IMPURE_SCHEMAS = "orderloom.client"

FUNCTION_LINES_MAX, FUNCTION_LINES_NINE_IN_TEN, FUNCTION_LINES_HALF = 70, 30, 10
MODULE_LINES_MAX, MODULE_LINES_HALF = 400, 150
COLUMNS_MAX = 100
NAMED_ONCE = frozenset({"orderloom", "venues", "processors", "ingest"})
"""Rooms in which no two classes share a name."""
OVER_A_REGISTER = frozenset({"tests.venues.test_usual"})
"""Suites whose cases come from a register, named as a module that only some of its members have."""


def listed(wrong: list[str]) -> str:
    return "\n" + "\n".join(wrong)


def test_imports_point_down() -> None:
    wrong = [
        f"{module.name} imports {imported}"
        for module in source()
        for imported in sorted(module.imports())
        if (room := room_of(imported)) and room not in ROOMS[module.room] | {module.room}
    ]
    assert not wrong, listed(wrong)


def test_runtime_knows_no_domain() -> None:
    wrong = [
        f"{module.name} imports {imported}"
        for module in source()
        if module.room == "runtime"
        for imported in module.imports()
        if imported.startswith("orderloom") and imported not in CONTRACT_OF_RUNTIME
    ]
    assert not wrong, listed(wrong)


def test_the_contract_needs_only_pydantic_and_orjson() -> None:
    wrong = [
        f"{module.name} imports {imported}"
        for module in source()
        if module.room == "orderloom" and not module.name.startswith(IMPURE_SCHEMAS)
        for imported in module.imports()
        if imported.partition(".")[0]
        not in {"orderloom", "orjson", "pydantic", "pydantic_core", *sys.stdlib_module_names}
    ]
    assert not wrong, listed(wrong)


def impure_calls(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in IMPURE_CALLS:
            yield f"{module.name}:{called.lineno} calls {called.id}"
        if isinstance(called, ast.Attribute) and (
            called.attr in IMPURE_METHODS
            or (ast.unparse(called.value) == "random" and called.attr != "Random")
        ):
            yield f"{module.name}:{called.lineno} calls {called.attr}"


def impure_imports(module: Module, pure: set[str]) -> Iterator[str]:
    for imported in sorted(module.imports(at_runtime=True)):
        if room_of(imported):
            is_pure = imported in pure
        else:
            is_pure = bool({imported, imported.partition(".")[0]}.intersection(PURE_LIBRARIES))
        if not is_pure:
            yield f"{module.name} imports {imported}"


def pure_in_fact() -> set[str]:
    """Modules that do no I/O, and whose imports do none either, whether they claim it or not."""
    candidates = [module for module in source() if not any(impure_calls(module))]
    pure = {module.name for module in candidates}
    while fallen := {
        module.name
        for module in candidates
        if module.name in pure and any(impure_imports(module, pure))
    }:
        pure -= fallen
    return pure


def test_a_module_that_claims_to_be_pure_is() -> None:
    pure = pure_in_fact()
    wrong = [
        line
        for module in source()
        if module.is_pure
        for line in (*impure_imports(module, pure), *impure_calls(module))
    ]
    assert not wrong, listed(wrong)


def test_no_function_is_long_and_most_are_short() -> None:
    sizes = [size for module in source() for _, size in module.functions()]
    assert statistics.median(sizes) < FUNCTION_LINES_HALF
    assert statistics.quantiles(sizes, n=10)[-1] < FUNCTION_LINES_NINE_IN_TEN
    long = [
        f"{name}: {size} lines"
        for module in modules()
        for name, size in module.functions()
        if size > FUNCTION_LINES_MAX
    ]
    assert not long, listed(long)


def test_no_module_is_long_and_half_are_short() -> None:
    assert statistics.median(len(module.lines) for module in source()) < MODULE_LINES_HALF
    long = [
        f"{module.name}: {len(module.lines)} lines"
        for module in modules()
        if len(module.lines) > MODULE_LINES_MAX
    ]
    assert not long, listed(long)


def test_no_line_is_wide() -> None:
    wide = [
        f"{module.name}:{number}"
        for module in modules()
        for number, line in enumerate(module.lines, 1)
        if len(line) > COLUMNS_MAX and len(line.split()) > 1  # one word cannot be broken
    ]
    assert not wide, listed(wide)


def test_a_class_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for module in source():
        if room_of(module.name) in NAMED_ONCE:
            for node in module.tree.body:
                if isinstance(node, ast.ClassDef):
                    homes.setdefault(node.name, []).append(module.name)
    wrong = [f"{name}: {', '.join(names)}" for name, names in homes.items() if len(names) > 1]
    assert not wrong, listed(wrong)


def homes() -> dict[tuple[str, str], set[str]]:
    """The packages in which a room has a module of a name."""
    found: dict[tuple[str, str], set[str]] = {}
    for module in source():
        package, _, name = module.name.rpartition(".")
        found.setdefault((module.room, name), set()).add(package)
    return found


def test_a_test_that_is_named_as_a_module_stands_at_its_path() -> None:
    known = homes()
    wrong = []
    for module in modules():
        package, _, name = module.name.removeprefix("tests.").rpartition(".test_")
        mirrored = known.get((package.partition(".")[0], name), {package})
        if package not in mirrored and module.name not in OVER_A_REGISTER:
            wrong.append(f"{module.name}: {', '.join(sorted(mirrored))}")
    assert not wrong, listed(wrong)


def test_every_module_opens_with_what_it_is() -> None:
    bare = [module.name for module in modules() if not ast.get_docstring(module.tree)]
    assert not bare, listed(bare)


FILE_WIDE = re.compile(r"#\s*(?:(?:ruff|flake8):\s*noqa|mypy:)", re.I)
EXCEPTION = re.compile(r"#\s*(?:type:\s*ignore|noqa)")
STATED = re.compile(r"#\s*(?:type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)\W+\w")


def test_no_check_is_off_for_a_whole_file() -> None:
    wrong = [
        f"{module.name}:{number}"
        for module in modules()
        for number, line in enumerate(module.lines, 1)
        if FILE_WIDE.match(line)
    ]
    assert not wrong, listed(wrong)


def test_each_exception_from_a_check_states_its_reason() -> None:
    wrong = [
        f"{module.name}:{number} {line.strip()}"
        for module in source()
        for number, line in enumerate(module.lines, 1)
        if EXCEPTION.search(line)
        and not STATED.search(line)
        and not module.lines[number - 2].strip().startswith("#")
    ]
    assert not wrong, listed(wrong)


def test_topics_are_named_in_the_topology_alone() -> None:
    kinds = "|".join(topic.kind for topic in TOPICS)
    shape = re.compile(rf"(?:^|[^\w-])(?:{kinds})\\?\.(?:{'|'.join(VENUES)}|$)")
    wrong = [
        f"{module.name}:{line} {text!r}"
        for module in source()
        if module.name != "orderloom.topology"
        for line, text in literals(module)
        if shape.search(text)
    ]
    assert not wrong, listed(wrong)


def test_metrics_are_named_in_their_list_alone() -> None:
    wrong = [
        f"{module.name}:{line} {text!r}"
        for module in source()
        if module.name != "runtime.metrics"
        for line, text in literals(module)
        if re.fullmatch(r"orderloom_[a-z_]+", text)
    ]
    wrong += [
        f"{module.name} makes a metric"
        for module in source()
        if module.name != "runtime.metrics"
        and re.search(r"import .*\b(Counter|Gauge|Histogram|Summary)\b", module.text)
        and "prometheus_client" in module.text
    ]
    assert not wrong, listed(wrong)


def truths(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of which this node asks whether they are true."""
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        yield node.test
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.comprehension):
        yield from node.ifs
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "bool":
        yield from node.args


def is_polled(value: ast.expr | None) -> bool:
    """Whether it is what a client's `poll` gives: a message, or None."""
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith(".poll")


def truths_of_messages(function: ast.AST) -> Iterator[int]:
    """The lines on which a polled message is tested by its truth."""
    nodes = list(ast.walk(function))
    polled = {
        ast.unparse(target)
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and is_polled(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    for asked in (one for node in nodes for one in truths(node)):
        said = asked.value if isinstance(asked, ast.NamedExpr) else asked
        if is_polled(said) or ast.unparse(said) in polled:
            yield asked.lineno


def test_no_message_is_tested_by_its_truth() -> None:
    # That of confluent's Message is the length of its value: a record without one would count as
    # none, and a tombstone be thrown away.
    wrong = {
        f"{module.name}:{line}"
        for module in modules()
        if ".poll(" in module.text
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in truths_of_messages(node)
    }
    assert not wrong, listed(sorted(wrong))


def prints_of_rich(module: Module) -> Iterator[ast.Call]:
    """Where a console prints, or a table takes, what somebody gives it."""
    if any(imported.partition(".")[0] == "rich" for imported in module.imports()):
        for node in ast.walk(module.tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in {"print", "add_row"}:
                assert isinstance(node, ast.Call)
                yield node


def test_rich_is_given_no_text_in_which_it_would_read_markup() -> None:
    wrong = [
        f"{module.name}:{call.lineno} {ast.unparse(call)}"
        for module in source()
        for call in prints_of_rich(module)
        for given in call.args
        if not re.match(r"\*?\(?(Text|table_of)\b", ast.unparse(given))
    ]
    assert not wrong, listed(wrong)


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_path_of_somebodys_machine_stands_in_the_project() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    homes = re.compile(
        r"(?<![\w.:$}{-])/(?:" + "|".join(["work", "farm", "root", "home"]) + r")/\w"
    )
    wrong = []
    for path in tracked_files():
        if not path.exists():
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if homes.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}")
    assert not wrong, listed(wrong)


def test_decisions_are_numbered_once() -> None:
    every = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    pages = [page for page in every if page.name != "README.md"]  # the index
    assert all(re.match(r"\d{4}-[a-z0-9-]+\.md$", page.name) for page in pages)
    numbers = [page.name[:4] for page in pages]
    assert len(numbers) == len(set(numbers))
