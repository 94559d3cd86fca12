"""The page of settings names each field and the defaults that are in force."""

import re

import pytest
from pydantic import BaseModel

from orderloom.account import AccountConfig
from runtime.settings import BrokerSettings, HttpSettings, KafkaSettings, Settings, VenueSettings
from tests.source_tree import ROOT
from venues import VENUES

PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^|]+)` \| ([^|]*) \|", PAGE, re.M))
PLAIN = ("namespace", "partitions", "data_dir", "accounts_file", "log_level")
SECTIONS: dict[str, type[BaseModel]] = {
    "kafka": KafkaSettings,
    "broker": BrokerSettings,
    "http": HttpSettings,
}
SHOWN = {name: str(Settings.model_fields[name].default) for name in PLAIN} | {
    f"{section}.{name}": str(field.default)
    for section, model in SECTIONS.items()
    for name, field in model.model_fields.items()
    if name != "security"
}


def test_every_field_of_an_account_is_shown() -> None:
    assert set(AccountConfig.model_fields) <= set(ROWS)


@pytest.mark.parametrize(("name", "default"), SHOWN.items())
def test_a_setting_is_shown_with_its_default(name: str, default: str) -> None:
    assert ROWS[name].strip("`").strip('"') == default


def test_every_setting_of_a_venue_is_shown() -> None:
    named = {word for row in ROWS for word in re.findall(r"\.(\w+)", row)}
    assert set(VenueSettings.model_fields) <= named


def test_every_environment_is_shown() -> None:
    for venue in VENUES.values():
        words = ", ".join(f"`{name}`" for name in venue.environments)
        assert words in PAGE, venue.name
