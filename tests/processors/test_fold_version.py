"""The fold's version is that of the code that a process runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from processors.fold_version import fold_version
from tests.source_tree import ROOT

UPGRADED = """
import cli.processing  # all that `orderloom process` loads
from pathlib import Path
from processors.fold_version import fold_version
tail = Path("processors/account/tail.py")
tail.write_text(tail.read_text() + "# another version\\n")
print(fold_version())
"""


def said(checkout: Path) -> str:
    """What a worker says that gets its first partition after its files were replaced."""
    places = os.pathsep.join([str(checkout), str(checkout / "schemas")])
    found = subprocess.run(
        [sys.executable, "-c", UPGRADED],
        capture_output=True,
        text=True,
        check=True,
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": places},
    )
    return found.stdout.strip()


def test_files_that_are_replaced_while_a_process_runs_do_not_change_its_version(
    tmp_path: Path,
) -> None:
    for room in ("cli", "processors", "venues", "runtime", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / room, tmp_path / room, ignore=ignored)
    assert said(tmp_path) == fold_version()
    assert said(tmp_path) != fold_version(), "a process that starts now runs another one"
