"""Digests of a partition's state that pay only for what changed.

Pure. Each state record has a hash; the digest is their sum modulo 2^128, so replacing one record
costs one hash and two additions, and no order of arrival shows. *exact* covers every record byte
for byte; *content* only what orders are (tracks and fills), without versions, offsets and timers.
What an order is, is hashed when the digest is asked for: it may have changed often until then.
"""

from hashlib import blake2b
from typing import Final, Protocol

MODULUS: Final = 1 << 128


class Meaning(Protocol):
    """What a state record means, whatever it says of versions, offsets and timers."""

    def content(self) -> bytes:
        """Canonical bytes of it."""
        ...


class RollingDigest:
    """The two digests of one partition."""

    __slots__ = ("_changed", "_content_sum", "_contents", "_exact", "_exact_sum")

    def __init__(self) -> None:
        self._exact: dict[str, int] = {}
        self._contents: dict[str, int] = {}
        self._changed: dict[str, Meaning] = {}
        self._exact_sum = self._content_sum = 0

    def put(self, key: str, value: bytes, meaning: Meaning | None) -> None:
        """One state record was written; `meaning` is the order that it is of, if it is of one."""
        now = hash_of(key.encode() + b"\0" + value)
        self._exact_sum += now - self._exact.get(key, 0)
        self._exact[key] = now
        if meaning is None:
            self._forget(key)
        else:
            self._changed[key] = meaning

    def mean(self, key: str, meaning: Meaning) -> None:
        """What a state record means may follow from other records than its own."""
        self._changed[key] = meaning

    def drop(self, key: str) -> None:
        """A state record is no more."""
        self._exact_sum -= self._exact.pop(key, 0)
        self._forget(key)

    def _forget(self, key: str) -> None:
        self._content_sum -= self._contents.pop(key, 0)
        self._changed.pop(key, None)

    @property
    def exact(self) -> str:
        """Everything, as 32 hexadecimal digits."""
        return f"{self._exact_sum % MODULUS:032x}"

    @property
    def content(self) -> str:
        """What the orders are, as 32 hexadecimal digits."""
        for key, meaning in self._changed.items():
            now = hash_of(meaning.content())
            self._content_sum += now - self._contents.get(key, 0)
            self._contents[key] = now
        self._changed.clear()
        return f"{self._content_sum % MODULUS:032x}"


def hash_of(data: bytes) -> int:
    """A hash of 128 bits; sums of them stand for sets."""
    return int.from_bytes(blake2b(data, digest_size=16).digest(), "big")
