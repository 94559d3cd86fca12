"""The record of one step in `commits`: what was read, at what time, and what came of it.

Pure. With the inputs it names, a replay folds the same and compares the digests.
"""

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from processors.ledger.step import InputRecord

FORMAT = 1
ABSENT = 0xFFFFFFFF  # the length written for a key or value that is None


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """One step. Fold each input's range in the order control, intents, raw; then let timers fire.

    `inputs` maps a topic's kind to [first, end) offsets; `bytes_hash` is over the keys and values
    read, in fold order; `left_out` lists (kind, offset, reason) of records that were not folded;
    `clock_ns` is the reading for all of it, and timers fired at its end if `ticked` (not where the
    step ran out of time). `fold` is the fold's version, `config` the digest of its configuration,
    `content_digest` and `exact_digest` what the state came to. `repair` is set on the steps
    of a repair: epoch, author, reason, cause, and its `phase`. With phase ``begun`` the state is
    emptied, and the inputs are folded anew from where its ranges begin.
    """

    step: int
    partition: int
    inputs: Mapping[str, tuple[int, int]]
    bytes_hash: str
    left_out: tuple[tuple[str, int, str], ...]
    clock_ns: int
    ticked: bool
    fold: str
    config: str
    content_digest: str
    exact_digest: str
    repair: Mapping[str, Any] | None = None
    format: int = FORMAT

    def encoded(self) -> bytes:
        """As JSON."""
        return orjson.dumps(asdict(self))


def bytes_hash(records: Iterable[InputRecord]) -> str:
    """Hash of the records' keys and values, each with its length, in the given order."""
    lengths: list[int] = []
    parts: list[bytes] = []
    for record in records:
        for part in (record.key, record.value):
            if part is None:
                lengths.append(ABSENT)
            else:
                lengths.append(len(part))
                parts.append(part)
    hashed = hashlib.blake2b(struct.pack(f"<{len(lengths)}I", *lengths), digest_size=16)
    hashed.update(b"".join(parts))
    return hashed.hexdigest()
