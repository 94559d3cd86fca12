"""Contracts become base units once their instrument is known; nothing waits for it."""

from decimal import Decimal
from typing import Any

import orjson

from orderloom import topology
from orderloom.raw import Answer, Liveness
from processors.account.positions import HeldPosition, PositionOpening, Sums, Traded
from processors.partition import PartitionFold
from simulator.history import generate
from tests.processors.partition_lab import NOW, Run, a_frame, a_raw_record, live
from venues import VENUES

SECOND = 1_000_000_000
ACCOUNT = "okx:main"
SYMBOL = "BTC-USDT-SWAP"


class OkxRun(Run):
    def restart(self) -> None:
        self.partition = PartitionFold(VENUES["okx"], 0)
        for key, value in self.state.items():
            self.partition.restore(key, value)


def an_execution() -> dict[str, Any]:
    """One pushed execution of a swap, out of a seeded history."""
    for line in generate(3, 180, venue="okx").lines:
        raw = line["raw"]
        if line["source"] == "stream" and isinstance(raw, dict) and "data" in raw:
            for row in raw["data"]:
                if row.get("instType") == "SWAP" and row.get("tradeId") and row.get("fillSz"):
                    return {**raw, "data": [row]}
    raise AssertionError("no execution in the history")


def listing(symbol: str) -> bytes:
    rows = [
        {
            "instType": "SWAP", "instId": symbol, "ctVal": "0.01", "ctMult": "1",
            "ctType": "linear", "settleCcy": "USDT", "tickSz": "0.1", "lotSz": "1",
            "minSz": "1", "state": "live", "baseCcy": "", "quoteCcy": "",
        }
    ]  # fmt: skip
    return orjson.dumps({"code": "0", "msg": "", "data": rows})


def a_run_with_one_fill() -> tuple[Run, str]:
    run = OkxRun(PartitionFold(VENUES["okx"], 0))
    body = an_execution()
    symbol = body["data"][0]["instId"]
    run.step(a_raw_record(live("linear"), account=ACCOUNT))
    frame = a_frame(orjson.dumps(body), product="linear")
    run.step(a_raw_record(frame, offset=1, account=ACCOUNT))
    return run, symbol


def an_order_for_a_whole_position() -> dict[str, Any]:
    """A conditional order that closes whatever is held: it names no quantity."""
    row = {
        "instType": "SWAP", "instId": SYMBOL, "algoId": "900", "algoClOrdId": "", "ordId": "",
        "clOrdId": "", "sz": "", "closeFraction": "1", "ordType": "conditional", "side": "sell",
        "posSide": "net", "tdMode": "cross", "state": "live", "slTriggerPx": "90000",
        "slOrdPx": "-1", "cTime": "1793000000000", "uTime": "1793000000000", "triggerTime": "",
    }  # fmt: skip
    return {"arg": {"channel": "orders-algo", "instType": "ANY"}, "data": [row]}


def test_an_order_that_names_no_quantity_counts_in_the_unit_of_its_product() -> None:
    run = OkxRun(PartitionFold(VENUES["okx"], 0))
    run.step(a_raw_record(live("linear"), account=ACCOUNT))
    frame = a_frame(orjson.dumps(an_order_for_a_whole_position()), product="linear")
    run.step(a_raw_record(frame, offset=1, account=ACCOUNT))
    (order,) = run.messages(topology.ORDERS)
    assert (order.quantity, order.quantity_unit, order.contract_size) == (None, "contracts", None)
    *_, position = run.messages(topology.POSITIONS)
    assert (position.quantity_unit, position.contract_size) == ("contracts", None)


def questions(run: Run) -> list[dict[str, Any]]:
    bodies = [o.value or b"" for o in run.outputs if o.topic is topology.DISPATCHES]
    documents = [orjson.loads(body)["question"] for body in bodies]
    return [one for one in documents if one["about"] == "INSTRUMENTS"]


def test_a_fill_is_published_at_once_and_in_base_units_when_the_instrument_is_known() -> None:
    run, symbol = a_run_with_one_fill()
    (fill,) = run.messages(topology.FILLS)
    assert (fill.kind, fill.contract_size, fill.quantity_base) == ("REAL", None, None)
    run.restart()
    run.step(None, NOW + SECOND)
    (question,) = [one for one in questions(run) if one["product"] == "linear"]
    at_ns = NOW + 2 * SECOND
    answer = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, listing(symbol))
    run.step(a_raw_record(answer, offset=2, account="venue"), at_ns)
    *_, corrected = run.messages(topology.FILLS)
    assert corrected.kind == "CORRECTION"
    assert corrected.quantity_base == corrected.quantity * Decimal("0.01")
    *_, order = run.messages(topology.ORDERS)
    assert order.filled_base == order.filled_quantity * Decimal("0.01")
    *_, position = run.messages(topology.POSITIONS)
    assert position.net_base == position.net * Decimal("0.01")
    assert position.realized == 0


def test_a_position_that_only_the_venue_knows_gets_its_size_with_the_listing() -> None:
    run = OkxRun(PartitionFold(VENUES["okx"], 0))
    run.step(a_raw_record(live("linear"), account=ACCOUNT))
    account = run.partition.account(ACCOUNT)
    (position,) = account.exposure.at("linear", SYMBOL, "NET", "contracts")
    position.begin(PositionOpening(NOW, Sums(Decimal(3), Decimal(90_000)), NOW, ()))
    account.begin(account.cause, NOW)
    account.publisher.positions[position.key] = account.cause
    run.take()
    run.restart()
    run.step(None, NOW + SECOND)
    (question,) = [one for one in questions(run) if one["product"] == "linear"]
    at_ns = NOW + 2 * SECOND
    answer = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, listing(SYMBOL))
    run.step(a_raw_record(answer, offset=2, account="venue"), at_ns)
    bases = [shown.net_base for shown in run.messages(topology.POSITIONS)]
    assert bases == [None, Decimal("0.03")]


def test_an_instrument_that_no_listing_has_is_asked_for_once_a_day() -> None:
    run, _ = a_run_with_one_fill()
    run.step(a_raw_record(Liveness(NOW, []), offset=2, account="venue"))
    asked = 0
    for seconds in range(5, 400, 5):
        at_ns = NOW + seconds * SECOND
        run.step(None, at_ns)
        pending = [one for one in questions(run)[asked:] if one["product"] == "linear"]
        asked = len(questions(run))
        for question in pending:
            body = listing("ETH-USDT-SWAP")
            answer = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
            run.step(a_raw_record(answer, offset=3, account="venue"), at_ns)
    assert len([one for one in questions(run) if one["product"] == "linear"]) <= 2


def test_inverse_contracts_average_and_realize_as_the_venues_do() -> None:
    position = HeldPosition("inverse", "BTC-USD-SWAP", "NET", None, "contracts")
    position.contract_size = Decimal(100)
    for number, (quantity, price) in enumerate(((2, 40000), (2, 50000), (-1, 60000))):
        position.trade(Traded(number, str(number), Decimal(quantity), Decimal(price)))
    entry = 4 / (Decimal(2) / 40000 + Decimal(2) / 50000)
    assert abs(position.now.entry - entry) < Decimal("1e-20")
    view = position.view(unbounded=False)
    gain = (1 / entry - 1 / Decimal(60000)) * 100
    assert abs(Decimal(view["realized"]) - gain) < Decimal("1e-20")
    assert view["net_base"] is None


def test_a_price_of_nothing_breaks_no_inverse_position() -> None:
    position = HeldPosition("inverse", "BTC-USD-SWAP", "NET", None, "contracts")
    for number, quantity in enumerate((1, 1, -1, -3)):
        position.trade(Traded(number, str(number), Decimal(quantity), Decimal(0)))
    assert position.now.net == -2
