"""Digests of a partition's state that pay only for what changed.

Pure. Each state record has a hash; the digest is their sum modulo 2^128, so replacing one record
costs one hash and two additions, and no order of arrival shows. *exact* covers every record byte
for byte; *content* only what orders are (tracks and fills), without versions, offsets and timers.
"""

from hashlib import blake2b
from typing import Final

MODULUS: Final = 1 << 128


class RollingDigest:
    """The two digests of one partition."""

    __slots__ = ("_content_sum", "_contents", "_exact", "_exact_sum")

    def __init__(self) -> None:
        self._exact: dict[str, int] = {}
        self._contents: dict[str, int] = {}
        self._exact_sum = self._content_sum = 0

    def put(self, key: str, value: bytes, content: bytes | None) -> None:
        """One state record was written; `content` is what it means, if it is an order."""
        now = hash_of(key.encode() + b"\0" + value)
        self._exact_sum += now - self._exact.get(key, 0)
        self._exact[key] = now
        self.mean(key, content)

    def mean(self, key: str, content: bytes | None) -> None:
        """What a state record means now; that may follow from other records than its own."""
        self._content_sum -= self._contents.pop(key, 0)
        if content is not None:
            self._contents[key] = hash_of(content)
            self._content_sum += self._contents[key]

    def drop(self, key: str) -> None:
        """A state record is no more."""
        self._exact_sum -= self._exact.pop(key, 0)
        self._content_sum -= self._contents.pop(key, 0)

    @property
    def exact(self) -> str:
        """Everything, as 32 hexadecimal digits."""
        return f"{self._exact_sum % MODULUS:032x}"

    @property
    def content(self) -> str:
        """What the orders are, as 32 hexadecimal digits."""
        return f"{self._content_sum % MODULUS:032x}"


def hash_of(data: bytes) -> int:
    """A hash of 128 bits; sums of them stand for sets."""
    return int.from_bytes(blake2b(data, digest_size=16).digest(), "big")
