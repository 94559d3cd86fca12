"""Workers are killed at each named point of reconciliation, at both venues: it ends the same.

Each play puts a worker of each kind that dies at its point in the place of the running one, while
trade goes on and the stream loses messages silently; who dies is followed by a usual worker.
"""

import asyncio
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

import pytest

from orderloom.identity import adopted_order_key
from tests.end_to_end.dying_worker import INGEST, PROCESS
from tests.end_to_end.fault_stage import MILLISECOND_NS, VENUES, FaultStage, Stretch
from tests.waits import comes_about
from trial.stage import Worker
from trial.verdict import STATUS, Published, fill_key, leg_of, true_nets

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.soak, pytest.mark.timeout(900)]

DYING_S_MAX = 120.0
SESSION_MS = 3_000
LOSSES = {"probability": {"drop": 0.03}}
KILLED = -signal.SIGKILL


class Played:
    """What one play came to: who died of what, and the stretch, at rest, with both digests."""

    def __init__(self, stretch: Stretch, deaths: dict[tuple[str, str], int | None]) -> None:
        self.stretch = stretch
        self.deaths = deaths
        self.ours: dict[str, str] = {}
        self.theirs: dict[str, str] = {}


class Plays(FaultStage):
    """The stage, and workers that are put in the place of others."""

    async def kill_at(self, points: dict[str, str]) -> Played:
        """`points` are named by kind of worker."""
        stretch = Stretch(" ".join(points.values()), time.time_ns() // MILLISECOND_NS)
        for venue in VENUES:
            await self.stage.control(venue, "/control/faults", LOSSES)
            await self.trade(venue)
        dying = [
            (kind, venue, self.replaced(kind, venue, point))
            for kind, point in points.items()
            for venue in VENUES
        ]
        played = Played(stretch, {(kind, venue): None for kind, venue, _ in dying})

        def are_dead() -> bool:
            for kind, venue, worker in [one for one in dying if not one[2].is_running]:
                dying.remove((kind, venue, worker))
                worker.was_killed = True
                played.deaths[kind, venue] = worker.child.returncode
                self.stage.launch_worker(kind, venue)
            return not dying

        await comes_about(are_dead, DYING_S_MAX)
        await self.rest(stretch)
        played.ours = digests_of_ours(self.reading.published)
        played.theirs = digests_of_theirs(stretch.truth)
        return played

    def replaced(self, kind: str, venue: str, point: str) -> Worker:
        """Stop the running worker, and start one that will die."""
        for worker in self.stage.workers:
            if worker.name.startswith(f"{kind}-{venue}-") and worker.is_running:
                worker.was_killed = True
                worker.child.send_signal(signal.SIGTERM)
                worker.child.wait(DYING_S_MAX)
        name = self.stage.next_name(kind, venue)
        return self.stage.launch(name, kind, venue, point, module="tests.end_to_end.dying_worker")


def digests_of_ours(published: Published) -> dict[str, str]:
    """Orders, executions and positions as consumers read them."""
    nets: dict[Any, Decimal] = {}
    for position in published.positions.values():
        nets[leg_of(position)] = position.net
    return digests(
        {key: (one.status.value, one.filled_quantity) for key, one in published.orders.items()},
        {key: (one.price, one.quantity, one.fee) for key, one in published.fills.items()},
        nets,
    )


def digests_of_theirs(truth: dict[str, Any]) -> dict[str, str]:
    """The same of the venues' own books."""
    accounts = truth["accounts"].items()
    fills = [(name, row) for name, books in accounts for row in books["fills"]]
    return digests(
        {
            adopted_order_key(name, row["product"], row["symbol"], row["venue_order_id"]): (
                STATUS.get(row["status"], row["status"]),
                Decimal(row["filled"]),
            )
            for name, books in accounts
            for row in books["orders"]
        },
        {
            fill_key(name, row): tuple(Decimal(row[one]) for one in ("price", "quantity", "fee"))
            for name, row in fills
        },
        true_nets(fills),
    )


def digests(orders: Any, fills: Any, nets: dict[Any, Decimal]) -> dict[str, str]:
    parts = {"orders": orders, "fills": fills, "positions": {k: n for k, n in nets.items() if n}}
    return {name: digest(rows) for name, rows in parts.items()}


def digest(rows: dict[Any, Any]) -> str:
    lines = sorted(f"{plain(key)} {plain(value)}" for key, value in rows.items())
    return blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def plain(value: Any) -> str:
    """The same text for the same value, however it is spelt."""
    if isinstance(value, tuple):
        return " ".join(map(plain, value))
    return f"{value.normalize() + 0:f}" if isinstance(value, Decimal) else str(value)


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[dict[str, Played]]:
    stage = Plays(tmp_path_factory.mktemp("phases"), seed, accounts=1)
    patch = pytest.MonkeyPatch()
    patch.setenv("ORDERLOOM_PROCESS__SESSION_MS", str(SESSION_MS))
    try:
        yield asyncio.run(played(stage))
    finally:
        patch.undo()
        stage.end()


async def played(stage: Plays) -> dict[str, Played]:
    await stage.begin()
    found: dict[str, Played] = {}
    for at_ingest, at_process in zip_longest(INGEST, PROCESS):
        points = {"ingest": at_ingest, "process": at_process}
        points = {kind: point for kind, point in points.items() if point}
        play = await stage.kill_at(points)
        found |= dict.fromkeys(points.values(), play)
    return found


@pytest.mark.parametrize("point", [*INGEST, *PROCESS])
def test_killed_at_any_point_of_reconciliation_it_ends_the_same(
    plays: dict[str, Played], point: str
) -> None:
    play = plays[point]
    kind = "ingest" if point in INGEST else "process"
    assert {play.deaths[kind, venue] for venue in VENUES} == {KILLED}, play.deaths
    wrong = {name: rows for name, rows in play.stretch.verdict["details"].items() if rows}
    assert not wrong, wrong
    assert play.stretch.open_blind == 0
    assert play.stretch.verdict["dead_letters"] == 0
    assert play.stretch.verdict["fills"] > 0
    assert play.ours == play.theirs


def test_the_stream_lost_executions_meanwhile_that_were_found(plays: dict[str, Played]) -> None:
    lost = [row for play in plays.values() for row in play.stretch.lost().values()]
    assert sum(row["dropped"] for row in lost) >= len(VENUES)
