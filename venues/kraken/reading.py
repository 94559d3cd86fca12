"""What the readers of both systems share: products, assets, times, amounts. Pure.

Spot says times as RFC 3339 in its stream and as seconds with a fraction in answers; Futures says
milliseconds, or RFC 3339. All become integer nanoseconds without a float.

`OrderReport.ordinal` is (time in ns, 0): no number orders the reports of one order across stream
and answers. Of equal times the fold takes the greater cumulative quantity, then the terminal claim,
which is what Spot promises of `cum_qty` (docs/venues/kraken.md 6).
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from orderloom.quantities import Unit
from orderloom.words import Side
from venues.document import INTEGER_MAX, Document, amount, choice, decimal, text
from venues.kraken.words import INVERSE, LEGACY_ASSETS, PREFIXES, SIDES
from venues.reading import Reading
from venues.venue import SECOND_NS, BadFrame, Count

_MOMENT: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z"
)
UNKNOWN: Final = "unknown"
"""A word of Futures': its gateway could not read what stands there, and may say it later."""
YEARS: Final = range(1970, 2261)
SECONDS_MAX: Final = INTEGER_MAX // SECOND_NS
# `XBT.F` is earned on, `XBT` is held: two assets.
_ASSET: Final = re.compile(r"[A-Z0-9][A-Za-z0-9]{0,30}(?:\.[A-Z0-9]{1,8})?")


class KrakenReading(Reading):
    """One message of Kraken being read; `counts` are the venue's own numbers in it."""

    __slots__ = ("counts",)

    def __init__(self, product: str | None, *, is_query: bool = False) -> None:
        super().__init__(product, is_query=is_query)
        self.counts: list[Count] = []


def moment_ns(document: Document, name: str) -> int | None:
    """The time of field `name` in ns, there as RFC 3339 in UTC; None if it is absent."""
    value = document.get(name)
    if value is None or value == "":
        return None
    found = _MOMENT.fullmatch(value) if type(value) is str else None
    if found is None or int(found[1]) not in YEARS:
        raise BadFrame(f"{name}: not a time: {value!r:.80}")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise BadFrame(f"{name}: not a time: {value!r:.80}") from None
    return int(at.timestamp()) * SECOND_NS + int((found[7] or "").ljust(9, "0"))


def seconds_ns(document: Document, name: str) -> int | None:
    """The time of field `name` in ns, there in seconds with a fraction; 0 is no time."""
    value = decimal(document, name)
    if value is None:
        return None
    if not 0 <= value <= SECONDS_MAX:
        raise BadFrame(f"{name}: not a time: {value!s:.80}")
    return int(value * SECOND_NS) or None


def ordinal(venue_ns: int | None) -> tuple[int, int] | None:
    """Where a report stands among those of its order; None without a time."""
    return None if venue_ns is None else (venue_ns, 0)


def above_zero(document: Document, name: str) -> Decimal | None:
    """A price or quantity where the venue writes 0 or nothing for none."""
    return amount(document, name) or None


def asset_of(name: str) -> str:
    """The name that the stream of Spot has for an asset (docs/venues/kraken.md 5)."""
    stem, dot, kind = name.partition(".")
    return LEGACY_ASSETS.get(stem, stem) + dot + kind


def is_asset(name: str) -> bool:
    """Whether this can be an asset's name: a table of them may hold other fields."""
    return _ASSET.fullmatch(name) is not None


def contract_product(row: Document, name: str, reading: Reading) -> str | None:
    """Whose contract is named in field `name`; None, with the rule, for those not spoken here.

    Raises:
        BadFrame: no contract is named.
    """
    symbol = text(row, name)
    if symbol is None:
        raise BadFrame(f"{name}: missing")
    prefix, line, _ = symbol.partition("_")
    product = PREFIXES.get(prefix) if line else None
    if product is None:  # left out, and no dead letter: it must not cost the rows beside it
        reading.unknown.append(f"{name}={symbol}")
        reading.ignore("a contract of a kind that is not spoken here")
    return product


def side_of(row: Document, name: str, reading: Reading) -> Side | None:
    """The side in field `name`; None for the venue's own `unknown`, which is counted.

    Raises:
        BadFrame: another word that is not in our table.
    """
    value = row.get(name)
    if type(value) is str and value.lower() == UNKNOWN:
        reading.unknown.append(f"{name}={value}")
        return None
    return choice(row, name, SIDES)


def needed_side(row: Document, name: str, reading: Reading) -> Side | None:
    """As `side_of`, of what must say one."""
    if row.get(name) in (None, ""):
        raise BadFrame(f"{name}: missing")
    return side_of(row, name, reading)


def unit_of(product: str) -> Unit:
    """What quantities of a product count: an inverse contract is worth one dollar."""
    return Unit.CONTRACTS if product == INVERSE else Unit.BASE
