"""A kill stands in the log: what is open in its scope is canceled until an operator lifts it."""

from random import Random

import pytest

from orderloom import topology
from orderloom.claim import KillScope
from orderloom.words import IntentOutcome
from tests.processors.intents.cancel_lab import CancelLab
from tests.processors.intents.ways import a_lab, failing, refused, unanswered

CLOSED, RECORDED = IntentOutcome.CLOSED, IntentOutcome.RECORDED


@pytest.mark.parametrize(
    ("scope", "product"),
    [(KillScope(), None), (KillScope(account="binance:main", product="linear"), "linear")],
)
def test_what_is_open_in_the_scope_is_canceled_and_told(
    scope: KillScope, product: str | None
) -> None:
    lab = a_lab(failing(2, unanswered))
    meant = lab.open_orders(product)
    spared = [one for one in lab.open_orders() if one not in meant]
    kill = lab.kill(scope, "drill")
    (shown,) = lab.account_state().kills
    assert (shown.offset, shown.author, shown.reason) == (kill, "ada", "drill")
    assert shown.scope == scope.model_dump(exclude_none=True)
    assert lab.account_state().killed_until == kill + 1
    lab.wait_until(lambda: lab.outcomes(str(kill))[-1] is CLOSED)
    last = lab.answers(str(kill))[-1]
    assert (last.strategy, last.orders, last.is_final) == ("@kill", len(meant), False)
    assert all(one.is_closed for one in meant)
    assert not any(one.is_closed for one in spared)


def test_another_accounts_kill_is_none_of_ours() -> None:
    lab = a_lab()
    lab.kill(KillScope(account="binance:other"))
    assert not lab.commands
    assert not lab.account_state().kills
    assert lab.account_state().killed_until == 0


def test_what_turns_out_to_be_open_later_is_canceled_too() -> None:
    lab = a_lab()
    kill = str(lab.kill(KillScope()))
    lab.wait_until(lambda: lab.outcomes(kill)[-1] is CLOSED)
    before = len(lab.commands)
    lab.trade(40)
    lab.wait_until(lambda: not lab.open_orders())
    assert len(lab.commands) > before
    assert lab.outcomes(kill)[-1] is CLOSED
    assert lab.answers(kill)[-1].orders == len({one.order for one in lab.commands})


def test_what_a_lost_stream_hid_is_canceled_when_a_question_shows_it() -> None:
    lab = a_lab()
    kill = str(lab.kill(KillScope()))
    lab.wait_until(lambda: lab.outcomes(kill)[-1] is CLOSED)
    lab.drop = lambda _message: True
    lab.trade(20)
    lab.drop = lambda _message: False
    lab.wait_until(lambda: not lab.venue_open(), 300)


def test_an_operator_lifts_it_and_nothing_more_is_canceled() -> None:
    lab = a_lab()
    kill = lab.kill(KillScope())
    lab.wait_until(lambda: lab.outcomes(str(kill))[-1] is CLOSED)
    lab.resume(kill)
    assert lab.answers(str(kill))[-1].is_final
    assert lab.account_state().kills == ()
    assert lab.account_state().killed_until == kill + 1, "what was lifted is not forgotten"
    before = len(lab.commands)
    lab.trade(40)
    assert lab.open_orders()
    assert len(lab.commands) == before
    answers = len(lab.answers(str(kill)))
    lab.resume(kill)
    assert len(lab.answers(str(kill))) == answers


def test_of_two_that_overlap_the_other_stays_in_force() -> None:
    lab = a_lab()
    wide, narrow = lab.kill(KillScope()), lab.kill(KillScope(product="spot"))
    lab.resume(wide)
    assert [one.offset for one in lab.account_state().kills] == [narrow]
    lab.wait_until(lambda: not lab.open_orders("spot"))
    lab.trade(40)
    lab.wait(2_000)
    assert not lab.open_orders("spot")
    assert lab.open_orders("linear")


def test_what_the_venue_would_not_cancel_is_named_and_asked_for_again() -> None:
    lab = a_lab(refused)
    left = sorted(one.key for one in lab.open_orders())
    kill = str(lab.kill(KillScope()))
    lab.wait_until(lambda: lab.answers(kill)[-1].lefts == len(left), 300)
    assert sorted(lab.answers(kill)[-1].left) == left
    assert not lab.answers(kill)[-1].is_final
    lab.perform = lambda lab, command: lab.execute(command)  # the key may trade now
    lab.wait_until(lambda: not lab.open_orders(), 300)


def test_where_nothing_may_be_sent_that_is_said() -> None:
    class Forbidden(CancelLab):
        orders = "none"

    lab = Forbidden()
    lab.connect()
    lab.wait_until(lab.is_synced)
    lab.trade(30)
    kill = str(lab.kill(KillScope()))
    assert lab.outcomes(kill) == [IntentOutcome.DENIED]
    assert "registry" in lab.answers(kill)[-1].reason
    assert len(lab.account_state().kills) == 1
    lab.trade(10)
    assert not lab.commands
    lab.register(orders="cancel")
    lab.wait_until(lambda: not lab.open_orders())
    assert lab.commands
    lab.register(orders="none")
    assert lab.outcomes(kill)[-1] is IntentOutcome.DENIED
    known = len(lab.commands)
    lab.trade(20)
    assert len(lab.commands) == known


def test_an_account_that_is_set_apart_is_canceled_by_its_kill() -> None:
    lab = a_lab()
    lab.run.partition.accounts[lab.name].set_apart("a mistake", 0)
    opened = len(lab.open_orders())
    lab.kill(KillScope())
    assert len(lab.commands) == opened


def test_what_is_no_record_of_claims_is_a_dead_letter() -> None:
    lab = a_lab()
    lab.garbage(b'{"type":"NEW"}')
    assert "claims: " in list(lab.run.messages(topology.DEAD_LETTERS))[-1].reason
    assert not lab.commands


@pytest.mark.parametrize("seed", range(1, 5))
def test_restarts_at_any_step_change_nothing_of_it(seed: int) -> None:
    def played(chance: float) -> list[object]:
        dice = Random(seed)
        lab = a_lab(
            failing(3, unanswered),
            before_each=lambda lab: lab.restart() if dice.random() < chance else None,
        )
        kill = lab.kill(KillScope())
        lab.trade(20)
        lab.wait(20_000)
        lab.resume(kill)
        lab.trade(10)
        return [(one.topic.kind, one.key, one.value) for one in lab.run.outputs]

    assert played(0.3) == played(0.0)
