"""Cancels of all that is open: done when none of it is, and all was looked at since."""

from functools import partial
from typing import Any

import pytest

from orderloom.command import CancelCommand
from orderloom.words import IntentOutcome
from processors.intents.line import WINDOW, CancelLine
from processors.intents.scopes import OPEN_MAX
from tests.processors.intents.cancel_lab import CancelLab
from tests.processors.intents.ways import (
    CLOSED,
    RECORDED,
    a_lab,
    failing,
    never_begun,
    refused,
    unanswered,
)


@pytest.mark.parametrize("scope", [{}, {"product": "linear"}])
def test_cancel_all_ends_when_none_of_those_that_were_open_is(scope: dict[str, Any]) -> None:
    lab = a_lab(failing(2, unanswered))
    meant = [one for one in lab.open_orders() if scope.get("product") in (None, one.product)]
    spared = [one for one in lab.open_orders() if one not in meant]
    lab.cancel_all(**scope)
    lab.wait_until(lambda: lab.outcomes("all")[-1] is CLOSED)
    last = lab.answers("all")[-1]
    assert (last.orders, last.left, last.is_final) == (len(meant), (), True)
    assert all(one.is_closed for one in meant)
    assert not any(one.is_closed for one in spared)
    assert not lab.wrong()


def test_cancel_all_is_done_when_all_was_looked_at_since() -> None:
    """An account that is blind may have orders open that nobody knows of."""
    lab = a_lab()
    lab.cancel_all()
    lab.wait_until(lambda: lab.outcomes("all")[-1] is CLOSED)
    lab.cancel_all("again")
    assert lab.outcomes("again") == [RECORDED]
    lab.wait_until(lambda: lab.outcomes("again")[-1] is CLOSED)
    assert lab.answers("again")[-1].orders == 0


def test_cancel_all_takes_what_the_stream_lost_before_it() -> None:
    lab = a_lab()
    known = {one.key for one in lab.open_orders()}
    lab.drop = lambda _message: True
    lab.trade(25)
    lab.drop = lambda _message: False
    lab.cancel_all()
    lab.wait_until(lambda: lab.answers("all")[-1].is_final, 300)
    assert {one.order for one in lab.commands} - known, "nothing was lost"
    assert not lab.venue_open()


def test_thousands_are_canceled_a_hundred_at_a_time_and_one_that_is_named_goes_first() -> None:
    lab = a_lab(never_begun)
    lab.cancel_all()
    flying = len(lab.commands)
    assert flying == len(lab.open_orders())
    line = CancelLine()
    for number in range(WINDOW + 50):
        line.join(f"o{number:03}", 1, is_of_many=True)
    line.join("named", 2, is_of_many=False)
    taken = []
    while (key := line.next()) is not None:
        line.fly(key)
        taken.append(key)
    assert taken == ["named", *(f"o{number:03}" for number in range(WINDOW - 1))]
    line.leave("o003")
    assert line.next() == f"o{WINDOW - 1:03}"


def test_too_many_at_once_are_refused() -> None:
    lab = a_lab(never_begun)
    for number in range(OPEN_MAX):
        lab.cancel_all(f"k{number}")
        assert lab.outcomes(f"k{number}") == [RECORDED]
    lab.cancel_all("more")
    assert lab.outcomes("more") == [IntentOutcome.DENIED]


def test_cancel_all_names_those_that_the_venue_would_not_cancel() -> None:
    def perform(lab: CancelLab, command: CancelCommand) -> None:
        (lab.execute if command.command.product == "spot" else partial(refused, lab))(command)

    lab = a_lab(perform)
    left = sorted(one.key for one in lab.open_orders("linear"))
    lab.cancel_all()
    lab.wait_until(lambda: lab.answers("all")[-1].is_final, 300)
    last = lab.answers("all")[-1]
    assert last.outcome is IntentOutcome.ACK_REJECTED
    assert sorted(last.left) == left


def test_what_is_placed_after_it_is_not_meant() -> None:
    lab = a_lab()
    lab.cancel_all()
    meant = {one.order for one in lab.commands}
    lab.wait(1_000)
    lab.trade(30)
    lab.wait_until(lambda: lab.answers("all")[-1].is_final)
    assert lab.outcomes("all")[-1] is CLOSED
    assert {one.order for one in lab.commands} == meant
    assert lab.open_orders(), "what was placed later is gone too"
