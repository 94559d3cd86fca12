"""Our positions beside the venue's own figures: the opening record, then published differences.

Pure. The venue is asked for its positions in each cycle. What was held before we first looked is
the *opening* (docs/state-model.md 4.12): what the venue has beyond our executions, once two
complete cycles in a row find the same (`figures.py` says when they do); the position is then the
opening and what follows it. Until then the product's bands are unbounded and the account is
catching up.

Afterwards a difference makes the position's band unbounded and stands as an open record in
`differences` until a later cycle finds both equal: nothing is invented to make numbers fit
(docs/state-model.md INV-8).
An execution so young that the figure may not hold it yet is no difference, nor a figure so young
(or of a position that is listed no more) that the stream may still explain; unless two cycles in a
row find the same one: an account that never rests is compared too.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from orderloom.event import PositionReport
from orderloom.quantities import EXACT, ZERO, text_of, text_or_none
from orderloom.raw import Answer
from processors.account.exposure import Exposure
from processors.account.figures import CycleCoverage
from processors.account.positions import HeldPosition, Sums
from processors.orders.order import Order
from venues.venue import Profiles

COMPARISON: Final = "c"
"""The kind of its state record."""
UNKNOWN: Final = "unknown"
"""Stands for a difference that cannot be known: executions may or may not be in the figure."""


class Row(NamedTuple):
    """The venue's figure for one symbol and side; `venue_ns` is when it last changed there."""

    quantity: str
    unit: str
    entry: str | None = None
    venue_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One position, ours (as it was at `at_ns`, venue time) and theirs.

    `ours` is None where that cannot be said; `is_young`: one side may not know yet what the other
    knows.
    """

    symbol: str
    position_side: str
    ours: Decimal | None
    theirs: Decimal
    unit: str
    entry: str | None
    at_ns: int
    is_young: bool

    @property
    def place(self) -> str:
        """Symbol and side."""
        return f"{self.symbol}/{self.position_side}"

    @property
    def excess(self) -> str:
        """What the venue has beyond our executions, as text; `UNKNOWN` where it is not known."""
        return UNKNOWN if self.ours is None else text_of(EXACT.subtract(self.theirs, self.ours))


@dataclass(slots=True)
class PositionCheck:
    """The comparison for one account. `publish` publishes a record of `differences`.

    `reported` are the venue's rows by product until they are compared (asked for in venue time,
    answered in ours), `excess` what they had beyond our executions in the last cycle, `differing`
    the differences that stand; `is_dirty`: any of it changed since it was saved.
    """

    KINDS: ClassVar[tuple[str, ...]] = (COMPARISON,)

    exposure: Exposure
    profiles: Profiles
    publish: Callable[..., None]
    reported: dict[str, dict[str, Any]] = field(default_factory=dict)
    excess: dict[str, dict[str, Any]] = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)
    is_dirty: bool = False

    def is_open(self, product: str) -> bool:
        """Whether what was held before is known (or the product has no positions)."""
        return not self.profiles[product].has_positions or product in self.exposure.floors

    def take_page(
        self, reports: Iterable[PositionReport], item: Answer, asked_ns: int | None
    ) -> set[str]:
        """One page of the venue's own figures; the symbols of which it holds any.

        A venue may list several products at once: each product's own question counts for it. Where
        it is not known when they were asked for (`asked_ns`, venue time), they are compared with
        nothing.
        """
        product = item.question.get("product", "")
        held = self.reported.get(product, {}) if item.page > 1 else {}
        mine = rows_of(report for report in reports if report.product == product)
        rows = held.get("rows", {}) | {place: list(row) for place, row in mine.items()}
        self.is_dirty = True
        # One page of no known time leaves the whole figure without one.
        if item.page > 1 and held.get("asked_ns") is None:
            asked_ns = None
        times = {"asked_ns": asked_ns, "answered_ns": item.received_ns}
        self.reported[product] = times | {"rows": rows}
        return {place.rpartition("/")[0] for place, row in mine.items() if row.quantity != "0"}

    def check(
        self, product: str, coverage: CycleCoverage, orders: Callable[[], Iterable[Order]]
    ) -> list[HeldPosition]:
        """A cycle is complete: compare; the positions that are shown differently now.

        `orders` are all of the account, for their executions.
        """
        reported = self.reported.pop(product, None)
        self.is_dirty |= reported is not None
        if reported is None or reported["asked_ns"] is None:
            return []
        asked_ns, lag_ns = reported["asked_ns"], self.profiles[product].visibility_lag_ns
        mine = [one for one in self.exposure.positions.values() if one.product == product]
        rows = {place: Row(*row) for place, row in reported["rows"].items()}
        found = list(compared(mine, rows, asked_ns, lag_ns))
        earlier = self.excess.get(product)
        # Else both share what no list shows yet (`figures.py`, rule 1).
        former = earlier if coverage.proves(earlier) else None
        now = {one.place: one.excess for one in found if one.excess != "0"}
        times = {"asked_ns": asked_ns, "answered_ns": reported["answered_ns"]}
        # A figure too young to be proven stays until a cycle proves it: where cycles follow one
        # another faster than the venue's lists, each would else replace it, and none prove any.
        if earlier is None or former is not None:
            self.excess[product] = times | {"until_ns": coverage.until_ns, "places": now}
        if not self.is_open(product):
            if former is None or coverage.adds_to(former) or _lacks_any(found, coverage):
                return []
            return self._open(product, found, former, orders)
        # A young figure counts once two cycles find the same: one who never rests
        # has no other (decision 0004).
        agreed = {} if former is None else former["places"]
        return [
            position
            for one in found
            if not one.is_young or one.excess in ("0", agreed.get(one.place))
            for position in self._compare(product, one, asked_ns)
        ]

    def _open(
        self,
        product: str,
        found: list[Compared],
        former: dict[str, Any],
        orders: Callable[[], Iterable[Order]],
    ) -> list[HeldPosition]:
        """Open the product with what the venue holds, if two cycles in a row found the same."""
        now = self.excess[product]
        # Where an execution may or may not be in the figure, what was held before is not known.
        if former["places"] != now["places"] or UNKNOWN in now["places"].values():
            return []
        # Both figures hold what is older than the first of them, whenever it
        # becomes known (decision 0009).
        floor_ns = former["asked_ns"] - self.profiles[product].visibility_lag_ns
        held: dict[str, tuple[int, Sums]] = {}
        for one in found:
            held |= self._held(product, one, floor_ns)
            if one.excess != "0":
                self._say("OPENING", "two look-ups agree", product, one, now["asked_ns"])
        return self.exposure.open(product, floor_ns, held, orders())

    def _held(self, product: str, found: Compared, floor_ns: int) -> dict[str, tuple[int, Sums]]:
        """What the positions of one place hold, with the venue's figure, and at what time."""
        at_ns = max(found.at_ns, floor_ns)
        held: dict[str, tuple[int, Sums]] = {}
        where = (product, found.symbol, found.position_side)
        if found.theirs:
            positions = self.exposure.at(*where, found.unit)
        else:  # a venue lists some for an open order alone: they hold nothing
            positions = self.exposure.known_at(*where)
        for position in positions:
            sums = position.sums_at(at_ns)
            assert sums is not None, position.key  # or `ours` would be None
            # The venue's figure is the sum of the margin modes, so the
            # excess is put in one of them.
            if not held and found.excess != "0":
                net = EXACT.add(sums.net, Decimal(found.excess))
                entry = sums.entry if found.entry is None else Decimal(found.entry)
                sums = Sums(net, entry, ZERO, position.is_inverse)
            held[position.key] = (at_ns, sums)
        return held

    def _compare(self, product: str, found: Compared, asked_ns: int) -> list[HeldPosition]:
        place = f"{product}/{found.place}"
        # Not known is not different.
        if found.ours is None:
            return []
        # As text, which a restart gives back the same: 0.010 comes back as 0.01.
        is_equal = found.ours == found.theirs
        now = "" if is_equal else f"{text_of(found.ours)}/{text_of(found.theirs)}"
        # Published once, and again only when one of the two figures is another.
        if now == self.differing.get(place, ""):
            return []
        if now:
            self.differing[place] = now
        else:
            del self.differing[place]
        rule = "open" if now else "both sides are equal again"
        self._say("POSITION", rule, product, found, asked_ns)
        positions = self.exposure.at(product, found.symbol, found.position_side, found.unit)
        for position in positions:
            # Each of them: of a sum of margin modes nobody knows which one differs.
            position.is_doubted = bool(now)
        return positions

    def _say(self, kind: str, rule: str, product: str, found: Compared, asked_ns: int) -> None:
        ours = {"position_side": found.position_side, "net": text_or_none(found.ours)}
        theirs = {"net": text_of(found.theirs), "average_entry": found.entry, "asked_ns": asked_ns}
        self.publish(kind, rule, product, symbol=found.symbol, ours=ours, theirs=theirs)

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state record, if it changed since the last call."""
        if self.is_dirty:
            found = {"excess": self.excess, "differing": self.differing}
            yield COMPARISON, {"reported": self.reported, **found}
        self.is_dirty = False

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back the state record."""
        self.reported, self.excess = document["reported"], document["excess"]
        self.differing = document["differing"]


def _lacks_any(found: Iterable[Compared], coverage: CycleCoverage) -> bool:
    """Whether either side holds something of a symbol that is not covered."""
    return any((one.ours or one.theirs) and one.symbol in coverage.lacking for one in found)


def rows_of(reports: Iterable[PositionReport]) -> dict[str, Row]:
    """The venue's figures by ``symbol/side``; margin modes are summed (and have no one entry)."""
    rows: dict[str, Row] = {}
    for report in reports:
        place = f"{report.symbol}/{report.position_side}"
        quantity, entry, venue_ns = report.quantity, report.entry_price, report.venue_ns
        if (other := rows.get(place)) is not None:
            entry = entry if other.quantity == "0" else None
            quantity = EXACT.add(quantity, Decimal(other.quantity))
            # Where one of two has no time, nobody knows how young their sum is.
            venue_ns = max(venue_ns, other.venue_ns) if venue_ns and other.venue_ns else None
        rows[place] = Row(text_of(quantity), report.quantity_unit, text_or_none(entry), venue_ns)
    return dict(sorted(rows.items()))


def compared(
    positions: Iterable[HeldPosition], rows: dict[str, Row], asked_ns: int, lag_ns: int
) -> Iterator[Compared]:
    """Every position that either side knows; a position that the venue does not list is zero."""
    ours: dict[str, list[HeldPosition]] = {}
    for position in positions:
        ours.setdefault(f"{position.symbol}/{position.position_side}", []).append(position)
    for place in sorted(ours.keys() | rows.keys()):
        symbol, _, side = place.rpartition("/")
        mine, row = ours.get(place, []), rows.get(place, Row("0", ""))
        net: Decimal | None = _sum(position.now.net for position in mine)
        at_ns = max((position.last_ns for position in mine), default=0)
        is_ours_young = at_ns > asked_ns - lag_ns
        # Listed no more: it may just have been closed, and no row says when.
        is_gone = bool(net) and place not in rows
        is_theirs_young = is_gone or (row.venue_ns or 0) > asked_ns - lag_ns
        is_young = is_ours_young or is_theirs_young
        # The figure may lack our youngest: ours is taken as of the figure's own time,
        # if it has one (decision 0009).
        if is_ours_young and net != Decimal(row.quantity):
            at_ns = at_ns if row.venue_ns is None else row.venue_ns
            net = None if row.venue_ns is None else _net_at(mine, row.venue_ns)
        unit = row.unit or mine[0].quantity_unit
        theirs = Decimal(row.quantity)
        yield Compared(symbol, side, net, theirs, unit, row.entry, at_ns, is_young)


def _net_at(positions: Iterable[HeldPosition], at_ns: int) -> Decimal | None:
    sums = [position.sums_at(at_ns) for position in positions]
    return _sum(one.net for one in sums if one is not None) if None not in sums else None


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total
