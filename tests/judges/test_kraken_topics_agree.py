"""Three witnesses at Kraken: what ccxt saw, the venue's own books, and our topics.

A key is of one of its two systems, so each has an account of its own to be judged.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import ccxt.async_support
import pytest

from simulator.config import AccountConfig, SimulatorConfig
from simulator.instrument import Product
from tests.conftest import RunningBroker
from tests.judges import agreement
from tests.judges.ccxt_trader import KRAKEN, SYMBOLS, CcxtTrader, Market, a_trader_at, accounts_of
from tests.judges.test_kraken_box import booked_trades, orders, trades
from tests.judges.test_topics_agree import (
    SYNC_SECONDS_MAX,
    TOPICS_SECONDS_MAX,
    NoBroker,
    differences,
    in_entries_places,
    none_fell,
    published_positions,
)
from tests.waits import until
from trial.reading import Reading
from trial.stage import Plan, Stage
from trial.venues import PARTITIONS, TrialVenue

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

VENUE: Final = "kraken"
SYSTEMS: Final[dict[str, tuple[Product, ...]]] = {
    "spot": ("spot",), "futures": ("linear", "inverse"),
}  # fmt: skip


def accounts_of_system(system: str) -> tuple[AccountConfig, ...]:
    """The account that is judged at a system, and another for it to trade with."""
    symbols = {product: SYMBOLS[VENUE][product] for product in SYSTEMS[system]}
    return tuple(
        one.model_copy(
            update={
                "name": f"{one.name}-{system}", "api_key": f"{one.api_key}-{system}",
                "symbols": symbols,
            }
        )
        for one in accounts_of(VENUE)
    )  # fmt: skip


def system_of(market: Market) -> str:
    return "spot" if market.product == "spot" else "futures"


@dataclass(frozen=True, slots=True)
class JudgedKraken(TrialVenue):
    """A simulated Kraken with two accounts at each system, no faults and no outside traders."""

    def config(self) -> SimulatorConfig:
        accounts = tuple(one for system in SYSTEMS for one in accounts_of_system(system))
        return TrialVenue.config(self).model_copy(update={"accounts": accounts})


@pytest.fixture
def stage(broker: RunningBroker, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    made = Stage.build(Plan(tmp_path, namespace, (JudgedKraken(VENUE, 1, 2, 1, {}),)))
    made.broker = broker  # type: ignore[assignment]  # only its address is asked for
    try:
        made.start_simulators()
        made.create_topics()
        made.launch_worker("process", VENUE)
        made.launch_worker("ingest", VENUE)
        yield made
    finally:
        made.broker = NoBroker()  # type: ignore[assignment]  # that of the run goes on
        made.stop()


@pytest.fixture
def reading(stage: Stage) -> Iterator[Reading]:
    followed = Reading(stage.broker.bootstrap, stage.plan.namespace, (VENUE,), PARTITIONS)
    followed.start()
    yield followed
    followed.stop()


@pytest.fixture
async def traders(stage: Stage) -> AsyncIterator[list[CcxtTrader]]:
    async with AsyncExitStack() as stack:
        made = []
        for market in KRAKEN:
            accounts = await with_own_keys(stage, market)
            trader = a_trader_at(stage.addresses[VENUE], market, accounts, ccxt.async_support)
            made.append(await stack.enter_async_context(trader))
        yield made


async def with_own_keys(stage: Stage, market: Market) -> tuple[AccountConfig, ...]:
    """The accounts with keys of the judge's own: two clients of one key would overtake each other's
    nonces (docs/venues/kraken.md 12, trap 18)."""
    made = []
    for one in accounts_of_system(system_of(market)):
        key = {"api_key": f"{one.api_key}-of-ccxt-{market.product}", "secret": one.secret}
        await stage.control(VENUE, "/control/keys", {"account": one.name, **key})
        made.append(one.model_copy(update=key))
    return tuple(made)


async def test_ccxt_the_books_and_the_topics_agree(
    stage: Stage, reading: Reading, traders: list[CcxtTrader]
) -> None:
    states = reading.accounts
    await until(
        lambda: len(states) == 4 and all(row.sync == "SYNCED" for row in states.values()),
        SYNC_SECONDS_MAX,
        lambda: str(states),
        lambda: none_fell(stage),
    )
    for trader in traders:
        await trader.trade()
    truth = await stage.truth()
    await until(
        lambda: not differences(reading, truth),
        TOPICS_SECONDS_MAX,
        lambda: str(differences(reading, truth)),
        lambda: none_fell(stage),
    )
    for trader in traders:
        booked = agreement.booked_orders(await trader.books(), "open")
        assert orders(await trader.one.fetch_open_orders(trader.symbol)) == booked
        assert published_open(reading, trader) == {
            name: (row.price, row.amount, row.filled) for name, row in booked.items()
        }
        executed = await booked_trades(trader)
        assert len(executed) == 5
        # Else Spot shows all that an order took as one (trap 3).
        single = {"consolidate_taker": "false"} if trader.market.product == "spot" else {}
        seen = await trader.one.fetch_my_trades(trader.symbol, None, None, single)
        assert trades(trader, seen) == executed
        if trader.market.product != "spot":
            held = agreement.booked_positions(await trader.books())
            assert await trader.held() == held
            published = published_positions(reading, trader)
            assert in_entries_places(published) == in_entries_places(held)
    assert not reading.published.dead_letters


def published_open(
    reading: Reading, trader: CcxtTrader
) -> dict[str, tuple[Decimal | None, Decimal | None, Decimal]]:
    """Price, quantity and what is filled of each open order of a trader's account and product."""
    place = (trader.account.name, trader.market.product)
    return {
        str(row.venue_order_id): (row.price, row.quantity, row.filled_quantity)
        for row in list(reading.published.orders.values())
        if (row.account, row.product) == place and row.status in ("ACTIVE", "PARTIALLY_FILLED")
    }
