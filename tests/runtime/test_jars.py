"""The jars come from the cache; without cache and network the error says what to do."""

import hashlib
from pathlib import Path

import pytest

from runtime.jars import (
    KAFKA_VERSION,
    LOG4J_VERSION,
    ForeignJarsError,
    JarsUnavailableError,
    cache_directory,
    kafka_classpath,
    known_hashes,
)


def refuse(line: str) -> None:
    pytest.fail(f"nothing should be fetched: {line}")


def noted_jars(cache: Path) -> dict[str, str]:
    """Two jars in a cache; their hashes by name."""
    jars = [cache / "kafka.jar", cache / "log4j.jar"]
    for jar in jars:
        jar.write_bytes(jar.name.encode())
    lines = "".join(f"{jar}\n" for jar in jars)
    (cache / f"kafka-{KAFKA_VERSION}.classpath").write_text(lines)
    return {jar.name: hashlib.sha256(jar.name.encode()).hexdigest() for jar in jars}


def test_noted_jars_are_used_without_asking_anyone(tmp_path: Path) -> None:
    known = noted_jars(tmp_path)
    assert [jar.name for jar in kafka_classpath(tmp_path, refuse, known)] == list(known)


def test_a_jar_that_was_changed_is_not_run(tmp_path: Path) -> None:
    known = noted_jars(tmp_path)
    (tmp_path / "log4j.jar").write_bytes(b"evil")
    with pytest.raises(ForeignJarsError, match=r"1 of Kafka's jars .*: log4j\.jar"):
        kafka_classpath(tmp_path, refuse, known)


def test_a_jar_too_many_or_too_few_is_reported(tmp_path: Path) -> None:
    known = noted_jars(tmp_path)
    with pytest.raises(ForeignJarsError, match=r"kafka\.jar"):
        kafka_classpath(tmp_path, refuse, {"log4j.jar": known["log4j.jar"]})
    with pytest.raises(ForeignJarsError, match=r"more\.jar"):
        kafka_classpath(tmp_path, refuse, known | {"more.jar": "00"})


def test_the_hashes_are_of_the_versions_that_are_fetched() -> None:
    known = known_hashes()
    assert {len(digest) for digest in known.values()} == {64}
    assert {f"kafka_2.13-{KAFKA_VERSION}.jar", f"log4j-core-{LOG4J_VERSION}.jar"} <= set(known)
    assert len(known) == 46


def test_a_cache_that_is_anothers_is_reported(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(JarsUnavailableError, match=r"anybody may write in .* ORDERLOOM_CACHE"):
        kafka_classpath(cache, refuse)


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
