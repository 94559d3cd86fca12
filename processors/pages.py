"""A page of a list as its rows, each as the very bytes that the venue wrote.

Pure. Only as much is read as it takes to tell the rows apart: a row that was taken in before is
known by its hash, and the others go through translation, within the same envelope.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec

from venues.document import FRAME_BYTES_MAX

DIGEST_BYTES: Final = 16
_ROWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class PageRows:
    """The rows; `envelope` is what they stood in, as the field `field`, if they stood in any."""

    rows: list[msgspec.Raw]
    field: str | None = None
    envelope: dict[str, msgspec.Raw] | None = None

    def digests(self) -> list[bytes]:
        """A hash of each row, the same for the same bytes alone."""
        return [blake2b(row, digest_size=DIGEST_BYTES).digest() for row in self.rows]

    def body(self, rows: Iterable[msgspec.Raw]) -> bytes:
        """The page as if it had these rows only."""
        listed = b"[" + b",".join(map(bytes, rows)) + b"]"
        if self.envelope is None:
            return listed
        fields = {name: bytes(value) for name, value in self.envelope.items()}
        fields[self.field or ""] = listed
        return b"{" + b",".join(b'"%s":%s' % (n.encode(), v) for n, v in fields.items()) + b"}"


def split(body: bytes, field: str | None) -> PageRows | None:
    """The page in `body`; None where it is not a list as expected: translation says what it is."""
    if len(body) > FRAME_BYTES_MAX:
        return None
    try:
        if field is None:
            return PageRows(_ROWS.decode(body))
        envelope = _ENVELOPE.decode(body)
        # `body` writes the names as they are, so they must need no escaping.
        if field not in envelope or not all(map(str.isidentifier, envelope)):
            return None
        return PageRows(_ROWS.decode(envelope[field]), field, envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
