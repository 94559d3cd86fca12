"""What a repair goes on from, of what the former life had asked: without Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.raw import ConnectionChange, Liveness
from processors.account.lost_fills import LostFill
from processors.account.streams import Blind
from processors.account.venue_time import DRIFT_NS
from processors.partition import STATE_FORMAT
from processors.repair.coverage import Coverage, RawGap, relied_on
from processors.repair.finishing import MISSING, end_rebuild, note_lost
from tests.processors.partition_lab import (
    ACCOUNT,
    NOW,
    Run,
    a_partition,
    a_raw_record,
    a_record,
    a_registration,
    live,
)

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
LAG = 2 * SECOND + DRIFT_NS
EPOCH = 4
FRONT = RawGap("front", NOW - 50 * DAY)
CUT = RawGap("cut", NOW, NOW - DAY, is_at_end=True)
OUTAGES = (NOW - 40 * DAY, NOW - 20 * DAY, NOW - 2 * DAY)
LASTS = 60 * SECOND


def a_lost_fill(venue_ns: int) -> LostFill:
    return LostFill(ACCOUNT, f"t{venue_ns}", "spot", "SOLUSDT", "NET", "1", "base", venue_ns)


def a_coverage(covered_ns: int, *still_open: Blind, epoch: int = EPOCH - 1) -> Coverage:
    return Coverage(epoch, {"spot": covered_ns, "linear": covered_ns}, still_open)


def repaired(
    coverage: Coverage | None,
    lost: Mapping[LostFill, int] | None = None,
    gaps: Sequence[RawGap] = (),
    ahead_ns: int = 0,
) -> Run:
    """A state that a repair folded from a life with three outages, and ended.

    The venue's clock was so far ahead of ours.
    """
    run, lost = Run(a_partition()), lost or {}
    if ahead_ns:
        bounds = [{"at_ns": 1, "low_ns": ahead_ns, "high_ns": ahead_ns}]
        clock = {"f": STATE_FORMAT, "product": "spot", "bounds": bounds, "generation": 1}
        run.partition.restore(b"k/spot", orjson.dumps(clock))
    run.partition.begin_epoch(EPOCH)
    registered = a_registration(symbols={"spot": ("SOLUSDT",)})
    run.step(a_record(registered, topic=topology.CONTROL))
    run.partition.account(ACCOUNT).streams.owner.liveness_ns = NOW
    begins = OUTAGES[0] - DAY
    run.step(a_raw_record(live("spot", begins), live("linear", begins)), begins)
    for number, at_ns in enumerate(OUTAGES):
        for product in ("spot", "linear"):
            name = f"c-{product}"
            heard = Liveness(at_ns, [{"account": ACCOUNT, "connection": name, "heard_ns": at_ns}])
            down, again = (
                ConnectionChange(name, product, "CLOSED", at_ns),
                live(product, at_ns + LASTS),
            )
            run.step(a_raw_record(heard, account="venue", offset=2 * number + 1), at_ns + LASTS)
            run.step(a_raw_record(down, again, offset=2 * number + 2), at_ns + LASTS)
    note_lost(run.partition, lost, NOW)
    coverages = {} if coverage is None else {ACCOUNT: coverage}
    end_rebuild(run.partition, gaps, NOW, looked=relied_on(coverages, lost, gaps))
    run.take()
    return run


def blind_ends(run: Run, product: str = "spot") -> list[tuple[str, int | None]]:
    """Reason and end of each open interval of a product."""
    shown = [
        orjson.loads(one.value or b"") for one in run.outputs if one.topic is topology.ACCOUNTS
    ]
    return [(o["reason"], o["end_ns"]) for o in shown[-1]["blind"] if o["product"] == product]


def outage_ends(run: Run) -> list[int]:
    ends = [end_ns for _, end_ns in blind_ends(run) if end_ns is not None]
    return [at_ns for at_ns in OUTAGES if at_ns + LASTS in ends]


def asked_since(run: Run) -> int:
    """Since when the first cycle after the repair asks for trades."""
    questions: list[dict[str, Any]] = [
        orjson.loads(output.value or b"")["question"]
        for output in run.step(None, NOW + 1)
        if output.topic is topology.DISPATCHES
    ]
    since_ns: int = min(one["since_ns"] for one in questions if one["about"] == "TRADES")
    return since_ns


def test_without_a_former_record_every_interval_is_asked_about_again() -> None:
    run = repaired(None)
    assert outage_ends(run) == list(OUTAGES)
    assert run.partition.account(ACCOUNT).look_ups.reconciliation.cycles["spot"].covered_ns == 0


def test_an_interval_that_the_former_life_closed_is_not_opened_again() -> None:
    run = repaired(a_coverage(OUTAGES[2]))
    assert outage_ends(run) == [OUTAGES[2]]
    assert asked_since(run) == OUTAGES[2] - LAG
    [shown, *_] = [one.covered_ns for one in reversed(list(run.messages(topology.ACCOUNTS)))]
    assert shown["spot"] == OUTAGES[2]


def test_what_is_younger_than_the_former_life_covered_was_ours_to_miss() -> None:
    reconciliation = (
        repaired(a_coverage(OUTAGES[2])).partition.account(ACCOUNT).look_ups.reconciliation
    )
    assert reconciliation.is_news("spot", OUTAGES[2])
    assert not reconciliation.is_news("spot", OUTAGES[2] - 1)


def test_an_interval_that_ends_when_the_covered_span_ends_stays_open() -> None:
    run = repaired(a_coverage(OUTAGES[1] + LASTS))
    assert outage_ends(run) == [*OUTAGES[1:]]


def test_what_the_former_life_showed_as_open_stays_open() -> None:
    found_again = Blind("spot", OUTAGES[1], OUTAGES[1] + LASTS, "closed")
    gap = Blind("spot", OUTAGES[0] + DAY, OUTAGES[0] + 2 * DAY, "an earlier repair")
    run = repaired(a_coverage(NOW - LAG, found_again, gap))
    assert sorted(end_ns or 0 for _, end_ns in blind_ends(run)) == [gap.end_ns, found_again.end_ns]
    assert asked_since(run) == gap.start_ns - LAG


@pytest.mark.parametrize("gaps", [(), (FRONT,)])
def test_an_unexplained_loss_takes_all_coverage_away(gaps: Sequence[RawGap]) -> None:
    """`raw` is not what it was, though its offsets look whole: answers may be gone too."""
    lost = a_lost_fill(OUTAGES[0] + DAY)
    run = repaired(a_coverage(NOW - LAG), {lost: EPOCH - 1}, gaps)
    assert outage_ends(run) == [OUTAGES[0]]
    assert (MISSING, NOW) in blind_ends(run)  # the later outages lie within, and are one with it


def test_a_tail_that_was_cut_off_takes_all_coverage_away_but_not_what_stood_open() -> None:
    gap = Blind("spot", OUTAGES[0] + DAY, OUTAGES[0] + 2 * DAY, "an earlier repair")
    run = repaired(a_coverage(NOW - LAG, gap), gaps=[CUT])
    assert outage_ends(run) == list(OUTAGES)
    assert (gap.reason, gap.end_ns) in blind_ends(run)


def test_what_retention_took_from_the_front_leaves_the_coverage_of_the_rest() -> None:
    lost = a_lost_fill(FRONT.until_ns - DAY)
    run = repaired(a_coverage(NOW - LAG), {lost: EPOCH - 1}, [FRONT])
    assert blind_ends(run) == [(FRONT.reason, FRONT.until_ns)]
    assert asked_since(run) == lost.venue_ns - LAG


@pytest.mark.parametrize("ahead_ns", [10 * SECOND, -10 * SECOND])
def test_a_lost_execution_is_asked_for_since_its_own_time_with_any_clock(ahead_ns: int) -> None:
    lost = a_lost_fill(FRONT.until_ns - DAY)
    run = repaired(a_coverage(NOW - LAG), {lost: EPOCH - 1}, [FRONT], ahead_ns)
    assert asked_since(run) == lost.venue_ns - LAG


def test_executions_that_were_lost_and_asked_about_before_are_not_asked_about_again() -> None:
    """The venue does not know them any more; their position stays unbounded for a ruling."""
    lost = a_lost_fill(OUTAGES[0] + DAY)
    run = repaired(a_coverage(NOW - LAG), {lost: EPOCH - 2})
    assert blind_ends(run) == []
    assert asked_since(run) > NOW - DAY - 2 * LAG
    assert [one.unbounded for one in run.messages(topology.POSITIONS)] == [True]
    later = replace(a_coverage(lost.venue_ns), epoch=EPOCH - 1)
    assert (MISSING, NOW) in blind_ends(repaired(later, {lost: EPOCH - 2}))
