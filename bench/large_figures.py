"""What was found out about a large account, and how it is shown. Pure."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

MIB: Final = 1024 * 1024
START, RECONNECT, REST, GHOSTS = "start", "reconnect", "at rest", "all canceled"
"""The phases. In the last all open orders are canceled while nobody listens."""


@dataclass(slots=True)
class Requests:
    """What the venue was asked in one phase."""

    requests: int = 0
    refused: int = 0
    singly: int = 0
    """Of these, questions about one order, where a path tells them from others."""
    mib: float = 0.0
    weight: int = 0
    """The most that the venue counted within a minute, where it counts weight."""
    busiest: dict[str, int] = field(default_factory=dict)
    """The most requests within two seconds, by path."""

    @classmethod
    def of(cls, counted: dict[str, Any]) -> "Requests":
        """From the venue's own count."""
        rows = counted["paths"].values()
        return cls(
            requests=sum(row["requests"] for row in rows),
            refused=sum(row["refused"] for row in rows),
            singly=sum(row["requests"] for path, row in counted["paths"].items() if _is_one(path)),
            mib=sum(row["bytes"] for row in rows) / MIB,
            weight=max(counted["weight"].values(), default=0),
            busiest={path: row["busiest"] for path, row in counted["paths"].items()},
        )


@dataclass(slots=True)
class Phase:
    """One phase: how long, what was asked, what the workers used, what the topics grew by."""

    seconds: float
    asked: Requests
    process_cpu: float
    ingest_cpu: float
    ledger_mib: float


@dataclass(slots=True)
class Figures:
    """Everything that was found out about one large account."""

    title: str
    phases: dict[str, Phase] = field(default_factory=dict)
    process_peak_mib: float = 0.0
    ingest_peak_mib: float = 0.0
    process_open_mib: float = 0.0
    open_seconds: float = 0.0
    ledger_mib: float = 0.0
    wrong: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    fills: int = 0
    samples: dict[str, list[str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self)


def _is_one(path: str) -> bool:
    return path.endswith(("/order", "/QueryOrders"))


def line_of(name: str, phase: Phase) -> str:
    """One phase as it is printed."""
    asked = phase.asked
    return (
        f"{name:<12}{phase.seconds:>8.1f}{asked.requests:>10}{asked.refused:>9}{asked.singly:>8}"
        f"{asked.weight:>8}{asked.mib:>9.1f}{phase.process_cpu:>12.1f}{phase.ingest_cpu:>12.1f}"
        f"{phase.ledger_mib:>12.1f}"
    )


HEADER: Final = (
    f"{'':<12}{'seconds':>8}{'requests':>10}{'refused':>9}{'singly':>8}{'weight':>8}{'MiB':>9}"
    f"{'process CPU':>12}{'ingest CPU':>12}{'ledger MiB':>12}"
)


def lines_of(figures: Figures) -> Iterator[str]:
    """The table of one account."""
    yield figures.title
    yield HEADER
    yield from (line_of(name, phase) for name, phase in figures.phases.items())
    yield (
        f"peak MiB: process {figures.process_peak_mib:.0f}, ingest {figures.ingest_peak_mib:.0f}; "
        f"ledger topic {figures.ledger_mib:.0f} MiB; opened again in {figures.open_seconds:.1f} s "
        f"({figures.process_open_mib:.0f} MiB)"
    )
    wrong = ", ".join(f"{name} {number}" for name, number in figures.wrong.items())
    yield f"{figures.orders} orders and {figures.fills} fills in the topics: {wrong}"
