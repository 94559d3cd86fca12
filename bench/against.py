"""What a frame costs the fold, here and in an older checkout, in turn on one machine; and peers.

Both get the same frames, in records of 1, 10 and 100, and each runs in an environment of its own,
with the packages that it declares. They take turns, so that a machine that slows down slows both,
and of each the least counts. `bench.fold_cost` is what runs inside, `bench.peer_cost` for peers.
"""

import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.commands import run
from bench.environments import CALLBACKS
from bench.frames import Load
from bench.open_orders import Line, open_orders
from bench.stage import ROOT

RECORD_SIZES: Final = (1, 10, 100)
STEP_RECORDS: Final = 20
TURNS: Final = 3
RUNS: Final = 2
ASKED: Final = {"open orders": 1 / 5, "mixture": 1 / 3}
"""Of what the older checkout takes; asked at `aab081e`."""
PEERS: Final = ("nexustrader", "ccxt")
PEERS_LOAD: Final = "open orders"
"""Theirs; they know no records, so ours are compared at 10 a record."""
WARM: Final = 1_000
FRAMES: Final = 8_000


@dataclass(frozen=True, slots=True)
class FrameCost:
    """Microseconds a frame: of folding, and of giving out what changed."""

    fold: float
    give_out: float

    @property
    def total(self) -> float:
        """Both."""
        return self.fold + self.give_out


@dataclass(frozen=True, slots=True)
class Checkout:
    """A tree of the product's sources, and the interpreter that has what it needs."""

    name: str
    tree: Path
    python: str

    def cost(self, load: Path, size: int) -> FrameCost:
        """The cost of a load in records of that size. Raises PeerFailed."""
        child = ROOT / "bench" / "fold_cost.py"
        command = [self.python, "-P", str(child), str(load)]
        paths = os.pathsep.join((str(self.tree), str(self.tree / "schemas")))
        environment = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
        line = run([*command, str(size), str(STEP_RECORDS), str(RUNS)], environment)
        found = json.loads(line)
        return FrameCost(found["fold"], found["give out"])


def compare(
    revision: str, home: Path, say: Callable[[str], None], *, is_quick: bool
) -> dict[str, Any]:
    """Every load at every size: what it costs here and there, and the ratio. Raises PeerFailed."""
    here = Checkout("here", ROOT, sys.executable)
    there = older(revision, home, say)
    loads = _loads(home, FRAMES // 10 if is_quick else FRAMES)
    found: dict[str, Any] = {}
    for name, path in loads.items():
        for size in RECORD_SIZES:
            say(f"{name}, {size} a record")
            costs: dict[str, list[FrameCost]] = {"here": [], "there": []}
            for _ in range(1 if is_quick else TURNS):
                costs["there"].append(there.cost(path, size))
                costs["here"].append(here.cost(path, size))
            found[f"{name}, {size} a record"] = _row(name, costs)
    return found


def _row(load: str, costs: dict[str, list[FrameCost]]) -> dict[str, Any]:
    least = {side: min(some, key=lambda cost: cost.total) for side, some in costs.items()}
    ratio = least["here"].total / least["there"].total
    return {
        "here_us": {"fold": least["here"].fold, "give out": least["here"].give_out},
        "there_us": {"fold": least["there"].fold, "give out": least["there"].give_out},
        "ratio": ratio,
        "asked": ASKED[load],
        "met": ratio <= ASKED[load],
    }


def lines_of(found: dict[str, Any]) -> Iterable[str]:
    """As it is printed."""
    yield f"{'CPU µs a frame':<32}{'here':>9}{'there':>9}{'ratio':>8}{'asked':>8}"
    for name, row in found.items():
        here, there = sum(row["here_us"].values()), sum(row["there_us"].values())
        word = "met" if row["met"] else "MISSED"
        yield f"{name:<32}{here:>9.1f}{there:>9.1f}{row['ratio']:>8.3f}{row['asked']:>8.3f}  {word}"


def peers(
    found: dict[str, Any], home: Path, say: Callable[[str], None], *, is_quick: bool
) -> dict[str, Any]:
    """What a frame of the same load costs peers that hand it to a callback. Raises PeerFailed."""
    python, ours = CALLBACKS.python(say), found[f"{PEERS_LOAD}, 10 a record"]["here_us"]
    rows: dict[str, Any] = {}
    for peer in PEERS:
        say(peer)
        child, load = ROOT / "bench" / "peer_cost.py", home / "open-orders.jsonl"
        line = run([python, "-P", str(child), peer, str(load), "1" if is_quick else str(TURNS)])
        theirs = json.loads(line)
        ratio = sum(ours.values()) / theirs["us"]
        rows[f"{peer} {theirs['version']}"] = {"us": theirs["us"], "ratio": ratio}
    return rows


def lines_of_peers(rows: dict[str, Any]) -> Iterable[str]:
    """As it is printed."""
    yield f"{'the same load, 10 a record':<32}{'here':>9}{'peer':>9}{'ratio':>8}{'asked':>8}"
    for name, row in rows.items():
        ours, word = row["us"] * row["ratio"], "met" if row["ratio"] <= 1 else "MISSED"
        yield f"{name:<32}{ours:>9.1f}{row['us']:>9.1f}{row['ratio']:>8.3f}{1:>8.3f}  {word}"


def older(revision: str, home: Path, say: Callable[[str], None]) -> Checkout:
    """The sources of a commit with what they need, made if need be. Raises PeerFailed."""
    commit = run(["git", "-C", str(ROOT), "rev-parse", f"{revision}^{{commit}}"]).strip()
    place = ROOT / ".venv-bench-against" / commit
    tree, python, marker = place / "tree", place / "venv" / "bin" / "python", place / "made"
    if not marker.exists():
        say(f"making the environment of {commit[:9]}")
        tree.mkdir(parents=True, exist_ok=True)
        archive = home / "older.tar"
        run(["git", "-C", str(ROOT), "archive", "-o", str(archive), commit])
        run(["tar", "-xf", str(archive), "-C", str(tree)])
        run([sys.executable, "-m", "venv", "--clear", str(place / "venv")])
        run([str(python), "-m", "pip", "install", "--quiet", *_needs(tree)])
        marker.touch()
    return Checkout(commit[:9], tree, str(python))


def _needs(tree: Path) -> list[str]:
    """What the checkout declares that it needs, its own package apart."""
    projects = [
        tomllib.loads((tree / path / "pyproject.toml").read_text()) for path in ("", "schemas")
    ]
    declared = {one for project in projects for one in project["project"]["dependencies"]}
    return sorted(one for one in declared if not one.startswith("orderloom"))


def _loads(home: Path, frames: int) -> dict[str, Path]:
    mixed = list(_mixture(WARM + frames))
    return {
        "open orders": _written(home / "open-orders.jsonl", *open_orders(frames)),
        "mixture": _written(home / "mixture.jsonl", mixed[:WARM], mixed[WARM:]),
    }


def _mixture(frames: int) -> Iterable[Line]:
    load = Load()
    for _ in range(frames // len(load.accounts)):
        for account in load.accounts:
            (frame,) = load.frames(account, 1)
            yield account.name, frame.product, frame.received_ns, frame.body.decode()


def _written(path: Path, prepared: list[Line], counted: list[Line]) -> Path:
    lines = [str(len(prepared)), *(json.dumps(line) for line in (*prepared, *counted))]
    path.write_text("\n".join(lines) + "\n")
    return path
