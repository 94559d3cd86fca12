"""Children of these tests may be modules of the tests themselves."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not installed is found by a child only where it is told to look."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
