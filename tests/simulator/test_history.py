"""Histories are the same for a seed, hold every kind of message, and end in true books."""

from collections import Counter
from decimal import Decimal
from typing import Any

import orjson
import pytest

from simulator.history import History, generate

SEEDS = range(60)


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return [generate(seed, 20 + 7 * seed % 160) for seed in SEEDS]


def documents(history: History) -> list[Any]:
    lines = (line["raw"] for line in history.lines)
    return [orjson.loads(raw) if isinstance(raw, str) else raw for raw in lines]


def test_a_seed_gives_the_same_history_again() -> None:
    first, again, other = generate(7, 120), generate(7, 120), generate(8, 120)
    assert first == again
    assert first.lines != other.lines


def test_a_history_has_the_length_asked_for_and_orders_at_both_products(
    histories: list[History],
) -> None:
    for seed, history in zip(SEEDS, histories, strict=True):
        assert 20 + 7 * seed % 160 <= len(history.lines) <= 200
        [books] = history.truth["accounts"].values()
        assert len(books["orders"]) >= 5
        assert {order["product"] for order in books["orders"]} == {"spot", "linear"}


def test_together_they_hold_every_kind_of_message(histories: list[History]) -> None:
    channels = Counter(line["channel"] for history in histories for line in history.lines)
    wanted = """
        executionReport outboundAccountPosition balanceUpdate listStatus externalLockUpdate
        eventStreamTerminated serverShutdown ORDER_TRADE_UPDATE TRADE_LITE ACCOUNT_UPDATE
        ALGO_UPDATE CONDITIONAL_ORDER_TRIGGER_REJECT ACCOUNT_CONFIG_UPDATE MARGIN_CALL
        listenKeyExpired order.status
        openOrders.status account.status allOrders myTrades
    """
    answers = """
        exchangeInfo openOrders openOrder order allOrders myTrades userTrades positionRisk
        balance account forceOrders algoOrder openAlgoOrders allAlgoOrders
    """
    requests = {"POST order", "DELETE order", "PUT order", "PUT order/amend/keepPriority"}
    requests |= {"POST algoOrder", "DELETE algoOrder"}
    asked = {f"GET {name}" for name in answers.split()}
    assert {*wanted.split(), *asked, *requests} == channels.keys()


def test_together_they_hold_every_change_of_an_order(histories: list[History]) -> None:
    changes: Counter[str] = Counter()
    for history in histories:
        for raw in documents(history):
            event = raw.get("event", raw) if isinstance(raw, dict) else {}
            told = event.get("o")
            inner = told if isinstance(told, dict) else event
            changes[f"{inner.get('x')} {inner.get('X')}"] += 1
    wanted = {
        "NEW NEW", "TRADE PARTIALLY_FILLED", "TRADE FILLED", "CANCELED CANCELED",
        "EXPIRED EXPIRED", "EXPIRED EXPIRED_IN_MATCH", "TRADE_PREVENTION EXPIRED_IN_MATCH",
        "REPLACED NEW", "REJECTED REJECTED", "AMENDMENT NEW", "CALCULATED FILLED",
        "CALCULATED NEW_ADL",
    }  # fmt: skip
    assert wanted <= changes.keys()


def test_the_fills_of_an_order_add_up_to_what_the_books_say(histories: list[History]) -> None:
    for history in histories:
        [books] = history.truth["accounts"].values()
        filled: Counter[tuple[str, ...]] = Counter()
        for fill in books["fills"]:
            key = (fill["product"], fill["symbol"], fill["first_order_id"])
            filled[key] += Decimal(fill["quantity"])  # type: ignore[assignment]  # exact sums
        for order in books["orders"]:
            key = (order["product"], order["symbol"], order["venue_order_id"])
            assert Decimal(order["filled"]) == filled[key]


def test_no_number_of_a_message_is_a_float(histories: list[History]) -> None:
    def has_float(value: object) -> bool:
        if isinstance(value, dict):
            return any(map(has_float, value.values()))
        if isinstance(value, list):
            return any(map(has_float, value))
        return isinstance(value, float)

    assert not any(has_float(raw) for history in histories for raw in documents(history))


def test_without_times_a_line_has_none() -> None:
    assert not {"received_ns", "asked_ns"} & set().union(*generate(3, 60, timed=False).lines)
