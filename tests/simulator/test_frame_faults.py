"""What goes wrong between a box and its listener: each loss is in the books, with its reason."""

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from simulator.faults import FRAME_FAULTS
from tests.simulator.probes import VENUES, Key, a_probe

if TYPE_CHECKING:
    from collections import Counter

SOON: dict[str, dict[str, Any]] = {"binance": {"spot_ping_s": 0.1}}
both = pytest.mark.parametrize("venue", VENUES)
MESSAGES = 700


class Outcome:
    """What was heard, and what the books say of it."""

    def __init__(self, probe: Any, fills: list[dict[str, Any]], shown: dict[str, Any]) -> None:
        self.heard: Counter[Key] = probe.executions()
        self.notices = sum(probe.is_notice(document) for document in probe.heard)
        self.fills = fills
        self.keys = [probe.key(fill) for fill in fills]
        self.injected: dict[str, int] = shown["injected"]
        self.ended: list[str] = [row["reason"] for row in shown["ended"]]

    def lost(self) -> list[dict[str, Any]]:
        pairs = zip(self.fills, self.keys, strict=True)
        return [fill for fill, key in pairs if not self.heard[key]]


async def suffered(venue: str, kind: str, count: int = 5, **faults: Any) -> Outcome:
    """Trade with one kind of fault while an account listens, then stop and compare."""
    schedule = {kind: {"count": count, "frames": 300}}
    async with a_probe(venue, faults={"schedule": schedule} | faults) as probe:
        listeners = [asyncio.create_task(probe.hear(one)) for one in await probe.sockets()]
        await probe.trade(MESSAGES)
        await probe.client.control("/control/quiesce", open_orders="leave")
        shown = await probe.client.control("/control/faults")
        shown["ended"] = (await probe.client.control("/control/connections"))["ended"]
        assert all(len(row["accounts"]) == 1 for row in shown["ended"])
        await probe.client.control("/control/disconnect", planned=True)
        await asyncio.gather(*listeners)
        return Outcome(probe, (await probe.books())["fills"], shown)


@both
async def test_drop_loses_single_frames_and_ends_nothing(venue: str) -> None:
    outcome = await suffered(venue, "drop", count=60)
    assert outcome.injected == {"drop": 60}
    assert outcome.ended == []
    assert outcome.lost()
    assert all(fill["dropped"] and not fill["blind"] for fill in outcome.lost())


@both
@pytest.mark.parametrize("kind", ["duplicate", "delay", "reorder"])
async def test_duplicate_delay_and_reorder_lose_nothing(venue: str, kind: str) -> None:
    outcome = await suffered(venue, kind, count=40, delay_ms_max=30)
    assert outcome.injected == {kind: 40}
    assert outcome.lost() == []
    is_doubled = max(outcome.heard[key] for key in outcome.keys if key[2] != "0") > 1
    assert is_doubled == (kind == "duplicate")


@both
async def test_silence_loses_frames_for_some_time_while_the_connection_lives(venue: str) -> None:
    outcome = await suffered(venue, "silence", count=2, silence_ms_max=60)
    assert outcome.injected == {"silence": 2}
    assert outcome.ended == []
    assert len(outcome.lost()) >= 1
    assert all(fill["dropped"] and not fill["blind"] for fill in outcome.lost())


@both
async def test_heartbeats_go_on_in_silence(venue: str) -> None:
    faults = {"probability": {"silence": 1.0}, "silence_ms_max": 60_000}
    async with a_probe(venue, faults=faults, face=SOON.get(venue)) as probe:
        websockets = await probe.sockets(autoping=False)
        await probe.trade(200)
        if probe.said_ping:
            assert await probe.answers_ping(websockets[0])
        else:
            assert (await websockets[0].receive(timeout=5)).type is aiohttp.WSMsgType.PING
        assert (await probe.client.control("/control/connections"))["ended"] == []


@both
async def test_disconnect_cuts_hard_and_what_follows_is_blind(venue: str) -> None:
    outcome = await suffered(venue, "disconnect", count=1)
    assert outcome.injected == {"disconnect": 1}
    assert outcome.ended == ["fault: disconnect"]
    assert all(fill["blind"] or fill["in_flight"] for fill in outcome.lost())


@both
async def test_planned_disconnect_is_announced_where_the_venue_does_it(venue: str) -> None:
    schedule = {"planned_disconnect": {"count": 1, "frames": 1}}
    timing = {"planned_s": 0.2, "check_s": 0.02}
    async with a_probe(venue, faults={"schedule": schedule}, timing=timing) as probe:
        listeners = [asyncio.create_task(probe.hear(one)) for one in await probe.sockets()]
        await probe.trade(300)
        ended: list[Any] = []
        while not ended:
            ended = (await probe.client.control("/control/connections"))["ended"]
        assert ended[0]["reason"] == "planned shutdown"
        await probe.client.control("/control/disconnect", planned=False)
        await asyncio.gather(*listeners)
        is_announced = ended[0]["product"] in probe.announcing
        assert sum(map(probe.is_notice, probe.heard)) == is_announced


@both
async def test_half_open_says_and_answers_nothing_until_the_cut(venue: str) -> None:
    schedule = {"half_open": {"count": 1, "frames": 1}}
    faults = {"schedule": schedule, "half_open_s": 0.5}
    async with a_probe(venue, faults=faults) as probe:
        websockets = await probe.sockets()
        listeners = [asyncio.create_task(probe.hear(one)) for one in websockets]
        await probe.trade(300)
        ended: list[Any] = []
        while not ended:
            ended = (await probe.client.control("/control/connections"))["ended"]
        assert ended[0]["reason"] == "half-open for too long"
        await probe.client.control("/control/disconnect", planned=False)
        await asyncio.gather(*listeners)
        books = (await probe.books())["fills"]
        heard = probe.executions()
        lost = [fill for fill in books if not heard[probe.key(fill)]]
        assert lost
        assert all(fill["blind"] or fill["in_flight"] for fill in lost)


@both
async def test_control_makes_all_connections_half_open(venue: str) -> None:
    async with a_probe(venue) as probe:
        websockets = await probe.sockets()
        answer = await probe.client.control("/control/disconnect", half_open=True)
        assert answer == {"half_open": len(websockets)}
        if probe.said_ping:
            await probe.ping(websockets[0])
        with pytest.raises(TimeoutError):
            await websockets[0].receive(timeout=0.3)


def test_every_frame_fault_has_a_test_here() -> None:
    names = " ".join(name for name in globals() if name.startswith("test_"))
    assert all(kind in names for kind in FRAME_FAULTS)
