"""Where the account is shown, each position says what bounds it then: none is left out."""

from random import Random

import pytest

from orderloom import topology
from processors.account.showing import is_unbounded
from processors.ledger.step import StepChanges
from processors.partition import PartitionFold
from tests.processors.venue_lab import VenueLab


class Compared(PartitionFold):
    """Holds each step that shows an account against a walk over all of its positions."""

    looks = 0
    turns = 0

    def changes(self) -> StepChanges:
        changes = super().changes()
        for output in changes.outputs:
            if output.topic is topology.ACCOUNTS:
                account = self.accounts[output.key.decode()]
                for position in account.exposure.positions.values():
                    Compared.looks += 1
                    Compared.turns += position.shown_unbounded
                    assert position.shown_unbounded == is_unbounded(account, position)
        return changes


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_position_is_shown_anew_where_the_account_says_that_it_is_bounded_otherwise(
    *, is_restarted: bool
) -> None:
    dice = Random(7)

    def restart(lab: VenueLab) -> None:
        if is_restarted and dice.random() < 0.1:
            lab.restart()

    lab = VenueLab(3, fold=Compared, before_each=restart)
    lab.connect()
    for _ in range(3):
        lab.trade(40)
        lab.disconnect()
        lab.trade(10)
        lab.reconnect()
        lab.wait_until(lab.is_synced)
    assert 0 < Compared.turns < Compared.looks


def test_quarantine_unbounds_every_position_at_once() -> None:
    lab = VenueLab(3, fold=Compared)
    lab.connect()
    lab.trade(40)
    lab.wait_until(lab.is_synced)
    account = lab.run.partition.accounts[lab.name]
    held = account.exposure.positions.values()
    account.begin(account.cause, lab.step_ns)
    account.publisher.show_account()  # no position needs a look after this
    lab.run.take()
    assert held
    assert not any(position.shown_unbounded for position in held)
    account.begin(account.cause, lab.step_ns)
    account.set_apart("a broken invariant", 1)
    lab.run.take()
    assert all(position.shown_unbounded for position in held)
