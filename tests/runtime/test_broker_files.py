"""The broker's directory: what is ours, what is not, what the settings say."""

from pathlib import Path

import pytest

from runtime.broker_files import (
    BrokerDirectory,
    ForeignDirectoryError,
    new_cluster_id,
    parse_properties,
    server_properties,
)


def test_a_new_directory_is_not_formatted(tmp_path: Path) -> None:
    assert not BrokerDirectory(tmp_path / "new").is_formatted()


def test_a_format_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    files = BrokerDirectory(tmp_path)
    files.prepare(new_cluster_id())
    assert not files.is_formatted()


def test_a_directory_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(ForeignDirectoryError, match=r"thesis\.doc: name an empty"):
        BrokerDirectory(tmp_path).is_formatted()


def test_the_data_of_another_cluster_are_refused(tmp_path: Path) -> None:
    files = BrokerDirectory(tmp_path)
    files.prepare("ours")
    (files.data / "meta.properties").write_text("#Kafka\nversion=1\ncluster.id=theirs\n")
    with pytest.raises(ForeignDirectoryError, match="cluster theirs, not of ours"):
        files.is_formatted()


def test_our_own_data_are_taken(tmp_path: Path) -> None:
    files = BrokerDirectory(tmp_path)
    files.prepare("ours")
    (files.data / "meta.properties").write_text("cluster.id=ours\n")
    assert files.is_formatted()


def test_given_settings_win_over_the_defaults() -> None:
    text = server_properties(Path("/data"), 9092, 9093, {"num.io.threads": "2", "x": "y"})
    settings = parse_properties(text)
    assert settings["num.io.threads"] == "2"
    assert settings["x"] == "y"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert settings["auto.create.topics.enable"] == "false"


def test_a_cluster_id_is_a_kafka_uuid_and_never_looks_like_an_option() -> None:
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(text) == 22 and not text.startswith("-") for text in ids)
