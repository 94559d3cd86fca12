"""Lasting names for workers of a group: after a restart a worker is the member that it was."""

import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from runtime.files import open_own
from runtime.trouble import SetupError


@contextmanager
def held_member(directory: Path, kind: str, given: str | None = None) -> Iterator[str]:
    """The name `given`, else this host's name with the first number that no process holds.

    Two members of one name would fence each other; the lock goes with the process. Raises
    SetupError where no lock can be taken.
    """
    if given is not None:
        yield given
        return
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "host"
    name, lock = _first_free(directory, kind)
    with lock:
        yield f"{host}-{name}"


def _first_free(directory: Path, kind: str) -> tuple[str, ExitStack]:
    """The first name that no process holds, and what holds it now. Raises SetupError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            number += 1
            name = f"{kind}-{number}"
            with ExitStack() as tried:
                path = directory / f"{name}.lock"
                # Tried and not looked at: of two workers that start
                # at once only one has the lock (decision 0604).
                if _is_locked(tried.enter_context(os.fdopen(open_own(path), "rb+"))):
                    return name, tried.pop_all()
    except OSError as error:
        why = error.strerror or error
        raise SetupError(f"no lock in {directory} ({why})", "set data_dir") from error


def _is_locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
