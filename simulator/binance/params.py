"""The parameters of one call and its pages, each with the refusal that the venue gives. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from simulator.binance.refusals import refused
from simulator.instrument import Side
from simulator.refusal import Refusals
from simulator.wire import pages
from simulator.wire.fields import Fields

if TYPE_CHECKING:
    from simulator.engine.market import Market

Row = TypeVar("Row")


class Params(Fields):
    """Query and body of a REST call, or the params of a request on the socket."""

    refused: ClassVar[Refusals] = refused
    rows_usual: ClassVar[int] = 500
    rows_max: ClassVar[int] = 1000

    def side(self) -> Side:
        """BUY or SELL."""
        side = self.needed("side").upper()
        if side not in ("BUY", "SELL"):
            raise refused("bad_side")
        return cast("Side", side)


@dataclass(frozen=True, slots=True)
class Paging(pages.Paging[Any]):
    """How rows are numbered and timed, and how long a window of time may be."""

    window_ms: int = 0
    from_name: str = ""


def page(rows: Iterable[Row], params: Params, paging: Paging, market: "Market") -> list[Row]:
    """The rows asked for: upwards from an id or a start time, else the newest.

    -1127 for a window that is too long (docs/venues/binance.md 7).
    """
    limit = market.view.page_limit(params.limit())
    start_id = params.whole(paging.from_name)
    start, end = params.whole("startTime"), params.whole("endTime")
    if start is not None and end is not None and not 0 <= end - start <= paging.window_ms:
        raise refused("window_too_long")
    if start is not None and end is None:
        end = start + paging.window_ms
    seen = market.view.seen(rows, paging.time_ms, market.now_ms)
    found = list(pages.between(seen, paging, start, end))
    if start_id is None and start is None:
        return pages.newest(found, limit)
    return pages.up(found, paging, start_id, limit)


def weighs(weight: int) -> Callable[[Params], int]:
    """The same weight whatever the parameters."""
    return lambda params: weight


def weighs_by_symbol(with_symbol: int, without: int) -> Callable[[Params], int]:
    """Less where a symbol is named."""
    return lambda params: with_symbol if params.has("symbol") else without
