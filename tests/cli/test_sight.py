"""What doctor says of an account is what its last record shows, and no better."""

from pathlib import Path
from typing import Any

import pytest

from cli.findings import Finding, Mark
from cli.sight import check_keys, sight_of
from orderloom.account import AccountConfig, AccountState, BlindInterval, Progress, RefusedSymbol
from orderloom.event import Cause

SECOND_NS = 1_000_000_000
NOW_NS = 1_763_726_400 * SECOND_NS
LATE_NS = 60 * SECOND_NS
ACCOUNT = AccountConfig(id="binance:main", products=("spot", "linear"), key="env:NOT_SET_ANYWHERE")


def a_state(**fields: Any) -> AccountState:
    plain: dict[str, Any] = {
        "account": "binance:main",
        "partition": 0,
        "sync": "SYNCED",
        "streams": {"spot": "LIVE", "linear": "LIVE"},
        "covered_ns": {"spot": NOW_NS - 9 * SECOND_NS, "linear": NOW_NS - 12 * SECOND_NS},
        "version": 1,
        "sequence": 1,
        "epoch": 0,
        "cause": Cause("raw.binance", 0, 1),
    }
    return AccountState(**plain | fields)


def a_refused_symbol(*, may_lack: bool) -> RefusedSymbol:
    since_ns = NOW_NS - 300 * SECOND_NS
    return RefusedSymbol(
        product="spot", symbol="OLDUSDT", code="-1121", since_ns=since_ns, may_lack=may_lack
    )


def findings_of(state: AccountState | None) -> list[Finding]:
    return list(sight_of(ACCOUNT, state, NOW_NS, LATE_NS))


def test_an_account_that_is_seen_is_well_with_the_time_of_its_oldest_look() -> None:
    [finding] = findings_of(a_state())
    assert finding.mark is Mark.WELL
    assert finding.line.endswith("SYNCED, covered until 2025-11-21 11:59:48 UTC (12 s)")


def test_a_refused_symbol_of_which_nothing_may_be_missing_does_not_disturb() -> None:
    [finding] = findings_of(a_state(refused=(a_refused_symbol(may_lack=False),)))
    assert finding.mark is Mark.WELL


def test_an_account_that_nobody_has_folded_is_not_called_well() -> None:
    [finding] = findings_of(None)
    assert (finding.mark, finding.part) == (Mark.NOTE, "account")
    assert "nobody has folded it yet" in finding.line


def test_an_account_that_catches_up_is_not_called_well() -> None:
    progress = {"spot": Progress(answered=0, asked=8, pages=0)}
    [finding] = findings_of(a_state(sync="CATCHING_UP", covered_ns={"spot": 0}, progress=progress))
    assert (finding.mark, "CATCHING_UP spot:0/8" in finding.line) == (Mark.NOTE, True)
    [disabled] = findings_of(a_state(enabled=False, sync="CATCHING_UP", streams={"spot": "DOWN"}))
    assert (disabled.mark, "disabled still" in disabled.line) == (Mark.NOTE, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"streams": {"spot": "LIVE", "linear": "DOWN"}}, "the stream of linear is DOWN"),
        ({"streams": {"spot": "SILENT"}}, "the stream of spot is SILENT"),
        ({"quarantined": True}, "quarantined, a record of it could not be folded"),
        (
            {"sync": "CATCHING_UP", "refused": (a_refused_symbol(may_lack=True),)},
            "binance refuses OLDUSDT on spot (code -1121) since 2025-11-21 11:55:00 UTC (300 s)",
        ),
        (
            {"covered_ns": {"spot": NOW_NS - 300 * SECOND_NS}},
            "nobody could look at spot since 2025-11-21 11:55:00 UTC (300 s)",
        ),
        (
            {
                "blind": (
                    BlindInterval(
                        product="spot", start_ns=NOW_NS - 90 * SECOND_NS, reason="disconnected"
                    ),
                )
            },
            "blind on spot since 2025-11-21 11:58:30 UTC (90 s): disconnected",
        ),
    ],
)
def test_what_keeps_an_account_from_being_seen_is_wrong(fields: dict[str, Any], words: str) -> None:
    [finding] = findings_of(a_state(**fields))
    assert finding.mark is Mark.WRONG
    assert words in finding.line


def test_a_blind_interval_that_is_young_or_closed_is_not_wrong() -> None:
    young = BlindInterval(product="spot", start_ns=NOW_NS - SECOND_NS)
    closed = BlindInterval(product="spot", start_ns=1, end_ns=2, closed_ns=3)
    ever = BlindInterval(product="spot", start_ns=0)
    findings = findings_of(a_state(sync="CATCHING_UP", blind=(young, closed, ever)))
    assert [finding.mark for finding in findings] == [Mark.NOTE]


def test_a_key_that_cannot_be_read_here_is_said(tmp_path: Path) -> None:
    [finding] = check_keys([ACCOUNT])
    assert finding.mark is Mark.NOTE
    assert "binance:main: no key here (the variable NOT_SET_ANYWHERE is not set" in finding.line
    (tmp_path / "key.json").write_text('{"key": "k", "secret": "s"}')
    (tmp_path / "key.json").chmod(0o600)
    there = ACCOUNT.model_copy(update={"key": f"file:{tmp_path}/key.json"})
    assert list(check_keys([there, ACCOUNT.model_copy(update={"enabled": False})])) == []
    okx = there.model_copy(update={"id": "okx:main"})
    [without] = check_keys([okx])
    assert "holds no passphrase" in without.line
