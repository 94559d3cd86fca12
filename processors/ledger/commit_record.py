"""The record of one step in `commits`: what was read, at what time, and what came of it.

Pure. With the inputs it names, a replay folds the same and compares the chain, whose link is a hash
over the chain before it and over what the step wrote, in the order written. The chain begins anew
with an epoch. docs/decisions/0213 has the reasons.
"""

import hashlib
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self
from zlib import crc32

import orjson
from pydantic import AfterValidator

from processors.ledger.mark import MARK, mark_of
from processors.ledger.step import InputRecord, StepChanges
from processors.ledger.typed import Count, Time, Whole, typed

FORMAT = 2
FORMATS_READ = (1, FORMAT)
"""1 has no number, checksums, chain, traces, configuration or topic ids."""
ABSENT = 0xFFFFFFFF  # the length written for a key or value that is None
_TIME = struct.Struct("<q")
_SUM_BYTES = 4


class UnknownCommitFormat(Exception):
    """A record of `commits` has a format that this code does not know, or is none."""


def _checked_sums(recorded: str) -> str:
    if len(b64decode(recorded, validate=True)) % _SUM_BYTES:
        raise ValueError("checksums of four bytes each")
    return recorded


def _checked_note(note: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a replay asks of it; the repair that wrote it has the rest (processors/repair/notes)."""
    phase, epoch, found = note.get("phase"), note.get("epoch"), note.get("found", "")
    if not isinstance(phase, str) or not isinstance(found, str):
        raise ValueError("a phase, and texts")
    if type(epoch) is not int or epoch < 0:
        raise ValueError("an epoch")
    return note


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """One step. Fold each input's range: control, claims, raw, intents; then let timers fire.

    `inputs` maps a topic's kind to [first, end) offsets; `bytes_hash` is over the keys and values
    read, in fold order, `checksums` has one for each; `left_out` lists (kind, offset, reason,
    trace) of records that were not folded; `clock_ns` is the reading for all of it, and timers
    fired at its end if `ticked` (not where the step ran out of time). `number` is that of its
    transaction. `fold` is the fold's version, `config` the digest of its configuration;
    `configuration` itself and `topic_ids` are said by the first step of each opening.
    `content_digest` (once a second, else empty) and `exact_digest` are what the state came to,
    `chain` what was written.
    `repair` is set on the steps of a repair: epoch, author, reason, cause, its `phase`, and what
    its end `found`. With phase ``begun`` the state is emptied, and the inputs are folded anew from
    where its ranges begin.
    """

    step: Count
    partition: Whole
    inputs: Mapping[str, tuple[Whole, Whole]]
    bytes_hash: str
    left_out: tuple[tuple[str, Whole, str, str], ...]
    clock_ns: Time
    ticked: bool
    fold: str
    config: str
    content_digest: str
    exact_digest: str
    repair: Annotated[Mapping[str, Any], AfterValidator(_checked_note)] | None = None
    number: Count | None = None
    checksums: Annotated[str, AfterValidator(_checked_sums)] = ""
    chain: str = ""
    configuration: Mapping[str, Any] | None = None
    topic_ids: Mapping[str, str] | None = None
    format: Whole = FORMAT

    def encoded(self) -> bytes:
        """As JSON."""
        return orjson.dumps(asdict(self))

    @classmethod
    def decoded(cls, value: bytes) -> Self:
        """Raises UnknownCommitFormat."""
        try:
            document = orjson.loads(value)
            found = document["format"]
        except (orjson.JSONDecodeError, TypeError, LookupError):
            raise UnknownCommitFormat("it is no commit record") from None
        if found not in FORMATS_READ:
            raise UnknownCommitFormat(f"its format is {found!r}, known is {FORMAT}")
        try:
            entries = document["left_out"]
            document["left_out"] = [[*one, ""][:4] for one in entries]  # 1 has no traces
            return typed(cls, document)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise UnknownCommitFormat(f"it is no commit record ({error})") from None


def commit_of(
    value: bytes | None, headers: Mapping[str, bytes | str | None]
) -> CommitRecord | None:
    """What the record of `commits` says; None: it is none of ours that can be read."""
    try:
        return marked_commit(value, headers)
    except UnknownCommitFormat:
        return None


def marked_commit(
    value: bytes | None, headers: Mapping[str, bytes | str | None]
) -> CommitRecord | None:
    """What a record of `commits` says that bears our mark; None: it bears none, or another.

    Each is the only record of its transaction there, so it bears that one's mark, and says its
    number if it is not of the format before. Raises UnknownCommitFormat where ours cannot be read.
    """
    said = headers.get(MARK)
    mark = mark_of([(MARK, said)]) if isinstance(said, bytes) else None
    if mark is None or mark.count != 1:
        return None
    record = CommitRecord.decoded(value or b"")
    return record if record.number in {None, mark.origin} else None


def bytes_hash(records: Iterable[InputRecord]) -> str:
    """Hash of the records' keys and values, each with its length, in the given order."""
    return _hash_of([part for record in records for part in (record.key, record.value)])


def checksums(records: Iterable[InputRecord]) -> str:
    """A CRC-32 of each record, over append time, key and value: they point at one that differs."""
    # The append time too: it gives the clock reading of a step that is behind.
    sums = [
        crc32(record.value or b"", crc32(record.key or b"", crc32(_TIME.pack(record.appended_ns))))
        for record in records
    ]
    return b64encode(struct.pack(f"<{len(sums)}I", *sums)).decode()


def checksum_count(recorded: str) -> int:
    """Of how many records these are the checksums."""
    return len(b64decode(recorded)) // _SUM_BYTES


def first_difference(recorded: str, found: str) -> int | None:
    """The place of the first record whose checksum differs, or that one side lacks."""
    pairs = [b64decode(recorded), b64decode(found)]
    sums = [struct.unpack(f"<{len(one) // 4}I", one) for one in pairs]
    for place, (one, other) in enumerate(zip(*sums, strict=False)):
        if one != other:
            return place
    return None if len(sums[0]) == len(sums[1]) else min(map(len, sums))


def chained(former: str, changes: StepChanges) -> str:
    """The link of a step that wrote `changes`, after the chain that ends in `former`."""
    parts: list[bytes | None] = [former.encode()]
    for item in changes.state.items():
        parts += item
    for output in changes.outputs:
        headers = output.headers
        # The count says where the headers of an output end.
        parts += (b"%s %d" % (output.topic.kind.encode(), len(headers)), output.key, output.value)
        for name, header in headers:
            parts += (name.encode(), header)
    return _hash_of(parts)


def _hash_of(parts: list[bytes | None]) -> str:
    # The lengths come first, so that no two lists of parts are the same bytes.
    lengths = [ABSENT if part is None else len(part) for part in parts]
    hashed = hashlib.blake2b(struct.pack(f"<{len(lengths)}I", *lengths), digest_size=16)
    hashed.update(b"".join([part for part in parts if part is not None]))
    return hashed.hexdigest()
