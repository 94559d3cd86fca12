"""The parameters of one call, each read with the refusal that the venue gives. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Protocol, TypeVar, cast

from simulator.accounts import Account
from simulator.binance.refusals import refused
from simulator.instrument import ZERO, Side
from simulator.visibility import View

Row = TypeVar("Row")
LIMIT_DEFAULT = 500
LIMIT_MAX = 1000


class Params:
    """Names to texts; an empty text counts as absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in values.items()
        }

    def has(self, name: str) -> bool:
        """Whether the parameter was sent."""
        return bool(self._values.get(name))

    def text(self, name: str, default: str = "") -> str:
        """The parameter, or the default."""
        return self._values.get(name) or default

    def needed(self, name: str) -> str:
        """The parameter; `Refusal` -1102 without it."""
        if not self.has(name):
            raise refused("missing", name=name)
        return self._values[name]

    def integer(self, name: str) -> int | None:
        """The parameter as a whole number, None where absent."""
        text = self.text(name)
        if not text:
            return None
        if not text.isdecimal():
            raise refused("bad", name=name)
        return int(text)

    def decimal(self, name: str) -> Decimal:
        """The parameter as an exact number, zero where absent."""
        try:
            value = Decimal(self.text(name, "0"))
        except InvalidOperation:
            raise refused("bad", name=name) from None
        return value if value.is_finite() else ZERO

    def flag(self, name: str) -> bool:
        """Whether the parameter says true."""
        return self.text(name).lower() == "true"

    def side(self) -> Side:
        """BUY or SELL."""
        side = self.needed("side").upper()
        if side not in ("BUY", "SELL"):
            raise refused("bad_side")
        return cast("Side", side)

    def limit(self) -> int:
        """How many rows a page may have."""
        limit = self.integer("limit")
        return min(LIMIT_DEFAULT if limit is None else limit, LIMIT_MAX)


@dataclass(frozen=True, slots=True)
class Paging:
    """How rows are numbered and timed, and how long a window of time may be."""

    number: Callable[[Any], int]
    time_ms: Callable[[Any], int]
    window_ms: int
    from_name: str


class Lookup(Protocol):
    """What answers a question: a market, seen from where the question is answered."""

    @property
    def view(self) -> View:
        """How far the answer runs behind."""
        ...

    @property
    def now_ms(self) -> int:
        """The venue's clock."""
        ...


def page(rows: Iterable[Row], params: Params, paging: Paging, lookup: Lookup) -> list[Row]:
    """The rows asked for: upwards from an id or a start time, else the newest.

    `rows` stand in the order of their numbers. `Refusal` -1127 for a window that is too long.
    """
    limit = lookup.view.page_limit(params.limit())
    start_id = params.integer(paging.from_name)
    start, end = params.integer("startTime"), params.integer("endTime")
    if start is not None and end is not None and not 0 <= end - start <= paging.window_ms:
        raise refused("window_too_long")
    found = [
        row
        for row in lookup.view.seen(rows, paging.time_ms, lookup.now_ms)
        if (start_id is None or paging.number(row) >= start_id)
        and (start is None or paging.time_ms(row) >= start)
        and (end is None or paging.time_ms(row) <= end)
        and (start is None or paging.time_ms(row) <= start + paging.window_ms)
    ]
    if start_id is None and start is None:
        return found[max(len(found) - limit, 0) :]
    end_of_page = limit
    # Both sides of a self-trade have one id: a page that ended between them would lose one for
    # who goes on from the last id plus one, as one does (docs/venues/binance.md 7).
    while 0 < end_of_page < len(found) and paging.number(found[end_of_page]) == paging.number(
        found[end_of_page - 1]
    ):
        end_of_page += 1
    return found[:end_of_page]


Security = Literal["none", "key", "signed"]


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call: what it does, what it weighs, and who may."""

    answer: Callable[[Any, Account, Params], object]
    weight: Callable[[Params], int]
    security: Security = "signed"
    counts_orders: bool = False
    """Whether the answer's headers show the order counts."""
    is_paged: bool = False
    """Whether its list goes on over further pages."""
    is_free_when_done: bool = False
    """Whether only a refusal costs the weight (Spot: docs/venues/binance.md 7.1)."""


def weighs(weight: int) -> Callable[[Params], int]:
    """The same weight whatever the parameters."""
    return lambda params: weight


def weighs_by_symbol(with_symbol: int, without: int) -> Callable[[Params], int]:
    """Less where a symbol is named."""
    return lambda params: with_symbol if params.has("symbol") else without
