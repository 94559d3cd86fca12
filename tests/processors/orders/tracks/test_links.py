"""Registers: the greatest stamp wins, then the greater value, never the later arrival."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import orjson
import pytest

from orderloom.event import OrderReport
from orderloom.words import Reason, Source, Status
from processors.orders.tracks.links import Link
from processors.orders.tracks.registers import SAME, SHOWN, STORED, put
from tests.builders import a_report, an_origin


def linked(*reports: OrderReport, source: Source = Source.STREAM) -> Link:
    link = Link()
    for report in reports:
        link.take(report, an_origin(source))
    return link


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (a_report(price="1"), a_report(price="2", ordinal=(1, 0))),
        (a_report(price="1", ordinal=(1, 0)), a_report(price="2", ordinal=(1, 1))),
        (a_report(price="1"), a_report(price="2", is_amendment=True)),
        (a_report(price="1", filled_quantity="1"), a_report(price="2", filled_quantity="2")),
        (a_report(price="1"), a_report(Status.CANCELED, price="2")),
        (a_report(price="1"), a_report(price="2")),
    ],
    ids=["ordinal", "sub-ordinal", "amendment", "cumulative", "terminal", "value"],
)
def test_terms_follow_the_order_of_evidence(weaker: OrderReport, stronger: OrderReport) -> None:
    for pair in permutations((weaker, stronger)):
        assert linked(*pair).terms.value("price") == Decimal(2)


@pytest.mark.parametrize(("asked_ns", "price"), [(12, 3), (14, 3), (16, 5)])
def test_terms_that_say_not_since_when_are_of_when_they_were_asked_for(
    asked_ns: int, price: int
) -> None:
    opened = (a_report(price="9", ordinal=(2, 0)), an_origin())
    amended = (a_report(price="3", ordinal=(10, 0), is_amendment=True), an_origin())
    row = a_report(price="5", ordinal=(2, 0), is_as_asked=True)
    listed = (row, an_origin(Source.QUERY, asked_ns=asked_ns))
    former = (replace(row, price=Decimal(7)), an_origin(Source.QUERY, asked_ns=8))
    for said in permutations((opened, amended, listed, former)):
        link = Link()
        for report, origin in said:
            link.take(report, origin, lag_ns=5)
        assert link.terms.value("price") == Decimal(price)
        assert link.live_ordinal() == (10, 0)


def test_of_two_events_of_a_history_at_one_moment_the_amendment_counts() -> None:
    fill = a_report(price="9", ordinal=(2, 0), filled_quantity="1", is_past=True)
    amended = replace(fill, price=Decimal(3), is_amendment=True)
    asked = an_origin(Source.QUERY, asked_ns=16)
    for said in permutations((fill, amended)):
        link = Link()
        for report in said:
            link.take(report, asked, lag_ns=5)
        assert link.terms.value("price") == Decimal(3)
        assert link.asked is None  # nor do they say how much is executed by now


def test_a_report_fills_in_what_others_left_out() -> None:
    newer = a_report(price=None, ordinal=(2, 0))
    older = a_report(price="1", ordinal=(1, 0))
    assert linked(newer, older).terms.value("price") == Decimal(1)


def test_a_forced_reason_beats_a_newer_ordinary_one() -> None:
    forced = a_report(Status.CANCELED, reason=Reason.LIQUIDATION, ordinal=(1, 0))
    ordinary = a_report(Status.CANCELED, reason=Reason.USER_CANCEL, ordinal=(2, 0))
    assert linked(ordinary, forced).reasons["CANCELED"][1] is Reason.LIQUIDATION


def test_a_reason_that_the_venue_said_beats_a_later_one_that_was_inferred() -> None:
    word = {"reason": Reason.SELF_TRADE_PREVENTION, "ordinal": (1, 0)}
    guess = {"reason": Reason.TIME_IN_FORCE, "ordinal": (2, 0), "is_reason_inferred": True}
    said, inferred = a_report(Status.EXPIRED, **word), a_report(Status.EXPIRED, **guess)
    for pair in permutations((said, inferred)):
        assert linked(*pair).reasons["EXPIRED"][1] is Reason.SELF_TRADE_PREVENTION
    assert linked(inferred).reasons["EXPIRED"][1] is Reason.TIME_IN_FORCE


def test_putting_returns_what_it_changed() -> None:
    registers: dict[str, tuple[object, object]] = {}
    assert put(registers, "x", 1, "a") == STORED | SHOWN
    assert put(registers, "x", 1, "a") == SAME
    assert put(registers, "x", 2, "a") == STORED
    assert put(registers, "x", 2, "b") == STORED | SHOWN
    assert put(registers, "x", 1, "z") == SAME


def test_claims_remember_by_which_ways_they_came() -> None:
    link = linked(a_report(), a_report(ordinal=(5, 0)))
    link.take(a_report(), an_origin(Source.QUERY))
    assert link.words == {"LIVE": ((5, 0), 3)}


def test_the_newest_question_counts_for_the_cumulative_quantity_that_it_saw() -> None:
    link = Link()
    for asked_ns, filled in ((5, "1"), (9, "0.5"), (7, "2")):
        origin = an_origin(Source.QUERY, asked_ns=asked_ns)
        link.take(a_report(filled_quantity=filled), origin)
    assert (link.asked, link.claimed) == ((9, Decimal("0.5")), Decimal(2))


def test_a_link_comes_back_from_its_dump() -> None:
    link = linked(
        a_report(filled_quantity="1.50", filled_quote="225", ordinal=(1, 2)),
        a_report(Status.CANCELED, reason=Reason.EXPIRY, is_amendment=True, quantity="3"),
    )
    link.take(a_report(filled_quantity="1"), an_origin(Source.QUERY, asked_ns=3))
    again = Link.load(link.name, orjson.loads(orjson.dumps(link.dump())))
    for name in Link.__slots__:
        if name != "terms":
            assert getattr(again, name) == getattr(link, name), name
    assert again.terms.all() == link.terms.all()
