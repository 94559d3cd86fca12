"""Files that only we may read or write, whatever the umask and whoever else may write beside them.

In a directory that others may write (``/tmp``), a link may stand where a file of ours shall be: it
is refused, and what it leads to is left as it is.
"""

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from runtime.patience import within

MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700
READ_SECONDS_MAX: Final = 1.0
UMASK: Final = 0o077
"""What no file of ours grants: set for each process, as the files of libraries go by it alone."""


def open_own(path: Path) -> int:
    """A descriptor of the regular file at `path`, made for us alone if it is not there.

    Nothing is truncated. Raises OSError, also where a link or no plain file stands there.
    """
    # NOFOLLOW: what a link in its place leads to stays as it
    # is. NONBLOCK: nothing in its place may keep us waiting.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, MODE)
    except OSError:
        if path.is_symlink():
            raise OSError(f"{path} is a link: links are not followed") from None
        raise
    # Looked at through the descriptor: the path may lead elsewhere by now.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no plain file")
    return descriptor


def read_plain(path: Path, bytes_max: int) -> tuple[bytes, int]:
    """The first bytes of the regular file that `path` leads to, and its mode; links are followed.

    Raises OSError, whose `strerror` says why: also where no plain file is (a named pipe would keep
    us waiting for its writer), and where its disk does not answer.
    """
    try:
        return within(READ_SECONDS_MAX, path, lambda: _plain_content(path, bytes_max))
    except TimeoutError as error:
        raise TimeoutError(errno.ETIMEDOUT, error.strerror or str(error)) from None


def _plain_content(path: Path, bytes_max: int) -> tuple[bytes, int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    # Looked at through the descriptor: the path may lead elsewhere by now.
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file")
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(bytes_max), mode


def check_no_link(path: Path) -> None:
    """Raises OSError where a link stands at `path`."""
    if path.is_symlink():
        raise OSError(f"{path} is a link: links are not followed")


def own_directory(path: Path) -> None:
    """Make `path` a directory of ours, in which nobody else may put anything.

    Raises OSError, also where it belongs to another user, or anybody may write there.
    """
    path.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise OSError(f"{path} belongs to another user")
    if found.st_mode & stat.S_IWOTH:
        raise OSError(f"anybody may write in {path}")


def replace_with(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file at `path`, whole or not at all.

    A file that was there keeps its mode; a new one is ours alone. Raises OSError.
    """
    # Beside it, as only within one file system it is replaced at once; under
    # a name that nobody can foresee and put a link at (decision 0606).
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as part:
        try:
            part.write(content)
            part.flush()
            # Before the new name stands: after a power failure
            # there is the old content or the new, whole.
            os.fsync(part.fileno())
            if path.exists():
                os.fchmod(part.fileno(), stat.S_IMODE(path.stat().st_mode))
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
