"""A symbol that a cycle itself finds is not covered by it: the account waits for the next one."""

from collections.abc import Callable
from decimal import Decimal

import orjson
import pytest

from orderloom import topology
from orderloom.account import AccountConfig
from tests.processors.account.test_openings import OpeningLab, order, shown
from tests.processors.account.test_reconciled_venue import outputs, rest
from tests.processors.partition_lab import a_record
from tests.processors.venue_lab import VenueLab


def begun(lab: OpeningLab) -> OpeningLab:
    """In sync, and nobody spoke of SOLUSDT, which the registry does not name."""
    seats = lab.venue.traders.seats
    lab.venue.traders.seats = [one for one in seats if one.symbol == "BTCUSDT"]
    lab.connect()
    lab.trade(40)
    lab.wait_until(lab.is_synced)
    lab.venue.traders.seats = seats
    return lab


def outage(lab: OpeningLab, product: str = "linear") -> OpeningLab:
    """SOLUSDT is bought meanwhile."""
    lab.disconnect()
    order(lab, product, "2", "SOLUSDT")
    lab.wait(3000)
    lab.reconnect()
    return lab


def a_lab() -> OpeningLab:
    return begun(OpeningLab(symbols=("BTCUSDT",)))


def register(lab: OpeningLab, *symbols: str) -> None:
    """The registry names these symbols from now on, and no others."""
    entry = AccountConfig(
        id=lab.name, products=lab.products, key="env:KEY", partition=0,
        symbols=dict.fromkeys(lab.products, symbols),
    )  # fmt: skip
    document = {"type": "account", "config": entry.model_dump(mode="json")}
    record = a_record(orjson.dumps(document), topic=topology.CONTROL, key=lab.name)
    lab.answer(lab.run.step(record, lab.now_ns))


def a_lab_that_dropped_one() -> OpeningLab:
    """In sync; the last cycle asked for SOLUSDT, which the registry names no more."""
    lab = begun(OpeningLab(symbols=("BTCUSDT", "SOLUSDT")))
    register(lab, "BTCUSDT")
    return lab


LABS = pytest.mark.parametrize("make", [a_lab, a_lab_that_dropped_one])


@LABS
def test_a_symbol_that_the_closing_cycle_finds_keeps_the_account_out_of_sync_until_the_next(
    make: Callable[[], OpeningLab],
) -> None:
    lab = outage(make())
    lab.wait_until(lab.is_synced)
    assert not lab.wrong()
    assert shown(lab, "SOLUSDT") == (Decimal(2), False)


@pytest.mark.parametrize("product", ["linear", "spot"])
def test_a_symbol_that_the_stream_names_while_blind_was_not_looked_at(product: str) -> None:
    lab = a_lab()
    lab.disconnect()
    order(lab, product, "2", "SOLUSDT")
    lab.wait(3000)
    lab.refuse = lambda _question: True
    lab.reconnect()
    lab.wait(2500)  # the cycle is under way, and does not ask about it
    order(lab, product, "-1", "SOLUSDT")
    lab.refuse = lambda _question: False
    lab.wait_until(lambda: not lab.account_state().streams.blind)
    assert not lab.is_synced() or not lab.wrong()
    lab.wait_until(lab.is_synced)
    assert not lab.wrong()


def test_a_new_symbol_on_a_living_stream_leaves_the_account_in_sync() -> None:
    lab = a_lab()
    order(lab, "linear", "2", "SOLUSDT")
    assert lab.is_synced()
    rest(lab)
    assert lab.is_synced()
    assert not lab.wrong()


@LABS
def test_an_unseen_symbol_is_not_bounded_by_what_the_stream_alone_says(
    make: Callable[[], OpeningLab],
) -> None:
    lab = make()
    lab.disconnect()
    order(lab, "linear", "2", "SOLUSDT")
    lab.wait(3000)
    lab.refuse = lambda _question: True
    lab.reconnect()
    lab.wait(2500)
    order(lab, "linear", "-1", "SOLUSDT")
    lab.refuse = lambda _question: False
    while lab.account_state().streams.blind or not lab.is_synced():
        lab.wait(100)
        net, is_unbounded = shown(lab, "SOLUSDT")
        assert is_unbounded or net == 1
    assert shown(lab, "SOLUSDT") == (Decimal(1), False)


@pytest.mark.parametrize("outage_s", [10, 60])
def test_what_an_unseen_symbol_lost_is_asked_for_since_the_outage_began(outage_s: int) -> None:
    lab = begun(OpeningLab(symbols=("BTCUSDT",), lookback_s=20))
    lab.disconnect()
    lab.refuse = lambda _question: True
    order(lab, "linear", "2", "SOLUSDT")
    lab.wait(outage_s * 1000)
    lab.refuse = lambda _question: False
    lab.reconnect()
    lab.wait_until(lab.is_synced)
    assert not lab.wrong()


def refused_before(lab: OpeningLab) -> OpeningLab:
    """The venue refused SOLUSDT often, and asking for it waits; then it is bought in an outage."""
    lab.gone, lab.prefix = "SOLUSDT", "/fapi/v1/"
    begun_out_of_sync(lab)
    for _ in range(60):
        lab.wait(2000)
    return outage(lab)


def begun_out_of_sync(lab: OpeningLab) -> None:
    seats = lab.venue.traders.seats
    lab.venue.traders.seats = [one for one in seats if one.symbol == "BTCUSDT"]
    lab.connect()
    lab.trade(40)
    lab.venue.traders.seats = seats


def test_a_refused_symbol_that_turns_up_is_not_asked_for_in_haste() -> None:
    lab = refused_before(OpeningLab(symbols=("BTCUSDT", "SOLUSDT")))
    cycles = lab.account_state().look_ups.reconciliation.cycles["linear"]
    (refused,) = cycles.refused.values()
    began_ns, due_ns, done = lab.now_ns, refused.due_ns, cycles.completed
    assert due_ns > began_ns + 2 * lab.pace.period_ns
    while lab.now_ns < due_ns:
        lab.wait(500)
    assert cycles.completed - done <= (due_ns - began_ns) // lab.pace.period_ns + 2
    assert not lab.is_synced()
    assert shown(lab, "SOLUSDT")[1]
    lab.gone = None
    lab.wait_until(lab.is_synced, 400)
    assert not lab.wrong()


def test_a_whole_holding_that_is_sold_unheard_in_an_unnamed_symbol_is_found() -> None:
    lab = OpeningLab(symbols=("BTCUSDT",))
    lab.account.balance("spot", "SOL").free = Decimal(2)
    begun(lab)
    rest(lab)
    assert "SOL" in lab.account_state().look_ups.balances.opened["spot"]
    lab.disconnect()
    order(lab, "spot", "-2", "SOLUSDT")
    assert lab.account.balance("spot", "SOL").free == 0
    lab.wait(3000)
    lab.reconnect()
    for _ in range(3):
        rest(lab)
    found = [one.rule for one in lab.differences() if one.kind == "BALANCE"]
    assert found.count("open") == found.count("explained") > 0
    assert not lab.wrong()


def test_restarts_change_nothing_of_what_was_not_looked_at() -> None:
    def lived(lab: OpeningLab) -> OpeningLab:
        begun(lab)
        register(lab, "BTCUSDT")
        outage(lab)
        rest(lab, 30)
        return lab

    symbols = ("BTCUSDT", "SOLUSDT")
    calm = lived(OpeningLab(symbols=symbols))
    killed = lived(OpeningLab(symbols=symbols, before_each=VenueLab.restart))
    assert killed.run.digests == calm.run.digests
    assert outputs(killed) == outputs(calm)


def traded_before() -> OpeningLab:
    """In sync; SOLUSDT was bought an hour before first contact, and nobody spoke of it since."""
    lab = OpeningLab(symbols=("BTCUSDT",))
    order(lab, "spot", "2", "SOLUSDT")
    lab.wait(3_600_000)
    begun(lab)
    rest(lab)
    assert "spot" in lab.account_state().look_ups.balances.opened
    return lab


def test_what_was_executed_before_first_contact_moves_no_balance_when_it_becomes_known() -> None:
    named, traded = traded_before(), traded_before()
    register(named, "BTCUSDT", "SOLUSDT")
    order(traded, "spot", "1", "SOLUSDT")
    for lab in (named, traded):
        rest(lab)
        assert not [one for one in lab.differences() if one.kind == "BALANCE"]
        assert not lab.wrong()
        lab.disconnect()
        order(lab, "spot", "-2", "SOLUSDT")
        lab.reconnect()
        rest(lab)
        rest(lab)
        assert not lab.account_state().look_ups.balances.standing


def test_what_was_executed_before_first_contact_is_the_same_after_a_restart() -> None:
    lab = traded_before()
    lab.restart()
    register(lab, "BTCUSDT", "SOLUSDT")
    lab.wait(15_000)
    lab.restart()
    rest(lab)
    assert not [one for one in lab.differences() if one.kind == "BALANCE"]
