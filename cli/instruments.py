"""What `fold` knows of instruments: how native quantities become base units.

Pure. An instrument is valid wherever it stands in the input, so of several reports about one the
greatest counts (by venue time, then by content), not the latest to arrive. A name that lists give
to several is that of the least symbol.
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
        self._names: dict[tuple[str, str], str] = {}

    def take(self, report: InstrumentReport) -> None:
        """Join one report."""
        for name in report.aliases:
            self._join_name((report.product, name), report.symbol)
        if report.contract_size is not None:
            entry = (report.venue_ns or 0, report.is_inverse, report.contract_size)
            self._join((report.product, report.symbol), entry)

    def _join(self, place: tuple[str, str], entry: tuple[int, bool, Decimal]) -> None:
        self._known[place] = max(entry, self._known.get(place, entry))

    def _join_name(self, place: tuple[str, str], symbol: str) -> None:
        self._names[place] = min(symbol, self._names.get(place, symbol))

    def symbol_of(self, product: str, name: str) -> str:
        """The symbol of what the venue calls so; the name itself where no list said another."""
        return self._names.get((product, name), name)

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
        """The complete state, JSON-ready: sizes, each of five parts, and names, of three."""
        sizes = [
            [*place, venue_ns, is_inverse, text_of(size)]
            for place, (venue_ns, is_inverse, size) in sorted(self._known.items())
        ]
        return sizes + [[*place, symbol] for place, symbol in sorted(self._names.items())]

    def load(self, document: list[Any]) -> None:
        """Take back what `dump` gave out."""
        for product, name, *said in document:
            if len(said) == 1:
                self._join_name((product, name), said[0])
            else:
                venue_ns, is_inverse, size = said
                self._join((product, name), (venue_ns, is_inverse, Decimal(size)))
