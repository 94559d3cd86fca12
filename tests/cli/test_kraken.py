"""`normalize kraken` and `fold kraken`: one order of each system from what came in any order."""

import io
from pathlib import Path
from random import Random
from typing import Any

import orjson

from cli import fold, normalize
from tests.venues.frames import cases
from venues import VENUES

KRAKEN = VENUES["kraken"]
CASES = {case.name: case for case in cases("kraken")}
SPOT = (
    "executions: a new order, before the engine has it",
    "executions: it is live, without symbol and client id",
    "executions: a partial fill",
    "executions: the last fill, which says partially filled",
    "executions: filled, which is no fill",
)
FUTURES = (
    "open_orders: a new order",
    "open_orders: a partial fill",
    "open_orders: filled: gone, and no cancel",
    "fills: a fill",
    "history: executions",
)


def line(name: str) -> bytes:
    case = CASES[name]
    fields = {
        "ref": name,
        "product": case.product,
        "source": "stream" if case.source.value == "stream" else "rest",
        "raw": orjson.Fragment(case.body),
    }
    return orjson.dumps(fields) + b"\n"


def folded(lines: list[bytes], *states: Path | None) -> list[dict[str, Any]]:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    assert fold.run(KRAKEN, io.BytesIO(b"".join(lines)), stdout, stderr, *states) == 0
    assert stderr.getvalue() == b""
    return [orjson.loads(one) for one in stdout.getvalue().splitlines()]


def test_each_frame_says_what_its_file_says() -> None:
    stdout = io.BytesIO()
    assert normalize.run(KRAKEN, io.BytesIO(b"".join(map(line, CASES))), stdout) == 0
    said = list(map(orjson.loads, stdout.getvalue().splitlines()))
    assert len(said) == len(CASES)
    for one in said:
        expected = dict(CASES[one.pop("ref")].expected)
        expected.pop("unknown", None)
        expected.pop("counts", None)
        assert one == expected


def test_one_order_of_spot_comes_from_whatever_came_in_any_order(tmp_path: Path) -> None:
    lines = list(map(line, SPOT))
    order, digest = folded(lines)
    assert (order["symbol"], order["status"], order["disputed"]) == ("BTC/USD", "FILLED", False)
    assert (order["filled_quantity"], order["provisional_quantity"], len(order["fills"])) == (
        "0.5", "0", 2,
    )  # fmt: skip
    for seed in range(5):
        shuffled = lines * 2
        Random(seed).shuffle(shuffled)
        assert folded(shuffled) == [order, digest]
    state = tmp_path / "state"
    folded(lines[1:3], None, state)
    assert folded([lines[0], *lines[3:]], state, None) == [order, digest]


def test_a_fill_of_futures_is_one_from_the_stream_and_from_the_history() -> None:
    lines = list(map(line, FUTURES))
    order, digest = folded(lines)
    assert (order["product"], order["status"], order["filled_quantity"]) == (
        "linear", "FILLED", "0.05",
    )  # fmt: skip
    assert [fill["fee"] for fill in order["fills"]] == ["0.352"]
    assert order["provisional_quantity"] == "0.03"  # its second fill did not come
    for seed in range(5):
        shuffled = lines * 2
        Random(seed).shuffle(shuffled)
        assert folded(shuffled) == [order, digest]
