"""One desk for each venue and product, by REST alone or with streams."""

from collections.abc import AsyncIterator

import ccxt.pro
import pytest

from tests.judges.desk import MARKETS, Desk, Market, a_desk


@pytest.fixture(params=MARKETS, ids=str)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """ccxt's REST class at a box."""
    market: Market = request.param
    async with a_desk(market) as made:
        yield made


@pytest.fixture(params=MARKETS, ids=str)
async def live_desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """ccxt's `pro` class at a box."""
    market: Market = request.param
    async with a_desk(market, ccxt.pro) as made:
        yield made
