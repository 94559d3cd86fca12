"""With a clock that is not the venue's an account is in sync only when it is right."""

from decimal import Decimal

import orjson
import pytest

from orderloom import topology
from orderloom.question import About
from tests.processors.account.test_openings import order
from tests.processors.account.test_reconciled_venue import rest
from tests.processors.account.test_refusals import RefusingLab
from tests.processors.okx_lab import OkxLab
from tests.processors.venue_lab import SAMPLE_MS, SECOND_NS, VenueLab

SKEWS = (10, 5, 1.5, -1.5, -2.5, -10)
LABS = pytest.mark.parametrize("lab_of", [VenueLab, OkxLab])
SEEDS = range(1, 5)


def skewed(lab: VenueLab, seconds: float) -> VenueLab:
    """The lab with our clock so far ahead of the venue's."""
    lab.skew_ns = int(seconds * SECOND_NS)
    return lab


def begun(lab: VenueLab) -> VenueLab:
    """In sync, with something traded."""
    lab.connect()
    lab.wait_until(lab.is_synced)
    lab.trade(30)
    return lab


def outage(lab: VenueLab) -> None:
    """What is traded meanwhile is not heard."""
    lab.disconnect()
    lab.trade(40)
    lab.reconnect()


@LABS
@pytest.mark.parametrize("skew", SKEWS)
def test_after_an_outage_an_account_in_sync_is_right_with_any_clock(
    lab_of: type[VenueLab], skew: float
) -> None:
    for seed in SEEDS:
        lab = begun(skewed(lab_of(seed), skew))
        outage(lab)
        lab.wait_until(lab.is_synced)
        assert not lab.wrong(), seed


@LABS
@pytest.mark.parametrize("change", [10, 1.5, -1.5, -10])
def test_a_clock_that_is_set_during_an_outage_loses_nothing(
    lab_of: type[VenueLab], change: float
) -> None:
    for seed in SEEDS:
        lab = begun(lab_of(seed))
        lab.disconnect()
        lab.trade(20)
        skewed(lab, change)
        lab.trade(20)
        lab.reconnect()
        lab.sample()
        lab.wait_until(lab.is_synced)
        assert not lab.wrong(), seed


@pytest.mark.parametrize("change", [10, 1.5, -1.5, -10])
def test_a_clock_that_is_set_while_a_cycle_is_under_way_loses_nothing(change: float) -> None:
    for seed in SEEDS:
        lab = begun(VenueLab(seed))
        outage(lab)
        lab.refuse = lambda _question: True
        lab.wait(2_500)  # the cycle began, and has no answer
        skewed(lab, change)
        lab.sample()
        lab.refuse = lambda _question: False
        lab.wait_until(lab.is_synced)
        assert not lab.wrong(), seed


@pytest.mark.parametrize("change", [10, 1.5, -1.5, -10])
def test_a_set_clock_that_is_measured_late_makes_the_account_ask_again(change: float) -> None:
    for seed in SEEDS:
        lab = begun(VenueLab(seed))
        lab.sample()
        lab.disconnect()
        lab.trade(20)
        skewed(lab, change)
        lab.trade(20)
        lab.reconnect()
        lab.wait(2_500)
        lab.sample()
        if change > 0:  # backwards, our times say nothing of what comes next until they caught up
            assert not lab.is_synced()
        lab.wait_until(lab.is_synced)
        assert not lab.wrong(), seed


def test_a_skewed_clock_that_is_set_right_loses_nothing() -> None:
    for seed in SEEDS:
        lab = begun(skewed(VenueLab(seed), 10))
        outage(lab)
        skewed(lab, 0)
        lab.wait(SAMPLE_MS)
        lab.wait_until(lab.is_synced)
        assert not lab.wrong(), seed
        outage(lab)
        lab.wait_until(lab.is_synced)
        assert not lab.wrong(), seed


@pytest.mark.parametrize("skew", [10, -10])
def test_positions_open_right_with_any_clock(skew: float) -> None:
    for seed in SEEDS:
        lab = skewed(VenueLab(seed), skew)
        lab.trade(30)
        lab.connect()
        lab.trade(100)
        lab.wait_until(lab.is_synced)
        lab.trade(100)
        lab.wait(20_000)
        assert not lab.wrong().get("wrong_positions"), seed


def test_nothing_is_covered_until_the_clock_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = VenueLab()
    monkeypatch.setattr(lab, "sample", lambda: None)
    lab.connect()
    lab.trade(10)
    lab.wait(60_000)
    assert not lab.is_synced()
    account = lab.run.partition.accounts[lab.name]
    assert not account.look_ups.reconciliation.cycles["spot"].covered
    monkeypatch.undo()
    lab.sample()
    lab.wait_until(lab.is_synced)
    assert not lab.wrong()


def test_restarts_between_all_records_change_nothing_of_a_skewed_and_set_clock() -> None:
    def lived(lab: VenueLab) -> VenueLab:
        begun(skewed(lab, 5))
        lab.disconnect()
        lab.trade(20)
        skewed(lab, -1)
        lab.trade(20)
        lab.reconnect()
        lab.wait(30_000)
        return lab

    straight, cut = lived(VenueLab(2)), lived(VenueLab(2, before_each=VenueLab.restart))
    assert cut.run.digests == straight.run.digests
    asked = [one.value for one in straight.run.outputs if one.topic is topology.DISPATCHES]
    assert [one.value for one in cut.run.outputs if one.topic is topology.DISPATCHES] == asked


@pytest.mark.parametrize("skew", [0, *SKEWS, -30])
def test_a_refused_symbol_that_was_traded_since_it_was_covered_is_not_idle_with_any_clock(
    skew: float,
) -> None:
    lab = RefusingLab(2, symbols=("BTCUSDT",))
    begun(skewed(lab, skew))
    lab.venue.traders.close_all("cancel")
    while held := net(lab):
        order(lab, "linear", f"{-held}", "SOLUSDT")
    rest(lab)
    assert lab.is_synced()
    cycles = lab.account_state().look_ups.reconciliation.cycles["linear"]
    done = cycles.completed
    lab.wait_until(lambda: cycles.completed > done)
    lab.wait(1000)
    for is_heard in (True, False):
        lab.drop = lambda _message, lost=not is_heard: lost  # type: ignore[misc]  # of this pass
        order(lab, "linear", "2", "SOLUSDT")
        order(lab, "linear", "-2", "SOLUSDT")
        lab.wait(500)
    lab.drop = lambda _message: False
    lab.gone, lab.prefix = "SOLUSDT", "/fapi/"
    rest(lab)
    assert lab.wrong()["fills_lost"]
    assert [one.may_lack for one in lab.shown().refused] == [True]
    assert not lab.is_synced()
    lab.gone = None
    lab.wait_until(lab.is_synced, 400)
    assert not lab.wrong()


def net(lab: VenueLab) -> Decimal:
    """What the account holds of SOLUSDT's contracts."""
    rows = lab.truth()["accounts"][lab.name]["positions"]
    held = (Decimal(row["quantity"]) for row in rows if row["symbol"] == "SOLUSDT")
    return sum(held, Decimal(0))


@LABS
@pytest.mark.parametrize("skew", [-7, 7])
def test_answers_before_the_new_owners_first_sample_are_of_no_known_time(
    lab_of: type[VenueLab], skew: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new host's clock is right; the former one's was not."""
    lab = begun(skewed(lab_of(3), skew))
    lab.wait(3000)
    begun_ns = lab.clock.now_ms() * 1_000_000
    lab.take_over(0)
    with monkeypatch.context() as patch:
        patch.setattr(lab, "sample", lambda: None)
        lab.reconnect()
        for _ in range(8):
            lab.wait(500)
        assert not lab.is_synced()
        account = lab.run.partition.accounts[lab.name]
        orders = list(account.orders.open_orders())
        assert orders
        assert all(one.current_link.answered_ns < begun_ns for one in orders)
    lab.trade(60)
    lab.wait_until(lab.is_synced)
    assert not lab.wrong()


@pytest.mark.parametrize("skew", [-7, 7])
def test_figures_that_came_before_the_new_owners_first_sample_open_nothing(
    skew: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = skewed(VenueLab(2), skew)
    lab.trade(40)
    lab.connect()
    lab.take_over(0)
    account = lab.run.partition.accounts[lab.name]
    with monkeypatch.context() as patch:
        patch.setattr(lab, "sample", lambda: None)
        lab.refuse = lambda question: question.about is About.TRADES
        lab.reconnect()
        lab.wait_until(lambda: "linear" in account.look_ups.positions.reported)
        assert account.look_ups.positions.reported["linear"]["asked_ns"] is None
        assert account.look_ups.balances.asked["spot"]["asked_ns"] is None
    lab.refuse = lambda _question: False
    lab.sample()
    lab.trade(80)
    lab.wait_until(lab.is_synced)
    assert account.exposure.floors
    assert max(account.exposure.floors.values()) < lab.clock.now_ms() * 1_000_000
    lab.trade(60)
    lab.wait(5_000)
    assert not lab.wrong().get("wrong_positions")


@LABS
@pytest.mark.parametrize("skew", [0, *SKEWS])
def test_answers_that_come_before_the_stream_raise_no_alarm_with_any_clock(
    lab_of: type[VenueLab], skew: float
) -> None:
    for seed in (1, 2):
        lab = skewed(lab_of(seed), skew)
        lab.connect()
        lab.wait_until(lab.is_synced)
        lab.delay_ms = 500
        lab.trade(150)
        lab.delay_ms = 0
        rest(lab)
        assert not lab.wrong()
        found = {one.kind for one in lab.differences()}
        assert not found & {"MISSED_STATE", "ZOMBIE"}, seed  # a gap has a time of grace of its own


def cycles_begun(lab: VenueLab) -> int:
    """How often balances of `spot` were asked for, as each cycle does once."""
    asked = [
        orjson.loads(one.value)["question"]
        for one in lab.run.outputs
        if one.topic is topology.DISPATCHES and one.value is not None
    ]
    return sum((one["about"], one["product"]) == ("BALANCES", "spot") for one in asked)


@pytest.mark.parametrize("skew", [None, 660, -660])
def test_while_the_clock_is_not_known_a_cycle_comes_ever_less_often_until_it_is(
    skew: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = VenueLab(1)
    if skew is None:
        monkeypatch.setattr(lab, "sample", lambda: None)
    else:
        skewed(lab, skew)
    lab.connect()
    for _ in range(300):
        lab.wait(1000)
    assert 2 <= cycles_begun(lab) <= 6  # after 1, 2, 4, 8, 16 periods of 10 s
    monkeypatch.undo()
    if skew is not None:
        lab.take_over(0)
        lab.reconnect()
    lab.sample()
    if skew != 660:  # else our clock stands still until what it read before
        lab.wait_until(lab.is_synced, 20)
