"""How two checkouts speak: a line of JSON with the lengths of what follows, then the bytes. Pure.

The format is that of this module and of what child.py says; another one is refused.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final, Protocol

import orjson

FORMAT: Final = 2
_LENGTH: Final = struct.Struct("<I")
Part = bytes | None


class Pipe(Protocol):
    """Bytes in or out, as of a child process."""

    def read(self, size: int = -1, /) -> bytes: ...

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> None: ...


def write(stream: Pipe, head: dict[str, Any], parts: Sequence[Part] = ()) -> None:
    """Write one message."""
    lengths = [None if part is None else len(part) for part in parts]
    line = orjson.dumps({"head": head, "lengths": lengths})
    present = [part for part in parts if part is not None]
    stream.write(b"".join([_LENGTH.pack(len(line)), line, *present]))
    stream.flush()


def read(stream: Pipe) -> tuple[dict[str, Any], list[Part]] | None:
    """The next message; None where the other side has ended."""
    begin = stream.read(_LENGTH.size)
    if len(begin) < _LENGTH.size:
        return None
    document = orjson.loads(stream.read(_LENGTH.unpack(begin)[0]))
    lengths = document["lengths"]
    return document["head"], [None if size is None else stream.read(size) for size in lengths]
