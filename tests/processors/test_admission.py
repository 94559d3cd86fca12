"""Forged records: what does not fit is a dead letter, and changes nothing else."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.control import HomeElsewhere
from orderloom.raw import (
    GENERATION_LEAD_SECONDS,
    Answer,
    ClockSample,
    ConnectionChange,
    Failure,
    Frame,
    Item,
    Liveness,
    OwnerChange,
    RawRecord,
    encode,
)
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from tests.processors.partition_lab import (
    ACCOUNT,
    NOW,
    Run,
    a_frame,
    a_raw_record,
    a_record,
    a_registration,
    live,
)
from venues import VENUES

SILENCE = "the ingest worker is silent"
OTHER, PARTITION = "binance:other", "venue"
SECOND = 1_000_000_000
FILL = orjson.dumps(
    {
        "e": "executionReport", "E": NOW // 1_000_000, "s": "BTCUSDT", "c": "x", "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": "777", "p": "1", "P": "0", "F": "0", "g": -1, "C": "",
        "x": "TRADE", "X": "FILLED", "r": "NONE", "i": 1, "l": "777", "z": "777", "L": "1",
        "n": "0", "N": "BNB", "T": NOW // 1_000_000, "t": 1, "I": 1, "w": False, "m": False,
        "M": False, "O": NOW // 1_000_000, "Z": "777", "Y": "777", "Q": "0", "W": 1, "V": "NONE",
    }
)  # fmt: skip


def a_run() -> Run:
    """Two registered accounts, their streams LIVE."""
    run = Run(PartitionFold(VENUES["binance"], 0))
    for number, account in enumerate((ACCOUNT, OTHER)):
        entry = a_record(a_registration(account), number, topology.CONTROL, account)
        run.step(entry)
        run.step(a_raw_record(live(), live("linear"), offset=number, account=account))
    return run


def raw_of(
    item: Item, *, key: str = ACCOUNT, account: str = ACCOUNT, generation: int = 1
) -> InputRecord:
    return a_record(encode(RawRecord(account, generation, "w1", (item,))), 50, key=key)


def shown(run: Run) -> dict[bytes, bytes]:
    """All that is kept of accounts; the partition's own dead letters are numbered apart."""
    return {key: value for key, value in run.state.items() if key != b"n/venue"}


def a_question(account: str = ACCOUNT, about: str = "BALANCES", **fields: Any) -> dict[str, Any]:
    return {"id": "q1", "account": account, "about": about, "product": "spot"} | fields


FORGED: dict[str, tuple[str, InputRecord]] = {
    "another account's key": ("key", raw_of(a_frame(FILL), key=ACCOUNT, account=OTHER)),
    "no key": ("key", replace(raw_of(a_frame(FILL)), key=None)),
    "a key that is no text": ("key", replace(raw_of(a_frame(FILL)), key=b"\xff\xfe")),
    "the partition's key": ("key", raw_of(a_frame(FILL), key=PARTITION)),
    "a frame of all accounts": (
        "key",
        raw_of(a_frame(FILL), key=PARTITION, account=PARTITION),
    ),
    "an owner of the partition under an account's key": ("key", raw_of(OwnerChange(NOW))),
    "what the owner hears under an account's key": (
        "key",
        raw_of(Liveness(NOW, [{"account": OTHER, "connection": "c-spot", "heard_ns": NOW}])),
    ),
    "the venue's clock under an account's key": (
        "key",
        raw_of(ClockSample("spot", NOW + SECOND, NOW, NOW)),
    ),
    "an account of another venue": (
        "account",
        raw_of(a_frame(FILL), key="okx:main", account="okx:main"),
    ),
    "no account at all": ("account", raw_of(a_frame(FILL), key="x", account="x")),
    "a generation that no clock gives": (
        "generation",
        raw_of(OwnerChange(NOW), key=PARTITION, account=PARTITION, generation=2**62),
    ),
    "a generation just beyond": (
        "generation",
        raw_of(live(), generation=NOW // SECOND + GENERATION_LEAD_SECONDS + 1),
    ),
    "a product of nobody": ("product", raw_of(Frame("c-x", 1, "futures", NOW, FILL))),
    "a connection of a product of nobody": (
        "product",
        raw_of(ConnectionChange("c", "spot", "LIVE", NOW, others=["futures"])),
    ),
    "an answer to somebody else's question": (
        "account",
        raw_of(Answer(a_question(OTHER), "x", 1, True, 200, NOW, NOW, NOW, b"[]")),
    ),
    "an account's question under the partition's key": (
        "key",
        raw_of(
            Answer(a_question(PARTITION), "x", 1, True, 200, NOW, NOW, NOW, b"[]"),
            key=PARTITION,
            account=PARTITION,
        ),
    ),
    "a failure whose question has no time": (
        "question",
        raw_of(Failure(a_question(until_ns="soon"), "", NOW, NOW, 200, FILL)),
    ),
    "an answer about no product": (
        "product",
        raw_of(Answer(a_question(product=[]), "x", 1, True, 200, NOW, NOW, NOW, b"[]")),
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_record_that_does_not_fit_is_a_dead_letter_and_changes_nothing(name: str) -> None:
    kind, record = FORGED[name]
    run = a_run()
    before, outputs = shown(run), len(run.outputs)
    run.step(record)
    assert shown(run) == before
    (letter,) = [one for one in run.outputs[outputs:] if one.topic is not topology.DISPATCHES]
    document = orjson.loads(letter.value or b"")
    assert letter.topic is topology.DEAD_LETTERS
    assert (document["account"], document["cause"]["offset"]) == (PARTITION, 50)
    assert document["reason"].startswith("not believed: ")
    assert run.partition.tallies.counts["unbelieved", kind] == 1
    assert set(run.partition.accounts) == {ACCOUNT, OTHER, PARTITION}


def test_the_same_record_that_fits_is_believed() -> None:
    run = a_run()
    run.step(raw_of(a_frame(FILL)))
    assert [fill.account for fill in run.messages(topology.FILLS)] == [ACCOUNT]
    assert not run.partition.tallies.counts


def test_an_account_that_lies_in_another_partition_is_believed_in_none_but_that() -> None:
    run, elsewhere = a_run(), "binance:elsewhere"
    notice = a_record(HomeElsewhere(elsewhere, 3).encoded(), 9, topology.CONTROL, elsewhere)
    run.step(notice)
    run.restart()
    run.step(a_raw_record(live(), a_frame(FILL), offset=10, account=elsewhere))
    assert elsewhere not in run.partition.accounts
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.reason == f"not believed: account {elsewhere} lies in partition 3"
    entry = a_record(a_registration(elsewhere), 11, topology.CONTROL, elsewhere)
    run.step(entry)
    assert elsewhere not in run.partition.accounts


def test_an_account_that_lies_here_is_not_moved_by_a_record() -> None:
    run = a_run()
    run.restart()
    before = shown(run)
    forged = a_record(HomeElsewhere(ACCOUNT, 3).encoded(), 9, topology.CONTROL, ACCOUNT)
    run.step(forged)
    assert shown(run) == before
    assert run.partition.tallies.counts["unbelieved", "partition"] == 1
    run.step(raw_of(a_frame(FILL)))
    assert [fill.account for fill in run.messages(topology.FILLS)] == [ACCOUNT]


def test_an_owner_ahead_of_time_locks_nobody_out_for_longer_than_the_lead() -> None:
    run = a_run()
    forged = NOW // SECOND + GENERATION_LEAD_SECONDS
    run.step(
        raw_of(OwnerChange(NOW), key=PARTITION, account=PARTITION, generation=forged),
    )
    account = run.partition.accounts[ACCOUNT]
    assert account.streams.status("spot") == "DOWN"  # told: blind, and the alarm of streams
    later = NOW + (GENERATION_LEAD_SECONDS + 1) * SECOND
    owner = raw_of(OwnerChange(later), key=PARTITION, account=PARTITION, generation=later // SECOND)
    run.step(replace(owner, appended_ns=later))
    again = raw_of(ConnectionChange("d", "spot", "LIVE", later), generation=later // SECOND)
    run.step(replace(again, appended_ns=later))
    assert account.streams.status("spot") == "LIVE"


YEAR_NS = 365 * 86_400 * SECOND


@pytest.mark.parametrize("at_ns", [NOW + YEAR_NS, 2**63 - 1])
def test_a_stream_that_is_heard_in_times_to_come_is_still_missed(at_ns: int) -> None:
    run, account = a_run(), ACCOUNT
    entry = {"account": account, "connection": "c-spot", "product": "spot", "heard_ns": at_ns}
    run.step(raw_of(Liveness(at_ns, [entry]), key=PARTITION, account=PARTITION))
    run.step(raw_of(a_frame(b"{}")))
    run.step(raw_of(Frame("c-spot", 2, "spot", at_ns, FILL)))
    assert run.partition.tallies.counts["unbelieved", "time"] == 2
    streams = run.partition.accounts[account].streams
    run.step(None, NOW + 7 * SECOND)
    assert streams.status("spot") == "SILENT"
    assert [blind.start_ns for blind in streams.blind if blind.reason == SILENCE] == [NOW, NOW]


@pytest.mark.parametrize("ahead_ns", [0, 5 * SECOND, GENERATION_LEAD_SECONDS * SECOND])
def test_a_clock_that_is_a_little_ahead_changes_nothing(ahead_ns: int) -> None:
    run = a_run()
    run.step(raw_of(Frame("c-spot", 1, "spot", NOW + ahead_ns, FILL)))
    [fill] = run.messages(topology.FILLS)
    assert fill.received_ns == NOW + ahead_ns
    assert not run.partition.tallies.counts


def a_config(**fields: Any) -> bytes:
    document = orjson.loads(a_registration())
    document["config"] |= fields
    return orjson.dumps(document)


def a_home(partition: bytes) -> bytes:
    return b'{"type":"home","account":"binance:a","partition":%b}' % partition


UNREADABLE: dict[str, Callable[[], bytes | None]] = {
    "random": lambda: os.urandom(50),
    "null": lambda: None,
    "empty": lambda: b"",
    "a list": lambda: b"[1, 2]",
    "a number": lambda: b"7",
    "json null": lambda: b"null",
    "another type": lambda: b'{"type": "kill", "account": "binance:main"}',
    "no config": lambda: b'{"type": "account"}',
    "a config that is a list": lambda: b'{"type": "account", "config": []}',
    "an id that is none": lambda: a_config(id="x"),
    "an id that is a list": lambda: a_config(id=[]),
    "a field that nobody knows": lambda: a_config(extra=1),
    "a partition below 0": lambda: a_config(partition=-1),
    "a partition beyond all numbers": lambda: a_home(b"1e999"),
    "a home that is no number": lambda: a_home(b"true"),
    "deep": lambda: b"[" * 100_000,
    "huge": lambda: b'{"type":"' + b"x" * 900_000 + b'"}',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_garbage_in_control_is_a_dead_letter_and_no_more(name: str) -> None:
    run, value = a_run(), UNREADABLE[name]()
    before = shown(run)
    garbage = InputRecord(topology.CONTROL, 0, 60, NOW, b"\x00\xff", value)
    run.step(garbage)
    assert shown(run) == before
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.reason.startswith("control: ")
    assert len(letter.reason) < 300
    assert letter.body == (value or b"")
    run.step(raw_of(a_frame(FILL)))
    assert [fill.account for fill in run.messages(topology.FILLS)] == [ACCOUNT]


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("key", OTHER, a_registration()),
        ("account", "okx:main", HomeElsewhere("okx:main", 2).encoded()),
        ("partition", ACCOUNT, a_config(partition=2)),
        ("product", ACCOUNT, a_config(products=["spot", "futures"])),
    ],
)
def test_an_entry_that_does_not_fit_is_not_believed(kind: str, key: str, value: bytes) -> None:
    run = a_run()
    before = shown(run)
    run.step(a_record(value, 60, topology.CONTROL, key))
    assert shown(run) == before
    assert run.partition.tallies.counts["unbelieved", kind] == 1


@pytest.mark.parametrize("value", [None, b"", b"\n", b"{}", b"[]", b"\xff" * 50])
@pytest.mark.parametrize("topic", [topology.RAW, topology.INTENTS, topology.CONTROL])
def test_garbage_under_a_key_of_nobody_makes_no_account(
    topic: topology.Topic, value: bytes | None
) -> None:
    run = a_run()
    for number in range(5):
        run.step(InputRecord(topic, 0, 60 + number, NOW, os.urandom(9), value))
    assert set(run.partition.accounts) == {ACCOUNT, OTHER, PARTITION}
    assert len(list(run.messages(topology.DEAD_LETTERS))) == 5


def test_liveness_of_an_account_is_taken_from_its_own_partition_record_alone() -> None:
    run = a_run()
    entry = {"account": OTHER, "connection": "c-spot", "product": "spot", "heard_ns": NOW + SECOND}
    run.step(raw_of(Liveness(NOW, [entry]), key=PARTITION, account=PARTITION))
    owner = run.partition.accounts[OTHER].streams.owner
    assert owner.heard_ns(OTHER, "c-spot") == NOW + SECOND
    assert owner.heard_ns(ACCOUNT, "c-spot") == 0
