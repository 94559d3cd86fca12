"""What is wrong only for those who know the venues: refused before anything is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from cli.setting import checked_settings, placed
from orderloom.account import AccountConfig
from runtime.settings import Settings, load_settings
from runtime.trouble import SettingsError
from tests.cli.test_main import orderloom
from venues import VENUES
from venues.addresses import misplaced

ENTRY = """
[[accounts]]
id = "{venue}:main"
products = [{products}]
key = "env:NONE"
"""


def settings_in(directory: Path, accounts: str, settings: str = "") -> Settings:
    (directory / "accounts.toml").write_text(accounts)
    (directory / "orderloom.toml").write_text(
        f'accounts_file = "{directory}/accounts.toml"\n{settings}'
    )
    return load_settings(directory / "orderloom.toml")


def an_entry(venue: str, *products: str) -> str:
    return ENTRY.format(venue=venue, products=", ".join(f'"{one}"' for one in products))


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_an_entry_with_what_its_venue_has_is_taken(venue: str, tmp_path: Path) -> None:
    for products in VENUES[venue].key_groups or (VENUES[venue].products,):
        [account] = placed(settings_in(tmp_path, an_entry(venue, *sorted(products))))
        assert account.products == tuple(sorted(products))


@pytest.mark.parametrize("venue", sorted(VENUES))
@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('"spot", "futures"', "futures is no product of {venue}: choose from {products}"),
        ('"spot"]\nenvironment = "prodution" #', "spot has no address in environment prodution: "),
        ('"spot"]\nenvironment = "prodution" #', "choose one of {environments}, or set venues."),
        ('"spot"]\nsymbols = { spto = ["A"] } #', "spto is no product of {venue}"),
    ],
)
def test_an_entry_with_what_its_venue_has_not_is_refused(
    venue: str, entry: str, words: str, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, ENTRY.format(venue=venue, products=entry).replace("#]", "#"))
    with pytest.raises(SettingsError) as caught:
        placed(settings)
    expected = words.format(
        venue=venue,
        products=", ".join(VENUES[venue].products),
        environments=", ".join(sorted(VENUES[venue].environments)),
    )
    assert f"account {venue}:main: " in str(caught.value)
    assert expected in str(caught.value)


def test_products_with_keys_of_their_own_are_accounts_of_their_own() -> None:
    venue = replace(VENUES["binance"], key_groups=(frozenset({"spot"}), frozenset({"linear"})))
    endpoints = venue.environments["production"]

    def lines(*products: str) -> list[str]:
        account = AccountConfig(id="binance:main", products=products, key="env:KEY")
        return list(misplaced(account, venue, endpoints))

    assert lines("spot") == lines("linear") == []
    assert lines("spot", "linear") == [
        "one key of binance opens spot or linear: make an account of each"
    ]


def test_an_environment_of_ones_own_has_the_addresses_that_the_settings_give(
    tmp_path: Path,
) -> None:
    entry = an_entry("binance", "spot") + 'environment = "simulated"\n'
    given = '[venues.binance]\nrest = { spot = "http://127.0.0.1:1" }\n'
    with pytest.raises(SettingsError, match="spot has no address in environment simulated"):
        placed(settings_in(tmp_path, entry, given))
    given += 'stream = { spot = "ws://127.0.0.1:1" }\n'
    assert [one.id for one in placed(settings_in(tmp_path, entry, given))] == ["binance:main"]


@pytest.mark.parametrize("command", ["topics", "doctor"])
def test_topics_and_doctor_refuse_it_before_they_look_for_kafka(
    command: str, tmp_path: Path
) -> None:
    settings_in(tmp_path, an_entry("binance", "spot", "futures"))
    answer = orderloom(command, directory=tmp_path, ORDERLOOM_KAFKA__BOOTSTRAP="127.0.0.1:1")
    assert answer.returncode in (1, 78)
    assert "futures is no product of binance" in answer.stdout + answer.stderr
    assert "no Kafka answers" not in answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            "[venues.mtgox]\nreconcile_seconds = 3",
            "venues.mtgox is no venue: choose from binance, ",
        ),
        (
            '[venues.binance]\nrest = { spto = "http://127.0.0.1:1" }',
            "venues.binance.rest.spto is no product: choose from linear, spot",
        ),
        (
            '[venues.binance]\nrest = { spot = "localhost:19001" }',
            "venues.binance.rest.spot = 'localhost:19001': write an address that begins with "
            "http:// or https://",
        ),
        ('[venues.okx]\nstream = { spot = "https://a" }', "that begins with ws:// or wss://"),
        ('[venues.okx]\nrest = { spot = "http://[::1" }', "venues.okx.rest.spot = 'http://[::1'"),
        (
            "[venues.okx]\nlimits = { foo = 3 }",
            "venues.okx.limits.foo is no rate limit: choose from",
        ),
    ],
)
def test_what_no_venue_has_is_refused_with_what_to_choose_from(
    settings: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_in(tmp_path, an_entry("binance", "spot"), settings)
    monkeypatch.setenv("ORDERLOOM_CONFIG", str(tmp_path / "orderloom.toml"))
    with pytest.raises(SettingsError) as caught:
        checked_settings()
    [printed] = caught.value.lines
    assert line in printed


@pytest.mark.parametrize(
    "command",
    [
        ["topics"],
        ["doctor"],
        ["orders"],
        ["ingest", "binance"],
        ["process", "binance"],
        ["sink", "sqlite"],
        ["repair", "binance"],
    ],
)
def test_every_command_that_meets_a_venue_looks(command: list[str], tmp_path: Path) -> None:
    settings_in(tmp_path, an_entry("binance", "spot"), "[venues.mtgox]\n")
    answer = orderloom(*command, directory=tmp_path)
    assert answer.returncode in (1, 78)
    assert "venues.mtgox is no venue" in answer.stdout + answer.stderr


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_what_a_venue_has_may_be_set(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = ", ".join(f'{product} = "http://[::1]:19001"' for product in VENUES[venue].products)
    limits = ", ".join(f'"{bucket}" = 3' for bucket in VENUES[venue].buckets)
    stream = rest.replace("http:", "ws:")
    section = f"[venues.{venue}]\nrest = {{ {rest} }}\nstream = {{ {stream} }}\n"
    settings_in(tmp_path, "", section + f"limits = {{ {limits} }}\n")
    monkeypatch.setenv("ORDERLOOM_CONFIG", str(tmp_path / "orderloom.toml"))
    assert list(checked_settings().venues) == [venue]
