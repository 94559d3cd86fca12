"""A venue whose answers name an instrument otherwise than its stream does."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.event import InstrumentReport, OrderReport
from orderloom.raw import Answer, Frame, OwnerChange
from orderloom.words import Side, Status
from processors.partition import PartitionFold
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_raw_record, live
from venues import VENUES
from venues.venue import Inbound, Translation

SECOND = 1_000_000_000
VENUE = topology.PARTITION_KEY.decode()


def translate(inbound: Inbound) -> Translation:
    """A message is a list of fields of instruments (those with aliases) and of orders."""
    events: list[Any] = []
    for row in inbound.document:
        if "aliases" in row:
            events.append(
                InstrumentReport(product="spot", **row | {"aliases": tuple(row["aliases"])})
            )
        else:
            row["status"] = Status(row["status"])
            events.append(OrderReport(product="spot", side=Side.BUY, **row))
    return Translation(tuple(events))


def a_partition() -> PartitionFold:
    venue = VENUES["binance"]
    varying = replace(venue, translate=translate, usual=None, names_vary=frozenset({"spot"}))
    return PartitionFold(varying, 0)


class Named:
    """An account, its stream LIVE; its questions, and those about instruments, wait."""

    def __init__(self) -> None:
        self.run = Run(a_partition())
        self.run.step(a_raw_record(OwnerChange(NOW), account=VENUE))
        self.run.step(a_raw_record(live("spot")))
        self.run.step(None, NOW + 10 * SECOND)

    def questions(self, about: str) -> list[dict[str, Any]]:
        sent = [one for one in self.run.outputs if one.topic is topology.DISPATCHES]
        asked = [orjson.loads(one.value or b"")["question"] for one in sent]
        return [one for one in asked if one["about"] == about and one["product"] == "spot"]

    def answer(self, about: str, rows: list[dict[str, Any]], at: int) -> None:
        question = self.questions(about)[-1]
        now_ns = NOW + at * SECOND
        times = (now_ns, now_ns, now_ns)
        item = Answer(question, about, 1, True, 200, *times, orjson.dumps(rows))
        self.run.step(a_raw_record(item, account=question["account"]), now_ns)

    def wait(self, first: int, end: int) -> None:
        for second in range(first, end):
            self.run.step(None, NOW + second * SECOND)

    def orders(self) -> set[tuple[str, str]]:
        return {(one.key, one.status) for one in self.run.published().orders.values()}

    def restart(self) -> None:
        self.run.partition = a_partition()
        for key, value in self.run.state.items():
            self.run.partition.restore(key, value)


PAIR = {"symbol": "BTC/USD", "aliases": ["XBTUSD", "XXBTZUSD"]}
ROW = {"symbol": "XBTUSD", "venue_order_id": "7", "status": "ACTIVE"}


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_an_answer_calls_otherwise_is_the_order_that_the_stream_speaks_of(
    is_restarted: bool,
) -> None:
    named = Named()
    named.answer("INSTRUMENTS", [PAIR], 11)
    if is_restarted:
        named.restart()
    named.answer("OPEN_ORDERS", [ROW], 12)
    body = orjson.dumps([{**ROW, "symbol": "BTC/USD", "status": "CANCELED"}])
    frame = Frame("c-spot", 1, "spot", NOW + 13 * SECOND, body)
    named.run.step(a_raw_record(frame), NOW + 13 * SECOND)
    assert named.orders() == {(f"{ACCOUNT}/spot/BTC/USD/7", "CANCELED")}


def test_before_the_instruments_are_known_an_answer_is_asked_for_again_and_nothing_is_taken() -> (
    None
):
    named = Named()
    named.answer("OPEN_ORDERS", [ROW], 11)
    assert named.orders() == set()
    asked = len(named.questions("OPEN_ORDERS"))
    named.answer("INSTRUMENTS", [PAIR], 12)
    named.wait(13, 30)
    assert len(named.questions("OPEN_ORDERS")) > asked
    named.answer("OPEN_ORDERS", [ROW], 31)
    assert named.orders() == {(f"{ACCOUNT}/spot/BTC/USD/7", "ACTIVE")}


def test_what_a_list_asked_for_since_does_not_have_keeps_its_name() -> None:
    named = Named()
    named.answer("INSTRUMENTS", [PAIR], 11)
    named.answer("OPEN_ORDERS", [{**ROW, "symbol": "GONEUSD"}], 12)
    assert named.orders() == set(), "it may have been listed since"
    named.answer("INSTRUMENTS", [PAIR], 13)
    named.wait(14, 30)
    named.answer("OPEN_ORDERS", [{**ROW, "symbol": "GONEUSD"}], 31)
    assert named.orders() == {(f"{ACCOUNT}/spot/GONEUSD/7", "ACTIVE")}


def test_a_pair_that_is_listed_after_our_list_has_the_name_of_the_stream() -> None:
    named = Named()
    named.answer("INSTRUMENTS", [PAIR], 11)
    named.answer("OPEN_ORDERS", [{**ROW, "symbol": "NEWUSD"}], 12)
    new = {"symbol": "NEW/USD", "aliases": ["NEWUSD"]}
    named.answer("INSTRUMENTS", [PAIR, new], 13)
    named.wait(14, 30)
    named.answer("OPEN_ORDERS", [{**ROW, "symbol": "NEWUSD"}], 31)
    assert named.orders() == {(f"{ACCOUNT}/spot/NEW/USD/7", "ACTIVE")}


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_name_that_an_instrument_lost_leads_to_it_no_more(is_restarted: bool) -> None:
    named = Named()
    named.answer("INSTRUMENTS", [PAIR], 11)
    named.answer("INSTRUMENTS", [{**PAIR, "aliases": ["XBTUSD"]}], 12)
    if is_restarted:
        named.restart()
    instruments = named.run.partition.instruments
    later_ns = NOW + 20 * SECOND
    assert instruments.symbol_of("spot", "XBTUSD", later_ns) == "BTC/USD"
    assert instruments.symbol_of("spot", "XXBTZUSD", later_ns) is None


def test_the_aliases_are_published() -> None:
    named = Named()
    named.answer("INSTRUMENTS", [PAIR], 11)
    (instrument,) = named.run.messages(topology.INSTRUMENTS)
    assert (instrument.symbol, instrument.aliases) == ("BTC/USD", ("XBTUSD", "XXBTZUSD"))
