"""The files that `docs/by-hand.md` has a reader write are right, and open the simulators."""

import re
from pathlib import Path

import pytest

from runtime.accounts import load_accounts, read_key
from runtime.settings import load_settings
from simulator.config import sample_accounts
from simulator.faces import FACES
from tests.source_tree import ROOT
from venues import VENUES

PAGE = (ROOT / "docs" / "by-hand.md").read_text(encoding="utf-8")


def test_settings_accounts_and_keys_fit_the_simulators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_text, *registries = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
    (tmp_path / "keys").mkdir()
    (tmp_path / "orderloom.toml").write_text(settings_text)
    (tmp_path / "accounts.toml").write_text("".join(registries))
    for text, name in re.findall(r"^echo '(.*)' > (keys/\S+)$", PAGE, re.M):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    accounts = load_accounts(settings.accounts_file, partitions=settings.partitions, venues=VENUES)
    assert [account.id for account in accounts] == ["binance:sim-0", "okx:sim-0", "binance:sim-1"]
    simulated = {one.name: one for name in FACES for one in sample_accounts(8, venue=name)}
    for account in accounts:
        one = simulated[account.id]
        key = read_key(account.key)
        secrets = (key.secret.get_secret_value(), key.passphrase.get_secret_value())
        assert (key.key, *secrets) == (one.api_key, one.secret, one.passphrase)
        venue = settings.venue(account.venue)
        assert set(account.products) == set(venue.rest) == set(venue.stream) == set(one.symbols)
