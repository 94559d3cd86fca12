"""Lasting names of workers."""

from pathlib import Path

from cli.members import held_member


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
