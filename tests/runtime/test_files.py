"""Files of our own: nobody else reads them, and no link leads us elsewhere."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.files import open_own, own_directory, read_plain, replace_with


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    former = os.umask(request.param)
    yield request.param
    os.umask(former)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    os.close(open_own(tmp_path / "file"))
    assert mode_of(tmp_path / "file") == 0o600
    replace_with(tmp_path / "whole", b"state")
    assert mode_of(tmp_path / "whole") == 0o600
    own_directory(tmp_path / "a" / "b")
    assert mode_of(tmp_path / "a" / "b") == 0o700


def test_what_is_there_is_not_truncated_and_keeps_its_mode(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("content")
    kept.chmod(0o640)
    os.close(open_own(kept))
    assert (kept.read_text(), mode_of(kept)) == ("content", 0o640)
    replace_with(kept, b"other")
    assert (kept.read_text(), mode_of(kept)) == ("other", 0o640)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_link_is_not_followed(tmp_path: Path, is_dangling: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if not is_dangling:
        target.write_text("precious")
    link.symlink_to(target)
    with pytest.raises(OSError, match="is a link: links are not followed"):
        open_own(link)
    assert target.exists() is not is_dangling
    assert is_dangling or target.read_text() == "precious"


def test_a_pipe_or_a_directory_in_its_place_is_reported_and_stops_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no plain file"):
        open_own(tmp_path / "pipe")
    with pytest.raises(OSError, match="directory"):
        open_own(tmp_path)


def test_only_a_plain_file_is_read_and_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link"):
        assert read_plain(tmp_path / name, 4)[0] == b"cont"
    for wrong in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="it is no plain file"):
            read_plain(wrong, 4)
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "none", 4)


def test_a_directory_where_anybody_may_write_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    with pytest.raises(OSError, match="anybody may write"):
        own_directory(tmp_path / "open")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    with pytest.raises(OSError, match="belongs to another user"):
        own_directory(tmp_path / "theirs")
