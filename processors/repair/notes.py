"""What the commit records of a repair say of it, also what its end found in former outputs.

Pure. No input holds what was found, and compaction takes it from the outputs; so a replay needs it
from here. The repair itself folds it from what is written here: so both fold the same.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from zlib import compress, decompress

import orjson

from orderloom.topology import COMMANDS, DISPATCHES, OUTPUTS
from processors.account.lost_fills import LostFill
from processors.account.streams import Blind
from processors.ledger.state import Repair
from processors.ledger.step import StepChanges
from processors.partition import PartitionFold
from processors.repair.coverage import Coverage, RawGap
from processors.repair.finishing import FormerView, end_rebuild, note_lost, retire_former

BEGUN, FOLDING, ENDED = "begun", "folding", "ended"
"""The phases of a repair."""
FOUND_CHARACTERS_MAX: Final = 500_000
"""Half of what a record of `commits` may hold; a position of some 10,000 lost executions."""
TOO_LARGE: Final = "too large"
_TOPIC_OF: Final = {topic.kind: topic for topic in OUTPUTS}


def note_of(repair: Repair, phase: str) -> dict[str, Any]:
    """What a commit record says of the repair that made it."""
    return {
        "phase": phase,
        "epoch": repair.epoch,
        "author": repair.author,
        "reason": repair.reason,
        "cause": repair.cause,
        "raw_gap": repair.raw_gap,
    }


def without_dispatches(changes: StepChanges) -> StepChanges:
    """What is written of a step of a repair: what the rebuilt past asks was asked long ago."""
    changes.outputs = [one for one in changes.outputs if one.topic not in (DISPATCHES, COMMANDS)]
    return changes


def packed_views(views: Iterable[FormerView]) -> str:
    """Keys of views that are shown no more."""
    return _packed(
        {"views": [[view.topic.kind, view.key, view.account, view.traded] for view in views]}
    )


def packed_lost(fills: Iterable[LostFill]) -> str:
    """Executions that are lost."""
    return _packed({"lost": [asdict(fill) for fill in fills]})


def packed_end(gaps: Sequence[RawGap], looked: Mapping[str, Coverage]) -> str:
    """What `raw` lacks, and what the former life had looked at: the end of the rebuilding."""
    coverages = {
        # Sorted: the record of a step must not follow the order of a set.
        account: asdict(coverage) | {"asked": sorted(coverage.asked)}
        for account, coverage in looked.items()
    }
    return _packed({"gaps": [asdict(gap) for gap in gaps], "looked": coverages})


def apply_found(partition: PartitionFold, packed: str, now_ns: int) -> None:
    """Fold what was found."""
    found = orjson.loads(decompress(b64decode(packed)))
    if "views" in found:
        retire_former(partition, map(_view, found["views"]), now_ns)
    elif "lost" in found:
        note_lost(partition, [LostFill(**fields) for fields in found["lost"]], now_ns)
    else:
        gaps = [RawGap(**fields) for fields in found["gaps"]]
        looked = {account: _coverage(fields) for account, fields in found["looked"].items()}
        end_rebuild(partition, gaps, now_ns, looked=looked)


def sayable(packed: str) -> str:
    """What a commit record says of it: all, or that it is too large."""
    return packed if len(packed) <= FOUND_CHARACTERS_MAX else TOO_LARGE


def _packed(found: dict[str, Any]) -> str:
    return b64encode(compress(orjson.dumps(found))).decode()


def _view(row: list[Any]) -> FormerView:
    kind, key, account, traded = row
    return FormerView(_TOPIC_OF[kind], key, account, None if traded is None else tuple(traded))


def _coverage(fields: dict[str, Any]) -> Coverage:
    still_open = tuple(Blind(**one) for one in fields["still_open"])
    return Coverage(fields["epoch"], fields["covered_ns"], still_open, frozenset(fields["asked"]))
