"""What a step folded, before it is written, and what its commit record says of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from processors.ledger.commit_record import CommitRecord, bytes_hash, checksums
from processors.ledger.state import LedgerPlace
from processors.ledger.step import InputRecord, StepChanges

CONTENT_STEPS: Final = 512
SECOND_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Folded:
    """Records, what of them was left out (kind, offset, reason, trace), and the clock reading.

    `ranges` is each input's part of it, once that is known.
    """

    records: list[InputRecord]
    left_out: list[tuple[str, int, str, str]]
    clock_ns: int
    ticked: bool = False
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoldedBy:
    """What folds, and in which transaction: the fold's version, its configuration's digest.

    The `configuration` itself, and the ids of the topics, are None where an earlier step of this
    opening has said them. `repair` is set where a repair folds.
    """

    partition: int
    number: int
    version: str
    config: str
    repair: Mapping[str, Any] | None
    configuration: Mapping[str, Any] | None
    topic_ids: Mapping[str, str] | None


def says_content(step: int, former_ns: int, clock_ns: int) -> bool:
    """Whether a step says what the orders are: the first of each second, and each 512th, do."""
    # By the log alone, so a replay finds the digest at the same steps (decision 0214).
    return step % CONTENT_STEPS == 0 or clock_ns // SECOND_NS != former_ns // SECOND_NS


def commit_record_of(
    former_ns: int, place: LedgerPlace, folded: Folded, changes: StepChanges, by: FoldedBy
) -> CommitRecord:
    """The record of the step that comes to `place`; each of a repair's says the content.

    `former_ns` is the clock reading of the step before it.
    """
    is_said = by.repair is not None or says_content(place.step, former_ns, place.clock_ns)
    return CommitRecord(
        step=place.step,
        partition=by.partition,
        inputs=folded.ranges,
        bytes_hash=bytes_hash(folded.records),
        left_out=tuple(folded.left_out),
        clock_ns=folded.clock_ns,
        ticked=folded.ticked,
        fold=by.version,
        config=by.config,
        content_digest=changes.content_digest if is_said else "",
        exact_digest=changes.exact_digest,
        repair=by.repair,
        number=by.number,
        checksums=checksums(folded.records),
        chain=place.chain,
        configuration=by.configuration,
        topic_ids=by.topic_ids,
    )
