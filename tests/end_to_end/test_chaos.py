"""The whole product on real processes, through faults and kills, beside the venue's own books."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from rich.console import Console

from cli.demo import DemoOptions, Play, plan_of
from cli.demo.boxes import PARTITIONS
from cli.demo.stage import Stage
from cli.demo.verdict import FillKey, is_clean
from orderloom import raw, topology
from orderloom.event import Execution
from orderloom.fill import Fill
from orderloom.identity import venue_of
from orderloom.words import Source
from processors.intake import Refusal, read_answer, read_frame
from runtime.kafka import reader
from venues import VENUES

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.timeout(900)]

CHAOS = DemoOptions(
    minutes=0.8,
    rate=500,
    accounts=8,
    kills=3,
    venues=("binance",),
    faults={
        "drop": 100, "duplicate": 380, "delay": 120, "reorder": 380, "disconnect": 18,
        "http_5xx": 10, "http_429": 6,
    },
)  # fmt: skip
Place = tuple[int, int]


@dataclass
class Outcome:
    """What a run ended with: the verdict, what was published, and what `raw` holds."""

    verdict: dict[str, Any]
    first: dict[FillKey, Fill]
    truth: dict[FillKey, dict[str, Any]]
    evidence: dict[FillKey, tuple[Place, Source]]


def played(options: DemoOptions) -> Outcome:
    """Play `options` to the end, then look into `raw` before the broker stops."""
    stage = Stage.build(plan_of(options))
    try:
        play = Play(stage, options, Console())
        verdict = asyncio.run(play.run())
        assert play.reading is not None
        truth = asyncio.run(stage.truth())
        evidence = first_evidence(stage)
        return Outcome(verdict, play.reading.published.first, true_fills(truth), evidence)
    finally:
        stage.stop()


def true_fills(truth: dict[str, Any]) -> dict[FillKey, dict[str, Any]]:
    return {
        (account, row["product"], row["symbol"], row["exec_id"], row["venue_order_id"]): row
        for account, books in truth["accounts"].items()
        for row in books["fills"]
    }


def first_evidence(stage: Stage) -> dict[FillKey, tuple[Place, Source]]:
    """Where in `raw` each execution is first spoken of, and whether pushed or asked for."""
    found: dict[FillKey, tuple[Place, Source]] = {}
    for offset, record in raw_records(stage):
        for place, item in enumerate(record.items):
            for key in executions_in(record.account, item):
                source = Source.STREAM if isinstance(item, raw.Frame) else Source.QUERY
                found.setdefault(key, ((offset, place), source))
    return found


def executions_in(account: str, item: raw.Item) -> Iterator[FillKey]:
    venue = VENUES.get(venue_of(account))
    if venue is not None and isinstance(item, raw.Frame):
        said = read_frame(venue, item)
    elif venue is not None and isinstance(item, raw.Answer):
        said = read_answer(venue, item)
    else:
        return
    assert not isinstance(said, Refusal)
    for event in said.events:
        if isinstance(event, Execution) and event.exec_id is not None:
            yield account, event.product, event.symbol, event.exec_id, event.venue_order_id


def raw_records(stage: Stage) -> Iterator[tuple[int, raw.RawRecord]]:
    consumer = reader(stage.broker.bootstrap, committed=False)
    names = [topology.RAW.name(venue, stage.plan.namespace) for venue in stage.plan.venues]
    places = [TopicPartition(name, number, 0) for name in names for number in range(PARTITIONS)]
    consumer.assign(places)
    ended = 0
    while ended < len(places):
        for message in consumer.consume(1000, 1.0):
            if message.error() is not None:
                ended += 1
            else:
                yield message.offset(), raw.decode(message.value())
    consumer.close()


def in_short(verdict: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in verdict.items() if name != "details"} | {
        name: rows[:5] for name, rows in verdict["details"].items() if rows
    }


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Outcome:
    directory: Path = tmp_path_factory.mktemp("chaos")
    return played(replace(CHAOS, seed=seed, directory=directory))


def test_nothing_is_lost_doubled_or_wrong(outcome: Outcome) -> None:
    assert is_clean(outcome.verdict), in_short(outcome.verdict)


def test_the_run_was_as_hard_as_it_was_meant_to_be(outcome: Outcome) -> None:
    verdict = outcome.verdict
    print(in_short(verdict))
    assert verdict["messages"] >= 20_000
    assert verdict["kills"] == {"process": 3, "ingest": 3}
    (faults,) = verdict["faults"].values()
    assert faults["drop"] >= 50
    assert faults["duplicate"] >= 200
    assert faults["reorder"] >= 200
    assert faults["disconnect"] >= 10


def test_each_fill_names_its_first_evidence_in_the_log_as_its_cause(outcome: Outcome) -> None:
    wrong = [
        (key, fill.cause, fill.source, outcome.evidence[key])
        for key, fill in outcome.first.items()
        if ((fill.cause.offset, fill.cause.place), fill.source) != outcome.evidence[key]
    ]
    assert not wrong, wrong[:5]


def test_only_what_was_really_missed_was_healed(outcome: Outcome) -> None:
    healed = [key for key, fill in outcome.first.items() if fill.source is not Source.STREAM]
    assert healed
    without_cause = [key for key in healed if not was_missed(outcome.truth[key])]
    assert not without_cause, [(key, outcome.truth[key]) for key in without_cause[:3]]


def was_missed(row: dict[str, Any]) -> bool:
    """Whether the venue knows that the frame was lost, or may have been."""
    return row["dropped"] or row["blind"] or row["in_flight"] or not row["delivered"]


def test_no_band_is_broken(outcome: Outcome) -> None:
    assert outcome.verdict["position_records"] > 1_000
    assert not outcome.verdict["details"]["broken_bands"]


def test_with_only_repeats_and_disorder_nothing_needs_healing(tmp_path: Path, seed: int) -> None:
    faults = {"duplicate": 150, "reorder": 150}
    calm = DemoOptions(
        minutes=0.25,
        rate=300,
        kills=0,
        seed=seed,
        # OKX's stream names no trade id for forced fills: those come by query, by its nature.
        venues=("binance",),
        faults=faults,
        directory=tmp_path,
    )
    outcome = played(calm)
    assert is_clean(outcome.verdict), in_short(outcome.verdict)
    assert outcome.verdict["healed"] == 0
