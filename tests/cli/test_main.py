"""The command as a person meets it: help, usage errors, and trouble in one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime.trouble import SettingsError
from simulator.server import BOXES

COMMANDS = sorted(
    command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
)
ASKED = {
    "broker", "topics", "ingest", "process", "sink", "simulate", "orders", "fills", "positions",
    "accounts", "normalize", "fold", "doctor", "repair", "replay", "demo",
}  # fmt: skip
HEAVY = ("faust", "confluent_kafka", "aiohttp", "pydantic", "rich.live", "processors", "ingest")


def orderloom(
    *arguments: str, directory: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in `directory`, with no settings but those given."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ORDERLOOM_")}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env=inherited | variables,
    )


def test_every_command_of_the_design_is_there() -> None:
    assert set(COMMANDS) >= ASKED


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_examples(command: str) -> None:
    answer = CliRunner().invoke(app, [command, "--help"], prog_name="orderloom")
    assert answer.exit_code == 0, answer.stderr
    assert f"Examples:\n    orderloom {command}" in answer.stdout or (
        "Examples:\n    orderloom doctor\n    orderloom --config" in answer.stdout
    )


def test_help_does_not_wait_for_the_heavy_rooms(tmp_path: Path) -> None:
    program = f"import sys, cli.main; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ingest", "nowhere"], "no venue 'nowhere': choose from binance"),
        (["orders", "--venue", "nowhere"], "no venue 'nowhere': choose from binance"),
        (["sink", "stone"], "no sink 'stone': choose from sqlite"),
        (["broker", "--port", "70000"], "less than or equal to 65535"),
        (["normalize"], "Missing argument"),
        (["orders", "--folow"], "No such option"),
        (["weave"], "No such command"),
        (["orders", "--config", "x.toml"], "orderloom --config FILE orders ..."),
        (["ingest", "binance", "--config=x.toml"], "--config stands before the command"),
    ],
)
def test_wrong_arguments_are_named_and_end_with_2(arguments: list[str], words: str) -> None:
    answer = CliRunner().invoke(app, arguments, prog_name="orderloom")
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_demo_is_of_what_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(BOXES, "okx")
    answer = CliRunner().invoke(app, ["demo", "--venue", "okx"], prog_name="orderloom")
    assert answer.exit_code == 2
    assert f"okx is not simulated: choose from {', '.join(sorted(BOXES))}" in answer.stderr


def test_a_command_with_a_config_of_its_own_takes_it(tmp_path: Path) -> None:
    answer = orderloom("simulate", "binance", "--config", "venue.toml", directory=tmp_path)
    assert "venue.toml" in answer.stderr
    assert "stands before" not in answer.stderr


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = orderloom("--config", "absent.toml", "orders", directory=tmp_path)
    assert answer.returncode == 78
    assert "absent.toml does not exist" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_wrong_setting_is_one_line_with_what_to_change(tmp_path: Path) -> None:
    (tmp_path / "orderloom.toml").write_text("partitons = 4\n")
    answer = orderloom("topics", directory=tmp_path)
    assert answer.returncode == 78
    assert "partitons in orderloom.toml is no setting: did you mean partitions?" in answer.stderr


def test_one_wrong_setting_takes_one_line_and_several_one_each(tmp_path: Path) -> None:
    (tmp_path / "orderloom.toml").write_text("partitons = 4\n")
    [line] = orderloom("topics", directory=tmp_path).stderr.splitlines()
    assert line.startswith("orderloom: wrong setting: partitons in orderloom.toml is no setting")
    (tmp_path / "orderloom.toml").write_text("partitons = 4\nnamspace = 3\n")
    first, *more = orderloom("topics", directory=tmp_path).stderr.splitlines()
    assert (first, len(more)) == ("orderloom: 2 wrong settings:", 2)


def test_trouble_with_settings_is_one_line_in_a_log() -> None:
    assert str(SettingsError(["a is wrong"])) == "wrong setting: a is wrong"
    assert str(SettingsError(["a is wrong", "b too"])) == "2 wrong settings: a is wrong; b too"


def test_a_registry_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = orderloom("orders", directory=tmp_path)
    assert answer.returncode == 78
    assert "accounts.toml cannot be read" in answer.stderr


def test_a_broker_that_is_away_is_one_line_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "accounts.toml").write_text("")
    answer = orderloom(
        "orders",
        "--venue",
        "binance",
        directory=tmp_path,
        ORDERLOOM_KAFKA__BOOTSTRAP="127.0.0.1:1",
    )
    assert answer.returncode == 75
    last = answer.stderr.splitlines()[-1]
    assert last.startswith("orderloom: no Kafka answers at 127.0.0.1:1")
    assert "start one with `orderloom broker`" in last


def test_the_table_of_writers_needs_no_broker(tmp_path: Path) -> None:
    answer = orderloom("topics", "--acl", directory=tmp_path)
    assert answer.returncode == 0
    assert "raw            ingest" in answer.stdout.splitlines()
    assert "orders         process" in answer.stdout.splitlines()


def test_a_reader_who_has_seen_enough_is_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "normalize", "binance"]
    lines = b'{"raw": "pong"}\n' * 10_000
    (tmp_path / "lines").write_bytes(lines)
    with (
        (tmp_path / "lines").open("rb") as given,
        subprocess.Popen(
            command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        ) as child,
    ):
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith(b"{")
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(30) == 1


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (["normalize", "binance"], 1),
        (["normalize", "binance"], 10_000),  # more than is held back: it fails in the midst
        (["fold", "binance"], 1),
        (["topics", "--acl"], 0),
    ],
)
def test_output_that_cannot_be_written_is_one_line(
    command: list[str], lines: int, tmp_path: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "cli.main", *command],
            input=b'{"raw": "pong"}\n' * lines,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            cwd=tmp_path,
        )
    [line] = [line for line in answer.stderr.splitlines() if b"dead_letter" not in line]
    assert b"orderloom: what should be written cannot be (No space left on device)" in line
    assert answer.returncode == 1


def test_a_person_who_interrupts_gets_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "normalize", "binance"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(b'{"raw": "pong"}\n' * 20_000)  # more than a pipe holds: it is read
        child.send_signal(signal.SIGINT)
        assert child.stderr.read() == b""
        assert child.wait(30) == 130


def test_normalize_and_fold_read_stdin_and_end_with_0_whatever_it_holds(tmp_path: Path) -> None:
    for command in ("normalize", "fold"):
        answer = subprocess.run(
            [sys.executable, "-m", "cli.main", command, "binance"],
            input=b'no json\n{"raw": "pong"}\n',
            capture_output=True,
            check=False,
            cwd=tmp_path,
        )
        assert answer.returncode == 0
        assert b"dead_letter" in answer.stdout + answer.stderr
