"""The contract package can be installed by itself."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.source_tree import ROOT

PROGRAM = """
import orderloom, sys
print(orderloom.TOPICS[0].kind, "confluent_kafka" in sys.modules, "runtime" in sys.modules)
"""


@pytest.mark.network
def test_the_contract_is_installed_and_imported_alone(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", str(ROOT / "schemas")]
    subprocess.run(install, check=True, timeout=100)
    printed = subprocess.run(
        [python, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert printed.stdout.split() == ["raw", "False", "False"]
    assert sys.version_info >= (3, 11)
