"""Commands: sent at once and once, and what became of each stands in the log, whatever it was."""

import asyncio
import time
from hashlib import sha256
from typing import Any

import pytest

from ingest.group_events import Gained, Registered
from ingest.limits import Limits, Rank
from ingest.orders import sending
from ingest.orders.commands import Commanded
from ingest.registry import Act, Change
from orderloom.claim import Command, Verb
from orderloom.command import CancelCommand
from orderloom.raw import Attempt, AttemptOutcome, Item
from tests.ingest.edge_on_loopback import ACCOUNT, Running, an_edge, an_entry
from tests.ingest.orders.placing import a_placement
from tests.ingest.raw_server import Heard, a_raw_server
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.ingest.toy_venue import PRODUCT
from tests.waits import until
from venues.rates import Bucket, Cost

P = 2
SECOND_NS = 1_000_000_000


def a_command(
    number: int = 1, account: str = ACCOUNT, within_ns: int = 5 * SECOND_NS, **fields: Any
) -> CancelCommand:
    return CancelCommand(
        command=Command(
            id=f"{account}/c-{number}",
            verb=Verb.CANCEL,
            account=account,
            strategy="s",
            product=PRODUCT,
            symbol="S",
            seen=0,
            send_by_ns=time.time_ns() + within_ns,
        ),
        intent=1,
        order=f"{account}/{PRODUCT}/S/{number}",
        **({"venue_order_id": str(number)} | fields),
    )


def commanded(command: CancelCommand, partition: int = P) -> Commanded:
    return Commanded(partition, 1, command.account.encode(), command.encoded(), time.time_ns())


async def an_owner(running: Running, partition: int = P) -> None:
    """The partition is ours."""
    await running.edge.handle(Gained(partition, 5, 0, is_continued=False))


async def outcome_of(running: Running, number: int = 1) -> AttemptOutcome:
    def found() -> list[Item]:
        items = [one for one in running.log.items if isinstance(one, AttemptOutcome)]
        return [one for one in items if one.command_id.endswith(f"c-{number}")]

    await until(lambda: bool(found()), 10)
    (outcome,) = found()
    assert isinstance(outcome, AttemptOutcome)
    return outcome


def attempts(running: Running) -> list[Attempt]:
    return [one for one in running.log.items if isinstance(one, Attempt)]


ALLOWED = an_entry(orders="cancel")


async def test_a_command_is_sent_and_its_answer_written_as_it_came() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        toy.answer = b'{"gone": true}'
        command = a_command()
        running.edge.command(commanded(command))
        outcome = await outcome_of(running)
        assert (outcome.status, outcome.body, outcome.is_unsent) == (200, b'{"gone": true}', False)
        assert (outcome.verb, outcome.product, outcome.reason) == ("CANCEL", PRODUCT, "")
        (attempt,) = attempts(running)
        assert (attempt.command_id, attempt.transport) == (command.id, "rest")
        assert attempt.request == "DELETE /order?id=1"
        assert attempt.sha256 == sha256(attempt.request.encode()).hexdigest()
        assert attempt.command == command.document()
        assert running.log.items.index(attempt) < running.log.items.index(outcome)
        assert toy.seen["DELETE order"] == 1


async def test_the_attempt_is_told_before_anything_comes_back() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        toy.goes_on.clear()
        running.edge.command(commanded(a_command()))
        await until(lambda: toy.seen["DELETE order"] == 1 and bool(attempts(running)), 10)
        assert not [one for one in running.log.items if isinstance(one, AttemptOutcome)]
        toy.goes_on.set()
        assert (await outcome_of(running)).status == 200


async def test_kafka_need_not_be_there() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        running.log.is_away = True
        for number in range(1, 51):
            running.edge.command(commanded(a_command(number)))
        await until(lambda: toy.seen["DELETE order"] == 50, 10)
        assert not attempts(running)
        running.log.is_away = False
        assert (await outcome_of(running, 50)).status == 200
        assert len(attempts(running)) == 50


async def test_the_same_command_again_is_not_sent_again() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        command = a_command()
        running.edge.command(commanded(command))
        await outcome_of(running)
        running.edge.command(commanded(command))
        running.edge.command(commanded(a_command(2)))
        await outcome_of(running, 2)
        assert toy.seen["DELETE order"] == 2


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (a_command(within_ns=-SECOND_NS), "time"),
        (a_command(account="toy:b"), "not served"),
        (a_command(venue_order_id=None, client_order_id="mine"), "its own ids alone"),
    ],
    ids=["late", "no account", "no id"],
)
async def test_what_is_not_sent_is_said_to_be_unsent(command: CancelCommand, why: str) -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        running.edge.command(commanded(command))
        outcome = await outcome_of(running)
        assert outcome.is_unsent
        assert why in outcome.reason
        assert not attempts(running)
        assert not toy.seen["DELETE order"]


async def test_nothing_is_sent_for_an_account_that_does_not_allow_it() -> None:
    async with a_toy_server() as toy, an_edge(toy, an_entry()) as running:
        await an_owner(running)
        running.edge.command(commanded(a_command()))
        outcome = await outcome_of(running)
        assert outcome.is_unsent
        assert "registry" in outcome.reason
        assert not toy.seen["DELETE order"]


async def test_what_the_registry_allows_meanwhile_is_sent() -> None:
    async with a_toy_server() as toy, an_edge(toy, an_entry()) as running:
        await an_owner(running)
        await running.edge.handle(Registered(Change(Act.ALLOW, ALLOWED, "it may cancel")))
        running.edge.command(commanded(a_command()))
        assert (await outcome_of(running)).status == 200
        assert running.owned_as == [5], "no stream was touched"


async def test_a_command_in_another_partition_than_its_accounts_is_not_sent() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        await an_owner(running, P + 1)
        running.edge.command(commanded(a_command(), P + 1))
        outcome = await outcome_of(running)
        assert outcome.is_unsent
        assert "does not lie" in outcome.reason
        assert not toy.seen["DELETE order"]


async def test_what_is_not_ours_or_cannot_be_read_is_passed() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        running.edge.command(commanded(a_command()))  # not ours yet
        await an_owner(running)
        for key, value in ((b"x", b"\xff"), (b"toy:b", a_command().encoded()), (None, None)):
            running.edge.command(Commanded(P, 1, key, value))
        running.edge.command(commanded(a_command(2)))
        await outcome_of(running, 2)
        assert toy.seen["DELETE order"] == 1


async def test_an_answer_that_does_not_come_leaves_it_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "ANSWER_SECONDS_MAX", 0.2)
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        toy.goes_on.clear()
        running.edge.command(commanded(a_command()))
        outcome = await outcome_of(running)
        assert (outcome.status, outcome.is_unsent, outcome.body) == (None, False, b"")
        assert "no answer in time" in outcome.reason
        toy.goes_on.set()


async def test_where_nobody_listens_surely_nothing_left() -> None:
    toy = ToyServer()
    toy.rest, toy.stream = "http://127.0.0.1:1", "ws://127.0.0.1:1"
    async with an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        running.edge.command(commanded(a_command()))
        assert (await outcome_of(running)).is_unsent


async def test_a_connection_that_is_lost_at_it_is_not_followed_by_another() -> None:
    async def hang_up(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with a_raw_server(hang_up) as server:
        toy = ToyServer()
        toy.rest, toy.stream = f"http://127.0.0.1:{server.port}", "ws://127.0.0.1:1"
        async with an_edge(toy, ALLOWED) as running:
            await an_owner(running)
            running.edge.command(commanded(a_command()))
            outcome = await outcome_of(running)
            assert (outcome.status, outcome.is_unsent) == (None, False)
            assert [one.kind for one in server.requests].count("DELETE /order") == 1


async def test_a_cancel_goes_before_all_questions_that_wait_for_the_limits() -> None:
    async with a_toy_server() as toy, an_edge(toy, ALLOWED) as running:
        await an_owner(running)
        requester = running.requesters.by_account[ACCOUNT]
        gate, cost = requester.gate, (Cost("weight", 5),)
        order: list[str] = []

        async def question() -> None:
            await gate.admit(cost, ACCOUNT, Rank.URGENT)
            order.append("question")

        waiting = [asyncio.create_task(question()) for _ in range(1_400)]
        await until(lambda: bool(order), 10)
        before = len(order)
        began = time.monotonic()
        running.edge.command(commanded(a_command()))
        await until(lambda: toy.seen["DELETE order"] == 1, 10)
        print(f"{before} questions before it, {time.monotonic() - began:.3f} s")
        assert len(order) - before <= 2, "questions that waited went first"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def test_placements_take_their_turn_behind_cancels_and_before_questions() -> None:
    limits = Limits({"weight": Bucket(100, 60 * SECOND_NS)}, now_ns=0)
    for rank in (Rank.PERIODIC, Rank.URGENT, Rank.PLACE, Rank.CANCEL, Rank.STREAM):
        limits.wish((Cost("weight"),), ACCOUNT, rank)
    granted = [ticket.rank for ticket in limits.grant(0)]
    assert granted == [Rank.STREAM, Rank.CANCEL, Rank.PLACE, Rank.URGENT, Rank.PERIODIC]


async def test_a_placement_is_kept_here_where_the_claim_log_cannot_be_read() -> None:
    trader = an_entry(orders="trade")
    async with a_toy_server() as toy, an_edge(toy, trader) as running:
        await an_owner(running)
        placed = a_placement(1, 0)
        key, value = placed.account.encode(), placed.encoded()
        running.edge.command(Commanded(P, 1, key, value, time.time_ns()))
        await until(lambda: bool(running.log.items) and bool(outcomes(running)), 20)
        (outcome,) = outcomes(running)
        assert (outcome.is_unsent, outcome.reason) == (True, "the claim log is not read yet")
        running.edge.command(commanded(a_command()))
        assert (await outcome_of(running)).status == 200, "cancels wait for no claim log"
        assert not toy.seen["PUT order"]
        assert "nothing is placed" in running.edge.troubles()["claims"]


def outcomes(running: Running) -> list[AttemptOutcome]:
    return [one for one in running.log.items if isinstance(one, AttemptOutcome)]
