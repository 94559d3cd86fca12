"""What the state holds is shown in metrics."""

from decimal import Decimal

import orjson
from prometheus_client import REGISTRY

from processors.measured import MeasuredFold
from processors.tallies import NAMES_MAX
from tests.processors.account.test_reconciled_venue import a_lab, losing, rest
from tests.processors.partition_lab import ACCOUNT, NOW, a_frame, a_raw_record, live
from venues import VENUES


def value(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"orderloom_{metric}", labels) or 0.0


def fed(*bodies: bytes) -> MeasuredFold:
    partition = MeasuredFold(VENUES["binance"], 0)
    partition.fold(a_raw_record(live()), NOW)
    for number, body in enumerate(bodies, 1):
        partition.fold(a_raw_record(a_frame(body, number), offset=number), NOW)
    partition.changes()
    return partition


def test_dead_letters_are_counted_by_kind() -> None:
    before = value("dead_letters_total", venue="binance", reason="bad frame")
    fed(b"nonsense", b"more nonsense")
    assert value("dead_letters_total", venue="binance", reason="bad frame") == before + 2


def test_an_unknown_field_is_counted_once_for_each_message_that_has_it() -> None:
    balance = b'{"e":"balanceUpdate","E":1,"a":"USDT","d":"1","T":1,"neverHeardOf":1}'
    frame = b'{"subscriptionId":0,"event":' + balance + b"}"
    partition = fed(frame, frame)
    unknown = {name: n for (kind, name), n in partition.tallies.counts.items() if kind == "unknown"}
    assert len(unknown) == 1
    ((name, number),) = unknown.items()
    assert number == 2
    assert value("unknown_fields_total", venue="binance", name=name) >= 2


def test_a_venue_that_makes_up_names_makes_no_more_metrics_than_a_bound() -> None:
    for fold in range(2):  # each fold begins anew, the metrics of the process do not
        rows = [
            orjson.dumps({"e": "balanceUpdate", "E": 1, "a": "U", "d": "1", "T": 1, f"w{n}": 1})
            for n in range(fold * 300, fold * 300 + 300)
        ]
        partition = fed(*(b'{"subscriptionId":0,"event":' + row + b"}" for row in rows))
        assert len(partition.tallies.counts) <= NAMES_MAX + 1
        assert partition.tallies.counts.total() == 300
    samples = [
        one
        for metric in REGISTRY.collect()
        for one in metric.samples
        if one.name == "orderloom_unknown_fields_total" and one.labels["venue"] == "binance"
    ]
    assert len(samples) <= NAMES_MAX + 1
    assert value("unknown_fields_total", venue="binance", name="other") >= 400 - NAMES_MAX


def test_blindness_and_catching_up_are_shown_by_account() -> None:
    fed()
    assert value("blind_intervals", account=ACCOUNT) == 1
    assert value("catching_up", account=ACCOUNT) == 1


def test_a_quarantine_is_shown() -> None:
    partition = fed()
    partition.leave_out(a_raw_record(a_frame(b"{}"), offset=9), "AssertionError", "trace", NOW)
    partition.changes()
    assert value("quarantined", account=ACCOUNT) == 1


def drift(kind: str, outcome: str) -> float:
    return value("differences_total", account=ACCOUNT, kind=kind, outcome=outcome)


def test_what_was_lost_and_healed_is_counted_and_timed() -> None:
    before, healed = drift("MISSED_FILL", "healed"), value("heal_seconds_count", venue="binance")
    lab = a_lab(1, fold=MeasuredFold)
    lab.drop = losing(1, 0.2)
    lab.trade(120)
    lab.drop = lambda _message: False
    rest(lab)
    missed = [found for found in lab.differences() if found.kind == "MISSED_FILL"]
    assert missed
    assert drift("MISSED_FILL", "healed") == before + len(missed)
    assert value("heal_seconds_count", venue="binance") == healed + len(missed)
    late = [found.theirs["after_ns"] / 1e9 for found in missed]
    assert max(late) < 10 + 2 + 1, "a period, the lag, and the answers"
    assert value("open_differences", account=ACCOUNT) == 0


def test_a_difference_that_stands_is_shown_as_open() -> None:
    before = drift("BALANCE", "open")
    lab = a_lab(1, fold=MeasuredFold)
    account = lab.run.partition.accounts[ACCOUNT]
    lab.wait_until(lambda: "spot" in account.look_ups.balances.opened)
    lab.drop = lambda message: message.kind == "balanceUpdate"
    lab.venue.spot.transfer(lab.account, "USDT", Decimal(-250))
    rest(lab)
    assert value("open_differences", account=ACCOUNT) == 1
    assert drift("BALANCE", "open") == before + 1


def test_how_long_an_account_is_blind_is_shown() -> None:
    lab = a_lab(2, fold=MeasuredFold)
    assert value("blind_seconds", account=ACCOUNT) == 0
    lab.refuse = lambda _question: True
    lab.disconnect()
    lab.wait(7000)
    assert value("blind_seconds", account=ACCOUNT) >= 7
    lab.refuse = lambda _question: False
    lab.reconnect()
    lab.wait_until(lab.is_synced)
    assert value("blind_seconds", account=ACCOUNT) == 0
