"""Our positions beside the venue's own figures: a difference is told, never adjusted.

Pure. The venue is asked for its positions in each round. When the round is complete, each of its
figures is compared with the sum of our executions, unless an execution is so young that the figure
may not hold it yet. A difference makes the position's band unbounded and stands as an open record
in `differences` until a later round finds both equal: nothing is invented to make numbers fit
(INV-8). A position that was there before we first looked stays such a difference (F73, F82).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orderloom.event import PositionReport
from orderloom.quantities import EXACT, ZERO, text_of
from processors.positions import Position


@dataclass(frozen=True, slots=True)
class Compared:
    """One position, ours and theirs; `is_young`: an execution may not be in their figure yet."""

    symbol: str
    position_side: str
    ours: Decimal
    theirs: Decimal
    quantity_unit: str
    is_young: bool

    @property
    def place(self) -> str:
        """What the position is known by within its product."""
        return f"{self.symbol}/{self.position_side}"


def rows_of(reports: Iterable[PositionReport]) -> dict[str, tuple[str, str]]:
    """The venue's figures and their units by ``symbol/side``; margin modes are summed."""
    sums: dict[str, Decimal] = {}
    units: dict[str, str] = {}
    for report in reports:
        place = f"{report.symbol}/{report.position_side}"
        sums[place] = EXACT.add(sums.get(place, ZERO), report.quantity)
        units[place] = report.quantity_unit
    return {place: (text_of(sums[place]), units[place]) for place in sorted(sums)}


def compared(
    positions: Iterable[Position], rows: dict[str, tuple[str, str]], asked_ns: int, lag_ns: int
) -> Iterator[Compared]:
    """Every position that either side knows; a position that the venue does not list is zero."""
    ours: dict[str, tuple[Decimal, int, str]] = {}
    for position in positions:
        place = f"{position.symbol}/{position.position_side}"
        net, last_ns, unit = ours.get(place, (ZERO, 0, position.quantity_unit))
        ours[place] = (EXACT.add(net, position.now.net), max(last_ns, position.last_ns), unit)
    for place in sorted(ours.keys() | rows.keys()):
        symbol, _, side = place.rpartition("/")
        theirs, their_unit = rows.get(place, ("0", ""))
        net, last_ns, unit = ours.get(place, (ZERO, 0, their_unit))
        yield Compared(symbol, side, net, Decimal(theirs), unit, last_ns > asked_ns - lag_ns)


def difference_of(product: str, found: Compared, rule: str, asked_ns: int) -> dict[str, Any]:
    """The record of `differences` about one position; `rule` ``open`` while it stands."""
    return {
        "product": product,
        "symbol": found.symbol,
        "kind": "POSITION",
        "ours": {"position_side": found.position_side, "net": text_of(found.ours)},
        "theirs": {"net": text_of(found.theirs), "asked_ns": asked_ns},
        "rule": rule,
    }
