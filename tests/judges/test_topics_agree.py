"""Three witnesses: what ccxt saw, the venues' own books, and our topics, order by order.

Boxes of all venues where nobody trades but ccxt, with the accounts that our workers watch; nothing
is done wrong, so whatever differs is somebody's mistake.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt.async_support
import pytest

from orderloom.fill import Fill
from orderloom.order import OrderState
from simulator.config import SimulatorConfig
from tests.conftest import RunningBroker
from tests.judges import agreement
from tests.judges.ccxt_trader import MARKETS, CcxtTrader, a_trader_at, accounts_of
from tests.waits import until
from trial.reading import Reading
from trial.stage import Plan, Stage
from trial.venues import PARTITIONS, TrialVenue
from trial.verdict import judge

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

VENUES = ("binance", "okx", "bybit")
POLL_SECONDS = 0.1
ENTRY_PLACES = 6
SYNC_SECONDS_MAX = 120.0
TOPICS_SECONDS_MAX = 60.0
STATUS = {
    "ACTIVE": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "closed",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
}


@dataclass(frozen=True, slots=True)
class JudgedVenue(TrialVenue):
    """A simulated venue with the judge's two accounts, no faults and no outside traders."""

    def config(self) -> SimulatorConfig:
        # A fee that Bybit takes in MNT ccxt shows in the coin that it would be in else.
        accounts = accounts_of(self.venue, pays_bnb=self.venue != "bybit", has_rebate=True)
        return TrialVenue.config(self).model_copy(update={"accounts": accounts})


@pytest.fixture
def stage(broker: RunningBroker, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    """Boxes, topics and a worker of each kind for each venue, on the broker of this run."""
    simulated = tuple(JudgedVenue(venue, 1, 2, 1, {}) for venue in VENUES)
    made = Stage.build(Plan(tmp_path, namespace, simulated))
    made.broker = broker  # type: ignore[assignment]  # only its address is asked for
    try:
        made.start_simulators()
        made.create_topics()
        for venue in VENUES:
            made.launch_worker("process", venue)
            made.launch_worker("ingest", venue)
        yield made
    finally:
        made.broker = NoBroker()  # type: ignore[assignment]  # that of the run goes on
        made.stop()


class NoBroker:
    """Stands where the stage would stop a broker of its own."""

    def stop(self) -> None:
        """Nothing to stop."""


@pytest.fixture
def reading(stage: Stage) -> Iterator[Reading]:
    """Follows the topics of this run."""
    followed = Reading(stage.broker.bootstrap, stage.plan.namespace, VENUES, PARTITIONS)
    followed.start()
    yield followed
    followed.stop()


@pytest.fixture
async def traders(stage: Stage) -> AsyncIterator[list[CcxtTrader]]:
    """ccxt at every market of all simulated."""
    async with AsyncExitStack() as stack:
        made = []
        for market in MARKETS:
            accounts = accounts_of(market.venue)
            address = stage.addresses[market.venue]
            trader = a_trader_at(address, market, accounts, ccxt.async_support)
            made.append(await stack.enter_async_context(trader))
        yield made


def published_order(order: OrderState) -> agreement.SeenOrder:
    """A record of `orders` in the form that is compared."""
    is_market = order.order_type == "MARKET"
    return agreement.SeenOrder(
        str(order.venue_order_id),
        order.client_order_id or "",
        str(order.side).lower(),
        "market" if is_market else "limit",
        STATUS[order.status],
        None if is_market else order.price,
        order.quantity or Decimal(0),
        order.filled_quantity,
    )


def published_trade(fill: Fill) -> agreement.SeenTrade:
    """A record of `fills` in the form that is compared."""
    assert fill.price is not None
    assert fill.quantity is not None
    assert fill.fee is not None
    return agreement.SeenTrade(
        fill.exec_id,
        str(fill.venue_order_id),
        str(fill.side).lower(),
        fill.price,
        fill.quantity,
        fill.fee,
        str(fill.fee_currency),
        str(fill.liquidity).lower(),
    )


def published_orders(reading: Reading, trader: CcxtTrader) -> agreement.Orders:
    """The newest record of each order of a trader's account and product."""
    place = (trader.account.name, trader.market.product)
    orders = list(reading.published.orders.values())
    rows = (published_order(row) for row in orders if (row.account, row.product) == place)
    return {row.order_id: row for row in rows}


def published_trades(reading: Reading, trader: CcxtTrader) -> agreement.Trades:
    """Each execution of a trader's account and product."""
    place = (trader.account.name, trader.market.product)
    fills = list(reading.published.fills.values())
    rows = (published_trade(row) for row in fills if (row.account, row.product) == place)
    return {(row.trade_id, row.order_id): row for row in rows}


def published_positions(reading: Reading, trader: CcxtTrader) -> agreement.Held:
    """The newest record of each position of a trader's account and product."""
    place = (trader.account.name, trader.market.product)
    return {
        (row.symbol, "long" if row.net > 0 else "short"): (
            abs(row.net),
            Decimal(row.average_entry or 0),
        )
        for row in list(reading.published.positions.values())
        if (row.account, row.product) == place and row.net
    }


def in_entries_places(held: agreement.Held) -> agreement.Held:
    """The venue rounds an entry price after each trade, we never do."""
    return {key: (amount, round(entry, ENTRY_PLACES)) for key, (amount, entry) in held.items()}


def differences(reading: Reading, truth: dict[str, Any]) -> dict[str, Any]:
    """What the topics have otherwise than the books, in short."""
    details = judge(reading.published, truth)["details"]
    return {name: rows[:3] for name, rows in details.items() if rows}


def none_fell(stage: Stage) -> None:
    assert not stage.fallen(), stage.fallen()


async def test_ccxt_the_books_and_the_topics_agree(
    stage: Stage, reading: Reading, traders: list[CcxtTrader]
) -> None:
    states = reading.accounts
    await until(
        lambda: (
            len(states) == 2 * len(VENUES) and all(row.sync == "SYNCED" for row in states.values())
        ),
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
        await orders_agree(reading, trader)
        await trades_agree(reading, trader)
        if trader.market.product != "spot":
            await positions_agree(reading, trader)
    assert not reading.published.dead_letters


async def orders_agree(reading: Reading, trader: CcxtTrader) -> None:
    books = await trader.books()
    booked = agreement.booked_orders(books)
    assert {row.status for row in booked.values()} == {"open", "closed", "canceled"}
    seen = [await trader.look(row["venue_order_id"]) for row in books["orders"]]
    assert agreement.orders(seen) == booked
    open_now = await trader.one.fetch_open_orders(trader.symbol)
    assert agreement.orders(open_now) == agreement.booked_orders(books, "open")
    assert published_orders(reading, trader) == booked


async def trades_agree(reading: Reading, trader: CcxtTrader) -> None:
    booked = agreement.booked_trades(await trader.books())
    assert len(booked) == 5
    assert agreement.trades(await trader.one.fetch_my_trades(trader.symbol)) == booked
    assert published_trades(reading, trader) == booked


async def positions_agree(reading: Reading, trader: CcxtTrader) -> None:
    booked = agreement.booked_positions(await trader.books())
    assert booked
    assert await trader.held() == booked
    assert in_entries_places(published_positions(reading, trader)) == in_entries_places(booked)
