"""Instruments are asked once for each owned partition, kept, and published by partition 0."""

from typing import Any

import orjson

from orderloom import topology
from orderloom.instrument import Instrument
from orderloom.raw import Answer, Failure, Liveness
from processors.instruments import REFRESH_NS, RETRY_NS, TIMEOUT_NS
from processors.partition import PartitionFold
from simulator.history import generate
from tests.processors.partition_lab import NOW, Run, a_raw_record
from venues import VENUES

SECOND = 1_000_000_000


def owned(partition: int = 0) -> Run:
    """The state of a partition that an ingest worker owns since NOW."""
    run = Run(PartitionFold(VENUES["binance"], partition))
    run.step(a_raw_record(Liveness(NOW, []), account="venue"))
    return run


def asked(run: Run) -> list[dict[str, Any]]:
    """The questions about instruments that went out so far."""
    dispatches = [o for o in run.outputs if o.topic is topology.DISPATCHES]
    assert all(output.key == topology.PARTITION_KEY for output in dispatches)
    return [orjson.loads(output.value or b"")["question"] for output in dispatches]


def answer(run: Run, question: dict[str, Any], body: bytes, at_ns: int = NOW) -> None:
    item = Answer(question, "GET exchangeInfo", 1, True, 200, at_ns, at_ns, at_ns, body)
    run.step(a_raw_record(item, offset=1, account="venue"), at_ns)


def listing(product: str) -> bytes:
    lines = (line for line in generate(1).lines if line["channel"] == "GET exchangeInfo")
    return orjson.dumps(next(line["raw"] for line in lines if line["product"] == product))


def test_an_owned_partition_asks_for_each_product_once() -> None:
    run = owned()
    run.step(a_raw_record(Liveness(NOW, []), offset=1, account="venue"))
    assert [(q["about"], q["product"], q["account"]) for q in asked(run)] == [
        ("INSTRUMENTS", "linear", "venue"),
        ("INSTRUMENTS", "spot", "venue"),
    ]


def test_partition_0_publishes_what_it_learns() -> None:
    run = owned()
    for question in asked(run):
        answer(run, question, listing(question["product"]))
    published = {(m.product, m.symbol): m for m in run.messages(topology.INSTRUMENTS)}
    bitcoin = published["linear", "BTCUSDT"]
    assert isinstance(bitcoin, Instrument)
    assert (bitcoin.base, bitcoin.quote) == ("BTC", "USDT")
    assert bitcoin.tick
    assert bitcoin.lot


def test_another_partition_keeps_them_and_publishes_nothing() -> None:
    run = owned(partition=3)
    for question in asked(run):
        answer(run, question, listing(question["product"]))
    assert not list(run.messages(topology.INSTRUMENTS))
    assert b"i/linear/BTCUSDT" in run.state


def test_a_question_that_was_lost_keeps_no_new_instrument_waiting() -> None:
    run = owned()
    run.step(None, NOW + TIMEOUT_NS)
    at_ns = NOW + TIMEOUT_NS
    for question in asked(run)[2:]:
        answer(run, question, listing(question["product"]), at_ns)
    run.partition.instruments.want("spot", "NEWUSDT", at_ns + 1)
    run.step(None, at_ns + 1)
    assert [question["product"] for question in asked(run)[4:]] == ["spot"]


def test_the_same_listing_again_publishes_nothing() -> None:
    run = owned()
    for question in asked(run):
        answer(run, question, listing(question["product"]))
    count = len(run.outputs)
    run.step(None, NOW + REFRESH_NS)
    again = asked(run)[2:]
    assert len(again) == 2
    for question in again:
        answer(run, question, listing(question["product"]), NOW + REFRESH_NS)
    assert {o.topic.kind for o in run.outputs[count:]} == {"dispatches"}


def test_a_failed_read_is_asked_again() -> None:
    run = owned()
    first, *_ = asked(run)
    failure = Failure(first, "HTTP 503", NOW, NOW, 503, b"")
    run.step(a_raw_record(failure, offset=1, account="venue"))
    run.step(None, NOW + RETRY_NS - 1)
    assert len(asked(run)) == 2
    run.step(None, NOW + RETRY_NS)
    assert [q["product"] for q in asked(run)] == ["linear", "spot", first["product"]]


def test_an_answer_that_cannot_be_read_is_a_dead_letter_and_asked_again() -> None:
    run = owned()
    first, *_ = asked(run)
    answer(run, first, b"nonsense")
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.body == b"nonsense"
    run.step(None, NOW + RETRY_NS)
    assert len(asked(run)) == 3


def test_a_restart_forgets_no_instrument_and_asks_nothing_twice() -> None:
    run = owned()
    for question in asked(run):
        answer(run, question, listing(question["product"]))
    before = dict(run.state)
    run.restart()
    run.step(a_raw_record(Liveness(NOW, []), offset=2, account="venue"))
    assert len(asked(run)) == 2
    assert {k: v for k, v in run.state.items() if k.startswith(b"i/")} == {
        k: v for k, v in before.items() if k.startswith(b"i/")
    }


def test_an_instrument_named_while_a_list_is_under_way_that_lacks_it_is_asked_for_at_once() -> None:
    run = owned()
    run.partition.instruments.want("spot", "NEWUSDT", NOW + SECOND)
    for question in asked(run):
        answer(run, question, listing(question["product"]), NOW + 2 * SECOND)
    run.step(None, NOW + 2 * SECOND)
    again = asked(run)[2:]
    assert [question["product"] for question in again] == ["spot"]
    answer(run, again[0], listing("spot"), NOW + 3 * SECOND)
    run.step(None, NOW + 4 * SECOND)
    assert len(asked(run)) == 3, "a list that was begun since and lacks it too is the venue's word"
