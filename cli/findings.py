"""What `orderloom doctor` finds: one line about one part. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

SECOND_NS: Final = 1_000_000_000


class Mark(StrEnum):
    """How a finding is meant."""

    WELL = "ok"
    NOTE = "note"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about one part."""

    mark: Mark
    part: str
    line: str


def since(at_ns: int, now_ns: int) -> str:
    """A moment and how long ago it is: ``2026-11-21 18:59:18 UTC (42 s)``; both in ns UTC."""
    when = datetime.fromtimestamp(at_ns // SECOND_NS, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S} UTC ({max(0, now_ns - at_ns) // SECOND_NS} s)"
