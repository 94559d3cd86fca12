"""A row that did not change is not joined again, and nobody can tell (decision 0016)."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.event import OrderReport, Origin
from orderloom.words import Source, Status
from processors.orders.lists import ListPage, OpenList, Shown, is_plain
from processors.orders.record import Record
from tests.builders import an_origin
from tests.histories import SECOND_NS, Piece, a_history, folded, shuffled
from tests.processors.orders.lists_lab import ListsLab, paged
from venues.venue import Profile

LAG_NS = Profile().visibility_lag_ns
ORDERS = range(8)


def a_lab(orders: int = 5, cycles: int = 2) -> ListsLab:
    """An account in sync with so many open orders, listed before."""
    lab = ListsLab()
    for order in range(orders):
        lab.place(order)
    for _ in range(cycles):
        lab.cycle()
    return lab


def equal_in_the_end(lab: ListsLab) -> None:
    """All other state is the same, and so are all times of the evidence once they are asked for."""
    mine, theirs = (
        {key: value for key, value in one.state.items() if key[:1] not in (b"o", b"g", b"j")}
        for one in (lab.knows, lab.joins)
    )
    assert mine == theirs
    name = lab.account.name
    assert lab.knows.evidence(name) == lab.joins.evidence(name)


def written(lab: ListsLab) -> set[bytes]:
    """Which records of orders and lists a cycle of unchanged rows writes."""
    before = dict(lab.knows.state)
    lab.cycle()
    after = lab.knows.state
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return {key for key in changed if key[:1] in (b"o", b"g", b"j")}


def test_a_cycle_of_unchanged_rows_writes_one_record() -> None:
    lab = a_lab()
    assert lab.kept() == 5
    assert written(lab) == {b"g/binance:growth/spot/"}
    equal_in_the_end(lab)


def test_what_was_said_of_an_order_is_joined_once_it_is_spoken_of() -> None:
    lab = a_lab()
    lab.cycle()
    lab.execute(2)
    assert lab.kept() == 4
    equal_in_the_end(lab)
    assert lab.kept() == 0


def test_a_row_of_an_order_whose_execution_lacks_is_joined_each_time() -> None:
    lab = a_lab()
    lab.execute(1, is_heard=False)
    lab.wait(31)
    for question in list(lab.lists_asked()):
        lab.page(question, lab.rows(is_open=True), (1, True), lab.now_ns)
    assert lab.kept() == 4
    lab.answer_others()
    lab.cycle()
    assert lab.kept() == 5


def test_a_row_below_the_executions_is_joined_each_time_and_becomes_a_dispute() -> None:
    lab = a_lab()
    stale = lab.rows(is_open=True)
    lab.wait(30)
    lab.execute(1)
    orders = lab.knows.partition.account(lab.account.name).orders
    for asked_after_s, is_disputed in ((1, False), (31, True)):
        lab.wait(asked_after_s)
        for question in list(lab.lists_asked()):
            lab.page(question, stale, (1, True), lab.now_ns)
        assert lab.kept() == 4
        assert [one.is_disputed for one in orders.open_orders()] == [
            is_disputed and number == 1 for number in range(5)
        ]
        lab.answer_others()
    equal_in_the_end(lab)


def test_a_row_that_is_younger_than_the_venues_lag_is_joined_once_more() -> None:
    lab = a_lab()
    lab.wait(25)
    lab.amend(3, 64_000, is_heard=False)
    lab.wait(6)
    for question in list(lab.lists_asked()):
        lab.page(question, lab.rows(is_open=True), (1, True), lab.reports[3]["T"] * 1_000_000)
    assert lab.kept() == 4
    lab.answer_others()
    lab.cycle()
    lab.cycle()
    assert lab.kept() == 5
    equal_in_the_end(lab)


def test_an_order_that_ended_meanwhile_is_no_row_and_one_that_vanished_is_a_ghost() -> None:
    lab = a_lab()
    lab.cancel(1)
    lab.cancel(2, is_heard=False)
    lab.wait(31)
    for question in list(lab.lists_asked()):
        lab.page(question, lab.rows(is_open=True), (1, True), lab.now_ns)
    assert lab.kept() == 3
    lab.asked.clear()
    lab.wait(5)
    equal_in_the_end(lab)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_pages_that_are_never_completed_count_for_what_they_showed(*, is_restarted: bool) -> None:
    lab = a_lab()
    lab.wait(31)
    (question,) = lab.lists_asked()
    first, *_ = paged(lab.rows(is_open=True), 2)
    lab.page(question, *first, lab.now_ns)
    if is_restarted:
        lab.restart()
    assert lab.kept() == 5
    lab.fail(question)
    lab.wait(31)
    for again in list(lab.lists_asked()):
        for rows, place in paged(lab.rows(is_open=True), 2):
            lab.page(again, rows, place, lab.now_ns)
            if is_restarted:
                lab.restart()
    lab.answer_others()
    assert not [key for key in lab.knows.state if key.startswith(b"j/")]
    equal_in_the_end(lab)


def test_of_a_page_that_cannot_be_read_nothing_counts() -> None:
    lab = a_lab()
    lab.wait(31)
    (question,) = lab.lists_asked()
    broken = lab.rows(is_open=True)
    broken[4]["executedQty"] = "many"
    lab.page(question, broken, (1, True), lab.now_ns)
    equal_in_the_end(lab)


def test_without_the_venues_clock_the_pages_go_the_general_way() -> None:
    lab = a_lab()
    lab.has_clock = False
    lab.cycle()
    assert lab.kept() == 0
    lab.has_clock = True
    lab.wait(31)
    for question in list(lab.lists_asked()):
        lab.page(question, lab.rows(is_open=True), (1, True), lab.now_ns)
    assert lab.kept() == 5
    equal_in_the_end(lab)


def test_bytes_that_differ_and_mean_the_same_are_joined() -> None:
    lab = a_lab()
    lab.wait(31)
    (question,) = lab.lists_asked()
    rows = lab.rows(is_open=True)
    rows[0] = dict(reversed(rows[0].items()))
    assert orjson.dumps(rows[0]) != orjson.dumps(lab.rows(is_open=True)[0])
    lab.page(question, rows, (1, True), lab.now_ns)
    assert lab.kept() == 5
    equal_in_the_end(lab)


# ---- what is plain


def an_asked_row(dice: Random, pieces: list[Piece]) -> tuple[OrderReport, Origin]:
    """A report of the history once more, as an answer, and perhaps somewhat otherwise."""
    reports = [event for event, _ in pieces if isinstance(event, OrderReport)]
    row = dice.choice(reports)
    if dice.random() < 0.3:
        row = replace(row, price=Decimal(dice.choice((149, 150, 151))))
    if dice.random() < 0.3:
        row = replace(row, filled_quantity=Decimal(dice.randrange(4)))
    if dice.random() < 0.5:
        row = replace(row, status=Status.ACTIVE, reason=None, is_amendment=False, replaces=None)
    return row, an_origin(Source.QUERY, asked_ns=dice.randrange(70) * SECOND_NS)


def test_where_a_row_is_plain_joining_it_again_changes_times_alone() -> None:
    plain = 0
    for seed in range(500):
        dice = Random(seed)
        history = a_history(seed, orders=1)
        pieces = shuffled(history, dice)[: dice.randrange(1, len(history) + 1)]
        if not any(isinstance(event, OrderReport) for event, _ in pieces):
            continue
        orders = folded(pieces)
        if dice.random() < 0.1:
            for order in list(orders.all()):
                orders.absent(order.key, dice.randrange(60) * SECOND_NS)
        row, origin = an_asked_row(dice, pieces)
        orders.apply(row, origin)
        found = orders.find(row.product, row.symbol or "", row.venue_order_id)
        if found is None or origin.asked_ns is None:
            continue
        found.pin(Decimal(1), [])
        orders.spoke(found, origin, 1)
        if not is_plain(found, row, origin.asked_ns):
            continue
        plain += 1
        later_ns = origin.asked_ns + dice.randrange(1, 90) * SECOND_NS
        once, derived, content = Record.load(found.own.dump()), found.derived, found.content()
        once.repeat(later_ns, LAG_NS)
        assert not orders.apply(row, replace(origin, asked_ns=later_ns)), seed
        assert (found.derived, found.content()) == (derived, content), seed
        assert found.own.dump() == once.dump(), seed
    assert plain > 20


def test_an_answer_that_is_asked_no_later_than_the_former_goes_the_general_way() -> None:
    one = OpenList("spot/")
    one.begin(ListPage("q1", 5, 1, True, Shown(100, 10)))
    one.complete()
    assert one.takes(ListPage("q2", 6, 1, True, Shown(101, 10)))
    assert not one.takes(ListPage("q2", 6, 1, True, Shown(100, 11)))
    assert not one.takes(ListPage("q2", 6, 1, True, Shown(101, 9)))
    one.begin(ListPage("q2", 6, 1, False, Shown(101, 10)))
    assert not one.takes(ListPage("q2", 6, 2, True, Shown(101, 10))), (
        "the first page is not taken yet"
    )
    assert not one.takes(ListPage("q2", 7, 1 + 1, True, Shown(101, 10)))


# ---- histories


def list_pages(lab: ListsLab, dice: Random, stale: list[Any]) -> None:
    """Lists are answered: whole or broken off, in order or not, now or as they were before."""
    for question in list(lab.lists_asked()):
        rows = stale if stale and dice.random() < 0.15 else lab.rows(is_open=True)
        asked_ns = lab.now_ns - dice.choice((0, 0, 1_000_000_000, 20_000_000_000))
        for rows_of_page, (number, is_last) in paged(rows, dice.choice((1, 2, 3, 100))):
            page, flaw = rows_of_page, dice.random()
            if flaw < 0.05:
                lab.fail(question)
                break
            if flaw < 0.08:
                continue  # the page is lost
            if flaw < 0.11 and page:
                page = [*page[:-1], page[-1] | {"executedQty": "many"}]
            lab.page(question, page, (number, is_last), asked_ns)
            if flaw > 0.95:
                lab.page(question, page, (number, is_last), asked_ns)
            if dice.random() < 0.2:
                act(lab, dice)
            if dice.random() < 0.1:
                lab.restart()


def act(lab: ListsLab, dice: Random) -> None:
    """Something happens to an order, heard or not."""
    order, is_heard = dice.choice(ORDERS), dice.random() < 0.7
    what = dice.random()
    if what < 0.4:
        lab.place(order, is_heard=is_heard)
    elif what < 0.65:
        lab.execute(order, is_heard=is_heard)
    elif what < 0.75:
        lab.amend(order, 64_000 + dice.randrange(9), is_heard=is_heard)
    elif what < 0.85:
        lab.cancel(order, is_heard=is_heard)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_both_ways_say_and_decide_the_same_whatever_happens(seed: int) -> None:
    dice, lab = Random(seed), ListsLab()
    stale: list[Any] = []
    for _ in range(dice.randrange(20, 60)):
        for _ in range(dice.choice((0, 0, 0, 1, 3))):
            act(lab, dice)
        lab.has_clock = dice.random() > 0.05
        lab.wait(dice.choice((0.2, 1, 3, 12, 31)))
        if dice.random() < 0.9:
            list_pages(lab, dice, stale)
        if dice.random() < 0.9:
            lab.answer_others()
        if dice.random() < 0.1:
            stale = lab.rows(is_open=True)
        if dice.random() < 0.1:
            lab.restart()
    equal_in_the_end(lab)
