"""One trader for each venue and product, by REST alone or with streams."""

from collections.abc import AsyncIterator

import ccxt.pro
import pytest

from tests.judges.ccxt_trader import MARKETS, CcxtTrader, Market, a_trader


@pytest.fixture(params=MARKETS, ids=str)
async def trader(request: pytest.FixtureRequest) -> AsyncIterator[CcxtTrader]:
    """ccxt's REST class at a box."""
    market: Market = request.param
    async with a_trader(market) as made:
        yield made


@pytest.fixture(params=MARKETS, ids=str)
async def live_trader(request: pytest.FixtureRequest) -> AsyncIterator[CcxtTrader]:
    """ccxt's `pro` class at a box."""
    market: Market = request.param
    async with a_trader(market, ccxt.pro) as made:
        yield made
