"""The jars come from the cache; without cache and network the error says what to do."""

from pathlib import Path

import pytest

from runtime.jars import KAFKA_VERSION, JarsUnavailableError, cache_directory, kafka_classpath


def refuse(line: str) -> None:
    pytest.fail(f"nothing should be fetched: {line}")


def test_noted_jars_are_used_without_asking_anyone(tmp_path: Path) -> None:
    jar = tmp_path / "kafka.jar"
    jar.touch()
    (tmp_path / f"kafka-{KAFKA_VERSION}.classpath").write_text(f"{jar}\n")
    assert kafka_classpath(tmp_path, refuse) == [jar]


def test_without_a_network_the_error_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "empty"))
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # the discard port: nobody listens
    with pytest.raises(JarsUnavailableError, match=r"check the network.*kafka\.bootstrap"):
        kafka_classpath(tmp_path / "cache", lambda _line: None)


def test_a_cache_elsewhere_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
