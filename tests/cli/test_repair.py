"""`orderloom repair` as a person meets it, before anything is rebuilt."""

from typing import Any

import pytest

from cli.repairing import Progress, lines_of, result_of
from processors.ledger.state import Repair
from processors.repair.rebuild import FormerOutputs
from processors.repair.repair import Outcome
from processors.repair.survey import Survey, line_of

STOPPED = (
    "partition 3 has no state, but a past (fills is not empty): run `orderloom repair`, which "
    "rebuilds it and raises the epoch"
)


def a_survey(**changes: Any) -> Survey:
    given: dict[str, Any] = {
        "partition": 3,
        "cause": STOPPED,
        "begins": {"control": 0, "claims": 0, "intents": 0, "raw": 40},
        "ends": {"control": 2, "claims": 0, "intents": 0, "raw": 100},
        "lost": {},
        "epoch": 0,
        "step": 9,
        "records": 17,
        "begun": None,
    }
    return Survey(**given | changes)


def test_it_says_why_and_what_it_will_do() -> None:
    assert list(lines_of("binance", a_survey())) == [
        "binance partition 3: partition 3 has no state, but a past (fills is not empty)",
        "  will fold 62 records again (control 2, claims 0, intents 0, raw 60); drops 17 of state",
        "  will publish orders, fills, positions and accounts anew, in a higher epoch "
        "(the last is 0)",
    ]


def test_it_says_what_cannot_come_back_by_itself() -> None:
    lost = {"raw": "it begins at offset 40", "control": "it was deleted and created again"}
    raw, connections, control = list(lines_of("binance", a_survey(lost=lost)))[-3:]
    assert raw.startswith("  raw is not whole (it begins at offset 40): what it lacks is a blind")
    assert connections.endswith("start the venue's ingest anew after the repair")
    assert control.endswith("run `orderloom topics` first, which writes missing entries of the "
                            "registry")  # fmt: skip


def test_it_names_a_repair_that_did_not_end() -> None:
    begun = Repair(5, "ada", "", "", "1", "", 0)
    assert "  a repair by ada (epoch 5) was begun" in lines_of("binance", a_survey(begun=begun))


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("it ends at 7: records were lost; restore them, or run `x`", "it ends at 7: records were "
         "lost"),
        ("written by another version (format 9): run that version, or `x`", "written by another "
         "version (format 9)"),
    ],
)  # fmt: skip
def test_the_cause_is_shown_without_the_remedy(line: str, cause: str) -> None:
    assert line_of(a_survey(cause=line)) == cause


def test_the_result_counts_what_has_no_evidence_left() -> None:
    outcome = Outcome(
        2, 62, FormerOutputs(retired=4, lost=3), "raw is not whole: it begins at offset 40"
    )
    assert result_of(3, outcome) == (
        "partition 3: repaired, in epoch 2; 4 keys of views are shown no more; 3 published "
        "executions have no evidence left (raw is not whole: it begins at offset 40)"
    )


def test_executions_that_are_lost_without_a_known_gap_are_reported_too() -> None:
    assert result_of(3, Outcome(2, 62, FormerOutputs(retired=0, lost=1), "")) == (
        "partition 3: repaired, in epoch 2; 0 keys of views are shown no more; 1 published "
        "executions were not found again, though no gap in raw is known: each stays open in "
        "`orderloom differences`"
    )
    assert "executions" not in result_of(3, Outcome(2, 62, FormerOutputs(), ""))


def test_progress_is_said_every_few_seconds_and_at_the_end() -> None:
    said: list[object] = []
    progress = Progress("partition 3", said.append)
    progress.folded(10, 100)
    assert said == []
    progress.said_at -= 10
    progress.folded(50, 100)
    progress.folded(60, 100)
    progress.folded(100, 100)
    assert said == [
        "partition 3: 50 of 100 records folded",
        "partition 3: 100 of 100 records folded",
    ]
