"""Balances that change often are shown once a second; nothing of them is left unshown."""

from typing import Any

import orjson

from orderloom import topology
from processors.account.publishing import BALANCES_NS
from tests.processors.partition_lab import NOW, Run, a_frame, a_partition, a_raw_record, live


def balances(free: int, number: int) -> Any:
    at_ms = 1_793_000_000_000 + number
    held = [{"a": "SOL", "f": str(free), "l": "0"}]
    event = {"e": "outboundAccountPosition", "E": at_ms, "u": at_ms, "B": held}
    return a_raw_record(a_frame(orjson.dumps(event), number), offset=number)


def shown(run: Run) -> list[str]:
    """The free amounts that the account's records showed one after another."""
    states = list(run.messages(topology.ACCOUNTS))
    return [str(state.balances[0].free) for state in states if state.balances]


def begun() -> Run:
    run = Run(a_partition())
    run.step(a_raw_record(live()))
    run.step(None, NOW + BALANCES_NS)
    return run


def test_changes_within_a_second_are_shown_together_when_it_is_over() -> None:
    run, began = begun(), NOW + 3 * BALANCES_NS
    run.step(balances(1, 1), began)
    assert shown(run) == ["1"]
    for number in range(2, 6):
        run.step(balances(number, number), began + number)
    assert shown(run) == ["1"]
    due_ns = run.partition.due_ns()
    assert due_ns == began + BALANCES_NS
    run.step(None, due_ns - 1)
    assert shown(run) == ["1"]
    run.step(None, due_ns)
    assert shown(run) == ["1", "5"]
    assert run.partition.due_ns() != due_ns


def test_what_is_owed_survives_a_restart() -> None:
    run, began = begun(), NOW + 3 * BALANCES_NS
    run.step(balances(1, 1), began)
    run.step(balances(2, 2), began + 1)
    run.restart()
    run.step(None, began + BALANCES_NS)
    assert shown(run) == ["1", "2"]
