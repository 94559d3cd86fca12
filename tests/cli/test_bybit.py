"""`normalize bybit` and `fold bybit`: one order from stream and REST, two instruments of a name."""

import io
from pathlib import Path
from random import Random
from typing import Any

import orjson

from cli import fold, normalize
from tests.venues.frames import cases
from venues import VENUES

BYBIT = VENUES["bybit"]
CASES = {case.name: case for case in cases("bybit")}
PUSHED = ("a new order", "an amendment, which has no mark", "a partial fill", "filled")
AGAIN = "filled a second time, as a cancel came too late"
FILLS = "executions_push: two fills of one instant share a sequence"


def line(name: str) -> bytes:
    case = CASES[name]
    fields = {
        "ref": name,
        "product": "swap" if case.product != "spot" else "spot",
        "source": "stream" if case.source.value == "stream" else "rest",
        "raw": orjson.Fragment(case.body),
    }
    return orjson.dumps(fields) + b"\n"


def folded(lines: list[bytes], *states: Path | None) -> list[dict[str, Any]]:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    assert fold.run(BYBIT, io.BytesIO(b"".join(lines)), stdout, stderr, *states) == 0
    assert stderr.getvalue() == b""
    return [orjson.loads(one) for one in stdout.getvalue().splitlines()]


def test_each_frame_says_the_same_where_only_swap_is_given() -> None:
    stdout = io.BytesIO()
    given = b"".join(map(line, CASES))
    assert normalize.run(BYBIT, io.BytesIO(given), stdout) == 0
    for said in map(orjson.loads, stdout.getvalue().splitlines()):
        expected = dict(CASES[said.pop("ref")].expected)
        expected.pop("unknown", None)
        if not any(event["type"] == "reply" for event in said["events"]):
            assert said == expected


def test_one_order_comes_from_whatever_came_in_any_order(tmp_path: Path) -> None:
    lines = [*(line(f"orders_push: {name}") for name in (*PUSHED, AGAIN)), line(FILLS)]
    told = folded(lines)
    order = told[0]
    assert (order["status"], order["disputed"], order["filled_quantity"]) == (
        "FILLED", False, "0.03",
    )  # fmt: skip
    assert (order["provisional_quantity"], len(order["fills"])) == ("0", 2)
    for seed in range(5):
        shuffled = lines * 2
        Random(seed).shuffle(shuffled)
        assert folded(shuffled) == told
    state = tmp_path / "state"
    folded(lines[:3], None, state)
    assert folded(lines[3:], state, None) == told


def test_one_name_is_a_pair_of_coins_and_a_contract() -> None:
    pushed = orjson.loads(CASES["orders_push: a new order"].body)
    pushed["data"][0]["category"] = "spot"
    coins = orjson.dumps({"ref": 0, "source": "stream", "raw": pushed}) + b"\n"
    *orders, _ = folded([line("orders_push: a new order"), coins])
    assert [(order["product"], order["symbol"]) for order in orders] == [
        ("linear", "BTCUSDT"),
        ("spot", "BTCUSDT"),
    ]
