"""The parameters of one call and its pages, each with the refusal that the venue gives. Pure."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from simulator.accounts import Fill
from simulator.binance.refusals import refused
from simulator.conditional import Conditional
from simulator.instrument import Side
from simulator.matching import Order
from simulator.refusal import Refusals
from simulator.wire import pages
from simulator.wire.fields import Fields
from simulator.wire.pages import Paging

if TYPE_CHECKING:
    from simulator.engine.market import Market

Row = TypeVar("Row", Order, Fill, Conditional)
DAY_MS = 24 * 3600 * 1000
WINDOW_MS = {"spot": DAY_MS, "linear": 7 * DAY_MS}
"""How far apart the ends of a span of time may be."""


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


def page(
    rows: Iterable[Row], params: Params, paging: Paging[Row], market: "Market", id_name: str
) -> list[Row]:
    """The rows asked for: upwards from an id (`id_name`) or a start time, else the newest.

    -1127 for a window that is too long (docs/venues/binance.md 7).
    """
    limit = market.view.page_limit(params.limit())
    start_id = params.whole(id_name)
    window_ms = WINDOW_MS[market.product]
    start, end = params.whole("startTime"), params.whole("endTime")
    if start is not None and end is not None and not 0 <= end - start <= window_ms:
        raise refused("window_too_long")
    if start is not None and end is None:
        end = start + window_ms
    seen = [row for row in rows if market.view.has(row, market.now_ms)]
    found = list(pages.between(seen, paging, start, end))
    if start_id is None and start is None:
        return pages.newest(found, limit)
    return pages.up(found, paging, start_id, limit)
