"""One partition's state, fed with real frames: nothing lost, nothing twice, nothing raised."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

import orjson
import pytest

from orderloom import codec, topology
from orderloom.raw import Answer, Failure, Frame, Liveness, Oversize
from processors.account.pace import STANDARD
from processors.account.streams import ENDED_MAX
from processors.ledger.step import InputRecord, Output, UnknownStateFormat
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

SECOND = 1_000_000_000
SEEDS = range(1, 13)
OTHER = "binance:other"


def not_triggered(row: str) -> bool:
    """A conditional order that never reached the engine: the venue's order list has none of it."""
    return "the venue has no such order" in row and "/linear/" in row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_ends_in_the_venues_own_books(seed: int) -> None:
    records, truth = history_records(seed)
    verdict = fed(records).verdict(truth)
    details = verdict["details"]
    assert verdict["fills"] > 0
    assert not details["fills_lost"] + details["fills_invented"] + details["fills_doubled"]
    assert not details["wrong_positions"]
    assert not [row for row in details["wrong_states"] if not not_triggered(row)]
    assert all("None, None" in row for row in details["fills_wrong"])  # no fee on the stream


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_after_any_step_changes_nothing_that_is_shown_or_kept(seed: int) -> None:
    records, _ = history_records(seed)
    cuts = frozenset(Random(seed).sample(range(len(records)), 12))
    straight, cut = fed(records), fed(records, cuts)
    assert cut.digests == straight.digests
    assert cut.state == straight.state
    assert [o.value for o in cut.outputs] == [o.value for o in straight.outputs]


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_of_another_size_end_in_the_same_content(seed: int) -> None:
    records, _ = history_records(seed)
    run = Run(a_partition())
    for record in records:
        run.partition.fold(record, NOW)
    run.take()
    assert run.digests[0] == fed(records).digests[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_message_holds_to_the_contract_and_sequences_are_dense(seed: int) -> None:
    records, _ = history_records(seed)
    run = fed(records)
    sequences: dict[str, int] = {}
    for output in run.outputs:
        if output.topic is topology.DISPATCHES:
            continue
        if output.value is None:
            number = orjson.loads(dict(output.headers)["sequence"])
        else:
            message: Any = codec.read(output.topic, output.value)  # each kind has a sequence
            number = message.sequence
        assert number == sequences.get(output.topic.kind, 0) + 1
        sequences[output.topic.kind] = number
    assert sequences["orders"] > 5


def test_the_same_records_again_publish_no_fill_and_no_order() -> None:
    records, _ = history_records(3)
    run = fed(records)
    count = len(run.outputs)
    for record in records[1:]:
        run.step(record)
    kinds = {output.topic.kind for output in run.outputs[count:]}
    assert not kinds & {"fills", "orders"}


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b'{"e":"executionReport"', b'{"e":"neverHeardOf"}', b"[" * 5000]
)
def test_a_frame_that_cannot_be_read_is_a_dead_letter_with_its_bytes(body: bytes) -> None:
    run = Run(a_partition())
    run.step(a_raw_record(live()))
    run.step(a_raw_record(a_frame(body), offset=1))
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.body == body
    assert (letter.cause.offset, letter.cause.place) == (1, 0)


def test_of_a_frame_too_large_for_a_dead_letter_it_holds_the_head_and_says_which_it_was() -> None:
    run, body = Run(a_partition()), b"x" * (13 * 1024 * 1024)
    run.step(a_raw_record(live()))
    outputs = run.step(a_raw_record(a_frame(body), offset=1))
    assert all(len(output.value or b"") < 1024 * 1024 for output in outputs)
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert (letter.body, letter.length) == (body[: 64 * 1024], len(body))
    assert letter.sha256 == hashlib.sha256(body).hexdigest()


def test_a_frame_that_cannot_be_read_makes_the_account_ask() -> None:
    run = synced_run()
    outputs = run.step(a_raw_record(a_frame(b"nonsense"), offset=2), NOW + 10 * SECOND)
    assert run.partition.accounts[ACCOUNT].streams.is_blind("spot")
    assert "dispatches" in {output.topic.kind for output in outputs}


def test_thousands_of_frames_that_cannot_be_read_leave_few_intervals_and_one_cycle_closes_them(
) -> None:  # fmt: skip
    """3,690 of them once made 8,877 open intervals, each a row of the account's record."""
    run, at_ns = synced_run(), NOW + 10 * SECOND
    streams = run.partition.accounts[ACCOUNT].streams
    for number in range(1, 3_691):
        product = ("spot", "linear")[number % 2]
        frame = Frame(f"c-{product}", number, product, at_ns + number * SECOND, b"nonsense")
        run.partition.fold(a_raw_record(frame, offset=number + 1), at_ns)
        assert len(streams.blind) <= 2 * (ENDED_MAX + 2)
    run.take()
    assert {interval.product for interval in streams.blind} == {"spot", "linear"}
    for seconds in (3_700, 3_710):
        then_ns = at_ns + seconds * SECOND
        streams.owner.liveness_ns = then_ns
        answer_all(run, run.step(None, then_ns), then_ns)
    assert not streams.blind


def test_an_oversize_frame_is_a_dead_letter_and_a_question() -> None:
    run = synced_run()
    item = Oversize("c-spot", 1, "spot", NOW, 20_000_000, "ab" * 32, b"head")
    run.step(a_raw_record(item, offset=2), NOW + 10 * SECOND)
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert "20000000" in letter.reason
    assert run.partition.accounts[ACCOUNT].streams.is_blind("spot")


def synced_run(**registered: Any) -> Run:
    """One registered account, its streams LIVE, its first cycles answered with nothing."""
    run = Run(a_partition())
    control = a_record(a_registration(**registered), topic=topology.CONTROL)
    run.step(control)
    run.step(a_raw_record(live(), live("linear")))
    account = run.partition.accounts[ACCOUNT]
    account.streams.owner.liveness_ns = NOW + 60 * SECOND
    for at_ns in (NOW + 3 * SECOND, NOW + 6 * SECOND):
        answer_all(run, run.step(None, at_ns), at_ns)
    assert not account.streams.blind
    return run


def test_a_cycle_ends_for_the_product_that_was_asked_about_whatever_its_answers_repeat() -> None:
    run = Run(a_partition())
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    run.step(a_raw_record(live(), live("linear")))
    at_ns = NOW + 3 * SECOND
    for output in run.step(None, at_ns):
        if output.topic is topology.DISPATCHES:
            question = orjson.loads(output.value or b"")["question"]
            product = question.pop("product")
            body = b'{"balances":[]}' if product == "spot" else b"[]"
            body = body if question["about"] == "BALANCES" else b"[]"
            item = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
            run.step(a_raw_record(item, offset=1), at_ns)
    cycles = run.partition.accounts[ACCOUNT].look_ups.reconciliation.cycles
    assert {name: one.completed for name, one in cycles.items()} == {"spot": 1, "linear": 1}


def answer_all(run: Run, outputs: Iterable[Output], asked_ns: int) -> None:
    """Answer each question with a complete, empty page."""
    empty = {"BALANCES": {"spot": b'{"balances":[]}', "linear": b"[]"}}
    for output in outputs:
        if output.topic is not topology.DISPATCHES:
            continue
        question = orjson.loads(output.value or b"")["question"]
        body = empty.get(question["about"], {}).get(question["product"], b"[]")
        item = Answer(question, "", 1, True, 200, asked_ns, asked_ns, asked_ns, body)
        run.step(a_raw_record(item, offset=1), asked_ns)


def test_an_account_is_catching_up_until_its_cycles_are_complete_and_its_positions_open() -> None:
    run = synced_run()
    states = [state.sync for state in run.messages(topology.ACCOUNTS)]
    assert states[0] == "CATCHING_UP"
    assert states[-1] == "SYNCED"


def test_symbols_that_are_registered_later_are_asked_about_before_it_is_synced_again() -> None:
    """Ingest may notice a new account before the processors hear of its symbols."""
    run = synced_run()
    at = NOW + 5 * SECOND
    document = orjson.loads(a_registration(symbols={"spot": ("ADAUSDT",)}))
    outputs = run.step(a_record(orjson.dumps(document), topic=topology.CONTROL), at)
    assert [state.sync for state in run.messages(topology.ACCOUNTS)][-1] == "CATCHING_UP"
    questions = [
        orjson.loads(output.value or b"")["question"]
        for output in outputs
        if output.topic is topology.DISPATCHES
    ]
    (trades,) = (one for one in questions if one["about"] == "TRADES" and one["symbol"])
    assert trades["symbol"] == "ADAUSDT"
    assert trades["since_ns"] <= at - STANDARD.lookback_ns
    answer_all(run, outputs, at)
    assert [state.sync for state in run.messages(topology.ACCOUNTS)][-1] == "SYNCED"


def test_a_failed_answer_leaves_the_account_catching_up() -> None:
    run = Run(a_partition())
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    run.step(a_raw_record(live(), live("linear")))
    for output in run.step(None, NOW + 3 * SECOND):
        if output.topic is topology.DISPATCHES:
            question = orjson.loads(output.value or b"")["question"]
            at = NOW + 3 * SECOND
            item = Answer(question, "", 1, True, 500, at, at, at, b"")
            run.step(a_raw_record(item, offset=1), at)
    assert [state.sync for state in run.messages(topology.ACCOUNTS)][-1] == "CATCHING_UP"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"garbage",
        b'{"v":2}\n',
        b'{"v":1,"account":"okx:x","generation":1,"owner":"w","items":[]}\n',
    ],
)
def test_a_raw_record_that_is_none_is_a_dead_letter(value: bytes) -> None:
    run = Run(a_partition())
    run.step(a_record(value))
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.body == value


@pytest.mark.parametrize("value", [b"", b"[]", b'{"type":"?"}', b'{"type":"account","config":{}}'])
def test_a_control_record_that_is_none_is_a_dead_letter(value: bytes) -> None:
    run = Run(a_partition())
    run.step(a_record(value, topic=topology.CONTROL))
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.reason.startswith("control")


def test_a_left_out_record_quarantines_its_account_and_no_other() -> None:
    records, truth = history_records(2)
    run = fed(records[: len(records) // 2])
    poison = a_raw_record(a_frame(b"{}"), offset=999, account=OTHER)
    run.partition.leave_out(poison, "AssertionError", "trace", NOW)
    for record in records[len(records) // 2 :]:
        run.step(record)
    assert list(run.partition.quarantined()) == [OTHER]
    assert not run.verdict(truth)["details"]["fills_lost"]
    (letter,) = (m for m in run.messages(topology.DEAD_LETTERS) if m.account == OTHER)
    assert letter.trace == "trace"


def test_a_quarantined_accounts_later_records_are_remembered_not_folded() -> None:
    run = Run(a_partition())
    run.step(a_raw_record(live()))
    run.partition.leave_out(a_raw_record(a_frame(b"{}"), offset=1), "AssertionError", "trace", NOW)
    run.take()
    run.step(a_raw_record(a_frame(b"nonsense"), offset=2))
    run.restart()
    run.step(a_raw_record(a_frame(b"nonsense", 2), offset=3))
    quarantine = run.partition.accounts[ACCOUNT].quarantine
    assert quarantine is not None
    assert (quarantine["records"], quarantine["last"]) == (2, {"raw": 3})


def test_an_order_that_only_an_answer_shows_is_found_also_under_the_name_of_a_former_one() -> None:
    run, at_ns = synced_run(), NOW + 20 * SECOND
    made = {"time": (NOW + 9 * SECOND) // 1_000_000, "updateTime": (NOW + 9 * SECOND) // 1_000_000}
    for order_id in (77, 78):
        body = orjson.dumps([a_cancelled_order(orderId=order_id, **made)])
        item = Failure({"id": "somebody-else", "product": "linear"}, "", at_ns, at_ns, 200, body)
        run.step(a_raw_record(item, offset=order_id), at_ns)
    found = list(run.messages(topology.DIFFERENCES))
    assert [(one.kind, one.ours) for one in found] == [("ZOMBIE", {}), ("ZOMBIE", {})]


def test_a_quarantined_account_is_not_in_sync_and_its_bands_are_unbounded() -> None:
    run = synced_run()
    report = {
        "e": "executionReport", "s": "BTCUSDT", "c": "x", "C": "", "S": "BUY", "o": "LIMIT",
        "f": "GTC", "q": "1", "p": "2", "x": "TRADE", "X": "FILLED", "i": 9, "l": "1", "z": "1",
        "L": "2", "n": "0", "N": "BNB", "T": NOW // 1_000_000, "t": 5, "I": 1, "m": False,
    }  # fmt: skip
    run.step(a_raw_record(a_frame(orjson.dumps(report)), offset=2))
    (position,) = list(run.messages(topology.POSITIONS))[-1:]
    assert (position.net, position.unbounded) == (Decimal(1), False)
    poison = a_raw_record(a_frame(b"{}", 2), offset=3)
    run.partition.leave_out(poison, "AssertionError", "trace", NOW + 10 * SECOND)
    run.take()
    run.restart()
    run.step(a_raw_record(a_frame(b"{}", 3), offset=4))
    *_, state = run.messages(topology.ACCOUNTS)
    *_, position = run.messages(topology.POSITIONS)
    assert (state.quarantined, state.sync) == (True, "CATCHING_UP")
    assert (position.net, position.unbounded) == (Decimal(1), True)
    assert not run.partition.accounts[ACCOUNT].is_synced


def test_liveness_keeps_the_account_from_falling_silent() -> None:
    run = synced_run()
    account = run.partition.accounts[ACCOUNT]
    account.streams.owner.liveness_ns, at = NOW + 3 * SECOND, NOW + 8 * SECOND
    entry = {"account": ACCOUNT, "connection": "c-spot", "product": "spot", "last_number": 0}
    item = Liveness(at, [entry | {"heard_ns": at}])
    run.step(a_raw_record(item, offset=2, account="venue"), at)
    run.step(None, at + 5 * SECOND)
    assert account.streams.status("spot") == "LIVE"
    run.step(None, at + 7 * SECOND)
    assert account.streams.status("spot") == "SILENT"


def test_state_of_an_unknown_format_is_refused() -> None:
    with pytest.raises(UnknownStateFormat, match="format 99"):
        a_partition().restore(b"a/binance:main", b'{"f":99,"account":"binance:main"}')


# ---- what a restart must not change


def an_answer(rows: list[dict[str, Any]], offset: int, product: str = "linear") -> InputRecord:
    """A list that answers nobody's question."""
    question = {"id": "somebody-else", "product": product}
    item = Failure(question, "", NOW, NOW, 200, orjson.dumps(rows))
    return a_raw_record(item, offset=offset)


def a_cancelled_order(**fields: Any) -> dict[str, Any]:
    return {
        "symbol": "XRPUSDT", "orderId": 77, "clientOrderId": "c1", "status": "CANCELED",
        "executedQty": "0", "origQty": "5", "price": "1", "side": "BUY", "type": "LIMIT",
        "timeInForce": "GTC", "time": 1_792_999_991_000, "updateTime": 1_792_999_995_000,
        "avgPrice": "0", "cumQuote": "0", **fields,
    }  # fmt: skip


def test_a_position_that_was_not_published_outlives_a_restart() -> None:
    ends = []
    for is_restarted in (False, True):
        run = Run(a_partition())
        run.step(a_raw_record(live("linear")))
        run.step(an_answer([a_cancelled_order()], 1))
        if is_restarted:
            run.restart()
        moved = a_cancelled_order(positionSide="LONG", updateTime=1_792_999_996_000)
        run.step(an_answer([moved], 2))
        ends.append((run.digests, [(one.topic.kind, one.value) for one in run.outputs]))
    assert ends[0] == ends[1]


def test_fees_in_several_currencies_give_one_state_whatever_came_first() -> None:
    ends = []
    for is_restarted in (False, True):
        run = Run(a_partition())
        run.step(a_raw_record(live("spot")))
        run.step(an_answer([a_spot_trade(5, 9, "BNB"), a_spot_trade(4, 8, "USDT")], 1, "spot"))
        if is_restarted:
            run.restart()
        run.step(an_answer([a_spot_trade(100 + at, 9, "BNB") for at in range(70)], 2, "spot"))
        run.step(an_answer([a_spot_trade(3, 8, "USDT")], 3, "spot"))
        ends.append(run.digests)
    assert ends[0] == ends[1]


def a_spot_trade(number: int, order_id: int, fee_currency: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "id": number, "orderId": order_id, "orderListId": -1, "price": "2",
        "qty": "1", "quoteQty": "2", "commission": "0.1", "commissionAsset": fee_currency,
        "time": 1_792_999_990_000 + number, "isBuyer": True, "isMaker": True, "isBestMatch": True,
    }  # fmt: skip
