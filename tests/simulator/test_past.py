"""An account with a past: what it holds when the box is started."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from simulator.config import AccountConfig, PastConfig, SimulatorConfig, Venue
from simulator.instrument import ZERO, Product
from simulator.past import relive
from simulator.server import BOXES, start
from simulator.truth import account_truth, summary

PAST = PastConfig(open=60, closed=600, hours=24)
SYMBOLS: dict[Venue, dict[Product, tuple[str, ...]]] = {
    "binance": {"spot": ("BTCUSDT", "ADAUSDT"), "linear": ("ETHUSDT", "SOLUSDT")},
    "kraken": {
        "spot": ("BTC/USD", "ADA/USD"),
        "linear": ("PF_ETHUSD", "PF_SOLUSD"),
        "inverse": ("PI_XBTUSD",),
    },
    "okx": {
        "spot": ("BTC-USDT", "ADA-USDT"),
        "linear": ("ETH-USDT-SWAP", "SOL-USDT-SWAP"),
        "inverse": ("BTC-USD-SWAP",),
    },
    "bybit": {
        "spot": ("BTCUSDT", "ADAUSDT"),
        "linear": ("BTCUSDT", "SOLUSDT", "BTCPERP"),
        "inverse": ("BTCUSD",),
    },
}


def settings(venue: Venue, past: PastConfig | None = PAST, seed: int = 7) -> SimulatorConfig:
    account = AccountConfig(
        name=f"{venue}:old", api_key="k", secret="s", passphrase="p", symbols=SYMBOLS[venue],
        past=past,
    )  # fmt: skip
    return SimulatorConfig(venue=venue, seed=seed, accounts=(account,))


def books(venue: Venue, seed: int = 7) -> tuple[dict[str, Any], int]:
    """An account's books after its past, and the time at which they were looked at."""
    box = BOXES[venue](settings(venue, seed=seed))
    relive(box, seed)
    return account_truth(box.venue.accounts[f"{venue}:old"]), box.clock.now_ms()


@pytest.mark.parametrize("venue", SYMBOLS)
def test_it_has_as_many_open_and_ended_orders_as_were_asked_for(venue: Venue) -> None:
    box = BOXES[venue](settings(venue))

    relive(box, 7)

    counts = summary(box.venue.accounts.values(), box.feed.messages)
    assert (counts["open_orders"], counts["orders"]) == (60, 660)
    assert counts["messages"] == 0, "nobody was told of it, as nobody listened"
    assert counts["fills_undelivered"] == counts["fills"] > 300


@pytest.mark.parametrize("venue", SYMBOLS)
def test_executions_explain_what_orders_say_is_filled(venue: Venue) -> None:
    truth, _ = books(venue)

    executed: dict[tuple[str, str, str], Decimal] = {}
    for fill in truth["fills"]:
        place = (fill["product"], fill["symbol"], fill["venue_order_id"])
        executed[place] = executed.get(place, ZERO) + Decimal(fill["quantity"])
    for order in truth["orders"]:
        place = (order["product"], order["symbol"], order["venue_order_id"])
        assert Decimal(order["filled"]) == executed.pop(place, ZERO)
    assert not executed
    statuses = {order["status"] for order in truth["orders"]}
    assert statuses == {"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED"}


@pytest.mark.parametrize("venue", SYMBOLS)
def test_it_is_spread_over_the_hours_and_all_symbols(venue: Venue) -> None:
    truth, now_ms = books(venue)

    hour_ms = 3600 * 1000
    ages = sorted((now_ms - order["created_ms"]) / hour_ms for order in truth["orders"])
    assert 0 <= ages[0] < 0.2
    assert 23.8 < ages[-1] < 24.1
    assert all(later - one < 0.2 for one, later in pairwise(ages))
    assert {(order["product"], order["symbol"]) for order in truth["orders"]} == {
        (product, symbol) for product, names in SYMBOLS[venue].items() for symbol in names
    }


@pytest.mark.parametrize("venue", SYMBOLS)
def test_a_seed_gives_the_same_past(venue: Venue) -> None:
    def told(seed: int) -> list[tuple[str, ...]]:
        truth, _ = books(venue, seed)
        names = ("symbol", "venue_order_id", "side", "price", "quantity", "filled", "status")
        return [tuple(order[name] for name in names) for order in truth["orders"]]

    assert told(7) == told(7)
    assert told(7) != told(8)


@pytest.mark.parametrize("venue", SYMBOLS)
async def test_what_is_locked_is_what_open_orders_need(venue: Venue) -> None:
    server = await start(settings(venue))
    try:
        account = server.box.venue.accounts[f"{venue}:old"]
        needed = sum((order.locked for order in account.open_orders["spot"].values()), ZERO)
        locked = sum(
            (row.locked for rows in account.balances.values() for row in rows.values()), ZERO
        )
        assert 0 < needed == locked
    finally:
        await server.close()


def test_an_account_without_a_past_is_empty() -> None:
    box = BOXES["binance"](settings("binance", None))

    relive(box, 7)

    assert summary(box.venue.accounts.values(), 0)["orders"] == 0
