"""What a worker and its children use, as the kernel counts it (`/proc`, Linux alone)."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
UTIME: Final = 11
"""Where `utime` stands in `/proc/PID/stat` behind the name; `stime` follows (proc(5))."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU in seconds since it began, all threads and children; memory of its largest process."""

    cpu_seconds: float
    peak_mib: float
    now_mib: float


@dataclass(slots=True)
class Growth:
    """How much was written to files that are cut down meanwhile, seen by looking often."""

    size: Callable[[], int]
    written: int = 0
    last: int = 0

    def begin(self) -> None:
        """What is there now was written before."""
        self.written, self.last = 0, self.size()

    def look(self) -> None:
        """Count what has come since the last look."""
        now = self.size()
        self.written += max(0, now - self.last)
        self.last = now


def usage_of(pid: int) -> Usage:
    """What `pid` and its descendants use; zeros where it has ended."""
    family = list(_family(pid))
    return Usage(
        cpu_seconds=sum(map(_cpu_seconds, family)),
        peak_mib=max((_memory_mib(one, "VmHWM") for one in family), default=0.0),
        now_mib=max((_memory_mib(one, "VmRSS") for one in family), default=0.0),
    )


def folder_bytes(folders: Iterator[Path]) -> int:
    """The size of the files in these folders; one that goes meanwhile counts for nothing."""
    total = 0
    for folder in folders:
        for path in folder.glob("*.log"):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue
    return total


def _family(pid: int) -> Iterator[int]:
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(path).split():
            yield from _family(int(child))


def _cpu_seconds(pid: int) -> float:
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[UTIME : UTIME + 2])) / TICKS


def _memory_mib(pid: int, name: str) -> float:
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
