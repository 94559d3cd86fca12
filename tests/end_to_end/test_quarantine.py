"""A mistake of ours stops the account that it concerns, and no other."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.demo import DemoOptions, Play, plan_of
from tests.end_to_end.planted_worker import ASSERTS, KILLS
from trial.stage import Stage, Worker
from trial.verdict import Published, judge

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.timeout(600)]


class PlantedStage(Stage):
    """A stage whose `process` workers have the mistakes planted."""

    def launch_worker(self, kind: str, venue: str) -> Worker:
        """One more worker; a planted one if it processes."""
        if kind != "process":
            return Stage.launch_worker(self, kind, venue)
        name = self.next_name(kind, venue)
        return self.launch(name, module="tests.end_to_end.planted_worker")


def without(published: Published, accounts: set[str]) -> Published:
    """What was published, less what concerns these accounts."""
    return replace(
        published,
        fills={key: fill for key, fill in published.fills.items() if key[0] not in accounts},
        first={key: fill for key, fill in published.first.items() if key[0] not in accounts},
        orders={k: o for k, o in published.orders.items() if o.account not in accounts},
        positions={k: p for k, p in published.positions.items() if k[0] not in accounts},
    )


def test_planted_mistakes_quarantine_their_accounts_only(tmp_path: Path, seed: int) -> None:
    options = DemoOptions(
        minutes=0.4,
        rate=120,
        accounts=8,
        kills=0,
        seed=seed,
        venues=("binance",),
        faults={"duplicate": 40},
        directory=tmp_path,
    )
    stage = PlantedStage.build(plan_of(options))
    try:
        play = Play(stage, options, Console())
        verdict = asyncio.run(play.run())
        truth: dict[str, Any] = asyncio.run(stage.truth())
    finally:
        stage.stop()
    assert play.reading is not None
    states = play.reading.accounts
    assert {name for name, state in states.items() if state.quarantined} == {ASSERTS, KILLS}
    assert verdict["dead_letter_reasons"] == {"invariant": 1, "killed": 1}
    truth["accounts"] = {
        name: books for name, books in truth["accounts"].items() if name not in {ASSERTS, KILLS}
    }
    rest = judge(without(play.reading.published, {ASSERTS, KILLS}), truth)
    assert rest["fills"] > 100
    wrong = {name: rows for name, rows in rest["details"].items() if rows}
    assert not wrong, wrong
