"""The account registry and its keys: every mistake has a line, no secret is ever shown."""

import json
import logging
from pathlib import Path

import pytest

from runtime.accounts import AccountKey, load_accounts, read_key
from runtime.trouble import SettingsError

SECRET = "sesame-open-4711"
KEY = json.dumps({"key": "public", "secret": SECRET})
EXAMPLE = """
[[accounts]]
id = "binance:main"
products = ["spot", "linear"]
key = "env:MAIN_KEY"
symbols = { spot = ["BTCUSDT"] }
partition = 3
[[accounts]]
id = "binance:second"
products = ["spot"]
key = "file:second.json"
"""


def a_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "accounts.toml"
    file.write_text(text)
    return file


def problems(tmp_path: Path, text: str, partitions: int = 4) -> str:
    with pytest.raises(SettingsError) as caught:
        load_accounts(a_file(tmp_path, text), partitions=partitions, venues={"binance"})
    return "\n".join(caught.value.lines)


def test_accounts_are_loaded_in_their_order(tmp_path: Path) -> None:
    main, second = load_accounts(a_file(tmp_path, EXAMPLE), partitions=4, venues={"binance"})
    assert (main.id, main.venue, main.partition_of(4)) == ("binance:main", "binance", 3)
    assert main.symbols == {"spot": ("BTCUSDT",)}
    assert second.id == "binance:second"


@pytest.mark.parametrize(
    ("text", "partitions", "expected"),
    [
        (EXAMPLE, 2, "account binance:main has partition 3: choose one from 0 to 1"),
        (EXAMPLE.replace("second", "main"), 4, "account binance:main stands there 2 times"),
        (EXAMPLE.replace("binance:second", "bynance:x"), 4, "bynance:x: choose a venue from bin"),
        (EXAMPLE + 'environment = "testnet"', 4, "environments production and testnet are mixed"),
        (EXAMPLE.replace('key = "env:MAIN_KEY"', ""), 4, r"accounts\[0\].key is missing in"),
        (EXAMPLE.replace("partition", "partion"), 4, "did you mean partition"),
        ("[[accounts", 4, "is not TOML"),
        ("accounts = " + "[" * 60_000, 4, "is not TOML"),
        ("accounts = " + "1" * 5_000, 4, "is not TOML"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, partitions: int, expected: str) -> None:
    assert expected.replace("\\", "") in problems(tmp_path, text, partitions)


@pytest.mark.parametrize("key", [SECRET, f"MYAPIKEY:{SECRET}", f"file {SECRET}", "env:", ""])
@pytest.mark.parametrize("more", ["", "\nenabled = false"], ids=["enabled", "disabled"])
def test_a_key_that_is_no_reference_is_refused_without_showing_it(
    tmp_path: Path, key: str, more: str
) -> None:
    text = EXAMPLE.replace('"file:second.json"', f'"{key}"{more}')
    line = problems(tmp_path, text)
    assert "account binance:second: a secret stands where its place belongs" in line
    assert "write env:NAME or file:PATH" in line
    assert SECRET not in line


def test_a_registry_of_another_shape_shows_no_key(tmp_path: Path) -> None:
    line = problems(tmp_path, f'[accounts]\nkey = "{SECRET}"')
    assert line.startswith("accounts = ... in ")
    assert SECRET not in problems(tmp_path, f'accounts = ["{SECRET}"]')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml cannot be read \(No such file"):
        load_accounts(tmp_path / "none.toml", partitions=4)


def test_a_key_comes_from_a_variable_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIN_KEY", KEY)
    (tmp_path / "key.json").write_text(KEY)
    assert read_key("env:MAIN_KEY") == read_key(f"file:{tmp_path}/key.json")
    assert read_key("env:MAIN_KEY").secret.get_secret_value() == SECRET


def test_no_text_form_of_a_key_shows_its_secret(caplog: pytest.LogCaptureFixture) -> None:
    key = AccountKey.model_validate_json(KEY)
    logging.getLogger("any").warning("%s %r", key, key)
    shown = f"{key} {key!r} {key.secret} {key.model_dump()} {key.model_dump_json()} {caplog.text}"
    assert SECRET not in shown
    assert "public" in shown


@pytest.mark.parametrize("text", [SECRET, json.dumps({"secret": SECRET}), f'["{SECRET}"]', ""])
def test_an_unreadable_key_is_refused_without_showing_it(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIN_KEY", text)
    with pytest.raises(SettingsError, match="env:MAIN_KEY holds no key: write it as") as caught:
        read_key("env:MAIN_KEY")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 60_000, '{"key": ' + "1" * 5_000], ids=["deep", "long"])
def test_a_key_that_no_parser_can_take_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIN_KEY", text)
    with pytest.raises(SettingsError, match="env:MAIN_KEY holds no key"):
        read_key("env:MAIN_KEY")


@pytest.mark.parametrize("field", ["key", "secret", "passphrase"])
@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_key_with_what_cannot_be_sent_is_refused_without_showing_it(
    field: str, character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"key": "public", "secret": SECRET, "passphrase": "word"}
    key[field] = f"{SECRET}{character}more"
    monkeypatch.setenv("MAIN_KEY", json.dumps(key))
    with pytest.raises(SettingsError, match=f"env:MAIN_KEY: {field} holds a line's end") as caught:
        read_key("env:MAIN_KEY")
    assert SECRET not in str(caught.value)


def test_a_key_without_the_passphrase_that_its_venue_wants_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIN_KEY", KEY)
    with pytest.raises(SettingsError, match="env:MAIN_KEY holds no passphrase") as caught:
        read_key("env:MAIN_KEY", needs_passphrase=True)
    assert '"passphrase": "..."}' in str(caught.value)
    assert SECRET not in str(caught.value)
    monkeypatch.setenv("MAIN_KEY", "no key")
    with pytest.raises(SettingsError, match=r'holds no key: .* "passphrase": "\.\.\."}'):
        read_key("env:MAIN_KEY", needs_passphrase=True)
    monkeypatch.setenv("MAIN_KEY", json.dumps({"key": "k", "secret": SECRET, "passphrase": "p"}))
    assert read_key("env:MAIN_KEY", needs_passphrase=True).passphrase.get_secret_value() == "p"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (SECRET, "a secret stands where its place belongs: write env:NAME or file:PATH"),
        ("env:NOT_SET_ANYWHERE", "the variable NOT_SET_ANYWHERE is not set"),
        ("file:/nowhere/key", "/nowhere/key cannot be read"),
        ("file:~nosuchuser/key", "'file:~nosuchuser/key' names no file"),
        ("file:/a\0b", r"'file:/a.x00b' names no file"),
    ],
)
def test_a_wrong_reference_says_what_to_do(reference: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as caught:
        read_key(reference)
    assert SECRET not in str(caught.value)


def test_a_key_file_that_others_can_read_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key.json"
    file.write_text(KEY)
    file.chmod(0o644)
    read_key(f"file:{file}")
    read_key(f"file:{file}")
    assert caplog.text.count(f"chmod 600 {file}") == 1
    file.chmod(0o640)
    read_key(f"file:{file}")
    assert caplog.text.count(f"chmod 600 {file}") == 2
    file.chmod(0o600)
    caplog.clear()
    read_key(f"file:{file}")
    assert not caplog.records
