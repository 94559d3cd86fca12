"""`fold` over what a simulated exchange says: any arrival gives the same digest, and its books.

A history is 20 to 200 messages of one account on all products: frames, REST answers, replies. The
fast suite takes 90 seeds of Binance and 60 of Kraken and OKX, the chaos suite 2,000 others of each.
"""

import io
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from cli.fold import run
from simulator.history import History, generate
from venues import VENUES

NAMES = "AssetPairs"
FIRST = ("public/instruments", NAMES)
CLOSED_WORDS = {"NEW": "ACTIVE", "EXPIRED_IN_MATCH": "EXPIRED"}
ALL_KINDS = {
    ("spot", "executionReport"), ("spot", "outboundAccountPosition"), ("spot", "balanceUpdate"),
    ("spot", "listStatus"), ("spot", "GET exchangeInfo"), ("spot", "GET openOrders"),
    ("spot", "GET order"), ("spot", "GET allOrders"), ("spot", "GET myTrades"),
    ("spot", "GET account"), ("spot", "POST order"), ("spot", "DELETE order"),
    ("linear", "ORDER_TRADE_UPDATE"), ("linear", "TRADE_LITE"), ("linear", "ACCOUNT_UPDATE"),
    ("linear", "GET exchangeInfo"), ("linear", "GET openOrders"), ("linear", "GET order"),
    ("linear", "GET openOrder"), ("linear", "GET allOrders"), ("linear", "GET userTrades"),
    ("linear", "GET positionRisk"), ("linear", "GET balance"), ("linear", "GET forceOrders"),
    ("linear", "POST order"), ("linear", "PUT order"), ("linear", "DELETE order"),
    ("linear", "ALGO_UPDATE"), ("linear", "CONDITIONAL_ORDER_TRIGGER_REJECT"),
    ("linear", "GET algoOrder"), ("linear", "GET openAlgoOrders"),
    ("linear", "GET allAlgoOrders"), ("linear", "POST algoOrder"), ("linear", "DELETE algoOrder"),
}  # fmt: skip


def folded(
    venue: str,
    lines: list[dict[str, Any]],
    state_in: Path | None = None,
    state_out: Path | None = None,
) -> bytes:
    """What `fold` writes for these lines."""
    stdin = io.BytesIO(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    stdout, stderr = io.BytesIO(), io.BytesIO()
    assert run(VENUES[venue], stdin, stdout, stderr, state_in, state_out) == 0
    assert stderr.getvalue() == b""
    return stdout.getvalue()


def check(venue: str, seeds: range, state: Path) -> Counter[tuple[str, str]]:
    """Fold each seed's history as it came, shuffled, repeated and cut; count the message kinds."""
    kinds: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        random = Random(seed)
        history = generate(seed, random.randint(20, 180), timed=seed % 2 == 0, venue=venue)
        # Without the size of contracts what is shown counts what the books count.
        lines = [line for line in history.lines if line["channel"] not in FIRST]
        kinds.update((line["product"], line["channel"]) for line in lines)
        # Other names of a market are known before anything is read under them.
        names = [line for line in history.lines if line["channel"] == NAMES]
        whole = folded(venue, names + lines)
        _check_books(history, whole)
        repeated = lines + random.choices(lines, k=len(lines) // 4)
        assert folded(venue, names + random.sample(repeated, len(repeated))) == whole, seed
        place, mixed = random.randrange(len(lines) + 1), random.sample(lines, len(lines))
        folded(venue, names + mixed[:place], None, state)
        assert folded(venue, mixed[place:], state) == whole, (seed, place)
    return kinds


def _check_books(history: History, output: bytes) -> None:
    """What was folded equals the exchange's own books: orders, and fills by identity."""
    (books,) = history.truth["accounts"].values()
    *orders, _ = [orjson.loads(line) for line in output.splitlines()]
    expected: dict[tuple[str, ...], tuple[str, Decimal]] = {
        (order["product"], order["symbol"], order["venue_order_id"]): (
            CLOSED_WORDS.get(order["status"], order["status"]),
            Decimal(order["filled"]),
        )
        for order in books["orders"]
    }
    fills = {(*place, fill["exec_id"]): fill for place, fill in _fills_of(orders)}
    assert len(orders) == len({order["order_key"] for order in orders})
    assert {_place_of_order(order) for order in orders} == expected.keys(), history.seed
    for order in orders:
        claim = (order["status"], Decimal(order["filled_quantity"]))
        assert claim == expected[_place_of_order(order)], (history.seed, order)
        assert not order["disputed"], (history.seed, order)
    # What OKX forces is pushed without its id: only an answer names it.
    named = [one for one in books["fills"] if not one["nameless"] or _place_of(one) in fills]
    assert {_place_of(fill) for fill in named} == set(fills), history.seed
    for fill in named:
        shown = fills[_place_of(fill)]
        assert Decimal(shown["last_quantity"]) == Decimal(fill["quantity"]), history.seed
        assert Decimal(shown["last_price"]) == Decimal(fill["price"]), history.seed
        if shown["fee"] is not None:  # not every source of a liquidation tells its fee
            assert Decimal(shown["fee"]) == Decimal(fill["fee"]), history.seed


def _place_of_order(order: dict[str, Any]) -> tuple[str, ...]:
    """Product, symbol and the id by which an order is known for life."""
    _, product, *symbol, order_id = order["order_key"].split("/")
    return (product, "/".join(symbol), order_id)  # Kraken's symbols have the sign in them


def _place_of(fill: dict[str, Any]) -> tuple[str, ...]:
    return (fill["product"], fill["symbol"], fill["first_order_id"], fill["exec_id"])


def _fills_of(orders: list[dict[str, Any]]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    return [(_place_of_order(order), fill) for order in orders for fill in order["fills"]]


@pytest.mark.parametrize(
    ("venue", "seeds"), [("binance", 90), ("bybit", 60), ("kraken", 60), ("okx", 60)]
)
def test_every_arrival_of_a_history_gives_the_same_output_and_the_exchanges_books(
    venue: str, seeds: int, tmp_path: Path
) -> None:
    check(venue, range(seeds), tmp_path / "state.json")


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "venue",
    ["binance", *(pytest.param(name, marks=pytest.mark.soak) for name in ("kraken", "okx"))],
)
def test_every_arrival_of_many_histories_gives_the_same_output(
    venue: str, tmp_path: Path, is_soak: bool
) -> None:
    histories = 2_000 if is_soak else 800
    kinds = check(venue, range(1_000, 1_000 + histories), tmp_path / "state.json")
    for kind, count in sorted(kinds.items()):
        print(*kind, count)
    if venue == "binance":
        assert set(kinds) >= ALL_KINDS, ALL_KINDS - set(kinds)
