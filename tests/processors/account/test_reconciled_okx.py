"""Reconciliation against the simulated OKX: the ends of conditional orders, missed and found."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from orderloom import topology
from orderloom.question import About
from orderloom.words import Lifecycle
from processors.orders.order import Order
from simulator.conditional import Conditional
from simulator.message import Message
from simulator.okx import algo_calls
from simulator.okx.fields import Fields
from simulator.okx.orders import OkxRequest
from tests.processors.account.test_reconciled_venue import kinds, losing, rest
from tests.processors.okx_lab import LINEAR, OkxLab

if TYPE_CHECKING:
    from simulator.instrument import Side

SEEDS = (1, 2)
ALGO = ("orders-algo", "algo-advance")
PRICE = Decimal("150")


def a_lab(seed: int = 1, **keywords: Any) -> OkxLab:
    """An account that is looked at from its beginning, and in sync; nobody trades yet."""
    lab = OkxLab(seed, **keywords)
    lab.connect()
    lab.wait_until(lab.is_synced)
    quotes: tuple[tuple[Side, int], ...] = (("SELL", 151), ("BUY", 149))
    for side, price in quotes:
        request = OkxRequest(LINEAR, side, Decimal(1000), Decimal(price))
        lab.venue.linear.place_anonymous(request)
    return lab


def a_stop(lab: OkxLab, **fields: str) -> Conditional:
    """A stop-loss of 10 contracts, placed by request; it sells below 148."""
    wish = {
        "instId": LINEAR, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "10",
        "slTriggerPx": "148", "slOrdPx": "-1", "algoClOrdId": "stopA1",
    }  # fmt: skip
    row = algo_calls.place(lab.venue, lab.account, Fields(wish | fields))
    assert row["sCode"] == "0", row
    found: Conditional = lab.account.conditionals["linear"][int(row["algoId"])]
    return found


def trade_at(lab: OkxLab, price: int) -> None:
    """The market trades through its quotes at a price, for one contract."""
    market = lab.venue.linear
    for side in ("SELL", "BUY"):
        request = OkxRequest(LINEAR, side, Decimal(1001), Decimal(price))
        market.place_anonymous(request)


def lose(words: tuple[str, ...]) -> Callable[[Message], bool]:
    return lambda message: message.kind in words


def the_order(lab: OkxLab) -> Order:
    """The one order of contracts."""
    orders = lab.run.partition.accounts[lab.name].orders
    (order,) = (order for order in orders.all() if order.product == "linear")
    return order


def band(lab: OkxLab) -> tuple[Decimal, Decimal, bool]:
    """The last band of the contract's position."""
    *_, last = (one for one in lab.run.messages(topology.POSITIONS) if one.symbol == LINEAR)
    return last.low, last.high, last.unbounded


def asked(lab: OkxLab) -> Counter[str]:
    """How many questions about single orders were asked, by whether it waits for a trigger."""
    every = [one for one in lab.run.outputs if one.topic is topology.DISPATCHES]
    questions = [orjson.loads(one.value or b"")["question"] for one in every]
    single = [one for one in questions if one["about"] == "ORDER"]
    return Counter("conditional" if one["is_conditional"] else "plain" for one in single)


@pytest.mark.parametrize("is_listed", [True, False])
def test_row_50_a_conditional_order_whose_cancel_was_missed_is_closed(is_listed: bool) -> None:
    lab = a_lab()
    if not is_listed:  # among those that ended: then it is asked about by itself
        lab.hidden = "orders-algo-history"
    stop = a_stop(lab)
    assert the_order(lab).lifecycle is Lifecycle.WAITING_TRIGGER
    assert band(lab) == (Decimal(-10), Decimal(0), False)
    lab.drop = lose(ALGO)
    lab.venue.linear.end_conditional(lab.account, stop)
    rest(lab)
    assert the_order(lab).lifecycle is Lifecycle.CANCELED
    assert band(lab) == (Decimal(0), Decimal(0), False)
    assert asked(lab) == ({} if is_listed else {"conditional": 1})
    assert not lab.wrong()


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("lost", [ALGO, (*ALGO, "orders"), ("orders",)])
def test_row_50_a_trigger_that_was_missed_is_joined_with_what_it_triggered(
    lost: tuple[str, ...], is_split: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.okx.market.SPLIT_CHANCE", float(is_split))
    lab = a_lab()
    stop = a_stop(lab)
    rest(lab)
    lab.drop = lose(lost)
    trade_at(lab, 148)
    lab.drop = lambda _message: False
    assert len(stop.children) == 1 + is_split
    rest(lab)
    order = the_order(lab)
    assert (order.lifecycle, order.executed) == (Lifecycle.FILLED, Decimal(10))
    assert order.view()["client_order_ids"][0] == "stopA1"
    assert band(lab) == (Decimal(-10), Decimal(-10), False)
    assert not lab.wrong()


def test_row_38_the_band_of_a_split_order_holds_what_rests_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.okx.market.SPLIT_CHANCE", 1.0)
    lab = a_lab()
    stop = a_stop(lab, slOrdPx="150")
    trade_at(lab, 148)
    first, second = stop.children
    assert (first.quantity, second.quantity) == (Decimal(4), Decimal(6))
    lab.venue.linear.place_anonymous(OkxRequest(LINEAR, "BUY", Decimal(4), Decimal(150)))
    for _ in range(3):  # cycles that list the part which rests
        rest(lab)
        order = the_order(lab)
        assert (first.status, second.status) == ("FILLED", "NEW")
        assert order.lifecycle is Lifecycle.ACTIVE
        assert (order.executed, order.quantity) == (Decimal(4), Decimal(10))
        assert band(lab) == (Decimal(-10), Decimal(-4), False)
    assert not lab.wrong()


def test_row_38_of_a_split_order_the_part_whose_end_was_missed_is_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.okx.market.SPLIT_CHANCE", 1.0)
    lab = a_lab()
    stop = a_stop(lab, slOrdPx="150")
    trade_at(lab, 148)
    rest(lab)
    first, second = stop.children
    assert (first.is_open, second.is_open) == (True, True)
    assert the_order(lab).quantity == 10
    assert band(lab) == (Decimal(-10), Decimal(0), False)
    for part in (first, second):
        lab.drop = lose(("orders",))
        lab.venue.linear.cancel(lab.account, part)
        lab.drop = lambda _message: False
        rest(lab)
        assert not lab.wrong()
    assert the_order(lab).lifecycle is Lifecycle.CANCELED
    assert band(lab) == (Decimal(0), Decimal(0), False)


def test_row_50_one_that_came_and_ended_while_we_were_away_is_known() -> None:
    lab = a_lab()
    lab.disconnect()
    stop = a_stop(lab)
    lab.venue.linear.end_conditional(lab.account, stop)
    lab.reconnect()
    rest(lab)
    assert the_order(lab).lifecycle is Lifecycle.CANCELED
    assert not lab.wrong()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_without_faults_raises_no_alarm(seed: int) -> None:
    lab = a_lab(seed)
    lab.trade(400)
    rest(lab)
    assert len(lab.account.conditionals["linear"]) > 2
    assert not lab.wrong()
    assert kinds(lab).keys() <= {"MISSED_FILL", "GAP"}, kinds(
        lab
    )  # what OKX forces is pushed without its id


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_stream_loses_while_it_lives_is_healed(seed: int) -> None:
    lab = a_lab(seed)
    lab.drop = losing(seed, 0.15)
    lab.trade(400)
    lab.drop = lambda _message: False
    rest(lab)
    assert not lab.wrong()
    account = lab.run.partition.accounts[lab.name]
    assert not account.look_ups.differences.asked


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happened_while_nobody_was_connected_is_found(seed: int) -> None:
    lab = a_lab(seed)
    lab.trade(100)
    lab.disconnect()
    lab.trade(150)
    lab.reconnect()
    lab.trade(50)
    rest(lab)
    assert not lab.wrong()


def test_killed_between_any_two_records_it_ends_the_same() -> None:
    def play(lab: OkxLab) -> OkxLab:
        lab.connect()
        lab.wait_until(lab.is_synced)
        lab.drop = losing(12, 0.1)
        lab.trade(70)
        lab.drop = lambda _message: False
        rest(lab, 30)
        return lab

    calm = play(OkxLab(12))
    assert not calm.wrong()
    assert kinds(calm).keys() >= {"GAP", "MISSED_FILL", "CORRECTED_FILL", "MISSED_STATE"}
    killed = play(OkxLab(12, before_each=lambda lab: lab.restart()))
    assert killed.run.digests == calm.run.digests


def make_block_trade(lab: OkxLab) -> None:
    """A purchase of 2 contracts off the order book: the lists have it, under no order."""
    at = str(lab.now_ns // 1_000_000)
    own = {"instType": "SWAP", "instId": LINEAR, "posSide": "net"}
    row = own | {
        "tradeId": "905000101", "ordId": "", "clOrdId": "", "billId": "2710000000000000558",
        "subType": "204", "tag": "", "fillPx": "150", "fillSz": "2", "side": "buy",
        "execType": "M", "feeCcy": "USDT", "fee": "-0.03", "ts": at, "fillTime": at,
    }  # fmt: skip
    held = own | {"pos": "2", "avgPx": "150", "mgnMode": "cross", "uTime": at}
    called = lab.called

    def answered(url: str) -> tuple[int, bytes]:
        status, body = called(url)
        is_listed = "/trade/fills" in url and "instType=SWAP" in url and "after=" not in url
        added = [row] if is_listed else [held] if "/account/positions" in url else []
        document = orjson.loads(body)
        return status, orjson.dumps(document | {"data": document["data"] + added})

    lab.called = answered  # type: ignore[method-assign]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_block_trade_counts_once_however_many_cycles_list_it(is_restarted: bool) -> None:
    lab = a_lab(before_each=OkxLab.restart if is_restarted else lambda _lab: None)
    make_block_trade(lab)
    for _ in range(3):
        rest(lab)
    fills = [one for one in lab.run.messages(topology.FILLS) if one.symbol == LINEAR]
    assert [(one.exec_id, one.quantity) for one in fills] == [("bill-2710000000000000558", 2)]
    assert (the_order(lab).lifecycle, the_order(lab).venue_order_id) == (Lifecycle.FILLED, None)
    assert band(lab) == (Decimal(2), Decimal(2), False)
    assert asked(lab) == {}


class TwiceListed(OkxLab):
    """The list of open orders has one row twice, once with the id under which it waited."""

    order: Callable[[list[Any]], list[Any]] | None = None
    doubled = ""

    def called(self, url: str) -> tuple[int, bytes]:
        status, body = super().called(url)
        rows = orjson.loads(body)["data"]
        if self.order is None or "trade/orders-pending" not in url or "SWAP" not in url or not rows:
            return status, body
        waited = {"algoId": "2650000000000009999", "algoClOrdId": "al", "source": "7"}
        self.doubled = rows[-1]["ordId"]
        both = self.order([rows[-1], rows[-1] | waited])
        return 200, orjson.dumps({"code": "0", "msg": "", "data": [*rows[:-1], *both]})


@pytest.mark.parametrize("order", [list, lambda rows: rows[::-1]], ids=["later", "earlier"])
def test_a_row_that_joins_an_order_of_the_same_list_with_another_key_breaks_nothing(
    order: Callable[[list[Any]], list[Any]],
) -> None:
    lab = TwiceListed(1)
    lab.connect()
    lab.wait_until(lab.is_synced)
    lab.trade(60)
    lab.order = order
    for _ in range(40):
        lab.wait(500)
    account = lab.run.partition.accounts["okx:main"]
    assert account.quarantine is None
    found = [one for one in account.orders.all() if one.key.endswith("/2650000000000009999")]
    assert [one.venue_order_id for one in found] == [lab.doubled]
    assert found[0].seen is not None
    assert found[0].seen.listed_ns
    targets = account.look_ups.reconciliation.targets
    assert not [name for name in targets.by_name if found[0].key in name]


def shown_balances(lab: OkxLab) -> dict[str, Decimal | None]:
    *_, last = lab.run.messages(topology.ACCOUNTS)
    return {one.asset: one.total for one in last.balances}


@pytest.mark.parametrize("is_answered", [False, True])
def test_an_asset_that_became_nothing_while_nobody_listened_is_shown_no_more(
    is_answered: bool,
) -> None:
    lab = a_lab()
    rest(lab)
    held = lab.account.balance("spot", "SOL").free
    assert shown_balances(lab)["SOL"] == held > 0
    lab.disconnect()
    lab.venue.spot.transfer(lab.account, "SOL", -held)
    lab.wait(5000)
    lab.refuse = lambda question: question.about is About.BALANCES and not is_answered
    lab.drop = lose(("account",))
    lab.reconnect()
    rest(lab)
    assert ("SOL" in shown_balances(lab)) is not is_answered  # a failed read proves nothing
    assert "USDT" in shown_balances(lab)
