"""A cancel goes until the order is shown closed, or was refused for good; and is told truly."""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.command import CancelCommand
from orderloom.words import IntentOutcome, Status
from processors.intents.attempts import AGAIN_NS_MAX, REFUSALS_MAX
from tests.processors.intents.cancel_lab import CancelLab, Perform
from tests.processors.intents.ways import (
    ACKED,
    CLOSED,
    RECORDED,
    TOLD,
    UNKNOWN,
    a_lab,
    died_at_it,
    failing,
    is_open_at_venue,
    never_begun,
    refused,
    unanswered,
    unsent,
)


@pytest.mark.parametrize("product", ["spot", "linear"])
def test_a_cancel_ends_when_the_order_is_shown_closed(product: str) -> None:
    lab = a_lab()
    order = lab.open_order(product)
    offset = lab.cancel(order.key)
    assert lab.outcomes()[0] is RECORDED
    assert lab.outcomes()[-1] is CLOSED
    last = lab.answers()[-1]
    assert last.is_final
    assert last.intent == offset
    assert (last.order, last.status) == (order.key, Status.CANCELED)
    assert len(lab.commands) == 1
    assert lab.shown(order.key).status is Status.CANCELED
    assert not lab.wrong()


def test_an_answer_that_is_lost_is_not_waited_for_where_the_stream_shows_the_end() -> None:
    def unheard(lab: CancelLab, command: CancelCommand) -> None:
        lab.begin(command)
        lab.send(command)

    lab = a_lab(unheard)
    lab.cancel(lab.open_order().key)
    assert lab.outcomes() == [RECORDED, CLOSED]
    lab.wait(60_000)
    assert len(lab.commands) == 1


@pytest.mark.parametrize("how", TOLD, ids=lambda how: how.__name__)
def test_an_attempt_that_came_to_nothing_is_followed_by_another_and_told_once(how: Any) -> None:
    lab = a_lab(failing(3, how))
    order = lab.open_order()
    lab.cancel(order.key)
    lab.wait_until(lambda: lab.outcomes()[-1] is CLOSED)
    assert lab.outcomes()[:-1] in ([RECORDED, *TOLD[how]], [RECORDED, *TOLD[how], ACKED])
    assert len(lab.commands) == 4
    assert len({one.id for one in lab.commands}) == 4
    assert not lab.wrong()


def test_attempts_come_ever_slower_and_never_end() -> None:
    lab = a_lab(unanswered)
    order = lab.open_order()
    decided: list[int] = []
    lab.cancel(order.key)
    for _ in range(12):
        known = len(lab.commands)
        lab.wait_until(lambda known=known: len(lab.commands) > known)  # type: ignore[misc]
        decided.append(lab.now_ns)
    pauses = [later - sooner for sooner, later in pairwise(decided)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= AGAIN_NS_MAX
    assert lab.outcomes() == [RECORDED, UNKNOWN]
    assert not lab.answers()[-1].is_final


def test_that_no_such_order_is_found_proves_nothing_and_the_order_is_asked_about() -> None:
    lab = a_lab()
    order = lab.open_order()
    lab.drop = lambda _message: True  # the stream says nothing more, and nobody notices
    lab.venue.traders.close_all("cancel")
    asked = len(lab.asked)
    lab.cancel(order.key)
    lab.wait_until(lambda: lab.outcomes()[-1] is CLOSED)
    assert lab.outcomes()[:2] == [RECORDED, CLOSED]
    assert any("order" in path for path in lab.asked[asked:]), "nobody asked about the order"


def test_what_the_venue_refuses_for_good_ends_the_cancel_and_not_the_order() -> None:
    lab = a_lab(refused)
    order = lab.open_order()
    lab.cancel(order.key)
    lab.wait_until(lambda: lab.answers()[-1].is_final)
    assert lab.outcomes() == [RECORDED, IntentOutcome.ACK_REJECTED]
    last = lab.answers()[-1]
    assert (last.code, last.status) == ("-2015", Status.ACTIVE)
    lab.wait(60_000)
    assert len(lab.commands) == REFUSALS_MAX
    assert not order.is_closed


def test_a_key_that_is_refused_for_a_moment_loses_no_cancel() -> None:
    lab = a_lab(failing(REFUSALS_MAX - 1, refused))
    lab.cancel(lab.open_order().key)
    lab.wait_until(lambda: lab.answers()[-1].is_final)
    assert lab.outcomes()[-1] is CLOSED


def test_the_same_key_again_is_the_same_intent_and_another_under_it_is_refused() -> None:
    lab = a_lab(unanswered)
    first, second = lab.open_orders()[:2]
    offset = lab.cancel(first.key)
    commands = len(lab.commands)
    again = lab.cancel(first.key)
    other = lab.cancel(second.key)
    existing, conflict = lab.answers()[-2:]
    assert (existing.outcome, existing.intent) == (IntentOutcome.EXISTING, again)
    assert str(offset) in existing.reason
    assert not existing.is_final
    assert (conflict.outcome, conflict.intent) == (IntentOutcome.CONFLICT, other)
    assert conflict.is_final
    assert len(lab.commands) == commands


def test_keys_are_known_after_a_restart_and_after_their_end() -> None:
    lab = a_lab()
    order = lab.open_order()
    lab.cancel(order.key)
    lab.restart()
    lab.cancel(order.key)
    last = lab.answers()[-1]
    assert (last.outcome, last.is_final) == (IntentOutcome.EXISTING, True)
    assert len(lab.commands) == 1


def test_what_is_closed_already_needs_no_command() -> None:
    lab = a_lab()
    order = lab.open_order()
    lab.cancel(order.key)
    lab.cancel(order.key, "k2")
    assert lab.outcomes("k2") == [CLOSED]
    assert len(lab.commands) == 1


def test_an_order_that_is_not_known_is_denied() -> None:
    lab = a_lab()
    for number, key in enumerate(("x", f"{lab.name}/spot/BTCUSDT/999999", "///", f"{lab.name}/a")):
        lab.cancel(key, f"k{number}")
        (answer,) = lab.answers(f"k{number}")
        assert (answer.outcome, answer.is_final) == (IntentOutcome.DENIED, True)
    assert not lab.commands


def test_nothing_is_sent_for_an_account_that_does_not_allow_it() -> None:
    class Forbidden(CancelLab):
        orders = "none"

    lab = Forbidden()
    lab.connect()
    lab.wait_until(lab.is_synced)
    lab.trade(30)
    lab.cancel(lab.open_order().key)
    (answer,) = lab.answers()
    assert answer.outcome is IntentOutcome.DENIED
    assert "registry" in answer.reason
    assert not lab.commands


def test_an_intent_of_an_account_of_elsewhere_is_a_dead_letter() -> None:
    lab = a_lab()
    value = orjson.dumps(
        {"type": "CANCEL", "account": "binance:x", "strategy": "s", "key": "k", "order": "o"}
    )
    for key, why in ((b"binance:x", "not registered"), (b"binance:main", "is not its account")):
        lab.write(key, value)
        assert why in list(lab.run.messages(topology.DEAD_LETTERS))[-1].reason
    lab.write(lab.name.encode(), b"\xff")
    assert "not an intent" in list(lab.run.messages(topology.DEAD_LETTERS))[-1].reason
    assert not lab.commands


def test_a_quarantined_account_still_cancels_and_says_what_the_venue_answered() -> None:
    lab = a_lab()
    order = lab.open_order()
    lab.run.partition.accounts[lab.name].set_apart("a mistake", 0)
    lab.cancel(order.key)
    assert lab.outcomes() == [RECORDED, ACKED]
    assert not is_open_at_venue(lab, order)
    lab.wait(300_000)
    assert lab.outcomes() == [RECORDED, ACKED], "its orders' evidence rests: nothing shows an end"


def test_what_surely_was_not_sent_in_time_is_abandoned_and_never_sent() -> None:
    lab = a_lab(unsent)
    order = lab.open_order()
    lab.cancel(order.key, within_ms=20_000)
    lab.wait_until(lambda: lab.outcomes()[-1] is IntentOutcome.ABANDONED)
    assert all(one.command.send_by_ns <= lab.now_ns for one in lab.commands)
    known = len(lab.commands)
    lab.wait(120_000)
    assert len(lab.commands) == known
    assert not order.is_closed


@pytest.mark.parametrize("how", [never_begun, died_at_it, unanswered], ids=lambda how: how.__name__)
def test_what_may_have_been_sent_is_never_abandoned(how: Any) -> None:
    """Nobody says so of one that was begun, and its word may be lost: the log is no proof."""
    lab = a_lab(failing(8, how))
    order = lab.open_order()
    lab.cancel(order.key, within_ms=1)
    lab.wait_until(lambda: lab.answers()[-1].is_final, 600)
    assert lab.outcomes()[-1] is CLOSED
    assert not is_open_at_venue(lab, order)


def test_what_another_owner_of_the_edge_says_was_not_sent_may_have_been() -> None:
    lab = a_lab(never_begun)
    lab.cancel(lab.open_order().key, within_ms=1)
    lab.generation += 1
    lab.end(lab.commands[0], None, is_unsent=True)
    lab.wait_until(lambda: len(lab.commands) == 2)
    assert IntentOutcome.ABANDONED not in lab.outcomes()


@pytest.mark.parametrize("orders", ["none", "disabled"])
@pytest.mark.parametrize(
    ("how", "outcome"),
    [(unsent, IntentOutcome.ABANDONED), (unanswered, UNKNOWN)],
    ids=["unsent", "unanswered"],
)
def test_what_is_under_way_ends_where_nothing_may_be_sent_any_more(
    how: Any, outcome: IntentOutcome, orders: str
) -> None:
    lab = a_lab(how)
    lab.cancel(lab.open_order().key)
    fields: dict[str, Any] = {"enabled": False} if orders == "disabled" else {"orders": orders}
    lab.register(**fields)
    last = lab.answers()[-1]
    assert (last.outcome, last.is_final) == (outcome, True)
    known = len(lab.commands)
    lab.wait(120_000)
    assert len(lab.commands) == known


def test_two_that_want_the_same_order_canceled_share_the_attempts() -> None:
    lab = a_lab(failing(2, unanswered))
    order = lab.open_order()
    lab.cancel(order.key, "a")
    lab.cancel(order.key, "b")
    assert len(lab.commands) == 1
    lab.wait_until(lambda: lab.outcomes("b")[-1] is CLOSED)
    assert lab.outcomes("a")[-1] is CLOSED
    assert len(lab.commands) == 3


def test_a_former_attempts_end_says_nothing_of_the_present_one() -> None:
    lab = a_lab(never_begun)
    lab.cancel(lab.open_order().key)
    lab.wait_until(lambda: len(lab.commands) == 2)
    first, second = lab.commands
    lab.end(first, 502)
    assert lab.outcomes() == [RECORDED]
    lab.end(second, 502)
    assert lab.outcomes() == [RECORDED, UNKNOWN]


@pytest.mark.parametrize("seed", range(1, 9))
def test_whatever_befalls_the_attempts_the_answers_are_true(seed: int) -> None:
    chance = Random(seed)
    ways: list[Perform] = [*TOLD, lambda lab, command: lab.execute(command)]

    def perform(lab: CancelLab, command: CancelCommand) -> None:
        way = chance.choice(ways)
        if chance.random() < 0.5:  # it reaches the venue all the same
            lab.send(command)
        way(lab, command)

    def restarting(lab: CancelLab) -> None:
        if chance.random() < 0.05:
            lab.restart()

    lab = a_lab(perform, seed, before_each=restarting)
    wanted = {}
    for number in range(12):
        if lab.open_orders():
            order = chance.choice(lab.open_orders())
            key = f"k{number}"
            lab.cancel(order.key, key)
            wanted[key] = order
        lab.trade(3)
        lab.drop = (lambda _message: True) if chance.random() < 0.3 else (lambda _message: False)
        for key, one in wanted.items():
            if lab.outcomes(key)[-1] is CLOSED:
                assert not is_open_at_venue(lab, one), "told closed, and it rests there"
    lab.drop = lambda _message: False
    lab.perform = lambda lab, command: lab.execute(command)
    lab.wait_until(lambda: all(lab.answers(key)[-1].is_final for key in wanted), 600)
    lab.wait(60_000)
    assert not lab.wrong()


def test_a_restart_at_any_step_decides_the_same() -> None:
    def outputs(before_each: Callable[[Any], None]) -> list[Any]:
        lab = a_lab(failing(3, unanswered), before_each=before_each)
        lab.cancel(lab.open_order().key)
        lab.cancel_all()
        lab.wait_until(lambda: lab.answers("all")[-1].is_final)
        return [(one.topic.kind, one.key, one.value) for one in lab.run.outputs]

    straight = outputs(lambda _lab: None)
    assert outputs(lambda lab: lab.restart()) == straight
