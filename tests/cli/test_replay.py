"""`orderloom replay`: what it is given is looked at before anything is read."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.replaying import Wish, run
from processors.replay.comparison import Comparison

SETTINGS = "partitions = 2\n[kafka]\nbootstrap = '127.0.0.1:1'\n"


def test_a_place_to_begin_that_is_none_is_a_usage_error() -> None:
    found = CliRunner().invoke(app, ["replay", "binance", "--from", "yesterday"])
    assert found.exit_code == 2
    assert "'yesterday' is no step: give a number, `start` or `now`" in found.stderr


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        (Wish("binance", partitions=(2,)), "there is no partition 2: binance has 0 to 1"),
        (Wish("binance", account="binance:none"), "binance:none stands not in"),
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


def test_records_are_compared_by_order_and_without_their_numbers() -> None:
    found = Comparison()
    one = b'{"account":"a","sequence":1,"status":"NEW"}'
    shifted = b'{"account":"a","sequence":2,"status":"NEW"}'
    fill = b'{"account":"a","order_key":"k2","quantity":"1"}'
    found.take(7, [("orders", b"k1", one)], [("orders", b"k1", shifted)])
    assert found.changed == {}
    other = b'{"account":"a","sequence":1,"status":"FILLED"}'
    found.take(8, [("orders", b"k1", one), ("fills", b"a", fill)], [("orders", b"k1", other)])
    found.take(9, [("orders", b"k1", None)], [])
    found.take(9, [("accounts", b"a", b"not JSON")], [("accounts", b"a", one)])
    shown = {
        name: (changed.account, changed.step, changed.records, sorted(changed.topics))
        for name, changed in found.changed.items()
    }
    assert shown == {
        "k1": ("a", 8, 3, ["orders"]),
        "k2": ("a", 8, 1, ["fills"]),
        "accounts a": ("a", 9, 2, ["accounts"]),
    }
