"""The registry's file and its keys, changed under a watch: what is taken, and what is not."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from ingest.registry import Act
from ingest.registry_watch import Registry
from orderloom.account import Home
from runtime.settings import Settings
from runtime.trouble import SettingsError

SECRET = "never-to-be-shown"


class House:
    """A registry in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "accounts.toml"
        self.write("a", "b")
        for name in ("a", "b"):
            self.write_key(name)

    def write(self, *names: str, **more: str) -> None:
        """Entries of these accounts; `more` are further lines, by account."""
        self.file.write_text("".join(self.entry(name, more.get(name, "")) for name in names))

    def entry(self, name: str, more: str = "") -> str:
        key = f'key = "file:{self.directory / name}.json"\n'
        return f'[[accounts]]\nid = "toy:{name}"\nproducts = ["TOY"]\n{key}{more}\n'

    def write_key(self, name: str, key: str = "k1") -> None:
        file = self.directory / f"{name}.json"
        file.write_text(json.dumps({"key": key, "secret": SECRET}))
        file.chmod(0o600)

    def registry(self) -> Registry:
        """The registry as in force, after the first looks."""
        registry = Registry(Settings(accounts_file=self.file, partitions=4), "toy")
        assert looked(registry) == []
        return registry


def looked(registry: Registry) -> list[tuple[str, Act]]:
    """What two looks in a row find: a worker looks once a second."""
    found = [*registry.look(), *registry.look()]
    return [(change.account, change.act) for change in found]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged; nothing of it, nor any text of it, shows a secret."""
    yield caplog
    assert SECRET not in caplog.text


def test_a_file_that_did_not_change_is_no_news(house: House) -> None:
    registry = house.registry()
    assert looked(registry) == []
    os.utime(house.file, (1, 1))
    assert looked(registry) == []


def test_a_change_is_taken_when_two_looks_find_the_same(house: House) -> None:
    registry = house.registry()
    house.write("a", "b", "c")
    house.write_key("c")
    assert registry.look() == []
    assert [(one.account, one.act) for one in registry.look()] == [("toy:c", Act.OPEN)]


def test_a_file_that_is_still_being_written_is_not_taken_half(house: House) -> None:
    registry = house.registry()
    house.write("a")
    assert registry.look() == []
    house.write("a", "b", a="# all of it")
    assert looked(registry) == []


def test_a_hurried_look_waits_for_no_second(house: House) -> None:
    registry = house.registry()
    house.write("a", "b", a="enabled = false")
    [change] = registry.look(at_once=True)
    assert (change.account, change.act) == ("toy:a", Act.CLOSE)


def test_a_key_that_changes_in_its_file_is_noticed(house: House) -> None:
    registry = house.registry()
    house.write_key("b", "k2")
    assert looked(registry) == [("toy:b", Act.RENEW)]
    credentials = registry.entries["toy:b"].credentials
    assert credentials is not None
    assert (credentials.key, credentials.secret) == ("k2", SECRET)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("[[accounts", "is not TOML"),
        ('[[accounts]]\nid = "toy:a"\n', "products"),
        ("", "names no account"),
        (None, "cannot be read"),
    ],
    ids=["no TOML", "wrong", "empty", "gone"],
)
def test_a_registry_that_cannot_be_used_leaves_the_last_good_one_in_force(
    house: House, lines: pytest.LogCaptureFixture, content: str | None, word: str
) -> None:
    registry = house.registry()
    if content is None:
        house.file.unlink()
    else:
        house.file.write_text(content)
    assert looked(registry) == []
    assert looked(registry) == []
    assert sorted(entry.config.id for entry in registry.served()) == ["toy:a", "toy:b"]
    [line] = [record for record in lines.records if record.levelname == "ERROR"]
    assert "last good registry stays in force" in line.message
    assert word in line.message
    assert REGISTRY.get_sample_value("orderloom_registry_unusable", {"venue": "toy"}) == 1
    house.write("a")
    assert looked(registry) == [("toy:b", Act.CLOSE)]
    assert REGISTRY.get_sample_value("orderloom_registry_unusable", {"venue": "toy"}) == 0


def test_a_key_file_that_is_garbage_stops_nothing(
    house: House, lines: pytest.LogCaptureFixture
) -> None:
    registry = house.registry()
    (house.directory / "a.json").write_text(f'{{"key": "{SECRET}", ')
    [change] = registry.look(at_once=True)
    assert change.is_trouble
    assert SECRET not in change.line
    assert len(tuple(registry.served())) == 2
    assert lines.records == [] or "chmod" in lines.text


def test_a_key_file_that_is_a_pipe_keeps_no_other_account(house: House) -> None:
    registry = house.registry()
    (house.directory / "a.json").unlink()
    os.mkfifo(house.directory / "a.json")
    house.write_key("b", "k2")
    broken, renewed = registry.look(at_once=True)
    assert "goes on as it was, with the last good key" in broken.line
    assert "it is no plain file" in broken.line
    assert (renewed.account, renewed.act) == ("toy:b", Act.RENEW)


def test_at_the_start_a_pipe_leaves_its_account_out_and_is_no_registry(house: House) -> None:
    (house.directory / "a.json").unlink()
    os.mkfifo(house.directory / "a.json")
    assert [entry.config.id for entry in house.registry().served()] == ["toy:b"]
    house.file.unlink()
    os.mkfifo(house.file)
    with pytest.raises(SettingsError, match="it is no plain file"):
        house.registry()


@pytest.mark.parametrize("path", ["~nosuchuser/k", "/a\\u0000b"], ids=["no home", "NUL"])
def test_a_key_whose_path_cannot_be_one_stops_nothing(
    house: House, lines: pytest.LogCaptureFixture, path: str
) -> None:
    good = house.file.read_text()
    bad = good.replace(f"file:{house.directory}/a.json", f"file:{path}")
    registry = house.registry()
    house.file.write_text(bad)
    assert looked(registry) == [("toy:a", Act.NOTHING)]
    assert looked(registry) == []
    assert len(tuple(registry.served())) == 2
    again = house.registry()
    assert [entry.config.id for entry in again.served()] == ["toy:b"]
    assert "account toy:a is left out" in lines.text
    house.file.write_text(good)
    assert looked(again) == [("toy:a", Act.OPEN)]


def test_at_the_start_a_missing_key_leaves_its_account_out_and_a_wrong_file_is_refused(
    house: House, lines: pytest.LogCaptureFixture
) -> None:
    (house.directory / "a.json").unlink()
    registry = house.registry()
    assert [entry.config.id for entry in registry.served()] == ["toy:b"]
    [line] = [record for record in lines.records if record.levelname == "ERROR"]
    assert "account toy:a is left out" in line.message
    house.write_key("a")
    assert looked(registry) == [("toy:a", Act.OPEN)]
    house.file.write_text("nonsense")
    with pytest.raises(SettingsError):
        house.registry()


def test_accounts_of_other_venues_are_not_ours(house: House) -> None:
    registry = house.registry()
    other = house.entry("a").replace("toy:", "okx:")
    house.file.write_text(house.file.read_text() + other)
    assert looked(registry) == []
    assert len(tuple(registry.served())) == 2


def test_what_control_says_of_an_account_lasts_beyond_a_restart(
    house: House, lines: pytest.LogCaptureFixture
) -> None:
    house.write("a", "b", a="partition = 2")
    registry = house.registry()
    registry.settle({"toy:a": Home(1, "production")})
    assert [entry.config.id for entry in registry.served()] == ["toy:b"]
    [line] = [record for record in lines.records if record.levelname == "ERROR"]
    assert "account toy:a lies in partition 1, the registry now says 2" in line.message
    assert looked(registry) == []
    registry.settle({"toy:a": Home(1, "production")})
    assert len(lines.records) == 1
    house.write("a", "b", a="partition = 1")
    assert looked(registry) == [("toy:a", Act.OPEN)]


def test_a_registry_that_was_refused_is_taken_once_control_says_the_same(house: House) -> None:
    house.write("a", a="partition = 1")
    registry = house.registry()
    house.write("a", a="partition = 2")
    assert looked(registry) == [("toy:a", Act.NOTHING)]
    registry.settle({"toy:a": Home(2, "production")})
    assert tuple(registry.served()) == ()
    assert looked(registry) == [("toy:a", Act.OPEN)]
    [entry] = registry.served()
    assert entry.config.partition == 2


def test_an_account_without_the_passphrase_that_its_venue_wants_is_left_out(house: House) -> None:
    house.write("a")
    house.write_key("a")
    settings = Settings(accounts_file=house.file, partitions=4)
    registry = Registry(settings, "toy", needs_passphrase=True)
    assert list(registry.served()) == []
    assert "holds no passphrase" in registry.entries["toy:a"].trouble
