"""Placements: at most once each, under a claim that counts, by the count of the venue itself."""

import asyncio
import threading
import time
from hashlib import sha256

import pytest

from ingest.group_events import Gained, Lost, Registered
from ingest.orders import placements
from ingest.registry import Act, Change
from orderloom.claim import Claim, ClaimOwner, Done, Kill, KillScope, Verb, encode_claim_record
from tests.conftest import RunningBroker
from tests.ingest.edge_on_loopback import ACCOUNT, an_entry
from tests.ingest.orders.claim_stage import SECONDS_MAX, Stage
from tests.ingest.orders.placing import (
    GENERATION,
    SECOND_NS,
    a_cancel_of,
    a_placement,
    a_trader,
)
from tests.ingest.raw_server import Heard, a_raw_server
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.waits import until
from venues.rates import Cost, Throttling

pytestmark = pytest.mark.broker
P = 0
BEHIND_NS = 10 * SECOND_NS


@pytest.fixture
def stage(broker: RunningBroker, namespace: str) -> Stage:
    return Stage(broker.bootstrap, namespace, partitions=2)


async def test_a_placement_is_claimed_sent_once_and_told(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        toy.goes_on.clear()
        toy.answer = b'{"id": 7}'
        began_ns = time.time_ns()
        command = trader.place(1)
        await until(lambda: trader.arrived == ["o1"] and bool(trader.attempts(command)), 20)
        claim = await trader.claimed(command)
        assert claim.command == command.command
        assert claim.life == trader.claims.life
        assert claim.expires_ns is not None
        assert 0 < claim.expires_ns - began_ns <= time.time_ns() - began_ns + 5 * SECOND_NS
        assert claim.request == f"PUT /order?name=o1&until={claim.expires_ns}"
        assert claim.sha256 == sha256(claim.request.encode()).hexdigest()
        assert f"until={claim.expires_ns}&" in toy.urls[-1], "another request than was claimed"
        (attempt,) = trader.attempts(command)
        assert (attempt.request, attempt.command) == (claim.request, command.document())
        assert not trader.outcomes(command)
        toy.goes_on.set()
        outcome = await trader.outcome(command)
        assert (outcome.status, outcome.body, outcome.verb) == (200, b'{"id": 7}', Verb.PLACE)
        await until(lambda: trader.records(Done) == [Done(command_ids=(command.id,))], 20)
        assert trader.arrived == ["o1"]


async def test_nothing_is_sent_before_the_claim_is_acknowledged(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.hold(is_held=True)
        command = trader.place(1)
        await trader.claimed(command)
        cancel = a_cancel_of(a_placement(9, 0), 1)
        trader.send(cancel)
        assert (await trader.outcome(cancel)).status == 200, "cancels do not go meanwhile"
        assert not trader.arrived
        assert not trader.attempts(command)
        trader.hold(is_held=False)
        assert (await trader.outcome(command)).status == 200
        assert trader.arrived == ["o1"]


async def test_what_was_answered_is_said_together(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        commands = [trader.place(number) for number in range(20)]
        for command in commands:
            assert (await trader.outcome(command)).status == 200
        ids = {command.id for command in commands}

        def done() -> list[str]:
            return [name for one in trader.records(Done) for name in one.command_ids]

        await until(lambda: set(done()) == ids, SECONDS_MAX)
        assert len(done()) == len(ids)
        assert len(trader.records(Done)) < len(ids)


async def test_what_the_venue_does_not_clearly_say_is_not_done(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        toy.statuses = [503]
        unclear = trader.place(1)
        assert (await trader.outcome(unclear)).status == 503
        clear = trader.place(2)
        await until(lambda: trader.records(Done) == [Done(command_ids=(clear.id,))], SECONDS_MAX)
        assert trader.arrived == ["o1", "o2"]


async def test_a_command_is_claimed_and_sent_once_however_often_it_is_read(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        command = trader.place(1)
        trader.send(command)
        await trader.outcome(command)
        trader.running.edge.sending._taken.clear()  # so the claims alone know it
        trader.send(command)
        await trader.outcome(trader.place(2))
        assert trader.arrived == ["o1", "o2"]
        assert len(trader.records(Claim)) == 2
        assert len(trader.outcomes(command)) == 1, "told of what was sent that it was not"


async def test_of_two_processes_that_own_a_partition_each_order_is_sent_by_one_at_most(
    stage: Stage,
) -> None:
    """Each takes it over from the other again and again; what one sends the other does not."""
    async with (
        a_toy_server() as toy,
        a_trader(stage, toy, "w1") as first,
        a_trader(stage, toy, "w2") as second,
    ):
        for number in range(60):
            command = a_placement(number, stage.end())
            first.send(command)
            second.send(command)
            await asyncio.sleep(0.03)
        assert len(first.records(ClaimOwner)) > 2, "nobody took over from the other"
        for trader in (first, second):
            await trader.running.edge.sending.settled(P)
        claimed = {one.command.id for one in first.records(Claim)}
        assert len(set(first.arrived)) == len(first.arrived) > 0
        assert all(f"{ACCOUNT}/p-{name[1:]}" in claimed for name in first.arrived)


async def test_the_claims_survive_a_session_that_was_lost_and_goes_on(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        claims, command = trader.claims, trader.place(1)
        await trader.outcome(command)
        await trader.running.edge.handle(Lost((P,)))
        trader.running.edge.sending._taken.clear()
        trader.send(command)
        await trader.running.edge.handle(Gained(P, GENERATION, 0, is_continued=True))
        trader.send(command)
        await trader.outcome(trader.place(2))
        assert trader.claims is claims
        assert len(trader.records(ClaimOwner)) == 1
        assert trader.arrived == ["o1", "o2"]


async def test_who_gets_the_partition_next_sends_nothing_that_was_claimed(stage: Stage) -> None:
    async with a_toy_server() as toy:
        async with a_trader(stage, toy, "w1") as former:
            command = former.place(1)
            await former.outcome(command)
        async with a_trader(stage, toy, "w2") as later:
            later.send(command)
            await later.outcome(later.place(2))
            assert later.arrived == ["o1", "o2"]
            assert not later.outcomes(command), "told of what was sent that it was not"


async def test_what_a_former_owner_sent_is_never_told_as_unsent_and_its_cancel_goes(
    stage: Stage,
) -> None:
    """What is read before the log is waits for it, also where it would be refused anyway."""
    goes_on = threading.Event()

    def held_up() -> str:
        assert goes_on.wait(SECONDS_MAX)
        return ""

    async with a_toy_server() as toy:
        async with a_trader(stage, toy, "w1") as former:
            sent, late = former.place(1), former.place(2, within_ns=SECOND_NS)
            for command in (sent, late):
                await former.outcome(command)
        await until(lambda: time.time_ns() > late.command.send_by_ns, 10)
        async with a_trader(stage, toy, "w2", look=held_up, is_waited_for=False) as later:
            later.send(sent)
            later.send(late)
            cancel = a_cancel_of(sent, 1)
            later.send(cancel)
            assert (await later.outcome(cancel)).status == 200
            goes_on.set()
            await until(lambda: later.keeper.of(P) is not None, SECONDS_MAX)
            await later.outcome(later.place(3))
            await later.running.edge.sending.settled(P)
            assert later.arrived == ["o1", "o2", "o3"]
            assert not later.outcomes(sent)
            assert not later.outcomes(late)


async def test_what_is_late_is_not_sent(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        command = trader.place(1, within_ns=-1)
        outcome = await trader.outcome(command)
        assert outcome.is_unsent
        assert "time is over" in outcome.reason
        await trader.is_said_unsent(command)
        assert not trader.records(Claim)
        assert not trader.arrived


async def test_what_is_late_by_its_own_append_is_not_sent_though_our_clock_is_behind(
    stage: Stage,
) -> None:
    def behind_ns() -> int:
        return time.time_ns() - BEHIND_NS

    async with a_toy_server() as toy, a_trader(stage, toy, wall_ns=behind_ns) as trader:
        late = trader.place(1, within_ns=-SECOND_NS)
        assert (await trader.outcome(late)).is_unsent
        await trader.claimed(late)
        await trader.is_said_unsent(late)
        await trader.outcome(trader.place(2))
        assert trader.arrived == ["o2"]


async def test_what_becomes_late_between_claim_and_write_is_not_sent(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.hold(is_held=True)
        command = trader.place(1, within_ns=SECOND_NS)
        await trader.claimed(command)
        await until(lambda: time.time_ns() > command.command.send_by_ns, 10)
        trader.hold(is_held=False)
        assert (await trader.outcome(command)).is_unsent
        await trader.is_said_unsent(command)
        assert not trader.arrived


async def test_what_expired_at_the_venue_before_it_is_written_is_not_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placements, "EXPIRY_NS", SECOND_NS)
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.hold(is_held=True)
        command = trader.place(1)
        claim = await trader.claimed(command)
        await until(lambda: time.time_ns() > (claim.expires_ns or 0), 10)
        trader.hold(is_held=False)
        assert "expired" in (await trader.outcome(command)).reason
        await trader.is_said_unsent(command)
        assert not trader.arrived


async def test_a_kill_between_claim_and_write_stops_it(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.hold(is_held=True)
        command = trader.place(1)
        await trader.claimed(command)
        kill = encode_claim_record(Kill(scope=KillScope(strategy="maker"), author="me"))
        await trader.reads(stage.write(kill))
        trader.hold(is_held=False)
        outcome = await trader.outcome(command)
        assert (outcome.is_unsent, outcome.reason) == (True, "a kill came")
        await trader.is_said_unsent(command)
        await trader.outcome(trader.place(2))
        assert trader.arrived == ["o2"]


async def test_nothing_is_placed_from_another_partition_than_the_accounts(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        await trader.running.edge.handle(Gained(P + 1, GENERATION, 0, is_continued=False))
        await until(lambda: trader.keeper.of(P + 1) is not None, SECONDS_MAX)
        command = trader.place(1, partition=P + 1)
        outcome = await trader.outcome(command)
        assert outcome.is_unsent
        assert "does not lie" in outcome.reason
        assert not trader.arrived
        trader.send(command)  # where it belongs
        await until(lambda: trader.arrived == ["o1"], SECONDS_MAX)


async def test_nothing_is_placed_once_the_registry_allows_it_no_more(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        entry = an_entry(partition=P, orders="cancel")
        gate = trader.running.requesters.by_account[ACCOUNT].gate
        gate.throttled((Cost("weight"),), ACCOUNT, Throttling(0))
        waiting = trader.place(1)
        await trader.running.edge.handle(Registered(Change(Act.ALLOW, entry, "cancels alone")))
        at_once = trader.place(2)
        for command in (at_once, waiting):
            outcome = await trader.outcome(command)
            assert outcome.is_unsent
            assert "registry" in outcome.reason
            await trader.is_said_unsent(command)
        assert not trader.records(Claim)
        assert not trader.arrived


async def test_nothing_is_placed_while_the_venues_time_is_not_known(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.running.requesters.clocks.clear()
        outcome = await trader.outcome(trader.place(1))
        assert outcome.is_unsent
        assert "the venue's time" in outcome.reason
        assert not trader.arrived


async def test_a_cancel_voids_its_placement_that_still_waits_for_the_limits(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        gate = trader.running.requesters.by_account[ACCOUNT].gate
        gate.throttled((Cost("weight"),), ACCOUNT, Throttling(2 * SECOND_NS))
        command = trader.place(1)
        other = trader.place(2)
        await asyncio.sleep(0)
        cancel = a_cancel_of(command, 1)
        trader.send(cancel)
        assert (await trader.outcome(command)).is_unsent
        assert (await trader.outcome(cancel)).is_unsent
        await trader.is_said_unsent(command)
        assert (await trader.outcome(other)).status == 200
        assert trader.arrived == ["o2"]
        assert not toy.seen["DELETE order"]
        assert [one.command.id for one in trader.records(Claim)] == [other.id]


async def test_a_cancel_keeps_back_its_placement_that_is_claimed_and_goes_itself(
    stage: Stage,
) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.hold(is_held=True)
        command = trader.place(1)
        await trader.claimed(command)
        cancel = a_cancel_of(command, 1)
        trader.send(cancel)
        assert (await trader.outcome(cancel)).status == 200
        trader.hold(is_held=False)
        outcome = await trader.outcome(command)
        assert outcome.is_unsent
        assert "canceled" in outcome.reason
        await trader.is_said_unsent(command)
        assert not trader.arrived


async def test_a_cancel_is_claimed_and_waits_for_no_acknowledgement(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        trader.hold(is_held=True)
        cancel = a_cancel_of(a_placement(1, 0), 1)
        trader.send(cancel)
        assert (await trader.outcome(cancel)).status == 200
        claim = await trader.claimed(cancel)
        assert (claim.request, claim.life) == ("DELETE /order?id=7", trader.claims.life)
        trader.hold(is_held=False)
        await trader.outcome(trader.place(2))  # what stands between was read
        assert trader.arrived == ["o2"]


async def test_where_nobody_listens_it_is_proven_that_nothing_left(stage: Stage) -> None:
    toy = ToyServer()
    toy.rest, toy.stream = "http://127.0.0.1:1", "ws://127.0.0.1:1"
    async with a_trader(stage, toy) as trader:
        command = trader.place(1)
        assert (await trader.outcome(command)).is_unsent
        await trader.claimed(command)
        await trader.is_said_unsent(command)


async def test_a_connection_that_breaks_under_a_placement_is_followed_by_no_other(
    stage: Stage,
) -> None:
    async def hang_up(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if heard.method == "DELETE":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        else:
            writer.transport.abort()

    async with a_raw_server(hang_up) as server:
        toy = ToyServer()
        toy.rest, toy.stream = f"http://127.0.0.1:{server.port}", "ws://127.0.0.1:1"
        async with a_trader(stage, toy) as trader:
            cancel = a_cancel_of(a_placement(9, 0), 9)
            trader.send(cancel)  # on a connection that is kept: aiohttp trusts such a one less
            assert (await trader.outcome(cancel)).status == 200
            command = trader.place(1)
            outcome = await trader.outcome(command)
            assert (outcome.status, outcome.is_unsent) == (None, False)
            assert [one.kind for one in server.requests].count("PUT /order") == 1
            await asyncio.wait_for(trader.claims.said(), SECONDS_MAX)
            assert not trader._log().is_unsent(command.command)


async def test_of_a_partition_that_is_given_up_the_answers_are_awaited(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        toy.goes_on.clear()
        command = trader.place(1)
        await until(lambda: trader.arrived == ["o1"], SECONDS_MAX)
        await trader.running.edge._drop((P,), "it moves")
        assert trader.keeper.of(P) is None
        trader.send(a_placement(2, 0))
        toy.goes_on.set()
        assert (await trader.outcome(command)).status == 200
        await until(lambda: trader.records(Done) == [Done(command_ids=(command.id,))], SECONDS_MAX)
        assert trader.arrived == ["o1"]
