"""`normalize okx` and `fold okx`: bare words, contracts in base units, identities in REST alone."""

import io
from typing import Any

import orjson

from cli import fold, normalize
from tests.venues.frames import cases
from venues import VENUES

OKX = VENUES["okx"]
CASES = {case.name: case for case in cases("okx")}


def line(name: str, ref: int = 0) -> bytes:
    case = CASES[name]
    fields = {
        "ref": ref,
        "product": "swap" if case.product == "linear" else case.product,
        "source": "stream" if case.source.value == "stream" else "rest",
        "raw": orjson.Fragment(case.body),
    }
    return orjson.dumps(fields) + b"\n"


def normalized(given: bytes) -> list[dict[str, Any]]:
    stdout = io.BytesIO()
    assert normalize.run(OKX, io.BytesIO(given), stdout) == 0
    return [orjson.loads(one) for one in stdout.getvalue().splitlines()]


def folded(*lines: bytes) -> tuple[list[dict[str, Any]], str]:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    assert fold.run(OKX, io.BytesIO(b"".join(lines)), stdout, stderr) == 0
    assert stderr.getvalue() == b""
    *orders, last = [orjson.loads(one) for one in stdout.getvalue().splitlines()]
    return orders, last["digest"]


def test_a_pong_is_ignored_and_other_text_that_is_no_json_is_a_dead_letter() -> None:
    pong, word = normalized(b'{"ref":1,"raw":"pong"}\n{"ref":2,"raw":"pang"}\n')
    assert pong == {"ref": 1, "events": [], "ignored": "a heartbeat"}
    assert "dead_letter" in word


def test_contracts_are_base_units_once_the_instrument_is_known_wherever_it_stands() -> None:
    fills = [line(f"orders_push: {name}") for name in ("a full fill", "a partial fill")]
    instruments = line("instruments: GET public/instruments of contracts")
    (native,), _ = folded(*fills)
    assert (native["filled_quantity"], native["quantity_unit"]) == ("3", "contracts")
    first, digest = folded(instruments, *fills)
    (order,) = first
    assert (order["status"], order["filled_quantity"]) == ("FILLED", "0.03")
    assert [fill["last_quantity"] for fill in order["fills"]] == ["0.012", "0.018"]
    assert folded(*reversed(fills), instruments) == (first, digest)


def test_a_liquidation_is_provisional_until_rest_names_its_execution() -> None:
    pushed = line("orders_push: a liquidation has no trade id")
    named = line("trades: a liquidation has a trade id below zero")
    (before,), _ = folded(pushed)
    assert (before["status"], before["fills"], before["provisional_quantity"]) == (
        "FILLED",
        [],
        "3",
    )
    after, digest = folded(pushed, named)
    (order,) = after
    assert (order["provisional_quantity"], order["disputed"]) == ("0", False)
    assert [fill["exec_id"] for fill in order["fills"]] == ["-1203"]
    assert folded(named, pushed, pushed) == (after, digest)


def test_an_order_sized_in_quote_closes_by_the_venues_word() -> None:
    fill, close = (
        line(f"orders_push: a market order in quote {how}")
        for how in ("is filled", "closes without a fill")
    )
    (open_order,), _ = folded(fill)
    assert open_order["status"] == "PARTIALLY_FILLED"
    orders, digest = folded(fill, close)
    assert (orders[0]["status"], orders[0]["filled_quantity"]) == ("FILLED", "0.04")
    assert orders[0]["disputed"] is False
    assert folded(close, fill, close) == (orders, digest)


def test_a_conditional_order_and_the_order_that_it_became_are_one() -> None:
    frames = [
        line("algo_orders: a stop-loss waits"),
        line("algo_orders: it triggers and an order takes its place"),
        line("orders_push: an order of a triggered conditional order"),
    ]
    orders, digest = folded(*frames)
    (order,) = orders
    assert order["status"] == "ACTIVE"
    for some in (frames[::-1], [frames[0], frames[2]], [frames[2], frames[0], frames[1]]):
        assert len(folded(*some)[0]) == 1
    assert folded(*frames[::-1])[1] == digest


def test_all_frames_together_fold_the_same_forwards_and_backwards() -> None:
    lines = [line(name, ref) for ref, name in enumerate(CASES)]
    assert folded(*lines) == folded(*lines[::-1]) == folded(*lines, *lines)
