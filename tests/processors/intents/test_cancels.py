"""A cancel goes until the order is shown closed, or was refused for good; and is told truly."""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.command import CancelCommand
from orderloom.words import OPEN_STATUSES, IntentOutcome, Status
from processors.intents.attempts import AGAIN_NS_MAX, SEND_WITHIN_NS
from processors.orders.order import Order
from tests.processors.intents.cancel_lab import CancelLab, Perform
from trial.verdict import STATUS

RECORDED, CLOSED, ACKED = IntentOutcome.RECORDED, IntentOutcome.CLOSED, IntentOutcome.ACKED
UNKNOWN = IntentOutcome.ACK_TIMEOUT
THROTTLED = orjson.dumps({"code": -1003, "msg": "Too many requests."})
BAD_KEY = orjson.dumps({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."})


def a_lab(perform: Perform | None = None, seed: int = 1, **how: Any) -> CancelLab:
    """An account in sync that has open orders of both products."""
    lab = CancelLab(seed=seed, perform=perform, **how)
    lab.connect()
    lab.wait_until(lab.is_synced)
    for _ in range(200):
        lab.trade(1)
        if lab.open_orders("spot") and lab.open_orders("linear"):
            return lab
    raise AssertionError("no orders are open")


def is_open_at_venue(lab: CancelLab, order: Order) -> bool:
    rows = lab.truth()["accounts"][lab.name]["orders"]
    (status,) = [
        row["status"]
        for row in rows
        if (row["product"], row["symbol"]) == (order.product, order.symbol)
        and str(row["venue_order_id"]) == order.venue_order_id
    ]
    return STATUS.get(status, status) in OPEN_STATUSES


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


def failing(times: int, how: Callable[[CancelLab, CancelCommand], None]) -> Perform:
    """The first attempts go another way; the next is performed as it should be."""

    def perform(lab: CancelLab, command: CancelCommand) -> None:
        if len(lab.commands) <= times:
            how(lab, command)
        else:
            lab.execute(command)

    return perform


def unanswered(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, None)


def never_begun(_lab: CancelLab, _command: CancelCommand) -> None:
    """Ingest is down, say."""


def died_at_it(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)


def unsent(lab: CancelLab, command: CancelCommand) -> None:
    lab.end(command, None, is_unsent=True)


def throttled(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, 429, THROTTLED)


def troubled(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, 502, b"<html>")


TOLD = {
    unanswered: [UNKNOWN],
    troubled: [UNKNOWN],
    died_at_it: [UNKNOWN],
    unsent: [IntentOutcome.REQUEST_NOT_SENT],
    throttled: [IntentOutcome.PENDING_RETRY],
    never_begun: [],
}


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
        decided.append(lab.commands[-1].command.send_by_ns - SEND_WITHIN_NS)
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
    def refused(lab: CancelLab, command: CancelCommand) -> None:
        lab.begin(command)
        lab.end(command, 401, BAD_KEY)

    lab = a_lab(refused)
    order = lab.open_order()
    lab.cancel(order.key)
    assert lab.outcomes() == [RECORDED, IntentOutcome.ACK_REJECTED]
    last = lab.answers()[-1]
    assert last.is_final
    assert (last.code, last.status) == ("-2015", Status.ACTIVE)
    lab.wait(60_000)
    assert len(lab.commands) == 1
    assert not order.is_closed


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


def test_a_quarantined_account_still_cancels() -> None:
    lab = a_lab()
    order = lab.open_order()
    lab.run.partition.accounts[lab.name].set_apart("a mistake", 0)
    lab.cancel(order.key)
    assert lab.outcomes() == [RECORDED]
    assert len(lab.commands) == 1
    assert not is_open_at_venue(lab, order)


def test_what_nobody_began_in_time_is_abandoned_and_never_sent() -> None:
    lab = a_lab(never_begun)
    order = lab.open_order()
    lab.cancel(order.key, within_ms=20_000)
    lab.wait_until(lambda: lab.outcomes()[-1] is IntentOutcome.ABANDONED)
    known = len(lab.commands)
    lab.wait(120_000)
    assert len(lab.commands) == known
    assert not order.is_closed


def test_what_was_begun_is_never_abandoned() -> None:
    lab = a_lab(died_at_it)
    lab.cancel(lab.open_order().key, within_ms=1)
    lab.wait(300_000)
    assert lab.outcomes() == [RECORDED, UNKNOWN]


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
    lab.end(first, 401, BAD_KEY)
    assert lab.outcomes() == [RECORDED]
    lab.end(second, 401, BAD_KEY)
    assert lab.outcomes()[-1] is IntentOutcome.ACK_REJECTED


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


def test_cancel_all_where_nothing_is_open_is_done_at_once() -> None:
    lab = a_lab()
    lab.cancel_all()
    lab.wait_until(lambda: lab.outcomes("all")[-1] is CLOSED)
    lab.cancel_all("again")
    assert lab.outcomes("again") == [RECORDED, CLOSED]
    assert lab.answers("again")[-1].orders == 0


def test_cancel_all_names_those_that_the_venue_would_not_cancel() -> None:
    def perform(lab: CancelLab, command: CancelCommand) -> None:
        if command.command.product == "spot":
            lab.execute(command)
        else:
            lab.begin(command)
            lab.end(command, 401, BAD_KEY)

    lab = a_lab(perform)
    left = sorted(one.key for one in lab.open_orders("linear"))
    lab.cancel_all()
    lab.wait_until(lambda: lab.answers("all")[-1].is_final)
    last = lab.answers("all")[-1]
    assert last.outcome is IntentOutcome.ACK_REJECTED
    assert sorted(last.left) == left


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
    wanted: dict[str, Order] = {}
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
