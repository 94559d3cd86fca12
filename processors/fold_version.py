"""The fold's version: a hash of all code by which the same inputs could come to something else.

One changed line anywhere in these rooms is another version, also where it is no rule: what it says
is whether a difference can be the code's.
"""

import hashlib
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

import orderloom
import processors
import venues

ROOMS: Final = (orderloom, venues, processors)


def fold_version() -> str:
    """Of the sources of contract, venues and processors, of Python and of orjson."""
    return _VERSION


def _hashed() -> str:
    hashed = hashlib.blake2b(digest_size=8)
    for text in (platform.python_implementation(), platform.python_version(), orjson.__version__):
        hashed.update(text.encode() + b"\0")
    for name, source in _sources():
        hashed.update(b"%s\0%d\0" % (name.encode(), len(source)) + source)
    return hashed.hexdigest()


def _sources() -> Iterator[tuple[str, bytes]]:
    for room in ROOMS:
        directory = Path(room.__path__[0])
        for path in sorted(directory.rglob("*.py")):
            yield f"{room.__name__}/{path.relative_to(directory).as_posix()}", path.read_bytes()


# While the sources are those that this process imports: a worker may be given its first partition
# long after its files were replaced, and folds with the code that it has (6 ms, measured).
_VERSION: Final = _hashed()
