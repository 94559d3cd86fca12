"""A symbol that the venue refuses: the others go on, it stays uncovered, and heals by itself."""

from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.event import Reply
from orderloom.question import About, Question
from orderloom.raw import Answer, Failure
from orderloom.words import Reason
from processors.account.pace import LATE_PERIODS
from processors.account.refusals import KIND, refusal_of
from processors.account.venue_time import DRIFT_NS
from tests.processors.account.restoring import take_back
from tests.processors.account.test_reconciled_venue import losing, outputs, rest
from tests.processors.account.test_reconciliation import PACE, SECOND, Lab
from tests.processors.partition_lab import a_record
from tests.processors.venue_lab import ACCOUNT, VenueLab

UNKNOWN = Reply(
    product="spot", accepted=False, reason=Reason.BAD_REQUEST, code="-1121", text="Invalid symbol."
)


class RefusingLab(VenueLab):
    """The venue knows no symbol `gone`, where a path begins with `prefix`."""

    gone: str | None = None
    prefix = "/"

    def called(self, url: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        symbol = dict(parse_qsl(parts.query)).get("symbol")
        if self.gone is not None and symbol == self.gone and parts.path.startswith(self.prefix):
            return 400, orjson.dumps({"code": -1121, "msg": "Invalid symbol."})
        return super().called(url)

    def account_state(self) -> Any:
        return self.run.partition.accounts[ACCOUNT]

    def shown(self) -> Any:
        """The account's last record."""
        return list(self.run.messages(topology.ACCOUNTS))[-1]

    def found(self) -> list[tuple[str, str | None, str]]:
        """The records about refused symbols: product, symbol, and whether open."""
        return [
            (one.product, one.symbol, one.rule.partition(":")[0])
            for one in self.differences()
            if one.kind == KIND
        ]


def a_lab(**keywords: Any) -> RefusingLab:
    lab = RefusingLab(2, **keywords)
    lab.connect()
    lab.trade(40)
    lab.wait_until(lab.is_synced)
    return lab


def of(symbol: str, wrong: dict[str, Any]) -> dict[str, list[Any]]:
    found = {name: [one for one in rows if symbol in one] for name, rows in wrong.items()}
    return {name: rows for name, rows in found.items() if rows}


# ---- against the simulated venue


@pytest.mark.parametrize("prefix", ["/api/", "/fapi/"])
def test_a_symbol_that_the_venue_refuses_does_not_keep_what_others_lost_from_being_found(
    prefix: str,
) -> None:
    lab = a_lab()
    lab.gone, lab.prefix = "SOLUSDT", prefix
    rest(lab)
    lab.drop = losing(2, 0.5)
    lab.trade(150)
    lab.drop = lambda _message: False
    rest(lab)
    assert not of("BTCUSDT", lab.wrong())
    product = "spot" if prefix == "/api/" else "linear"
    assert (product, "SOLUSDT", "open") in lab.found()
    assert not lab.is_synced()
    assert lab.shown().sync == "CATCHING_UP"
    ((shown),) = lab.shown().refused
    assert (shown.product, shown.symbol, shown.code) == (product, "SOLUSDT", "-1121")
    assert shown.may_lack
    assert lab.account_state().look_ups.open_differences >= 1


def test_after_an_outage_the_others_are_covered_and_the_refused_one_is_not() -> None:
    lab = a_lab()
    lab.gone = "SOLUSDT"
    lab.disconnect()
    lab.trade(60)
    lab.reconnect()
    rest(lab)
    assert not lab.account_state().streams.blind
    assert not of("BTCUSDT", lab.wrong())
    assert not lab.is_synced()
    positions = {
        (one.product, one.symbol): one.unbounded for one in lab.run.messages(topology.POSITIONS)
    }
    assert positions == {
        (product, symbol): symbol == "SOLUSDT"
        for product in ("spot", "linear")
        for symbol in ("BTCUSDT", "SOLUSDT")
    }


def test_what_a_refused_symbol_lost_is_found_once_the_venue_knows_it_again() -> None:
    lab = a_lab()
    lab.gone = "SOLUSDT"
    lab.drop = losing(2, 0.3)
    lab.trade(80)
    lab.disconnect()
    lab.trade(40)
    lab.reconnect()
    lab.drop = lambda _message: False
    rest(lab)
    assert of("SOLUSDT", lab.wrong())
    lab.gone = None
    lab.wait_until(lab.is_synced, 400)
    rest(lab)
    assert not lab.wrong()
    assert sorted(lab.found()) == [
        (product, "SOLUSDT", rule) for product in ("linear", "spot") for rule in ("open", "settled")
    ]
    assert not lab.shown().refused


def test_a_symbol_mistyped_in_the_registry_is_shown_until_the_registry_is_mended() -> None:
    lab = RefusingLab(1, traded=("BTCUSDT",), symbols=("BTCUSDT", "SOLUSDTT"))
    lab.connect()
    lab.trade(40)
    rest(lab)
    assert not lab.wrong()
    assert not lab.account_state().streams.blind
    assert not lab.is_synced()
    assert lab.found() == [(product, "SOLUSDTT", "open") for product in ("linear", "spot")]
    entry = AccountConfig(
        id=ACCOUNT, products=lab.products, key="env:KEY", partition=0,
        symbols=dict.fromkeys(lab.products, ("BTCUSDT",)),
    )  # fmt: skip
    document = {"type": "account", "config": entry.model_dump(mode="json")}
    lab.answer(lab.run.step(a_record(orjson.dumps(document), topic=topology.CONTROL), lab.now_ns))
    rest(lab)
    assert lab.is_synced()
    assert [rule for _, _, rule in lab.found()].count("settled") == 2


def test_a_delisted_symbol_of_which_nothing_may_be_missing_leaves_the_account_in_sync() -> None:
    lab = a_lab(symbols=("BTCUSDT",))
    for order in list(lab.account.open_orders["spot"].values()):
        if order.symbol == "SOLUSDT":
            lab.venue.spot.cancel(lab.account, order)
    rest(lab)
    lab.gone, lab.prefix = "SOLUSDT", "/api/"
    rest(lab)
    assert lab.found() == [("spot", "SOLUSDT", "open")]
    assert lab.is_synced()
    assert not lab.shown().refused[0].may_lack
    lab.restart()
    assert lab.is_synced()
    lab.trade(20)  # the stream speaks of it: that nothing is missing there is not known any more
    assert not lab.is_synced()
    assert lab.shown().refused[0].may_lack


def test_killed_between_any_two_records_a_refused_symbol_ends_the_same() -> None:
    calm, killed = (
        played(RefusingLab(3, before_each=before))
        for before in (lambda _lab: None, lambda lab: lab.restart())
    )
    assert calm.found()
    assert killed.run.digests == calm.run.digests
    assert outputs(killed) == outputs(calm)


def played(lab: RefusingLab) -> RefusingLab:
    lab.connect()
    lab.trade(20)
    lab.gone, dice = "SOLUSDT", Random(3)
    lab.refuse = lambda _question: dice.random() < 0.2
    lab.trade(30)
    lab.disconnect()
    lab.reconnect()
    lab.trade(10)
    rest(lab)
    lab.gone = None
    rest(lab)
    return lab


def test_a_cycle_that_cannot_end_takes_the_account_out_of_sync_until_one_is_complete() -> None:
    lab = a_lab()
    lab.refuse = lambda question: question.symbol == "SOLUSDT" and question.reason == "round"
    lab.wait_until(lambda: not lab.is_synced(), 300)
    assert lab.shown().sync == "CATCHING_UP"
    cycles = lab.account_state().look_ups.reconciliation.cycles.values()
    late = [lab.now_ns - one.began_ns for one in cycles if one.is_late]
    assert late
    assert min(late) >= lab.pace.late_ns
    lab.restart()
    assert not lab.is_synced()
    lab.refuse = lambda _question: False
    lab.wait_until(lab.is_synced)
    assert lab.shown().sync == "SYNCED"


# ---- cycles


def refuse(lab: Lab, question: Question, at: float, reply: Reply = UNKNOWN) -> None:
    """The venue refuses a question at a second."""
    at_ns = int(at * SECOND)
    item = Answer(question.document(), "GET x", 1, True, 400, at_ns, at_ns, at_ns, b"{}")
    lab.reconciliation.refuse(item, reply, at_ns)
    lab.reconciliation.end_refused("spot", at_ns, lambda _product: ())


def play(lab: Lab, at: float, gone: str | None = "SOLUSDT") -> set[str | None]:
    """All of a cycle is answered, but for what names the symbol; the symbols it asked for."""
    asked = lab.tick(at)
    for question in asked:
        if gone is not None and question.symbol == gone:
            refuse(lab, question, at)
        else:
            lab.answer(question, at)
    return {question.symbol for question in asked}


def test_a_cycle_is_complete_without_what_was_refused_and_does_not_cover_it() -> None:
    lab = Lab()
    play(lab, 103)
    cycles = lab.reconciliation.cycles["spot"]
    assert not lab.streams.blind
    assert cycles.covered == {"BTCUSDT"}
    assert lab.published == [(KIND, "open", "SOLUSDT")]


def test_a_refused_symbol_is_asked_for_again_ever_less_often() -> None:
    lab = Lab()
    play(lab, 103)
    due, waits = 133.0, []
    last = 103.0
    while due < 6_000:
        if "SOLUSDT" in play(lab, due):
            waits.append(round((due - last) / 30))
            last = due
        due += 30
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 32, 32]
    assert lab.published == [(KIND, "open", "SOLUSDT")]


def test_once_it_is_answered_it_is_asked_about_since_it_was_last_looked_at() -> None:
    lab = Lab()
    play(lab, 103, gone=None)
    for number in range(1, 4):
        play(lab, 103 + 30 * number)
    lab.tick(103 + 30 * 4)
    other = Lab()
    take_back(other.reconciliation, lab.reconciliation)
    assert other.reconciliation.cycles == lab.reconciliation.cycles
    cycles = lab.reconciliation.cycles["spot"]
    questions = [one.question for one in cycles.pending.values()]
    since = {one.symbol: one.since_ns for one in questions if one.about is About.TRADES}
    assert since["SOLUSDT"] == (103 + 30 * 4 - 2) * SECOND + DRIFT_NS - PACE.lookback_ns
    assert cycles.refused["SOLUSDT"].since_ns == (101 - 2) * SECOND
    for question in questions:
        lab.answer(question, 223)
    assert not cycles.refused
    assert lab.published[-1] == (KIND, "settled: the venue answers about it again", "SOLUSDT")
    days = 3 * 24 * 3600
    play(lab, 300)
    asked = lab.tick(days)
    since = {one.symbol: one.since_ns for one in asked if one.about is About.TRADES}
    refused_ns = cycles.refused["SOLUSDT"].since_ns
    assert since["SOLUSDT"] == refused_ns - DRIFT_NS < days * SECOND - PACE.lookback_ns


def test_a_symbol_that_nobody_asks_for_any_more_is_refused_no_more() -> None:
    lab = Lab()
    play(lab, 103)
    lab.streams.owner.liveness_ns = 133 * SECOND
    lab.reconciliation.tick(133 * SECOND, lambda _product: ("BTCUSDT",))
    assert not lab.reconciliation.cycles["spot"].refused
    assert lab.published[-1] == (KIND, "settled: nobody asks about it any more", "SOLUSDT")


@pytest.mark.parametrize(
    ("code", "is_covered", "may_lack"),
    [("-1121", True, False), ("-1121", False, True), ("-1127", True, True)],
)
def test_nothing_may_be_missing_only_where_the_venue_knows_no_symbol_that_was_covered(
    code: str, is_covered: bool, may_lack: bool
) -> None:
    lab = Lab()
    if is_covered:
        play(lab, 103, gone=None)
    for question in lab.tick(133):
        if question.symbol == "SOLUSDT":
            refuse(lab, question, 133, replace(UNKNOWN, code=code))
    assert lab.reconciliation.lacks("spot", "SOLUSDT") is may_lack
    assert lab.reconciliation.spoken_of("spot", ("SOLUSDT",)) is not may_lack
    assert lab.reconciliation.lacks("spot", "SOLUSDT")


def test_a_cycle_is_late_after_its_time_and_says_when_it_will_be() -> None:
    lab = Lab()
    *answered, last = lab.tick(103)
    for question in answered:
        lab.answer(question, 103)
    cycles = lab.reconciliation.cycles["spot"]
    late = 103 + 30 * LATE_PERIODS
    asked = {at: lab.tick(at) for at in (133, late - 1)}
    assert not cycles.is_late
    assert (lab.reconciliation.due_ns() or 0) <= late * SECOND
    lab.tick(late)
    assert cycles.is_late
    lab.answer(asked[late - 1][0] if asked[late - 1] else last, late)
    assert not cycles.asking
    assert not cycles.is_late


# ---- what is a refusal

QUESTION = {"id": "q1", "product": "spot", "symbol": "SOLUSDT"}


@pytest.mark.parametrize(
    ("status", "reason", "is_definite"),
    [
        (400, Reason.BAD_REQUEST, True),
        (200, Reason.BAD_REQUEST, True),
        (400, Reason.AUTH, False),
        (400, Reason.THROTTLED, False),
        (400, Reason.UNKNOWN_STATE, False),
        (400, Reason.NOT_FOUND, False),
        (401, Reason.BAD_REQUEST, False),
        (429, Reason.BAD_REQUEST, False),
        (503, Reason.BAD_REQUEST, False),
        (None, Reason.BAD_REQUEST, False),
    ],
)
def test_only_the_venues_own_word_about_one_symbol_is_a_refusal_of_it(
    status: int | None, reason: Reason, is_definite: bool
) -> None:
    said = (replace(UNKNOWN, reason=reason),)
    assert (refusal_of(Failure(QUESTION, "", 1, 2, status, b"x"), said) is not None) is is_definite
    everything = {"id": "q1", "product": "spot"}
    assert refusal_of(Failure(everything, "", 1, 2, status, b"x"), said) is None
