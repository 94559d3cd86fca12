"""First contact at OKX with an order whose own row, with mode and algo id, comes after the opening.

Its list of orders goes by the time of placing, so an order placed long ago is known by its trade
alone, until it is asked about by its own id.
"""

from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.event import Cause, Origin
from orderloom.raw import Answer
from orderloom.words import Source
from processors.account.differences import Differences
from processors.account.publishing import Publisher
from processors.orders.orders import Orders
from processors.partition import PartitionFold
from tests.builders import a_report
from tests.processors.partition_lab import NOW, Run, a_raw_record, a_record, live
from venues import VENUES

SECOND = 1_000_000_000
ACCOUNT = "okx:main"
PLACE = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "posSide": "net"}
TRADED_NS = NOW - 7_200 * SECOND
TRADED = str(TRADED_NS // 1_000_000)
POSITION = {**PLACE, "pos": "7", "mgnMode": "cross", "avgPx": "90", "uTime": TRADED}
TRADE = {
    **PLACE, "tradeId": "5", "ordId": "44", "clOrdId": "", "billId": "9", "subType": "1",
    "fillPx": "90", "fillSz": "2", "side": "buy", "execType": "M", "feeCcy": "USDT", "fee": "-0.1",
    "ts": TRADED, "fillTime": TRADED,
}  # fmt: skip
ORDER = {
    **PLACE, "ordId": "44", "clOrdId": "", "sz": "2", "ordType": "limit", "side": "buy",
    "tdMode": "cross", "state": "filled", "accFillSz": "2", "fillSz": "2", "fillPx": "90",
    "tradeId": "5", "fillTime": TRADED, "avgPx": "90", "px": "90", "category": "normal",
    "cTime": str(NOW // 1_000_000 - 3 * 86_400_000), "uTime": TRADED, "cancelSource": "",
    "source": "7", "algoId": "900",
}  # fmt: skip


class Watched:
    """The account, the questions of its cycles answered; those about the order itself wait."""

    def __init__(self) -> None:
        self.run = Run(PartitionFold(VENUES["okx"], 0))
        self.waiting: list[dict[str, Any]] = []
        config = AccountConfig(id=ACCOUNT, products=("linear",), key="env:KEY", partition=0)
        body = orjson.dumps({"type": "account", "config": config.model_dump(mode="json")})
        self.run.step(a_record(body, topic=topology.CONTROL, key=ACCOUNT))
        self.run.step(a_raw_record(live("linear"), account=ACCOUNT))

    def cycle_at(self, at_ns: int) -> None:
        self.run.partition.accounts[ACCOUNT].streams.owner.liveness_ns = at_ns
        for output in self.run.step(None, at_ns):
            if output.topic is topology.DISPATCHES:
                question = orjson.loads(output.value or b"")["question"]
                if question["about"] == "ORDER":
                    self.waiting.append(question)
                else:
                    self.answer(question, rows_of(question), at_ns)

    def answer(self, question: dict[str, Any], rows: list[dict[str, Any]], at_ns: int) -> None:
        body = orjson.dumps({"code": "0", "msg": "", "data": rows})
        item = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
        self.run.step(a_raw_record(item, offset=1, account=ACCOUNT), at_ns)

    def nets(self) -> dict[str | None, int]:
        """What was last published of each position, by margin mode."""
        shown = self.run.messages(topology.POSITIONS)
        return {position.margin_mode: int(position.net) for position in shown}


def rows_of(question: dict[str, Any]) -> list[dict[str, Any]]:
    if question["about"] == "POSITIONS":
        return [POSITION]
    is_asked = question["about"] == "TRADES" and question["since_ns"] < TRADED_NS
    return [TRADE] if is_asked else []


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    for seconds in (3, 6, 8):
        watched.cycle_at(NOW + seconds * SECOND)
    assert watched.nets() == {None: 7}
    (question,) = watched.waiting
    watched.answer(question, [ORDER], NOW + 9 * SECOND)
    for seconds in (40, 75):
        watched.cycle_at(NOW + seconds * SECOND)
    return watched


def test_what_the_opening_contains_counts_in_no_other_position(watched: Watched) -> None:
    assert watched.nets() == {None: 7, "cross": 0}
    kinds = [one.kind for one in watched.run.messages(topology.DIFFERENCES)]
    assert "POSITION" not in kinds


def test_a_doubt_about_an_order_is_settled_when_its_key_changes(watched: Watched) -> None:
    doubts = [
        (one.rule, (one.order_key or "").rpartition("/")[2])
        for one in watched.run.messages(topology.DIFFERENCES)
        if one.kind == "GHOST"
    ]
    assert doubts == [("open", "44"), (f"settled: it is {ACCOUNT}/linear/BTC-USDT-SWAP/900", "44")]


def test_a_change_that_the_stream_may_still_bring_is_published_of_the_order_under_its_new_key() -> (
    None
):
    publisher = Publisher(ACCOUNT, 0, Cause("raw.okx", 0, 0))
    differences = Differences(publisher)
    cause, orders = Cause("raw.okx", 0, 1), Orders(ACCOUNT, VENUES["okx"].profiles)
    origin = Origin(ACCOUNT, Source.QUERY, cause, NOW, NOW)
    orders.apply(a_report(venue_order_id="44", client_order_id=None, venue_ns=NOW - SECOND), origin)
    (order,) = orders.all()
    differences.answered({}, order, (), origin)
    former, order.key = order.key, f"{ACCOUNT}/900"
    differences.retired(former, order)
    differences.publish_late(NOW + 2 * SECOND, {order.key: order}.get)
    (found,) = [orjson.loads(one.value or b"") for one in publisher.take_events()]
    assert (found["kind"], found["order_key"]) == ("ZOMBIE", order.key)
