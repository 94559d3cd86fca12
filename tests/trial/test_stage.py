"""The stage of the demo, before anything runs on it."""

from pathlib import Path

import pytest

from runtime.trouble import SetupError
from trial.stage import Plan, Stage


@pytest.mark.parametrize("below", ["", "further"])
def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("no directory")
    place = tmp_path / "file" / below
    with pytest.raises(SetupError, match=f"{place} .*: name another with --directory"):
        Stage.build(Plan(place, "", ()))
