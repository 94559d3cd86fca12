"""Settings from file and variables; a wrong one says which key, what was given, what to change."""

from pathlib import Path

import pytest

from runtime.settings import Settings, VenueSettings, load_settings
from runtime.trouble import SettingsError

EXAMPLE = """
namespace = "demo."
partitions = 4
[kafka]
bootstrap = "kafka-1:9092,kafka-2:9092"
security = { "security.protocol" = "SASL_SSL", "sasl.mechanism" = "SCRAM-SHA-512" }
[venues.binance]
reconcile_seconds = 5
rest = { spot = "http://127.0.0.1:8081" }
"""


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(text: str) -> tuple[str, ...]:
    Path("orderloom.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.lines


def test_without_a_file_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.partitions == 12
    assert settings.venue("binance").reconcile_seconds == 30
    assert settings == Settings()


def test_the_file_is_read_and_variables_win_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("orderloom.toml").write_text(EXAMPLE)
    monkeypatch.setenv("ORDERLOOM_PARTITIONS", "6")
    monkeypatch.setenv("ORDERLOOM_HTTP__PORT", "8080")
    settings = load_settings()
    assert (settings.namespace, settings.partitions, settings.http.port) == ("demo.", 6, 8080)
    assert settings.kafka.client_security()["sasl.mechanism"] == "SCRAM-SHA-512"
    assert settings.venue("binance").rest == {"spot": "http://127.0.0.1:8081"}


def test_another_file_can_be_named_by_argument_or_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("other.toml").write_text("partitions = 3")
    assert load_settings(Path("other.toml")).partitions == 3
    monkeypatch.setenv("ORDERLOOM_CONFIG", "other.toml")
    assert load_settings().partitions == 3
    assert load_settings(partitions=5).partitions == 5


def test_a_file_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml does not exist"):
        load_settings(Path("nowhere.toml"))


def test_a_directory_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is no file: name the settings file"):
        load_settings(tmp_path)
    Path("orderloom.toml").mkdir()
    with pytest.raises(SettingsError, match=r"orderloom\.toml is no file"):
        load_settings()


@pytest.mark.parametrize(
    "content",
    [b"namespace = '\xff'", b"partitions = " + b"1" * 5_000, b"venues = " + b"[" * 60_000],
    ids=["no UTF-8", "too long a number", "too deep"],
)
def test_a_file_that_no_parser_can_take_is_named(content: bytes) -> None:
    Path("orderloom.toml").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.lines[0].startswith("orderloom.toml is not TOML: ")


@pytest.mark.parametrize("variable", ["ORDERLOOM_VENUES", "ORDERLOOM_KAFKA__SECURITY"])
def test_a_variable_that_is_no_json_is_named_and_not_shown(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "perhaps-a-secret")
    with pytest.raises(SettingsError, match="write that variable as JSON") as caught:
        load_settings()
    assert "perhaps-a-secret" not in str(caught.value)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_that_may_not_be_read_is_named() -> None:
    Path("orderloom.toml").symlink_to("/proc/self/mem")  # opens, and no byte of it can be read
    with pytest.raises(SettingsError, match=r"orderloom\.toml cannot be read \("):
        load_settings()


def test_text_that_is_not_toml_is_named_with_its_line() -> None:
    (line,) = problems("partitions = \n")
    assert line.startswith("orderloom.toml is not TOML: ")
    assert "line 1" in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[kafka]\nbootstrap = 'kafka'",
            "kafka.bootstrap = 'kafka' in orderloom.toml: write host:port, several separated by "
            "commas",
        ),
        (
            "partitions = 'many'",
            "partitions = 'many' in orderloom.toml: input should be a valid integer, unable to "
            "parse string as an integer",
        ),
        ("[kafka]\nbootstarp = 'a:1'", "kafka.bootstarp in orderloom.toml is no setting: did you "
         "mean bootstrap?"),
        ("colour = 1", "colour in orderloom.toml is no setting: remove it"),
        (
            "[venues.binance]\nquestions_share = 2.0",
            "venues.binance.questions_share = 2.0 in orderloom.toml: input should be less than "
            "or equal to 1",
        ),
        (
            "namespace = 'a b'",
            "namespace = 'a b' in orderloom.toml: use letters, digits, dot, dash and underscore, "
            "such as prod.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_says_key_value_and_remedy(text: str, expected: str) -> None:
    assert problems(text) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "[venues.binance]\nreconcile_seconds = inf",
        "[venues.binance]\nreconcile_seconds = nan",
        "[venues.binance]\nreconcile_seconds = 1e12",
        "[venues.binance]\ngrace_ms = 9000000000000000000",
        "[venues.binance]\nvisibility_lag_ms = 10000000000000",
        "[ingest]\nliveness_ms = 9000000000000000000",
        "[ingest]\nframe_bytes_max = 18000000",
        "[process]\nsession_ms = 2000000",
        "[process]\nstep_ms_max = 9000000000000000000",
    ],
)
def test_what_no_worker_could_live_with_is_refused_in_one_line_that_names_it(text: str) -> None:
    (problem,) = problems(text)
    section, key = text.partition("]")[0].strip("["), text.split("\n")[1].split(" ", maxsplit=1)[0]
    assert problem.startswith(f"{section}.{key} = ")


def test_a_wrong_variable_is_named_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_HTTP__PORT", "99999")
    with pytest.raises(SettingsError, match="in the variable ORDERLOOM_HTTP__PORT: input should"):
        load_settings()


def test_a_misspelt_variable_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_KAFKA_BOOTSTRAP", "a:1")
    with pytest.raises(SettingsError, match=r"did you mean ORDERLOOM_KAFKA__BOOTSTRAP\?"):
        load_settings()


def test_several_problems_are_shown_at_once() -> None:
    assert len(problems("partitions = 0\n[http]\nport = -1")) == 2


def test_a_venue_without_a_section_has_the_defaults() -> None:
    assert Settings().venue("binance") == VenueSettings()


def test_a_password_is_followed_to_its_place_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "sesame")
    Path("orderloom.toml").write_text(
        """[kafka]\nsecurity = { "sasl.password" = "env:KAFKA_PASSWORD", "sasl.username" = "me" }"""
    )
    settings = load_settings()
    assert settings.kafka.client_security() == {"sasl.password": "sesame", "sasl.username": "me"}
    assert "sesame" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_a_wrong_password_is_refused_without_showing_it() -> None:
    (line,) = problems("[kafka]\nsecurity = { 'sasl.password' = 4711 }")
    assert line.startswith("kafka.security.sasl.password = ... in orderloom.toml: ")
    assert "4711" not in line
