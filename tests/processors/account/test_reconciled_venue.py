"""Reconciliation against a simulated venue: what is lost is found, published once, and proven."""

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.question import About, Question
from orderloom.raw import Item
from orderloom.words import FillKind, Source
from simulator.message import Message
from tests.processors.venue_lab import ACCOUNT, SECOND_NS, TICK_MS, VenueLab

SEEDS = (1, 2)
OUTLINE = ("status", "filled_quantity", "quantity", "price")


def a_lab(seed: int, **keywords: Any) -> VenueLab:
    """An account that is looked at from its beginning, and in sync."""
    lab = VenueLab(seed, **keywords)
    lab.connect()
    lab.wait_until(lab.is_synced)
    return lab


def rest(lab: VenueLab, seconds: int = 50) -> None:
    """No more trading: let the cycles find what there is to find."""
    for _ in range(seconds):
        lab.wait(1000)


def losing(seed: int, share: float) -> Any:
    dice = Random(seed)

    def drop(message: Message) -> bool:
        return message.kind != "balanceUpdate" and dice.random() < share

    return drop


def kinds(lab: VenueLab) -> Counter[str]:
    return Counter(found.kind for found in lab.differences())


def sources(lab: VenueLab) -> set[Source]:
    """From where the executions that were published so far are known."""
    return {fill.source for fill in lab.run.messages(topology.FILLS)}


# ---- labelled runs


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_without_faults_raises_no_alarm(seed: int) -> None:
    lab = a_lab(seed)
    lab.trade(250)
    rest(lab)
    assert not lab.wrong()
    assert not lab.differences()
    assert sources(lab) == {Source.STREAM}


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_that_come_before_the_stream_raise_no_alarm(seed: int) -> None:
    lab = a_lab(seed)
    lab.delay_ms = 3 * TICK_MS
    lab.trade(400)
    rest(lab)
    assert not lab.wrong()
    assert sources(lab) == {Source.STREAM}
    assert not lab.differences()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_stream_loses_while_it_lives_is_healed_and_published(seed: int) -> None:
    lab = a_lab(seed)
    lab.drop = losing(seed, 0.1)
    lab.trade(250)
    lab.drop = lambda _message: False
    rest(lab)
    assert not lab.wrong()
    assert kinds(lab)["MISSED_FILL"]
    assert not lab.run.partition.accounts[ACCOUNT].look_ups.balances.standing


@pytest.mark.parametrize("seed", SEEDS)
def test_each_change_that_an_answer_made_has_exactly_one_difference_and_reverse(seed: int) -> None:
    lab = a_lab(seed)
    causes = Causes(lab)
    lab.drop = losing(seed, 0.15)
    lab.trade(250)
    rest(lab)
    findings = [one for one in lab.differences() if one.kind in CHANGES]
    counted = Counter((one.order_key, one.execution_key, place(one)) for one in findings)
    assert max(counted.values()) == 1
    fills = {
        (one.order_key, one.execution_key, place(one))
        for one in lab.run.messages(topology.FILLS)
        if one.cause.offset in causes.answers
    }
    assert fills
    assert fills == {key for key in counted if key[1] is not None}
    changed = {(key, at) for key, at in changes_of_orders(lab) if at[0] in causes.answers}
    assert changed == {(key, at) for key, _, at in counted}


CHANGES = ("MISSED_FILL", "CORRECTED_FILL", "BUSTED_FILL", "ZOMBIE", "MISSED_STATE")


class Causes:
    """Which records of `raw` are answers, from now on."""

    def __init__(self, lab: VenueLab) -> None:
        self.answers: set[int] = set()
        fold = lab.fold

        def noting(*items: Item, account: str | None = ACCOUNT) -> None:
            if hasattr(items[0], "question") and account == ACCOUNT:
                self.answers.add(lab.records + 1)
            fold(*items, account=account)

        lab.fold = noting  # type: ignore[method-assign] # it only notes, and hands on


def place(message: Any) -> tuple[int, int]:
    return message.cause.offset, message.cause.place


def changes_of_orders(lab: VenueLab) -> set[tuple[str, tuple[int, int]]]:
    """The orders' records that changed what the order is, or came with a fill."""
    before: dict[str, tuple[Any, ...]] = {}
    found: set[tuple[str, tuple[int, int]]] = set()
    for order in lab.run.messages(topology.ORDERS):
        now = tuple(getattr(order, name) for name in OUTLINE)
        if before.get(order.key) != now:
            found.add((order.key, place(order)))
        before[order.key] = now
    for fill in lab.run.messages(topology.FILLS):
        found.add((fill.order_key, place(fill)))
    return found


def test_an_order_that_vanished_is_asked_about_by_itself_and_both_are_published() -> None:
    lab = a_lab(5)
    lab.trade(100)
    account = lab.run.partition.accounts[ACCOUNT]
    lab.drop = lambda message: message.document.get("X") in ("CANCELED", "EXPIRED")
    lab.refuse = lambda question: question.about is About.ORDER_HISTORY
    lab.trade(100)
    lab.wait_until(lambda: "GHOST" not in "".join(account.look_ups.differences.asked))
    lab.refuse = lambda _question: False
    rest(lab)
    assert not lab.wrong()
    rules = [found.rule for found in lab.differences() if found.kind == "GHOST"]
    assert rules.count("open") == len(rules) / 2 > 0


def test_a_gap_that_the_cycle_under_way_will_explain_is_not_asked_about_by_itself() -> None:
    lab = a_lab(3)
    lab.trade(60)
    lab.disconnect()
    lab.trade(100)
    until_ns = lab.now_ns + 6 * SECOND_NS
    lab.refuse = lambda question: question.about is About.TRADES and lab.now_ns < until_ns
    lab.reconnect()
    lab.trade(40)  # the stream goes on about orders whose executions we missed
    rest(lab)
    assert not lab.wrong()
    assert kinds(lab)["MISSED_FILL"] > 10
    assert not reasons(lab)["gap"]


def test_a_gap_that_the_stream_opened_since_the_cycle_began_is_asked_about_at_once() -> None:
    lab = a_lab(3)
    lab.refuse = lambda question: question.about is About.TRADES and question.reason == "round"
    lab.drop = losing(3, 0.2)
    lab.trade(150)
    assert reasons(lab)["gap"]
    lab.refuse, lab.drop = lambda _question: False, lambda _message: False
    rest(lab)
    assert not lab.wrong()


def reasons(lab: VenueLab) -> Counter[str]:
    """Why the questions so far were asked."""
    asked = [one for one in lab.run.outputs if one.topic is topology.DISPATCHES]
    return Counter(orjson.loads(one.value or b"")["question"]["reason"] for one in asked)


def test_the_answer_of_an_older_cycle_does_not_age_what_a_newer_one_listed() -> None:
    lab = a_lab(1)
    lab.trade(60)
    account = lab.run.partition.accounts[ACCOUNT]
    key = next(account.orders.open_orders()).key
    for product, began_ns in (("spot", lab.now_ns), ("linear", lab.now_ns - SECOND_NS)):
        cycles = account.look_ups.reconciliation.cycles[product]
        asked = Question(id=product, account=ACCOUNT, about=About.OPEN_ORDERS, product=product)
        cycles.ask(asked, lab.now_ns)
        cycles.began_ns = began_ns
        account.look_ups.note_alive(product, [key])
    order = account.orders.get(key)
    assert order is not None
    assert order.seen is not None
    assert order.seen.listed_ns == lab.now_ns


# ---- first contact


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_with_a_past_opens_with_the_venues_figures(seed: int) -> None:
    lab = VenueLab(seed, lookback_s=5)
    lab.trade(300)
    lab.connect()
    for _ in range(40):  # it goes on trading while we look for the first time
        lab.trade(5)
    lab.wait_until(lab.is_synced)
    assert kinds(lab)["OPENING"]
    lab.trade(100)
    rest(lab)
    assert positions(lab) == {
        (row["symbol"], row["position_side"]): Decimal(row["quantity"])
        for row in lab.truth()["accounts"][ACCOUNT]["positions"]
    }
    account = lab.run.partition.accounts[ACCOUNT]
    assert not account.look_ups.positions.differing
    assert not account.look_ups.differences.asked


@pytest.mark.parametrize("seed", SEEDS)
def test_the_past_of_a_symbol_that_is_asked_for_late_is_no_finding(seed: int) -> None:
    lab = VenueLab(seed, traded=("BTCUSDT", "SOLUSDT"), symbols=("BTCUSDT",))
    lab.trade(150)
    lab.connect()
    lab.wait_until(lab.is_synced)
    lab.trade(60)
    rest(lab)
    queried = [one for one in lab.run.messages(topology.FILLS) if one.source is Source.QUERY]
    assert {one.symbol for one in queried} == {"BTCUSDT", "SOLUSDT"}
    assert not lab.wrong()
    assert set(kinds(lab)) <= {"OPENING", "GAP"}  # an open order's executions are asked for


def last_positions(lab: VenueLab) -> dict[str, Any]:
    records = lab.run.messages(topology.POSITIONS)
    return {one.symbol: one for one in records if one.product == "linear"}


def positions(lab: VenueLab) -> dict[tuple[str, str], Decimal]:
    """The last record of each position of contracts."""
    last = last_positions(lab)
    assert not any(one.unbounded for one in last.values())
    return {(one.symbol, "BOTH"): one.net for one in last.values()}


@pytest.mark.parametrize("seed", SEEDS)
def test_average_and_result_of_a_position_are_the_venues(seed: int) -> None:
    lab = a_lab(seed)
    lab.trade(250)
    rest(lab)
    last, rows = last_positions(lab), lab.truth()["accounts"][ACCOUNT]["positions"]
    assert {row["symbol"] for row in rows} == set(lab.symbols)
    for row in rows:
        ours = last[row["symbol"]]
        assert float(ours.average_entry or 0) == pytest.approx(float(row["entry_price"]), rel=1e-6)
        assert float(ours.realized) == pytest.approx(float(row["realized"]), rel=1e-6, abs=1e-6)


# ---- the balance equation


@pytest.mark.parametrize("seed", SEEDS)
def test_executions_in_a_symbol_that_nobody_asks_about_are_found_by_their_balances(
    seed: int,
) -> None:
    lab = VenueLab(seed, traded=("BTCUSDT", "SOLUSDT"), symbols=("BTCUSDT",))
    lab.connect()
    lab.wait_until(
        lambda: (
            lab.is_synced()
            and "spot" in lab.run.partition.accounts[ACCOUNT].look_ups.balances.opened
        )
    )
    hidden = Hidden(lab)
    lab.trade(120)
    hidden.end()
    rest(lab)
    assert lab.account.fills["spot", "SOLUSDT"], "nothing was hidden"
    found = [one for one in lab.differences() if one.kind == "BALANCE"]
    assert {one.ours["asset"] for one in found} >= {"SOL", "USDT"}
    assert {one.rule for one in found} == {"open", "explained"}
    assert not lab.wrong()


class Hidden:
    """Nothing about Spot's SOLUSDT is pushed or asked, but for what it does to balances."""

    def __init__(self, lab: VenueLab) -> None:
        self.lab = lab
        lab.drop = lambda message: message.document.get("s") == "SOLUSDT"
        lab.refuse = self.is_open_orders

    @staticmethod
    def is_open_orders(question: Question) -> bool:
        return question.about is About.OPEN_ORDERS and question.product == "spot"

    def end(self) -> None:
        for order in list(self.lab.account.open_orders["spot"].values()):
            if order.symbol == "SOLUSDT":
                self.lab.venue.spot.cancel(self.lab.account, order)
        self.lab.drop, self.lab.refuse = lambda _message: False, lambda _question: False


def test_a_transfer_that_is_reported_is_explained_and_one_that_is_lost_stands_open() -> None:
    lab = a_lab(1)
    account = lab.run.partition.accounts[ACCOUNT]
    lab.wait_until(lambda: "spot" in account.look_ups.balances.opened)
    lab.venue.spot.transfer(lab.account, "USDT", Decimal(1000))
    rest(lab)
    assert not lab.differences()
    lab.drop = lambda message: message.kind == "balanceUpdate"
    lab.venue.spot.transfer(lab.account, "USDT", Decimal(-250))
    rest(lab)
    (found,) = lab.differences()
    assert (found.kind, found.rule, found.ours["asset"]) == ("BALANCE", "open", "USDT")
    assert Decimal(found.ours["total"]) - Decimal(found.theirs["total"]) == 250


# ---- restarts


def play(lab: VenueLab, seed: int) -> VenueLab:
    """First contact, silent losses, a lost connection, failed reads, and rest."""
    lab.trade(30)
    lab.connect()
    lab.drop = losing(seed, 0.1)
    lab.trade(40)
    lab.disconnect()
    lab.trade(15)
    dice = Random(seed)
    lab.refuse = lambda _question: dice.random() < 0.3
    lab.reconnect()
    lab.trade(25)
    lab.drop, lab.refuse = lambda _message: False, lambda _question: False
    rest(lab, 30)
    return lab


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.chaos)])
def test_killed_between_any_two_records_it_ends_the_same(seed: int) -> None:
    calm = play(VenueLab(seed), seed)
    assert not calm.wrong()
    assert kinds(calm).keys() >= {"GHOST", "ZOMBIE", "GAP", "MISSED_STATE", "MISSED_FILL"}
    killed = play(VenueLab(seed, before_each=lambda lab: lab.restart()), seed)
    assert killed.run.digests == calm.run.digests
    assert outputs(killed) == outputs(calm)


def outputs(lab: VenueLab) -> list[tuple[str, bytes | None]]:
    return [(output.topic.kind, output.value) for output in lab.run.outputs]


def test_every_correction_repeats_an_execution_that_was_published() -> None:
    lab = play(VenueLab(4), 4)
    known, corrected = set(), set()
    for fill in lab.run.messages(topology.FILLS):
        if fill.kind is FillKind.REAL:
            assert fill.execution_key not in known
            known.add(fill.execution_key)
        else:
            corrected.add(fill.execution_key)
        assert fill.execution_key in known
    assert corrected
