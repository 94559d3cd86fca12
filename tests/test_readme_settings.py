"""The settings and the registry that the README shows can be used as they stand."""

import re
import textwrap
from pathlib import Path

import pytest

from runtime.accounts import load_accounts
from runtime.settings import load_settings
from tests.source_tree import ROOT

BLOCKS = re.findall(r"((?:^ {7}.*\n)+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)


def block_with(words: str) -> str:
    [found] = [block for block in BLOCKS if words in block]
    return textwrap.dedent(found)


def test_the_settings_shown_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "orderloom.toml"
    file.write_text(block_with("bootstrap ="), encoding="utf-8")
    monkeypatch.setenv("KAFKA_PASSWORD", "secret of the test")
    settings = load_settings(file)
    assert settings.kafka.replication == 3
    assert settings.kafka.client_security()["sasl.password"] == "secret of the test"


def test_the_registry_shown_is_right(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(block_with("[[accounts]]"), encoding="utf-8")
    [account] = load_accounts(file, partitions=12, venues={"binance"})
    assert account.id == "binance:main"
