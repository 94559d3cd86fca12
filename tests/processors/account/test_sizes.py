"""Contracts become base units once their instrument is known; nothing waits for it."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

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


def listed(run: Run, seconds: int, body: bytes) -> None:
    """The venue lists its swaps at last; the question is the newest that was asked."""
    at_ns = NOW + seconds * SECOND
    run.step(None, at_ns)
    question = [one for one in questions(run) if one["product"] == "linear"][-1]
    answer = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
    run.step(a_raw_record(answer, offset=seconds, account="venue"), at_ns)


def pushed(run: Run, number: int, channel: str, **fields: str) -> None:
    """An order's row on a channel of OKX."""
    row = {
        "instType": "SWAP", "instId": SYMBOL, "clOrdId": "", "sz": "10", "side": "sell",
        "posSide": "net", "tdMode": "cross", "cTime": str(NOW // 10**6), "uTime": str(NOW // 10**6),
    }  # fmt: skip
    body = orjson.dumps({"arg": {"channel": channel, "instType": "ANY"}, "data": [row | fields]})
    run.step(a_raw_record(a_frame(body, number, "linear"), offset=10 * number, account=ACCOUNT))


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


def versions(run: Run) -> list[tuple[int, Decimal | None]]:
    return [(order.version, order.contract_size) for order in run.messages(topology.ORDERS)]


def test_the_size_that_a_listing_gives_is_kept_through_a_restart_whatever_the_venue_changes() -> (
    None
):
    run, symbol = a_run_with_one_fill()
    listed(run, 2, listing(symbol))
    run.restart()
    listed(run, 90_000, listing(symbol).replace(b'"0.01"', b'"0.1"'))
    assert versions(run) == [(1, None), (2, Decimal("0.01"))]
    assert [fill.contract_size for fill in run.messages(topology.FILLS)] == [None, Decimal("0.01")]


def test_an_order_that_a_condition_made_keeps_the_first_cause_and_size_of_what_was_placed() -> None:
    run = OkxRun(PartitionFold(VENUES["okx"], 0))
    run.step(a_raw_record(live("linear"), account=ACCOUNT))
    algo = {"algoId": "900", "ordType": "conditional", "slTriggerPx": "90000", "slOrdPx": "-1"}
    pushed(run, 1, "orders-algo", **algo, state="live", ordId="", algoClOrdId="", triggerTime="")
    listed(run, 15, listing(SYMBOL))
    run.restart()
    listed(run, 90_000, listing(SYMBOL).replace(b'"0.01"', b'"0.1"'))
    child = {"ordId": "901", "algoId": "900", "source": "7", "px": "", "ordType": "market"}
    pushed(
        run, 2, "orders", **child, accFillSz="0", fillSz="0", tradeId="", avgPx="0", state="live"
    )
    *_, order = run.messages(topology.ORDERS)
    assert (order.venue_order_id, order.contract_size) == ("901", Decimal("0.01"))
    assert order.first_cause.offset == 10


@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_execution_without_an_order_gets_its_size_with_the_listing(is_restarted: bool) -> None:
    run = OkxRun(PartitionFold(VENUES["okx"], 0))
    run.step(a_raw_record(live("linear"), account=ACCOUNT))
    row = {
        "instType": "SWAP", "instId": SYMBOL, "tradeId": "5", "ordId": "", "clOrdId": "",
        "billId": "77", "subType": "1", "fillPx": "100", "fillSz": "3", "side": "buy",
        "posSide": "net", "execType": "T", "feeCcy": "USDT", "fee": "-0.1",
        "ts": str(NOW // 10**6), "fillTime": str(NOW // 10**6),
    }  # fmt: skip
    body = orjson.dumps({"code": "0", "msg": "", "data": [row]})
    question = {"id": "x", "account": ACCOUNT, "about": "TRADES", "product": "linear"}
    answer = Answer(question, "", 1, True, 200, NOW, NOW, NOW, body)
    run.step(a_raw_record(answer, offset=1, account=ACCOUNT))
    if is_restarted:
        run.restart()
    listed(run, 2, listing(SYMBOL))
    fills = [(fill.kind, fill.quantity_base) for fill in run.messages(topology.FILLS)]
    assert fills == [("REAL", None), ("CORRECTION", Decimal("0.03"))]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_position_that_was_never_shown_is_not_shown_for_its_size(is_restarted: bool) -> None:
    run = OkxRun(PartitionFold(VENUES["okx"], 0))
    run.step(a_raw_record(live("linear"), account=ACCOUNT))
    ended = {"state": "canceled", "cancelSource": "1", "accFillSz": "0", "fillSz": "0"}
    pushed(run, 1, "orders", **ended, ordId="9", ordType="limit", px="1", tradeId="", avgPx="0")
    if is_restarted:
        run.restart()
    listed(run, 15, listing(SYMBOL))
    assert not list(run.messages(topology.POSITIONS))
