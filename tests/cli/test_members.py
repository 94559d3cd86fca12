"""Lasting names of workers."""

import errno
from pathlib import Path

import pytest

from cli.members import held_member
from runtime.trouble import SetupError


def test_a_name_that_is_given_is_taken(tmp_path: Path) -> None:
    with held_member(tmp_path, "ingest-lab", "edge-a") as name:
        assert name == "edge-a"


def test_no_two_workers_of_a_host_have_one_name_and_a_free_name_is_used_again(
    tmp_path: Path,
) -> None:
    with held_member(tmp_path, "ingest-lab") as first:
        with held_member(tmp_path, "ingest-lab") as second:
            assert first != second
        with held_member(tmp_path, "ingest-lab") as again:
            assert again == second
    with held_member(tmp_path, "ingest-lab") as anew:
        assert anew == first


def test_trouble_of_what_runs_under_a_name_is_not_taken_for_a_missing_lock(tmp_path: Path) -> None:
    trouble = OSError(errno.ENOMEM, "Cannot allocate memory")
    with (
        pytest.raises(OSError, match="Cannot allocate memory") as caught,
        held_member(tmp_path, "ingest-lab"),
    ):
        raise trouble
    assert caught.value is trouble


def test_a_directory_that_takes_no_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lock = held_member(tmp_path / "file", "ingest-lab")
    with pytest.raises(SetupError, match=r"no lock in .*file \(File exists\): set data_dir"), lock:
        pass
