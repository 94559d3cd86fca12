"""The books agree with themselves after thousands of seeded decisions."""

from collections import defaultdict
from collections.abc import Callable
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from simulator.accounts import Spelling
from simulator.acts import ACTS
from simulator.clock import LogicalClock
from simulator.config import sample_accounts
from simulator.truth import account_truth, fate, summary, truth
from tests.simulator.binance.box import Box
from tests.simulator.probes import VENUES, Quiet

STEPS = 3000
ZERO = Decimal(0)


@pytest.fixture(scope="module")
def traded() -> Box:
    box = Box(*sample_accounts(4), seed=5)
    for _ in range(STEPS):
        box.venue.traders.step()
        box.clock.advance(1)
    return box


def kraken_ms(row: dict[str, Any]) -> int:
    """Futures says milliseconds, Spot microseconds in a text."""
    at = row.get("time") or datetime.fromisoformat(row["timestamp"]).timestamp() * 1000
    return int(at + 0.0001)


TOLD_MS: dict[str, Callable[[dict[str, Any]], int]] = {
    "binance": lambda row: int(row["T"]),
    "bybit": lambda row: int(row["execTime"]),
    "kraken": kraken_ms,
    "okx": lambda row: int(row["fillTime"]),
}


class RestlessClock(LogicalClock):
    """Time passes between any two readings."""

    def now_ms(self) -> int:
        self.advance(1)
        return super().now_ms()


@pytest.mark.parametrize("venue", VENUES)
def test_stream_and_books_agree_on_the_time_of_an_execution(venue: str) -> None:
    quiet = Quiet(venue, RestlessClock())
    quiet.trade(300)
    for kind in ("late_fill", "liquidation"):
        acted = (ACTS[kind](quiet.venue.traders, seat) for seat in quiet.venue.traders.seats)
        assert any(acted)
    seen = 0
    for message in quiet.messages:
        rows = message.document.get("data") or message.document.get("fills")
        row = (rows or [message.document])[0]
        row = row["o"] if isinstance(row.get("o"), dict) else row
        if message.fill is not None and message.is_full:
            assert TOLD_MS[venue](row) == message.fill.venue_ms
            seen += 1
    assert seen > 100


def test_positions_are_the_sum_of_their_fills(traded: Box) -> None:
    for account in traded.accounts:
        sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for (product, _), fills in account.fills.items():
            for fill in fills:
                if product == "linear":
                    sums[fill.symbol, fill.position_side] += fill.signed_quantity
        assert {key: row.amount for key, row in account.positions.items() if row.amount} == {
            key: amount for key, amount in sums.items() if amount
        }


def test_a_hedged_position_is_never_closed_beyond_zero(traded: Box) -> None:
    for account in traded.accounts:
        for (_, side), position in account.positions.items():
            assert side != "LONG" or position.amount >= 0
            assert side != "SHORT" or position.amount <= 0


def test_what_is_locked_is_what_open_orders_need(traded: Box) -> None:
    for account in traded.accounts:
        locked = sum((row.locked for row in account.balances["spot"].values()), ZERO)
        needed = sum((order.locked for order in account.open_orders["spot"].values()), ZERO)
        assert locked == needed
        assert all(row.free >= 0 for row in account.balances["spot"].values())


def test_a_wallet_moved_by_profit_fees_and_transfers_alone(traded: Box) -> None:
    for account in traded.accounts:
        updates = [
            message.document["a"]
            for message in traded.messages
            if message.account == account.name and message.kind == "ACCOUNT_UPDATE"
        ]
        moved = sum((Decimal(row["bc"]) for update in updates for row in update["B"]), ZERO)
        for (product, _), fills in account.fills.items():
            if product == "linear":
                moved += sum((fill.realized - fill.fee for fill in fills), ZERO)
        assert account.balance("linear", "USDT").free == 50_000_000 + moved


def test_every_order_reports_its_last_state_and_every_fill_once(traded: Box) -> None:
    last: dict[tuple[str, str, str, int], tuple[str, Decimal]] = {}
    fills: list[tuple[str, str, str, int, int]] = []
    for message in traded.messages:
        event = message.document
        told = event.get("o")
        row = told if isinstance(told, dict) else event
        if message.kind not in ("executionReport", "ORDER_TRADE_UPDATE"):
            continue
        key = (message.account, message.product, row["s"], row["i"])
        last[key] = ("FILLED" if row["X"] == "NEW_ADL" else row["X"], Decimal(row["z"]))
        if Decimal(row["l"]):
            fills.append((*key, row["t"]))
    books = {
        (account.name, product, symbol, order.order_id): (order.status, order.filled)
        for account in traded.accounts
        for (product, symbol), orders in account.orders.items()
        for order in orders.values()
    }
    assert last == books
    assert len(fills) == len(set(fills))
    assert len(fills) == sum(
        len(rows) for account in traded.accounts for rows in account.fills.values()
    )


def test_the_document_holds_all_books_and_the_summary_counts_them(traded: Box) -> None:
    books = truth(traded.accounts, len(traded.messages))
    counts = summary(traded.accounts, len(traded.messages))
    accounts = books["accounts"].values()
    assert counts["fills"] == sum(len(account["fills"]) for account in accounts)
    orders = [order for account in accounts for order in account["orders"]]
    assert counts["orders"] == sum(len(order.get("child_ids", [order])) for order in orders)
    assert counts["messages"] == books["messages"] == len(traded.messages)


def test_ids_are_written_as_the_venue_writes_them(traded: Box) -> None:
    spelling = Spelling(
        lambda product, number: f"{product}-{number:x}", lambda fill: f"T{fill.number}"
    )
    account = copy(traded.one)
    account.spelling = spelling
    books, plain = account_truth(account), account_truth(traded.one)
    for shown, usual in zip(books["orders"], plain["orders"], strict=True):
        assert shown["venue_order_id"] == f"{usual['product']}-{int(usual['venue_order_id']):x}"
    for shown, usual in zip(books["fills"], plain["fills"], strict=True):
        assert shown["venue_order_id"] == f"{usual['product']}-{int(usual['venue_order_id']):x}"
    numbers = [f"T{fill.number}" for fills in account.fills.values() for fill in fills]
    assert [row["exec_id"] for row in books["fills"]] == numbers


def test_a_fill_that_nobody_was_sent_has_a_reason(traded: Box) -> None:
    fill = next(iter(traded.one.fills.values()))[0]
    assert fate(fill) == ["fills_undelivered"]
    fill.is_blind = True
    assert fate(fill) == ["fills_undelivered", "fills_blind"]
    fill.deliveries.append((1, 1))
    assert fate(fill) == ["fills_delivered"]
