"""OKX's histories are the same for a seed, hold every kind of message, and end in true books."""

from collections import Counter
from decimal import Decimal
from typing import Any

import orjson
import pytest

from simulator.history import History, generate

SEEDS = range(60)


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return [generate(seed, 20 + 7 * seed % 160, venue="okx") for seed in SEEDS]


def documents(history: History) -> list[Any]:
    lines = (line["raw"] for line in history.lines)
    return [orjson.loads(raw) if isinstance(raw, str) else raw for raw in lines]


def pushes(history: History) -> list[dict[str, Any]]:
    """The rows of the `orders` channel."""
    return [
        raw["data"][0] if "arg" in raw else raw
        for line, raw in zip(history.lines, documents(history), strict=True)
        if line["channel"] == "orders"
    ]


def test_a_seed_gives_the_same_history_again() -> None:
    first, again = generate(7, 120, venue="okx"), generate(7, 120, venue="okx")
    assert first == again
    assert first.lines != generate(8, 120, venue="okx").lines


def test_a_history_has_the_length_asked_for_and_orders_at_every_product(
    histories: list[History],
) -> None:
    for seed, history in zip(SEEDS, histories, strict=True):
        assert 20 + 7 * seed % 160 <= len(history.lines)
        [books] = history.truth["accounts"].values()
        assert {order["product"] for order in books["orders"]} == {"spot", "linear", "inverse"}


def test_together_they_hold_every_kind_of_message(histories: list[History]) -> None:
    channels = {line["channel"] for history in histories for line in history.lines}
    wanted = """
        orders fills positions account balance_and_position orders-algo liquidation-warning
        algo-advance trade/order-algo trade/orders-algo-pending trade/orders-algo-history
        notice channel-conn-count-error order amend-order cancel-order public/instruments
        trade/order trade/orders-pending trade/orders-history trade/fills trade/fills-history
        account/positions account/balance
    """
    sent = {"POST trade/order", "POST trade/amend-order", "POST trade/cancel-order"}
    assert channels == {*wanted.split(), *sent}


def test_together_they_hold_every_change_of_an_order(histories: list[History]) -> None:
    changes = Counter(
        (row["state"], row["cancelSource"], row["amendResult"], row["category"])
        for history in histories
        for row in pushes(history)
    )
    plain = [
        ("live", ""), ("partially_filled", ""), ("filled", ""), ("canceled", "1"),
        ("canceled", "13"), ("canceled", "14"), ("canceled", "31"), ("canceled", "32"),
        ("canceled", "3"), ("canceled", "6"),
    ]  # fmt: skip
    assert {(*row, "", "normal") for row in plain} <= changes.keys()
    others = {("live", "", "0", "normal"), ("live", "", "-1", "normal")}
    assert others <= changes.keys()
    assert {category for _, _, _, category in changes} == {"normal", "full_liquidation", "adl"}


def test_the_fills_of_an_order_add_up_to_what_the_books_say(histories: list[History]) -> None:
    for history in histories:
        [books] = history.truth["accounts"].values()
        filled: dict[str, Decimal] = {}
        for fill in books["fills"]:
            number = fill["first_order_id"]
            filled[number] = filled.get(number, Decimal(0)) + Decimal(fill["quantity"])
        for order in books["orders"]:
            assert Decimal(order["filled"]) == filled.get(order["venue_order_id"], Decimal(0))


def test_every_fill_is_reported_once_and_what_is_cumulative_grows(histories: list[History]) -> None:
    for history in histories:
        told: Counter[tuple[str, ...]] = Counter()
        reached: dict[str, Decimal] = {}
        for row in pushes(history):
            number, total = row["ordId"], Decimal(row["accFillSz"])
            assert total >= reached.get(number, Decimal(0))
            reached[number] = total
            if row["tradeId"]:
                told[row["instId"], row["tradeId"], number] += 1
        [books] = history.truth["accounts"].values()
        assert sum(told.values()) == len(books["fills"])
        assert all(count == 1 for (_, trade, _), count in told.items() if trade != "0")


def test_no_number_of_a_message_is_a_float(histories: list[History]) -> None:
    def has_float(value: object) -> bool:
        if isinstance(value, dict):
            return any(map(has_float, value.values()))
        if isinstance(value, list):
            return any(map(has_float, value))
        return isinstance(value, float)

    assert not any(has_float(raw) for history in histories for raw in documents(history))
