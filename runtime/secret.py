"""Secrets by reference: `env:NAME` or `file:PATH`, never in a file of settings, never in a log."""

import logging
import os
from pathlib import Path
from typing import Final

from runtime.files import read_plain
from runtime.trouble import SettingsError

FILE: Final = "file:"
SECRET_BYTES_MAX: Final = 64 * 1024
READABLE_BY_OTHERS: Final = 0o044
NO_REFERENCE: Final = "a secret stands where its place belongs: write env:NAME or file:PATH"

_log = logging.getLogger(__name__)
_warned_of: set[tuple[Path, int]] = set()
"""Files, and their modes, that were warned of: they are read again at each change."""


def is_reference(text: str) -> bool:
    """Whether a text says where a secret is, and not what it is."""
    kind, _, place = text.partition(":")
    return kind in ("env", "file") and place != ""


def secret_text(reference: str) -> str:
    """The text behind a reference. Raises SettingsError, which never shows what was read."""
    if not is_reference(reference):  # perhaps the secret itself: do not show it
        raise SettingsError([NO_REFERENCE])
    kind, _, place = reference.partition(":")
    return _variable(place) if kind == "env" else _file_text(file_of(reference))


def file_of(reference: str) -> Path:
    """The file that a `file:` reference names. Raises SettingsError for what can be none."""
    wrong = SettingsError([f"{reference!r} names no file: correct its path"])
    place = reference.removeprefix(FILE)
    if "\0" in place:
        raise wrong
    try:
        return Path(place).expanduser()
    except RuntimeError:  # ~name, and there is nobody of that name
        raise wrong from None


def _variable(name: str) -> str:
    text = os.environ.get(name)
    if text is None:
        raise SettingsError([f"the variable {name} is not set: put the secret there"])
    return text


def _warn_of_readers(path: Path, mode: int) -> None:
    if mode & READABLE_BY_OTHERS and (path, mode) not in _warned_of:
        _warned_of.add((path, mode))
        _log.warning("%s can be read by others than its owner: chmod 600 %s", path, path)


def _file_text(path: Path) -> str:
    try:
        content, mode = read_plain(path, SECRET_BYTES_MAX)
        _warn_of_readers(path, mode)
        return content.decode().strip()
    except OSError as error:
        raise SettingsError([f"{path} cannot be read ({error.strerror}): correct it"]) from None
    except UnicodeDecodeError:  # its words would show the bytes
        raise SettingsError([f"{path} is not UTF-8 text: put the secret there"]) from None
