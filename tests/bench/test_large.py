"""An account with a past through the whole product: in sync, equal, within the venue's limits.

The bench `large` measures the same with 5,000 open and 100,000 ended orders, or a tenth. Kraken
Spot, whose limits let such an account be read in ten minutes, is measured there alone.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.large import HOURS, SYMBOLS, LargeAccount, LargeVenue
from bench.large_figures import GHOSTS, RECONNECT, START, Figures
from processors.account.reconciliation import SINGLY_MAX
from simulator.config import PastConfig
from simulator.instrument import Product
from simulator.kraken.settings import KrakenSettings
from venues.binance.questions import ROWS_MAX as BINANCE_ROWS
from venues.bybit.questions import EXECUTIONS as BYBIT_EXECUTIONS
from venues.bybit.questions import HISTORY as BYBIT_HISTORY
from venues.bybit.questions import REALTIME as BYBIT_OPEN
from venues.bybit.questions import ROWS_MAX as BYBIT_ROWS
from venues.bybit.questions import SETTLE_COINS
from venues.okx.questions import ROWS_MAX as OKX_ROWS

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

PAST = PastConfig(open=300, closed=3_000, hours=HOURS)
ORDERS = PAST.open + PAST.closed
EXECUTIONS = 2 * ORDERS
"""No order of the past has more than two."""
OTHERS_MAX = 40
"""Instruments, clocks, balances, positions, open orders, and these once more by a next cycle."""


def binance_pages(*, since_all: bool) -> int:
    """Orders and trades by symbol: full pages, one that is not, the empty one behind it."""
    orders = -(-ORDERS // SYMBOLS // BINANCE_ROWS) + 1
    trades = -(-EXECUTIONS // SYMBOLS // BINANCE_ROWS) + 1
    # The last day has two windows of less than a day each; the second may be empty.
    return SYMBOLS * (orders + trades + 2 if since_all else 4)


def okx_pages(*, since_all: bool) -> int:
    """Lists of the whole account: open orders in each cycle, the past in the first."""
    pages = PAST.open // OKX_ROWS + 1
    return pages + (ORDERS + EXECUTIONS) // OKX_ROWS + 2 if since_all else pages + 2


def bybit_pages(*, since_all: bool) -> int:
    """The same; open orders of linear contracts by coin of settlement."""
    pages = PAST.open // BYBIT_ROWS[BYBIT_OPEN] + len(SETTLE_COINS)
    history, executions = BYBIT_ROWS[BYBIT_HISTORY], BYBIT_ROWS[BYBIT_EXECUTIONS]
    return pages + (ORDERS // history + EXECUTIONS // executions if since_all else 0) + 2


def kraken_pages(*, since_all: bool) -> int:
    """Events of orders and of executions; what is open is one page."""
    events = 2 * ORDERS + 2 * EXECUTIONS
    return 3 + (events // KrakenSettings().history_rows + 2 if since_all else 2)


def measured(tmp_path: Path, simulated: LargeVenue) -> Figures:
    return asyncio.run(LargeAccount(tmp_path, simulated, print).measure(idle_seconds=0))


@pytest.mark.parametrize(
    ("venue", "product", "pages"),
    [
        ("binance", "spot", binance_pages),
        ("okx", "linear", okx_pages),
        ("bybit", "linear", bybit_pages),
        ("kraken", "linear", kraken_pages),
    ],
)
def test_it_is_in_sync_and_equal_within_the_limits_and_the_pages_that_it_takes(
    tmp_path: Path, venue: str, product: Product, pages: Callable[..., int]
) -> None:
    figures = measured(tmp_path, LargeVenue.of(venue, product, PAST))

    asked = {name: phase.asked for name, phase in figures.phases.items()}
    assert not any(one.refused for one in asked.values()), "the venue never had to say 429"
    assert figures.orders > PAST.open
    assert not any(figures.wrong.values()), figures.samples
    # A cycle may follow the first one before the account is seen to be in sync: twice the pages.
    assert asked[START].requests <= pages(since_all=True) + pages(since_all=False) + OTHERS_MAX
    assert asked[RECONNECT].requests <= 2 * pages(since_all=False) + OTHERS_MAX
    assert asked[RECONNECT].singly == 0, "open orders that are listed are not asked for one by one"
    assert asked[GHOSTS].singly <= SINGLY_MAX < PAST.open
