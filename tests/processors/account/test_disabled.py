"""An account that a person switches off, takes away, and switches on again."""

from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from orderloom import topology
from orderloom.account import AccountState
from orderloom.raw import ConnectionChange, Liveness
from processors.ledger.step import Output
from processors.measured import show
from tests.processors.partition_lab import (
    ACCOUNT,
    NOW,
    Run,
    a_frame,
    a_partition,
    a_raw_record,
    a_record,
    a_registration,
    fed,
    history_records,
    live,
)
from tests.processors.test_partition import SECOND, answer_all, synced_run

HOUR = 3600 * SECOND
SYMBOLS = {"spot": ("BTCUSDT",), "linear": ("BTCUSDT",)}


def switch(run: Run, at_ns: int, *, enabled: bool, **entry: Any) -> list[Output]:
    """The registry's next entry comes through `control`; what the step published."""
    document = orjson.loads(a_registration(enabled=enabled, symbols=SYMBOLS)) | entry
    return run.step(a_record(orjson.dumps(document), topic=topology.CONTROL), at_ns)


def closed(at_ns: int, product: str = "spot") -> ConnectionChange:
    reason = "the account is disabled"
    return ConnectionChange(f"c-{product}", product, "CLOSED", at_ns, reason)


def last_state(run: Run) -> AccountState:
    states = [one for one in run.messages(topology.ACCOUNTS) if isinstance(one, AccountState)]
    return states[-1]


def asked(run: Run) -> int:
    return sum(output.topic is topology.DISPATCHES for output in run.outputs)


def disabled_run() -> Run:
    run = synced_run(symbols=SYMBOLS)
    switch(run, NOW + 10 * SECOND, enabled=False)
    run.step(a_raw_record(closed(NOW + 11 * SECOND), closed(NOW + 11 * SECOND, "linear")))
    return run


def test_a_disabled_account_asks_nothing_and_its_record_says_so() -> None:
    run = disabled_run()
    state = last_state(run)
    assert (state.enabled, state.removed, state.sync) == (False, False, "CATCHING_UP")
    assert run.partition.accounts[ACCOUNT].due_ns() is None
    before = asked(run)
    run.step(None, NOW + HOUR)
    assert asked(run) == before


def test_it_is_blind_from_when_it_was_last_seen_even_if_nobody_closes_its_streams() -> None:
    run = synced_run(symbols=SYMBOLS)
    switch(run, NOW + 10 * SECOND, enabled=False)
    open_ones = [one for one in last_state(run).blind if one.closed_ns is None]
    assert {one.product for one in open_ones} == {"spot", "linear"}
    assert {(one.start_ns, one.end_ns) for one in open_ones} == {(NOW, None)}


@pytest.mark.parametrize("entry", [{}, {"removed": True}], ids=["disabled", "removed"])
def test_what_is_known_stays_and_its_bands_are_unbounded(entry: dict[str, Any]) -> None:
    records, _ = history_records(3)
    run = fed([*records, a_record(a_registration(), topic=topology.CONTROL)])
    published = run.published()
    switch(run, NOW, enabled=False, **entry)
    assert last_state(run).removed is bool(entry)
    after = run.published()
    assert after.fills == published.fills
    assert after.orders.keys() == published.orders.keys()
    assert {key: one.net for key, one in after.positions.items()} == {
        key: one.net for key, one in published.positions.items()
    }
    assert after.positions
    assert all(position.unbounded for position in after.positions.values())


def test_enabled_again_it_is_synced_only_by_questions_over_the_whole_time() -> None:
    run = disabled_run()
    at = NOW + HOUR
    answer_all(run, switch(run, at, enabled=True), at)
    assert last_state(run).sync == "CATCHING_UP"  # answers without a stream prove nothing yet
    names = [ConnectionChange(f"d-{one}", one, "LIVE", at + SECOND) for one in ("spot", "linear")]
    run.step(a_raw_record(*names), at + SECOND)
    asked_since: list[int] = []
    for seconds in range(2, 20):
        now_ns = at + seconds * SECOND
        run.partition.accounts[ACCOUNT].streams.owner.liveness_ns = now_ns
        outputs = run.step(None, now_ns)
        since = [
            orjson.loads(one.value or b"")["question"].get("since_ns")
            for one in outputs
            if one.topic is topology.DISPATCHES
        ]
        asked_since += [one for one in since if one is not None]
        answer_all(run, outputs, now_ns)
    state = last_state(run)
    assert (state.sync, state.enabled) == ("SYNCED", True)
    assert {one.product for one in state.blind} == {"spot", "linear"}
    assert all(one.closed_ns for one in state.blind)
    assert asked_since
    assert max(asked_since) <= NOW


def test_a_stream_that_was_never_closed_meanwhile_is_seen_again_by_its_liveness() -> None:
    run = synced_run(symbols=SYMBOLS)
    switch(run, NOW + 10 * SECOND, enabled=False)
    switch(run, NOW + 11 * SECOND, enabled=True)
    entries = [
        {"account": ACCOUNT, "connection": f"c-{one}", "product": one, "last_number": 0}
        | {"heard_ns": NOW + 12 * SECOND}
        for one in ("spot", "linear")
    ]
    at = NOW + 12 * SECOND
    run.step(a_raw_record(Liveness(at, entries), account="venue"), at)
    assert set(last_state(run).streams.values()) == {"LIVE"}
    assert last_state(run).sync == "CATCHING_UP"  # the span was not asked about yet


def test_what_still_comes_of_a_disabled_account_is_evidence() -> None:
    run = synced_run(symbols=SYMBOLS)
    switch(run, NOW + 10 * SECOND, enabled=False)
    run.step(a_raw_record(a_frame(b"nonsense"), offset=9), NOW + 11 * SECOND)
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.body == b"nonsense"


def test_a_restart_remembers_that_it_is_disabled_or_removed() -> None:
    run = disabled_run()
    switch(run, NOW + 20 * SECOND, enabled=False, removed=True)
    run.restart()
    account = run.partition.accounts[ACCOUNT]
    assert (account.is_enabled, account.is_removed, account.due_ns()) == (False, True, None)


def test_nobody_is_woken_for_a_disabled_account() -> None:
    account = disabled_run().partition.accounts[ACCOUNT]
    show(account, account.now_ns)
    values = {
        name: REGISTRY.get_sample_value(f"orderloom_{name}", {"account": ACCOUNT})
        for name in ("disabled", "blind_intervals", "catching_up")
    }
    assert values == {"disabled": 1, "blind_intervals": 0, "catching_up": 0}


def test_an_account_that_begins_disabled_is_never_asked_about() -> None:
    run = Run(a_partition())
    switch(run, NOW, enabled=False)
    run.step(a_raw_record(live()), NOW + SECOND)
    run.step(None, NOW + HOUR)
    assert asked(run) == 0
    assert last_state(run).enabled is False
