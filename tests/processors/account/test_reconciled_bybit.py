"""Reconciliation against the simulated Bybit, whose lists may lag by five seconds."""

from random import Random

import pytest

from processors.account.pace import Pace
from tests.processors.bybit_lab import BybitLab

SECOND_NS = 1_000_000_000


def a_lab(seed: int = 1, *, is_hedged: bool = False) -> BybitLab:
    lab = BybitLab(seed, is_hedged=is_hedged)
    lab.connect()
    lab.wait_until(lab.is_synced)
    return lab


def calm(lab: BybitLab) -> None:
    """Nobody trades for two cycles and more."""
    for _ in range(80):
        lab.wait(500)


@pytest.mark.parametrize("is_hedged", [False, True])
@pytest.mark.parametrize("seed", range(1, 4))
def test_what_is_lost_without_a_sound_is_found(seed: int, *, is_hedged: bool) -> None:
    lab, chance = a_lab(seed, is_hedged=is_hedged), Random(seed)
    lab.drop = lambda _message: chance.random() < 0.3
    lab.trade(300)
    lab.drop = lambda _message: False
    calm(lab)
    assert lab.is_synced()
    assert not lab.wrong()


def test_a_restart_after_each_record_changes_nothing() -> None:
    lab = a_lab()
    lab.before_each = lambda lab: lab.restart()
    lab.trade(40)
    lab.disconnect()
    lab.trade(40)
    lab.reconnect()
    calm(lab)
    assert not lab.wrong()


def test_an_account_gets_in_sync_whose_cycles_follow_faster_than_the_venues_lists() -> None:
    lab = BybitLab()
    lab.pace = Pace(period_ns=2 * SECOND_NS, lookback_ns=86_400 * SECOND_NS)
    lab.run.partition = lab.make_state()
    lab.venue.traders.config = lab.venue.traders.config.model_copy(update={"liquidation": 0})
    for _ in range(50):
        lab.venue.traders.step()
    lab.connect()
    lab.wait_until(lab.is_synced, 60)
    assert not lab.wrong()
