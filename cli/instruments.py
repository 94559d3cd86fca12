"""What `fold` knows of instruments: how native quantities become base units.

Pure. An instrument is valid wherever it stands in the input, so of several reports about one the
greatest counts (by venue time, then by content), not the latest to arrive.
"""

from decimal import Decimal
from typing import Any

from orderloom.event import InstrumentReport
from orderloom.quantities import Unit, text_of

ONE = Decimal(1)


class Instruments:
    """Contract sizes by product and symbol."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, bool, Decimal]] = {}

    def take(self, report: InstrumentReport) -> None:
        """Join one report."""
        if report.contract_size is not None:
            entry = (report.venue_ns or 0, report.is_inverse, report.contract_size)
            self._join((report.product, report.symbol), entry)

    def _join(self, place: tuple[str, str], entry: tuple[int, bool, Decimal]) -> None:
        self._known[place] = max(entry, self._known.get(place, entry))

    def to_base(self, product: str, symbol: str, unit: Unit) -> tuple[Decimal, Unit]:
        """What to multiply a quantity in `unit` with, and the unit of the result.

        Contracts of unknown instruments stay contracts, and so do inverse ones, whose base value
        depends on the price.
        """
        known = self._known.get((product, symbol))
        if unit is not Unit.CONTRACTS or known is None or known[1]:
            return ONE, unit
        return known[2], Unit.BASE

    def dump(self) -> list[Any]:
        """The complete state, JSON-ready."""
        return [
            [*place, venue_ns, is_inverse, text_of(size)]
            for place, (venue_ns, is_inverse, size) in sorted(self._known.items())
        ]

    def load(self, document: list[Any]) -> None:
        """Take back what `dump` gave out."""
        for product, symbol, venue_ns, is_inverse, size in document:
            self._join((product, symbol), (venue_ns, is_inverse, Decimal(size)))
