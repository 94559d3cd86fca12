"""Started in a directory with modules named as ours: they are not run."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from trial.stage import Plan, Stage
from trial.venues import TrialVenue

ORDERLOOM = Path(sys.executable).with_name("orderloom")
NAMES = ("cli", "runtime", "orderloom", "ingest", "processors", "simulator", "venues", "sinks")
UNREACHABLE = "no Kafka answers at 127.0.0.1:1"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A working directory with a file and a package in the place of each of ours."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('the foreign {name}')\n")
    for name in ("json", "typing", "faust", "logging"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the foreign {name}')\n")
    (tmp_path / "cli.py").write_text("raise SystemExit('the foreign cli')\n")
    (tmp_path / "orderloom.toml").write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    (tmp_path / "accounts.toml").write_text("")
    return tmp_path


@pytest.mark.broker  # or rather its absence: each waits ten seconds for one
@pytest.mark.parametrize("command", [("ingest", "binance"), ("process", "okx")], ids=" ".join)
def test_a_worker_and_its_child_are_ours(directory: Path, command: tuple[str, ...]) -> None:
    """The child gets as far as Kafka, which is not there; started again, it says so again."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORDERLOOM_")}
    with subprocess.Popen(
        [ORDERLOOM, *command],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        give_up = threading.Timer(60, worker.kill)
        give_up.start()
        assert worker.stderr is not None
        lines: list[str] = []
        for line in worker.stderr:
            lines.append(line)
            if UNREACHABLE in line or "foreign" in line:
                break
        give_up.cancel()
        worker.terminate()
        worker.stderr.read()
    assert UNREACHABLE in lines[-1], lines


def test_the_children_of_the_demo_are_ours(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(directory)
    simulated = tuple(TrialVenue(venue, 1, 1, 1, {}) for venue in ("binance", "okx"))
    stage = Stage.build(Plan(directory / "demo", "demo.", simulated))
    try:
        stage.start_simulators()
        assert sorted(stage.addresses) == sorted(stage.plan.venues)
    finally:
        stage.stop()


@pytest.mark.parametrize("command", [("normalize", "binance"), ("topics", "--acl")], ids=" ".join)
def test_a_command_itself_is_ours(directory: Path, command: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [ORDERLOOM, *command], cwd=directory, input="", text=True, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "foreign" not in json.dumps(ended.stdout)
