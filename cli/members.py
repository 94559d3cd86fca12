"""Lasting names for workers of a group: after a restart a worker is the member that it was."""

import fcntl
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from runtime.trouble import SetupError


@contextmanager
def held_member(directory: Path, kind: str, given: str | None = None) -> Iterator[str]:
    """The name `given`, else this host's name with the first number that no process holds.

    Two members of one name would fence each other; the lock goes with the process.
    """
    if given is not None:
        yield given
        return
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "host"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            name = f"{kind}-{number}"
            with (directory / f"{name}.lock").open("w", encoding="utf-8") as file:
                if _is_locked(file):
                    yield f"{host}-{name}"
                    return
    except OSError as error:
        raise SetupError(f"no lock in {directory} ({error.strerror})", "set data_dir") from error


def _is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
