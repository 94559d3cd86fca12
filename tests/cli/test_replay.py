"""`orderloom replay`: what it is given is looked at before anything is read."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.replaying import Status, Wish, overall, run

SETTINGS = "partitions = 2\n[kafka]\nbootstrap = '127.0.0.1:1'\n"


def test_a_place_to_begin_that_is_none_is_a_usage_error() -> None:
    found = CliRunner().invoke(app, ["replay", "binance", "--from", "yesterday"])
    assert found.exit_code == 2
    assert "'yesterday' is no step: give a number, `start` or `now`" in found.stderr


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        (Wish("binance", partitions=(2,)), "there is no partition 2: binance has 0 to 1"),
        (Wish("okx", account="binance:main"), "binance:main is no account of okx"),
        (Wish("binance", begin="now", other=Path()), "another checkout cannot begin with a state"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_a_line(
    wish: Wish,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orderloom.toml").write_text(SETTINGS)
    Path("accounts.toml").write_text("")
    assert run(wish) == 2
    assert line in capsys.readouterr().err


def test_a_difference_of_one_partition_outweighs_another_that_nobody_could_look_at() -> None:
    equal, differs, cannot = Status.EQUAL, Status.DIFFERS, Status.CANNOT
    assert overall([equal, differs, cannot]) == overall([cannot, differs]) == 1
    assert overall([equal, cannot, equal]) == 2
    assert overall([equal]) == 0
